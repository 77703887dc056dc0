"""The side of a database server in a check: can it be reached and written, and does its clock agree with ours."""

from datetime import UTC, datetime

from bot.operator.check.finding import Finding, fatal, ok, warning
from bot.settings import PostgresUrl, SettingsError
from bot.store.errors import DatabaseError
from bot.store.reading import look_at_server

MIN_VERSION = 14
MAX_SECONDS_OFF = 5.0


def check_server(url: PostgresUrl) -> list[Finding]:
    """Look whether the bot's tables can be kept there; tables that are not there are not made."""
    asked = datetime.now(UTC)
    try:
        server = look_at_server(url)
    except (DatabaseError, SettingsError) as error:
        return [fatal("database", str(error), "Look at BOT_DATABASE, and whether the server runs.")]
    if server.version < MIN_VERSION:
        return [fatal("database", f"{url} is PostgreSQL {server.version}.", f"Take {MIN_VERSION} or newer.")]
    if server.is_read_only:
        return [fatal("database", f"{url} takes no writes.", "Set BOT_DATABASE to the server that does.")]
    there = "" if server.has_tables else "; the first start creates the tables"
    findings = [ok("database", f"{url} can be written, PostgreSQL {server.version}{there}.")]
    off = abs((server.now - asked).total_seconds())
    if off > MAX_SECONDS_OFF:
        findings.append(
            warning(
                "clock", f"The clocks of this machine and of the database differ by {off:.0f} s.", "Set them by NTP."
            )
        )
    return findings
