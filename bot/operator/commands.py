"""What an operator's commands do, beside a bot that runs or without one."""

import asyncio
import getpass
import os
import re
import shutil
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from bot.approvals.cards import settled_posts
from bot.approvals.endings import Ending
from bot.environment import read_database_place, read_for_check, read_mcp_path, read_model_settings
from bot.mcp.extra import look_at_servers
from bot.operator.check.check import as_json, check, in_lines
from bot.operator.check.finding import Level, fatal
from bot.operator.console import database_place, errors, run, stop_signal, whole_reference, with_database
from bot.operator.log import Format, OperatorLog, Question, Slack, describe
from bot.operator.reader import Filters, open_log, read_day, user_in
from bot.operator.receiving import receive
from bot.operator.text import counted
from bot.prices import Prices, read_prices
from bot.settings import SettingsError, database_place_of
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite import shop_migrations
from bot.store.calls import CallStatus
from bot.store.moving import export, move
from bot.store.opening import OpenDatabase
from bot.store.sqlite.files import back_up
from bot.store.sqlite.migrations import bot_migrations
from bot.store.sqlite.restore import restore
from bot.store.tables.approval_requests import ApprovalRequests
from bot.store.tables.audit import write_audit
from bot.store.tables.erasure import Erasure
from bot.store.tables.open_requests import OpenRequests
from bot.store.tables.outbox import Outbox
from bot.store.tables.retries import Retries
from bot.store.tables.seals import verify
from bot.store.tables.switches import Switches


def pause() -> None:
    """Stop whatever needs an approval, in every process."""
    with_database(lambda database: Switches(database.tables).pause(by=_operator()))
    click.echo("Paused: nothing can be approved until `support-bot resume`.")


def resume() -> None:
    """Resume approvals."""
    with_database(lambda database: Switches(database.tables).resume(by=_operator()))
    click.echo("Resumed.")


def copy_database(target: Path) -> None:
    """Copy the database while the bot runs."""
    place = database_place()
    with errors():
        if isinstance(place, Path):
            back_up(place, target)
        else:
            run(export(place, target))
    with_database(
        lambda database: database.tables.commit(
            lambda db: write_audit(db, "backup", by=_operator(), subject=target.name)
        )
    )
    click.echo(f"Copied to {target}.")


def restore_database(backup: Path) -> None:
    """Put a backup in the database's place."""
    with errors():
        path = read_database_place()
    if not isinstance(path, Path):
        raise click.ClickException(
            f"BOT_DATABASE is {path}. Put {backup} into an empty database with `support-bot migrate-database`, set "
            "BOT_DATABASE to that one, and run `support-bot pause` before the bot."
        )
    aside = run(restore(backup, path, bot_migrations, shop_migrations, by=_operator()))
    click.echo(f"{backup} is the database {path} now." + (f" What was there is {aside}." if aside else ""))
    click.echo("Approvals are paused, as some may have been done since the backup: look at `support-bot log pending`,")
    click.echo("start the bot, and when all is well: `support-bot resume`.")


def migrate_database(source: str, target: str) -> None:
    """Move a stopped bot's tables to another database."""
    places = [database_place_of(word) for word in (source, target)]
    sums, copied = run(move(*places))
    rows = sum(one.rows for one in sums.values())
    click.echo(f"{counted(rows, 'row')} in {counted(len(sums), 'table')}: counts and sums are the same on both sides.")
    click.echo("They were there already." if not copied else f"Set BOT_DATABASE to {places[1]} and start the bot.")


def export_log(target: Path) -> None:
    """Copy the log into a SQLite file while the bot runs."""
    sums = run(export(database_place(), target))
    click.echo(f"{counted(sum(one.rows for one in sums.values()), 'row')} copied to {target}.")


def retry(reference: str) -> None:
    """Try again what failed."""
    mark = whole_reference(reference)
    words = with_database(lambda database: Retries(database.tables).retry(mark, by=_operator()))
    click.echo(f"{words} A bot that runs takes it within seconds.")


def verify_log(head: str | None) -> None:
    """Hold the finished calls against their chain of hashes."""
    if head is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", head):
        raise click.ClickException(f"\u201c{head}\u201d is no head: those are the 64 signs that `verify` shows.")
    verdict = with_database(lambda database: database.tables.read(lambda db: verify(db, head)))
    with open_log(database_place()) as log:
        for broken in verdict.broken:
            click.echo(f"\u2717 {describe(log, broken.call_id)}: {broken.fault}.")
    if not verdict.knows_head:
        click.echo("\u2717 The head that was given is not in the chain: the log was cut short, or is another one.")
    if verdict.broken or not verdict.knows_head:
        raise click.ClickException("The log was changed behind the bot's back.")
    click.echo(
        f"\u2713 {counted(verdict.sealed, 'entry', 'entries')}; every finished call is as it was when it was finished."
    )
    click.echo(f"Head: {verdict.head}")
    click.echo(
        "Keep the head elsewhere; `support-bot verify --head` then tells whether anything before it was removed."
    )


def pin_mcp_tools(*, yes: bool) -> None:
    """Show every tool that MCP servers would have offered, and trust it when the operator says so."""
    with errors():
        path = read_mcp_path()
    if path is None:
        raise click.ClickException("BOT_MCP is not set; it names the file of MCP servers, such as mcp.json.")
    pinning = run(look_at_servers(path))
    click.echo(pinning.text)
    if not pinning.is_new:
        click.echo("All of it is pinned as it is.")
        return
    if not (yes or click.confirm("Trust this?")):
        raise click.ClickException("Nothing was pinned.")
    pinning.write()
    click.echo(f"Pinned in {pinning.path}. A bot that runs reads it at its next start.")


def settle(mark: str, why: str, *, done: bool) -> None:
    """Close a request whose outcome the shop does not tell, by what a person has found out."""
    mark = whole_reference(mark)

    async def close(database: OpenDatabase) -> str:
        leases = database.new_leases(0)
        outbox = Outbox(database.tables, leases)
        requests, opened = ApprovalRequests(database.tables, outbox, leases), OpenRequests(database.tables, outbox)
        found = [call for call in await opened.find(mark) if call.status == CallStatus.UNKNOWN or call.money_pending]
        if len(found) != 1:
            many = "more than one" if found else "no"
            raise click.ClickException(f"There is {many} request with this reference whose outcome is not known.")
        (call,) = found
        ending = Ending.SETTLED_DONE if done else Ending.SETTLED_NOT_DONE
        redrawn, announcement = settled_posts(call, ending.on_card(call, None, why))
        words = ending.for_model(call, why)
        closed = await requests.settle(
            call,
            ending.value.status,
            words,
            redrawn=redrawn,
            announcement=announcement,
            error=None if done else why,
            operator=_operator(),
            why=why,
        )
        return words if closed else "It was settled meanwhile, so nothing was changed."

    click.echo(with_database(close))


def note_received(number: str, lines: Sequence[int]) -> None:
    """Note what has come back to the built-in shop, and have its refund asked for."""
    with errors():
        settings = read_for_check()
    try:
        said = with_database(lambda database: receive(database, settings, number, lines, _operator()))
    except ShopRefusedError as error:
        raise click.ClickException(str(error)) from None
    for line in said:
        click.echo(line)


def forget(user: str) -> None:
    """Erase a person's threads."""
    who = user_in(user) or user
    with errors():
        erased = with_database(lambda database: Erasure(database.tables).forget(who, by=_operator()))
    threads = "1 thread" if erased.threads == 1 else f"{erased.threads} threads"
    click.echo(f"{threads} erased. The shop's own customers and orders are not touched.")
    if erased.left_in:
        raise click.ClickException(f"Erased words may still be in {erased.left_in}. Run this again later.")


def check_all(*, http: bool, json: bool) -> None:
    """Check everything that the bot needs, and end with 1 when it could not start."""
    try:
        findings = asyncio.run(check(read_for_check(), http=http))
    except SettingsError as error:
        findings = [fatal("settings", str(error))]
    for line in [as_json(findings)] if json else in_lines(findings):
        click.echo(line)
    if any(finding.level is Level.FATAL for finding in findings):
        sys.exit(1)


def show_log(
    what: str | None,
    form: Format,
    *,
    follow: bool,
    tool: str | None,
    status: str | None,
    day: str | None,
    limit: int,
) -> None:
    """Answer a question about the log, and with `follow` go on with every call that is new or moves on."""
    try:
        filters = Filters(tool, status, read_day(day) if day else None)
    except ValueError:
        raise click.ClickException(f"{day} is no day. Give one such as 2026-11-25, today or yesterday.") from None
    if status is not None and status not in list(CallStatus):
        raise click.ClickException(f"{status} is no status. There are {', '.join(CallStatus)}.")
    if what is not None and not what.strip():
        raise click.UsageError("Say what is looked for, or nothing at all for the latest calls.")
    if what == "today" and (tool or status):
        raise click.UsageError("`log today` sums up a whole day: it goes with --day alone.")
    if follow and what is not None:
        raise click.UsageError("--follow goes on with the latest calls; it does not go with a story, a queue or a day.")
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 200
    question = Question(what, filters, limit, form, width)
    with errors():
        slack, prices = _slack_and_prices()
    with errors(), open_log(database_place()) as reader:
        log = OperatorLog(reader, slack, prices)
        if not follow:
            for line in asyncio.run(log.answer(question)):
                click.echo(line)
            return
        with suppress(KeyboardInterrupt):
            asyncio.run(_follow(log, question))


async def _follow(log: OperatorLog, question: Question) -> None:
    stopped = stop_signal()
    async for lines in log.follow(question, stopped):
        for line in lines:
            click.echo(line)
        sys.stdout.flush()


def _slack_and_prices() -> tuple[Slack | None, Prices]:
    """Return how to ask for names, and prices; the log is read without what the settings do not tell."""
    slack = None
    try:
        settings = read_for_check()
        slack = Slack(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    except SettingsError as error:
        if "SLACK_BOT_TOKEN is not set" not in str(error):
            click.echo(f"Without names and prices: {error}", err=True)
            return None, Prices()
        settings = read_model_settings()
    return slack, read_prices(settings.model_prices or "")


def _operator() -> str:
    """Return who gives the command, as the machine knows them."""
    return f"{os.environ.get('SUDO_USER') or _login()}@{socket.gethostname()}"


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number only
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "somebody"
