"""What `support-bot demo` and `support-bot run` do; the command line imports this file for them only."""

import asyncio
import logging
import os
import sys
import webbrowser
from collections.abc import Coroutine
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from bot import tools
from bot.app import running
from bot.demo import serve
from bot.environment import read_settings, share_with_opentelemetry
from bot.logs import tell
from bot.operator.check.check import check
from bot.operator.check.finding import Finding, Level
from bot.operator.console import errors, run, stop_signal
from bot.settings import Settings, SettingsError
from bot.shop import sample as sample_shop
from bot.shop.factory import BUILT_IN
from bot.shop.sqlite import shop_migrations
from bot.slack.client import StartError
from bot.slack.http import EVENTS_PATH
from bot.store.sqlite.database import DatabaseThread
from bot.tracing import tracing

logger = logging.getLogger(__name__)


def serve_demo(port: int, database: Path, shop: str, *, browser: bool) -> None:
    """Serve the demo until Ctrl-C."""

    async def serve_page() -> None:
        stopped = stop_signal()
        async with serve.serving(port=port, database=database, shop=shop) as (url, model):
            click.echo(f"The demo is at {url}")
            click.echo(f"Answers come from: {model}")
            if shop != BUILT_IN:
                click.echo(f"The shop is {shop}: what is approved in the demo is done there.")
            click.echo(f"The log is read with: BOT_DATABASE={database} {_our_command()} log")
            click.echo("Ctrl-C stops it.")
            if browser and _has_browser():
                webbrowser.open(url)
            with suppress(asyncio.CancelledError):
                await stopped.wait()
        click.echo("Stopped.")

    run(serve_page())


def serve_slack(http_port: int | None, host: str, sample_orders: str | None) -> None:
    """Run the bot in a real workspace until it is asked to stop, or Slack cannot be reached any more."""

    async def serve_workspace(settings: Settings) -> None:
        if sample_orders and settings.shop != BUILT_IN:
            raise SettingsError(f"--sample-orders fills the built-in shop, and BOT_SHOP is {settings.shop}.")
        tools.load(settings)  # a slip in one is told before anything outside is asked
        findings = await _check_start(settings, http=http_port is not None)
        if sample_orders:
            added = await _fill_shop(settings.shop_file, sample_orders)
            click.echo(f"{added} sample orders added." if added else "The shop has orders already; none were added.")
        for finding in findings:
            if not (sample_orders and finding.about == "shop"):  # it has orders by now
                logger.warning("%s: %s", finding.about, finding.text)
        stopped = stop_signal()
        async with running(settings, http_port=http_port, host=host) as connection:
            where = f"over HTTP on port {http_port}, path {EVENTS_PATH}" if http_port else "over Socket Mode"
            click.echo(f"The bot is connected {where}. Ctrl-C stops it.")
            _tell_start(settings, where)
            await _wait(stopped, connection.lost())
        click.echo("Stopped.")

    with errors():
        settings = read_settings(http=http_port is not None)
        share_with_opentelemetry()
    with tracing.exporting():
        run(serve_workspace(settings))


def _tell_start(settings: Settings, where: str) -> None:
    tell(
        logger,
        "started",
        version=metadata.version("support-bot"),
        model=settings.openai_model,
        fallback=settings.openai_fallback_model,
        approvers=",".join(settings.approvers) or "admins",
        tools=",".join(tools.load(settings)),
        shop=settings.shop,
        database=str(settings.database.absolute() if isinstance(settings.database, Path) else settings.database),
        connected=where,
    )


async def _check_start(settings: Settings, *, http: bool) -> list[Finding]:
    """Stop a start that cannot come to anything, and return what will not work. Raises StartError."""
    findings = await check(settings, http=http, thorough=False)
    if broken := [finding for finding in findings if finding.level is Level.FATAL]:
        raise StartError("\n".join(f"{finding.about}: {finding.text}" for finding in broken))
    return [finding for finding in findings if finding.level is Level.WARNING]


async def _wait(stopped: asyncio.Event, watch: Coroutine[Any, Any, None]) -> None:
    """Wait until the process is to stop. Raises what the watch raises."""
    tasks = [asyncio.ensure_future(stopped.wait()), asyncio.ensure_future(watch)]
    try:
        with suppress(asyncio.CancelledError):
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
    finally:
        for task in tasks:
            task.cancel()


def _has_browser() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _our_command() -> Path:
    """Name our own command as one would type it from here."""
    command = Path(sys.executable).with_name("support-bot")
    return command.relative_to(Path.cwd()) if command.is_relative_to(Path.cwd()) else command


async def _fill_shop(path: Path, email: str) -> int:
    database = DatabaseThread(path, shop_migrations)
    await database.open()
    try:
        return await sample_shop.fill(database, email=email)
    finally:
        await database.close()
