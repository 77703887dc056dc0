"""The adapter for Vendure against a Vendure server, over a proxy that fails: what every shop's adapter must hold."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Literal

import pytest
import pytest_asyncio
from pydantic import HttpUrl, SecretStr

from bot.currencies import exponent
from bot.shop.changes import AppliedStatus, CancelOrder
from bot.shop.money import Money
from bot.shop.remote import OutcomeUnknownError
from bot.shop.shop import Shop, ShopCheckError, ShopRefusedError
from bot.shop.vendure import VendureSettings, open_vendure
from bot.testing.shop import *  # noqa: F403 - the tests
from bot.testing.shop import FaultProxy, NotHereError, Sale
from bot.testing.shop.stage import KEY, apply, order_of, refund_of
from tests.shop.mutants import BEHIND_HTTP, ON_ANY, Behaviour, Mutant, dies
from tests.shop.vendure.server import VendureServer, key_with, vendure, why_not

pytestmark = [
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
    pytest.mark.asyncio(loop_scope="module"),
]
REFUNDS = {"succeeded": "Settled", "pending": "Pending", "failed": "Failed"}
DECIMALS = 2


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[VendureServer]:
    """Start one server for all tests of this file."""
    async with vendure() as started:
        yield started


@dataclass(frozen=True)
class VendureStage:
    """The adapter before a server that the tests know from behind, too."""

    shop: Shop
    faults: FaultProxy
    server: VendureServer
    refund_marker: str = "refundOrder"
    cancel_marker: str = "cancelOrder"
    return_marker: str = "no such thing"

    async def sell(self, sale: Sale) -> str:
        """Place the order through the shop's own API."""
        scale = 10 ** (DECIMALS - exponent(sale.currency)) if exponent(sale.currency) < DECIMALS else 1
        shrink = 10 ** (exponent(sale.currency) - DECIMALS) if exponent(sale.currency) > DECIMALS else 1
        prices = [price * scale // shrink for price in sale.prices]
        if sale.refunds not in REFUNDS:
            raise NotHereError("Vendure asks the payment provider for whatever is left of a payment")
        how: dict[str, object] = {"refunds": REFUNDS[sale.refunds]}
        payments = [how] if sale.payments == 1 else [how | {"amount": prices[0] // 2}, how]
        ship: Literal["nothing", "shipped", "delivered"] = "nothing" if sale.state == "paid" else sale.state
        return await self.server.sell(
            sale.email, prices, currency=sale.currency, name=sale.name, payments=payments, ship=ship
        )

    async def given_back(self, number: str) -> int:
        """Add up Vendure's own refunds."""
        order = await self.shop.order(number)
        assert order is not None
        hundredths = await self.server.given_back(number)
        return int(hundredths * 10 ** exponent(order.total.currency) // 10**DECIMALS)

    async def check(self, *, broken: Literal["nothing", "key", "e-mail"] = "nothing") -> None:
        """Check an adapter with this server's key, or with a wrong one."""
        if broken == "e-mail":
            raise NotHereError("Vendure shows addresses to every key that may read customers")
        key = self.server.api_key if broken == "nothing" else "no-such-key"
        async with open_vendure(settings(self.faults.url, key)) as shop:
            await shop.check()


def settings(url: str, key: str) -> VendureSettings:
    """Make settings that give up soon."""
    return VendureSettings(url=HttpUrl(f"{url}/admin-api"), api_key=SecretStr(key), timeout_seconds=2.0)


@pytest_asyncio.fixture(loop_scope="module")
async def stage(server: VendureServer) -> AsyncIterator[VendureStage]:
    """Open the adapter over a proxy of its own."""
    async with (
        FaultProxy(server.url).serving() as faults,
        open_vendure(settings(faults.url, server.api_key)) as shop,
    ):
        yield VendureStage(shop, faults, server)


async def test_a_profile_has_the_address(stage: VendureStage) -> None:
    """Where a customer's parcels go is told, as Vendure keeps it from the first order."""
    number = await stage.sell(Sale(email="cleo@example.com"))
    order = await stage.shop.order(number)
    assert order
    assert order.address
    assert (await stage.shop.profile(order.customer)).address == order.address


async def test_a_cart_is_no_order(stage: VendureStage) -> None:
    """What somebody has not paid for yet is not told, whatever code it has."""
    assert await stage.shop.order(await stage.server.fill_cart()) is None


async def test_a_line_that_the_shops_own_people_refunded_is_not_refunded_again(stage: VendureStage) -> None:
    """What the shop's staff gave back for a line counts for that line, and for no other."""
    number = await stage.sell(Sale(prices=(4200, 1000)))
    await stage.server.give_line_back(number, 1)
    with pytest.raises(ShopRefusedError, match="refunded already: 1"):
        await stage.shop.quote(refund_of(number, lines=(1,)))
    assert (await stage.shop.quote(refund_of(number, lines=(2,)))).balance == Money(1000)


async def test_a_cancelled_order_without_its_money_can_be_refunded(stage: VendureStage) -> None:
    """Where a cancellation's money did not go back, it can be asked for as a refund."""
    number = await stage.sell(Sale(state="paid", refunds="failed"))
    applied = await apply(stage, CancelOrder(number))
    assert applied.why == "It is cancelled, but $47.00 of its money has not gone back."
    assert (await stage.shop.quote(refund_of(number))).balance == Money(4700)


@pytest.mark.parametrize(("lines", "rest"), [((1,), "$15.00"), ((1, 2), "$5.00")])
async def test_money_of_a_cancelled_order_that_people_gave_back(
    stage: VendureStage, lines: tuple[int, ...], rest: str
) -> None:
    """When the shop's people are first with a part of the money, Vendure refuses ours, and what is left is told."""
    number = await stage.sell(Sale(prices=(4200, 1000), state="paid"))
    change = CancelOrder(number)
    quote = await stage.shop.quote(change)
    stage.faults.next("slow", stage.refund_marker, seconds=1.5)
    applying = asyncio.create_task(stage.shop.apply(change, quote, key=KEY))
    async with asyncio.timeout(20):
        while (await order_of(stage, number)).cancellable:  # noqa: ASYNC110 - no shop tells when it is done
            await asyncio.sleep(0.01)
    for line in lines:
        await stage.server.give_line_back(number, line)
    applied = await applying
    assert applied.status == AppliedStatus.FAILED
    assert applied.why == f"It is cancelled, but {rest} of its money has not gone back."


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"refundOrder": {"__typename": "RefundStateTransitionError", "message": "Cannot transition"}}},
        {"data": {"refundOrder": {"__typename": "ErrorOfLaterYears", "message": "No"}}},
        {"errors": [{"extensions": {"code": code}} for code in ("FORBIDDEN", "INTERNAL_SERVER_ERROR")]},
        {"data": None},
    ],
)
async def test_an_answer_that_says_nothing_of_the_deed(stage: VendureStage, answer: object) -> None:
    """Only what is known to come before the payment provider was asked is a refusal; all else is unknown."""
    number = await stage.sell(Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    stage.faults.answer(answer, stage.refund_marker)
    with pytest.raises(OutcomeUnknownError):
        await stage.shop.apply(change, quote, key=KEY)


async def test_money_that_is_told_and_not_seen(stage: VendureStage) -> None:
    """A cancelled order whose refund was answered and is not there is unknown, and not done."""
    number = await stage.sell(Sale(state="paid"))
    change = CancelOrder(number)
    quote = await stage.shop.quote(change)
    told = {"__typename": "Refund", "id": "999999", "state": "Settled", "total": 4700, "reason": "", "lines": []}
    stage.faults.answer({"data": {"refundOrder": told}}, stage.refund_marker)
    with pytest.raises(OutcomeUnknownError):
        await stage.shop.apply(change, quote, key=KEY)


@pytest.mark.parametrize(
    ("path", "permissions"),
    [
        ("", ("ReadOrder", "UpdateOrder", "ReadCustomer")),
        ("shop-api", ("ReadOrder", "UpdateOrder", "ReadCustomer")),
        ("admin-api", ("ReadOrder", "ReadCustomer")),
        ("admin-api", ("ReadOrder", "UpdateOrder")),
        ("admin-api", ("UpdateOrder", "ReadCustomer")),
    ],
)
async def test_a_check_tells_what_is_wrong(stage: VendureStage, path: str, permissions: tuple[str, ...]) -> None:
    """Another address than the Admin API's, and a role that lacks a permission, are found with what to do."""
    key = await key_with(stage.server.admin, *permissions)
    found = VendureSettings(url=HttpUrl(f"{stage.faults.url}/{path}"), api_key=SecretStr(key))
    async with open_vendure(found) as shop:
        with pytest.raises(ShopCheckError, match=r"BOT_VENDURE_URL.*UpdateOrder"):
            await shop.check()


@pytest.mark.parametrize(("mutant", "behaviour"), [*ON_ANY.items(), *BEHIND_HTTP.items()])
async def test_a_mutant_dies(stage: VendureStage, mutant: type[Mutant], behaviour: Behaviour) -> None:
    """A shop that is wrong in one thing is found out by the tests for shops, which the right one passes."""
    assert await dies(behaviour, replace(stage, shop=mutant(stage.shop)))
