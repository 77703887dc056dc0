"""What a shop's author gives the tests, and the steps that the tests share."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal, Protocol

import pytest

from bot.shop.changes import Applied, CancelOrder, Change, Quote, Refund, RefundReason
from bot.shop.money import Money
from bot.shop.orders import Order
from bot.shop.shop import Shop, ShopRefusedError, ShopUnavailableError
from bot.testing.shop.faults import FaultProxy

ANA, BEN = "ana@example.com", "ben@example.com"
KEY, OTHER_KEY = "6f1d2c3b4a5968778695a4b3c2d1e0f1", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"


class NotHereError(Exception):
    """The shop does not know what was asked of the stage; the words say why."""


@dataclass(frozen=True, slots=True)
class Sale:
    """An order to be placed: lines by their price, in minor units, one of each, paid with as many payments.

    `refunds` says how the payment provider will answer a refund, or that the shop refuses to ask it; `name` is given to
    the first line's product.
    """

    email: str = ANA
    prices: tuple[int, ...] = (4200,)
    currency: str = "USD"
    state: Literal["paid", "shipped", "delivered"] = "delivered"
    payments: int = 1
    refunds: Literal["succeeded", "pending", "failed", "refused"] = "succeeded"
    name: str = "Mug"


class Stage(Protocol):
    """A shop with its adapter open, and what a test does behind the adapter's back."""

    @property
    def shop(self) -> Shop:
        """The adapter; it reaches its server through `faults` where there is one."""

    @property
    def faults(self) -> "FaultProxy | None":
        """The proxy before the server; None for a shop without HTTP."""

    @property
    def refund_marker(self) -> str:
        """What only a request that makes a refund contains, so that a fault does not hit the look before it."""

    @property
    def cancel_marker(self) -> str:
        """What only a request that cancels an order contains."""

    @property
    def return_marker(self) -> str:
        """What only a request that sends goods back contains."""

    async def sell(self, sale: Sale) -> str:
        """Place the order and return its number as a customer knows it. Raises NotHereError."""

    async def given_back(self, number: str) -> int:
        """Return how much went back or is about to, in minor units, by the server's own books."""

    async def check(self, *, broken: Literal["nothing", "key", "e-mail"] = "nothing") -> None:
        """Check an adapter like `shop` whose key is wrong, or whose server hides e-mail addresses."""


@dataclass(frozen=True)
class StageWithoutHttp:
    """What stages of shops have in common that keep their data on this machine: no proxy, no key, nothing hidden."""

    shop: Shop
    faults: FaultProxy | None = field(default=None, init=False)
    refund_marker: str = field(default="", init=False)
    cancel_marker: str = field(default="", init=False)
    return_marker: str = field(default="", init=False)

    async def check(self, *, broken: Literal["nothing", "key", "e-mail"] = "nothing") -> None:
        """Check the shop. Raises NotHereError where something is to be broken."""
        if broken != "nothing":
            raise NotHereError("this shop needs no key and hides nothing")
        await self.shop.check()


async def sold(stage: Stage, sale: Sale) -> str:
    """Place the order, or skip the test with the stage's reason."""
    try:
        return await stage.sell(sale)
    except NotHereError as error:
        pytest.skip(str(error))


async def order_of(stage: Stage, number: str) -> Order:
    """Return the order, which must be there."""
    order = await stage.shop.order(number)
    assert order is not None
    return order


def refund_of(number: str, minor: int | None = None, currency: str = "USD", lines: tuple[int, ...] = ()) -> Refund:
    """Make a refund of so much, of some lines, or of all that is left."""
    amount = None if minor is None else Money(minor, currency)
    return Refund(number, RefundReason.DEFECTIVE, amount, lines)


async def apply(stage: Stage, change: Change, key: str = KEY) -> Applied:
    """Quote the change and apply it."""
    return await stage.shop.apply(change, await stage.shop.quote(change), key=key)


async def until_applied(stage: Stage, change: Change, key: str = KEY) -> Applied:
    """Look for the change until it shows."""
    async with asyncio.timeout(20):
        while (applied := await stage.shop.applied(change, key)) is None:  # noqa: ASYNC110 - no shop tells when it is done
            await asyncio.sleep(0.05)
    return applied


async def not_refused(stage: Stage, change: Change, quote: Quote) -> None:
    """Apply the change over a fault: it is found at once, or its outcome is unknown, but nobody says "not done"."""
    try:
        await stage.shop.apply(change, quote, key=KEY)
    except (ShopRefusedError, ShopUnavailableError) as error:
        raise AssertionError(f"told as not done: {error}") from error
    except Exception:  # noqa: BLE001, S110 - any other error means that the outcome is unknown
        pass


def faults_of(stage: Stage) -> FaultProxy:
    """Return the proxy, or skip the test where there is none."""
    if stage.faults is None:
        pytest.skip("there is no HTTP between this shop and its data")
    return stage.faults


async def refundable(stage: Stage, number: str) -> int:
    """Return what is left of an order, in minor units."""
    return (await order_of(stage, number)).refundable.minor


async def check(stage: Stage, broken: Literal["nothing", "key", "e-mail"]) -> None:
    """Check the shop, or skip the test with the stage's reason."""
    try:
        await stage.check(broken=broken)
    except NotHereError as error:
        pytest.skip(str(error))


async def cancellable(stage: Stage) -> str:
    """Place an order that has not left, if the shop cancels."""
    needs(stage, CancelOrder)
    return await sold(stage, Sale(state="paid"))


def needs(stage: Stage, change: type[Change]) -> None:
    """Skip the test when the shop does not make this change."""
    if change not in stage.shop.changes:
        pytest.skip(f"this shop does not make a {change.__name__}")
