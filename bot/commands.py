"""What the commands of `support-bot` do. The command line imports this file for a command, and not for its help."""

import asyncio
import os
import signal
import sys
import webbrowser
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from bot.app import running
from bot.approvals.cards import settled_posts
from bot.approvals.endings import Ending
from bot.demo import serve
from bot.settings import Settings, SettingsError, read_database_path, read_settings
from bot.shop import sample as sample_shop
from bot.shop.sqlite import shop_migrations
from bot.slack.client import StartError
from bot.slack.connection import ConnectionLostError
from bot.slack.http import EVENTS_PATH
from bot.store.errors import DatabaseError, StillOpenError
from bot.store.records import CallStatus
from bot.store.sqlite.approval_requests import ApprovalRequests
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.erasure import Erasure
from bot.store.sqlite.files import back_up
from bot.store.sqlite.leases import Leases
from bot.store.sqlite.migrations import bot_migrations
from bot.store.sqlite.outbox import Outbox
from bot.store.sqlite.switches import Switches

T = TypeVar("T")


def serve_demo(port: int, database: Path, *, browser: bool) -> None:
    """Serve the demo until Ctrl-C."""

    async def serve_page() -> None:
        stopped = _stop_signal()
        async with serve.serving(port=port, database=database) as (url, model):
            click.echo(f"The demo is at {url}")
            click.echo(f"Answers come from: {model}")
            click.echo(f"The log is read with: {_sqlite_utils()} rows {database} tool_calls")
            click.echo("Ctrl-C stops it.")
            if browser and _has_browser():
                webbrowser.open(url)
            with suppress(asyncio.CancelledError):
                await stopped.wait()
        click.echo("Stopped.")

    _run(serve_page())


def serve_slack(http_port: int | None, sample_orders: str | None) -> None:
    """Run the bot in a real workspace until it is asked to stop, or Slack cannot be reached any more."""

    async def serve_workspace(settings: Settings) -> None:
        if sample_orders:
            added = await _fill_shop(settings.database, sample_orders)
            click.echo(f"{added} sample orders added." if added else "The shop has orders already; none were added.")
        stopped = _stop_signal()
        async with running(settings, http_port=http_port) as connection:
            where = f"over HTTP on port {http_port}, path {EVENTS_PATH}" if http_port else "over Socket Mode"
            click.echo(f"The bot is connected {where}. Ctrl-C stops it.")
            await _wait(stopped, connection.lost())
        click.echo("Stopped.")

    _run(serve_workspace(_load_settings_or_exit(lambda: read_settings(http=http_port is not None))))


def pause() -> None:
    """Stop whatever needs an approval, in every process."""
    _with_database(lambda database: Switches(database).pause())
    click.echo("Paused: nothing can be approved until `support-bot resume`.")


def resume() -> None:
    """Let requests be approved again."""
    _with_database(lambda database: Switches(database).resume())
    click.echo("Resumed.")


def copy_database(target: Path) -> None:
    """Copy the database while the bot runs."""
    try:
        back_up(_database_path(), target)
    except DatabaseError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Copied to {target}.")


def forget(user: str) -> None:
    """Erase a person's threads."""
    try:
        erased = _with_database(lambda database: Erasure(database).forget(user))
    except StillOpenError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{erased.threads} threads erased. The shop's own customers and orders are not touched.")
    if erased.left_in:
        raise click.ClickException(f"Erased words may still be in {erased.left_in}. Run this again later.")


def settle(mark: str, why: str, *, done: bool) -> None:
    """Close a request whose outcome the shop does not tell, by what a person has found out."""

    async def close(database: DatabaseThread) -> str:
        leases = Leases(database, 0)
        requests = ApprovalRequests(database, Outbox(database, leases), leases)
        found = [call for call in await requests.find(mark) if call.status == CallStatus.UNKNOWN or call.money_pending]
        if len(found) != 1:
            many = "more than one" if found else "no"
            raise click.ClickException(f"There is {many} request with this reference whose outcome is not known.")
        (call,) = found
        ending = Ending.SETTLED_DONE if done else Ending.SETTLED_NOT_DONE
        redrawn, announcement = settled_posts(call, ending.on_card(call, None, why))
        words = ending.for_model(call, why)
        closed = await requests.settle(
            call, ending.value.status, words, redrawn=redrawn, announcement=announcement, error=None if done else why
        )
        return words if closed else "It was settled meanwhile, so nothing was changed."

    click.echo(_with_database(close))


def _run(program: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(program)
    except (SettingsError, StartError, ConnectionLostError, DatabaseError) as error:
        raise click.ClickException(str(error)) from None


def _load_settings_or_exit(read: Callable[[], T]) -> T:
    try:
        return read()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def _database_path() -> Path:
    path = _load_settings_or_exit(read_database_path)
    if not path.exists():
        raise click.ClickException(f"There is no database at {path}. Set BOT_DATABASE, or change to the bot's folder.")
    return path


def _with_database(do: Callable[[DatabaseThread], Awaitable[T]]) -> T:
    """Do something with the database that is there, whether the bot runs on it or not."""
    path = _database_path()

    async def open_and_do() -> T:
        database = DatabaseThread(path, bot_migrations, shop_migrations)
        await database.open()
        try:
            return await do(database)
        finally:
            await database.close()

    return _run(open_and_do())


def _stop_signal() -> asyncio.Event:
    """Turn Ctrl-C and SIGTERM into an event, from now on: what is being started is then stopped in good order."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(name, stopped.set)
        except NotImplementedError:  # Windows has no handlers for signals; Ctrl-C cancels us
            break
    return stopped


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


def _sqlite_utils() -> Path:
    """Name the command that came with us, as one would type it from here."""
    command = Path(sys.executable).with_name("sqlite-utils")
    return command.relative_to(Path.cwd()) if command.is_relative_to(Path.cwd()) else command


async def _fill_shop(path: Path, email: str) -> int:
    database = DatabaseThread(path, bot_migrations, shop_migrations)
    await database.open()
    try:
        return await sample_shop.fill(database, email=email)
    finally:
        await database.close()
