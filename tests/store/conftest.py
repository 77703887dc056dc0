"""The stores that the suite is run on: to add a database, add how it is opened."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.shop.sqlite import shop_migrations
from bot.store.postgres import leases as postgres_leases
from bot.store.postgres.database import PostgresDatabase
from bot.store.sqlite import leases as sqlite_leases
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.migrations import bot_migrations
from bot.store.store import Store
from bot.store.tables.database import Database
from bot.store.tables.leases import Leases
from bot.store.tables.store import open_store
from tests.postgres import PostgresServer

OpenStore = Callable[[float], Awaitable[Store]]
OpenDatabase = Callable[[float], Awaitable[tuple[Database, Leases]]]


@pytest.fixture(params=["sqlite", "postgres"])
async def open_database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OpenDatabase]:
    """Give how one more process opens the same database, with the seconds for which its leases hold."""
    async with AsyncExitStack() as stack:
        if request.param == "postgres":
            server: PostgresServer = request.getfixturevalue("postgres")
            url = server.new_database()

        async def opened(lease_seconds: float = 60) -> tuple[Database, Leases]:
            database: DatabaseThread | PostgresDatabase
            leases: Leases
            if request.param == "postgres":
                database = PostgresDatabase(url, size=4)
                leases = postgres_leases.Leases(database, lease_seconds)
            else:
                database = DatabaseThread(tmp_path / "support.db", bot_migrations, shop_migrations)
                leases = sqlite_leases.Leases(database, lease_seconds)
            await database.open()
            stack.push_async_callback(database.close)
            await leases.join()
            stack.push_async_callback(leases.leave)
            return database, leases

        yield opened


@pytest.fixture
async def open_process(open_database: OpenDatabase) -> OpenStore:
    """Give how one more process opens the same store, with the seconds for which its leases hold."""

    async def opened(lease_seconds: float = 60) -> Store:
        return open_store(*await open_database(lease_seconds))

    return opened


@pytest.fixture
async def store(open_process: OpenStore) -> Store:
    """Open the store of one process."""
    return await open_process(60)
