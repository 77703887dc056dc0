"""The adapter for Shopify on a stand-in that executes Shopify's own schema, over a proxy that fails."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.currencies import exponent
from bot.shop.money import Money
from bot.shop.shop import Shop
from bot.shop.shopify import ShopifySettings, open_shopify
from bot.testing.shop import *  # noqa: F403 - the tests
from bot.testing.shop import FaultProxy, Sale
from tests.shop.shopify.schema import VERSIONS, archive, schema
from tests.shop.shopify.server import CLIENT_ID, SECRET, AdminServer
from tests.shop.shopify.store import STATUSES, Json, Store


@dataclass(frozen=True)
class ShopifyStage:
    """The adapter before a store that the tests know from behind, too."""

    shop: Shop
    faults: FaultProxy
    server: AdminServer
    refund_marker: str = "refundCreate"
    cancel_marker: str = "orderCancel"
    return_marker: str = "returnRequest"

    async def sell(self, sale: Sale) -> str:
        """Place the order in the store's books."""
        prices = [Money(price, sale.currency) for price in sale.prices]
        total = sum(sale.prices)
        paid = [total] if sale.payments == 1 else [total // 2, total - total // 2]
        book = self.server.store.sell(sale.email, prices, [Money(one, sale.currency) for one in paid], title=sale.name)
        book.provider = STATUSES[sale.refunds]
        if sale.state != "paid":
            book.fulfillments.append(parcel(book.lines, delivered=sale.state == "delivered"))
        return book.name

    async def given_back(self, number: str) -> int:
        """Add up the refunds in the store's books."""
        book = next(book for book in self.server.store.books.values() if book.name == number)
        return int(book.gone() * Decimal(10) ** exponent(book.currency))

    async def check(self, *, broken: Literal["nothing", "key", "e-mail"] = "nothing") -> None:
        """Check an adapter with the app's secret, or with a wrong one, or of a store that hides addresses."""
        self.server.store.hides_emails = broken == "e-mail"
        secret = SECRET if broken != "key" else "no-such-secret"
        async with open_shopify(settings(self.faults.url, secret=secret)) as shop:
            await shop.check()


def parcel(lines: Sequence[Json], *, delivered: bool) -> Json:
    """Write a parcel with these lines in it."""
    now = datetime.now(UTC).isoformat()
    event = {"status": "IN_TRANSIT", "happenedAt": now, "message": "Left the depot", "city": "Reno", "country": "US"}
    return {
        "displayStatus": "DELIVERED" if delivered else "IN_TRANSIT",
        "estimatedDeliveryAt": None,
        "deliveredAt": now if delivered else None,
        "trackingInfo": [{"company": "UPS", "number": "1Z999", "url": "https://ups.example.com/1Z999"}],
        "events": {"nodes": [event]},
        "fulfillmentLineItems": {"nodes": [{"id": f"{line['id']}/parcel", "lineItem": line} for line in lines]},
    }


def settings(url: str, *, secret: str = SECRET, version: str = VERSIONS[0]) -> ShopifySettings:
    """Make settings that give up soon."""
    return ShopifySettings(
        store="example.myshopify.com",
        url=url,
        client_id=CLIENT_ID,
        client_secret=SecretStr(secret),
        timeout_seconds=2.0,
        version=version,
    )


@asynccontextmanager
async def open_stage(config: pytest.Config, version: str = VERSIONS[0]) -> AsyncIterator[ShopifyStage]:
    """Open the adapter over a proxy before a store of its own, which speaks this version."""
    server = AdminServer(schema(archive(config), version), Store())
    async with (
        server.serving(),
        FaultProxy(server.url).serving() as faults,
        open_shopify(settings(faults.url, version=version)) as shop,
    ):
        await shop.check()  # as the bot does at its start
        yield ShopifyStage(shop, faults, server)


@pytest_asyncio.fixture(params=VERSIONS[:3])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[ShopifyStage]:
    """Open a stage in the version that is the default, and in the two before."""
    async with open_stage(request.config, request.param) as opened:
        yield opened
