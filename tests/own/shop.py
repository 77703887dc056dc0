"""A shop of one's own, with settings of its own, and factories that are slips."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.shop import sample
from bot.shop.shop import Shop
from bot.shop.sqlite import SqliteShop, shop_migrations
from bot.store.sqlite.database import DatabaseThread


class CornerShopSettings(BaseSettings):
    """Where the shop is."""

    model_config = SettingsConfigDict(env_prefix="CORNER_SHOP_")
    file: Path
    customer: str = "ana@example.com"


@asynccontextmanager
async def corner_shop(settings: CornerShopSettings) -> AsyncIterator[Shop]:
    """Open the shop in its own file, and leave a note beside it when it is closed."""
    database = DatabaseThread(settings.file, shop_migrations)
    await database.open()
    await sample.fill(database, email=settings.customer)
    yield SqliteShop(database)
    await database.close()
    settings.file.with_suffix(".closed").touch()


@asynccontextmanager
async def shut_shop(shop: Shop | None = None) -> AsyncIterator[Shop]:
    """Fail at the door."""
    if shop is None:
        raise ConnectionRefusedError("no answer from shop.example.com")
    yield shop


@asynccontextmanager
async def no_shop() -> AsyncIterator[object]:
    """Open something that is no shop."""
    yield object()


@asynccontextmanager
async def may_have_settings(settings: CornerShopSettings | None = None) -> AsyncIterator[Shop]:
    """Open the shop, for which settings are read all the same."""
    if settings is None:
        raise AssertionError("no settings were read")
    async with corner_shop(settings) as shop:
        yield shop


class BreaksAtTheCheck(SqliteShop):
    """A shop that is wrong in its check alone."""

    async def check(self) -> None:
        """Break."""
        raise KeyError("globalSettings")


@asynccontextmanager
async def breaks_at_the_check(settings: CornerShopSettings) -> AsyncIterator[Shop]:
    """Open a shop whose check has a slip."""
    database = DatabaseThread(settings.file, shop_migrations)
    await database.open()
    await sample.fill(database, email=settings.customer)
    yield BreaksAtTheCheck(database)
    await database.close()


def not_a_context() -> dict[str, str]:
    """Open nothing."""
    return {}


def takes_more(settings: CornerShopSettings, more: int) -> None:
    """Want what nobody has."""


def takes_anything(settings: object) -> None:
    """Want what is no class of settings."""


NOT_A_FACTORY = 5
