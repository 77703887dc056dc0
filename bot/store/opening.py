"""Where the bot's own tables are: in a SQLite file, or in PostgreSQL by its address."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlite_utils import Migrations

from bot.settings import PostgresUrl, SettingsError
from bot.store.errors import DatabaseError
from bot.store.hints import Hints
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.leases import Leases as FileLeases
from bot.store.sqlite.migrations import bot_migrations
from bot.store.tables.database import Database
from bot.store.tables.leases import Leases
from bot.tasks import finish

logger = logging.getLogger(__name__)

MISSING = "BOT_DATABASE is in PostgreSQL, which needs the extra: install `support-bot[postgres]`."


@dataclass(frozen=True, slots=True)
class OpenDatabase:
    """An open database.

    `new_leases` are those of a process that has not joined yet, with the seconds for which they hold; `listen` hears
    hints in that process's name until it is cancelled, and `file` is the SQLite file, each where there is one.
    """

    tables: Database
    new_leases: Callable[[float], Leases]
    listen: Callable[[Hints, str], Coroutine[Any, Any, None]] | None = None
    file: DatabaseThread | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """One of the processes on the database: under whose lease it writes, and what the others hint to it."""

    leases: Leases
    hints: Hints


def open_database(place: Path | PostgresUrl, *more: Migrations) -> AbstractAsyncContextManager[OpenDatabase]:
    """Open the database while the context is open, its schema up to date; a file gets `more` tables as well.

    Raises DatabaseError, and SettingsError where the extra for PostgreSQL is not installed.
    """
    return _postgres(place) if isinstance(place, PostgresUrl) else _file(place, *more)


@asynccontextmanager
async def joined(database: OpenDatabase, lease_seconds: float) -> AsyncIterator[Membership]:
    """Be one of the processes on the database while the context is open."""
    leases, hints = database.new_leases(lease_seconds), Hints()
    await leases.join()
    tasks = []
    if database.listen:
        tasks.append(asyncio.create_task(database.listen(hints, leases.process), name="listener"))
    try:
        yield Membership(leases, hints)
    finally:
        await finish(tasks, 0)
        try:
            await leases.leave()
        except DatabaseError as error:
            logger.warning("the others wait until the leases of this process are over: %s", error)


@asynccontextmanager
async def _file(path: Path, *more: Migrations) -> AsyncIterator[OpenDatabase]:
    file = DatabaseThread(path, bot_migrations, *more)
    await file.open()
    try:
        yield OpenDatabase(file, partial(FileLeases, file), file=file)
    finally:
        await file.close()


@asynccontextmanager
async def _postgres(url: PostgresUrl) -> AsyncIterator[OpenDatabase]:
    try:
        from bot.store.postgres.database import PostgresDatabase
        from bot.store.postgres.leases import Leases as PostgresLeases
        from bot.store.postgres.listening import listen
    except ModuleNotFoundError as error:
        raise SettingsError(MISSING) from error
    database = PostgresDatabase(url.get_secret_value())
    await database.open()
    try:
        yield OpenDatabase(database, partial(PostgresLeases, database), partial(listen, database))
    finally:
        await database.close()
