"""What all commands share: how they run, how they end, and the database that they are given for."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from bot.operator.reader import NothingFoundError
from bot.settings import SettingsError, read_database_path
from bot.shop.sqlite import shop_migrations
from bot.slack.client import StartError
from bot.slack.connection import ConnectionLostError
from bot.store.errors import DatabaseError, NothingToRetryError, StillOpenError, UnknownPersonError
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.migrations import bot_migrations

T = TypeVar("T")
_FOR_THE_OPERATOR = (
    SettingsError,
    StartError,
    ConnectionLostError,
    DatabaseError,
    StillOpenError,
    UnknownPersonError,
    NothingToRetryError,
    NothingFoundError,
)


@contextmanager
def errors() -> Iterator[None]:
    """Say in one line what a command could not do."""
    try:
        yield
    except _FOR_THE_OPERATOR as error:
        raise click.ClickException(str(error)) from None


def run(program: Coroutine[Any, Any, T]) -> T:
    """Run a command to its end. Raises ClickException with what the operator is told."""
    with errors():
        return asyncio.run(program)


def database_path() -> Path:
    """Return where the database is. Raises ClickException when there is none."""
    with errors():
        path = read_database_path()
    if not path.exists():
        raise click.ClickException(f"There is no database at {path}. Set BOT_DATABASE, or change to the bot's folder.")
    return path


def with_database(do: Callable[[DatabaseThread], Awaitable[T]]) -> T:
    """Do something with the database that is there, whether the bot runs on it or not."""
    path = database_path()

    async def open_and_do() -> T:
        database = DatabaseThread(path, bot_migrations, shop_migrations)
        await database.open()
        try:
            return await do(database)
        finally:
            await database.close()

    return run(open_and_do())


def stop_signal() -> asyncio.Event:
    """Turn Ctrl-C and SIGTERM into an event, from now on: what is being started is then stopped in good order."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(name, stopped.set)
        except NotImplementedError:  # Windows has no handlers for signals; Ctrl-C cancels us
            break
    return stopped
