"""The stores that the suite is run on: to add a database, add how it is opened."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.shop.sqlite import shop_migrations
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.leases import Leases
from bot.store.sqlite.migrations import bot_migrations
from bot.store.sqlite.store import open_store
from bot.store.store import Store

OpenStore = Callable[[float], Awaitable[Store]]


@pytest.fixture
async def open_process(tmp_path: Path) -> AsyncIterator[OpenStore]:
    """Give how one more process opens the same store, with the seconds for which its leases hold."""
    async with AsyncExitStack() as stack:

        async def opened(lease_seconds: float = 60) -> Store:
            database = DatabaseThread(tmp_path / "support.db", bot_migrations, shop_migrations)
            await database.open()
            stack.push_async_callback(database.close)
            leases = Leases(database, lease_seconds)
            await leases.join()
            stack.push_async_callback(leases.leave)
            return open_store(database, leases)

        yield opened


@pytest.fixture
async def store(open_process: OpenStore) -> Store:
    """Open the store of one process."""
    return await open_process(60)
