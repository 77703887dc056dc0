"""What all commands share: how they run, how they end, and the database that they are given for."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from bot.environment import read_database_place
from bot.operator.reader import NothingFoundError, is_reference
from bot.settings import PostgresUrl, SettingsError
from bot.shop.sqlite import shop_migrations
from bot.slack.client import StartError
from bot.slack.connection import ConnectionLostError
from bot.store.errors import DatabaseError, NothingToRetryError, StillOpenError, UnknownPersonError
from bot.store.opening import OpenDatabase, open_database

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


def database_place() -> Path | PostgresUrl:
    """Return where the database is. Raises ClickException when it is a file that is not there, or not to be seen."""
    with errors():
        place = read_database_place()
    if not isinstance(place, Path):
        return place
    try:
        place.stat()
    except PermissionError:
        raise click.ClickException(f"You may not look at {place}. Give the command as the bot's user.") from None
    except OSError:
        advice = "Set BOT_DATABASE, or change to the bot's folder."
        raise click.ClickException(f"There is no database at {place}. {advice}") from None
    if place.is_dir():
        raise click.ClickException(f"{place} is a folder; BOT_DATABASE names the file in it.")
    return place


def whole_reference(word: str) -> str:
    """Return a reference that may be acted upon; what is shorter might mean another. Raises ClickException."""
    if not is_reference(word):
        raise click.ClickException(
            f"\u201c{word}\u201d is no reference, such as 1a2b3c4d: give all that you were told."
        )
    return word.lower()


def with_database(do: Callable[[OpenDatabase], Awaitable[T]]) -> T:
    """Do something with the database that is there, whether the bot runs on it or not."""
    place = database_place()

    async def open_and_do() -> T:
        async with open_database(place, shop_migrations) as database:
            return await do(database)

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
