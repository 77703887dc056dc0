"""All checks together, before a start and in production."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from bot.operator.check.finding import Finding, Level
from bot.operator.check.machine import check_database
from bot.operator.check.mcp import check_mcp
from bot.operator.check.model import check_models
from bot.operator.check.server import check_server
from bot.operator.check.settings import check_help_and_tools, check_settings, check_telemetry
from bot.operator.check.shop import check_shop
from bot.operator.check.slack import check_slack
from bot.operator.text import printable
from bot.settings import PostgresUrl, Settings


async def check(settings: Settings, *, http: bool = False, thorough: bool = True) -> list[Finding]:
    """Check everything that the bot needs. At a start, which is not `thorough`, the model is not asked a question."""
    slack, models, shop, mcp = await asyncio.gather(
        check_slack(settings, http=http, thorough=thorough),
        check_models(settings, thorough=thorough),
        check_shop(settings, thorough=thorough),
        check_mcp(settings, thorough=thorough),
    )
    telemetry = await asyncio.to_thread(check_telemetry, thorough=thorough)
    of_settings = [*check_settings(settings.shop), *telemetry, *(check_help_and_tools(settings) if thorough else ())]
    return [*of_settings, *mcp, *slack, *models, *shop, *await asyncio.to_thread(_check_place, settings.database)]


def _check_place(place: Path | PostgresUrl) -> list[Finding]:
    return check_server(place) if isinstance(place, PostgresUrl) else check_database(place)


def in_lines(findings: Sequence[Finding]) -> list[str]:
    """Write one line for each finding, and one that sums them up."""
    width = max(len(finding.about) for finding in findings)
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    end = "The bot can start." if not counts[Level.FATAL] else "The bot does not start until this is put right."
    if counts[Level.WARNING] and not counts[Level.FATAL]:
        end = "The bot can start; what is marked with ! does not work as it should."
    return [*(printable(finding.line(width)) for finding in findings), end]


def as_json(findings: Sequence[Finding]) -> str:
    """Write the findings for a program."""
    can_start = not any(finding.level is Level.FATAL for finding in findings)
    rows = [{"level": f.level, "about": f.about, "found": f.found, "advice": f.advice} for f in findings]
    return json.dumps({"can_start": can_start, "findings": rows}, indent=2, ensure_ascii=False)
