"""The adapter for Stripe on a stand-in, over a proxy that fails: what every shop's adapter must hold."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Literal

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.shop.changes import AppliedStatus
from bot.shop.money import Money
from bot.shop.shop import Shop, ShopCheckError, ShopRefusedError, ShopUnavailableError
from bot.shop.stripe import StripeSettings, open_stripe
from bot.testing.shop import *  # noqa: F403 - the tests
from bot.testing.shop import FaultProxy, NotHereError, Sale
from bot.testing.shop.stage import ANA, KEY, OTHER_KEY, apply, not_refused, order_of, refund_of
from tests.shop.mutants import BEHIND_HTTP, ON_ANY, Behaviour, Mutant, dies
from tests.shop.stripe.server import API_KEY, StripeServer


@dataclass(frozen=True)
class StripeStage:
    """The adapter before an account that the tests know from behind, too."""

    shop: Shop
    faults: FaultProxy
    server: StripeServer
    only_succeeds: bool = False
    refund_marker: str = "payment_intent"
    cancel_marker: str = "no such thing"
    return_marker: str = "no such thing"

    async def sell(self, sale: Sale) -> str:
        """Take the payment; of a customer that there is already, when there is one with the address."""
        if len(sale.prices) > 1 or sale.name != "Mug":
            raise NotHereError("Stripe knows no lines of an order")
        if sale.payments > 1:
            raise NotHereError("an order is one payment")
        if self.only_succeeds and sale.refunds != "succeeded":
            raise NotHereError("stripe-stateful-mock only succeeds")
        if self.only_succeeds and sale.currency == "KWD":
            raise NotHereError("stripe-stateful-mock knows no dinars")
        known = [one for one in self.server.customers.values() if one["email"] == sale.email]
        customer = known[0] if known else self.server.buyer(sale.email)
        return await self.server.sell(customer, sale.prices[0], sale.currency, refunds=sale.refunds)

    async def given_back(self, number: str) -> int:
        """Add up the refunds in the account's books."""
        return await self.server.given_back(number)

    async def check(self, *, broken: Literal["nothing", "key", "e-mail"] = "nothing") -> None:
        """Check an adapter with the account's key, or with a wrong one."""
        if broken == "e-mail":
            raise NotHereError("Stripe shows addresses to every key that may read customers")
        async with open_stripe(settings(self.faults.url, API_KEY if broken == "nothing" else "sk_test_no")) as shop:
            await shop.check()


def settings(url: str, key: str = API_KEY, order_key: str = "order_id") -> StripeSettings:
    """Make settings that give up soon."""
    return StripeSettings(key=SecretStr(key), url=f"{url}/v1", order_key=order_key, timeout_seconds=2.0)


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[StripeStage]:
    """Open the adapter over a proxy before an account of its own."""
    async with (
        StripeServer().serving() as server,
        FaultProxy(server.url).serving() as faults,
        open_stripe(settings(faults.url)) as shop,
    ):
        yield StripeStage(shop, faults, server)


async def test_an_old_refund_among_many_is_found(stage: StripeStage) -> None:
    """A refund is found in a later page of its payment's refunds, all of which count as gone."""
    number = await stage.sell(Sale())
    applied = await apply(stage, refund_of(number, 1000))
    for _ in range(120):
        stage.server.give_back("pi_1001", 1, "succeeded", {})
    assert await stage.shop.applied(refund_of(number, 1000), KEY) == applied
    assert (await order_of(stage, number)).refunded == Money(1120)


async def test_orders_of_every_customer_with_the_address(stage: StripeStage) -> None:
    """A shop that makes a new customer for each visit: all purchases under the address are told."""
    numbers = [await stage.server.sell(stage.server.buyer(ANA), 4200, "USD", refunds="succeeded") for _ in range(3)]
    for _ in range(3):
        stage.server.buyer(ANA)  # who looked around
    ana = await stage.shop.customer(ANA)
    assert ana
    for most in (9, 2):
        assert [order.id for order in await stage.shop.orders(ana, most=most)] == numbers[::-1][:most]


async def test_a_customer_with_a_thousand_orders(stage: StripeStage) -> None:
    """The latest orders of somebody with very many are listed from as many pages as that takes, and no more."""
    ana = stage.server.buyer(ANA)
    for _ in range(1_000):
        await stage.server.sell(ana, 4200, "USD", refunds="succeeded")
    customer = await stage.shop.customer(ANA)
    assert customer
    orders = await stage.shop.orders(customer, most=100)
    assert [order.id for order in orders] == [str(2000 - n) for n in range(100)]
    assert stage.server.asked.count("/v1/payment_intents") <= 2


@pytest.mark.parametrize("order", ["7", "#1001", "WEB-2026-77.A", "gid/12"])
async def test_names_of_orders(stage: StripeStage, order: str) -> None:
    """An order is found by what the metadata says, with or without the sign before it, in any case of letters."""
    await stage.server.sell(stage.server.buyer(ANA), 4200, "USD", refunds="succeeded", order=order)
    for written in (order, order.lower(), order.removeprefix("#"), f"#{order.removeprefix('#')}"):
        assert (await order_of(stage, stage.shop.order_number(written) or "")).id == order


async def test_an_order_that_was_paid_twice(stage: StripeStage) -> None:
    """Of two payments for one order the first is the order; the second was a slip, and is for people."""
    for units in (4200, 1000):
        await stage.server.sell(stage.server.buyer(ANA), units, "USD", refunds="succeeded", order="7")
    assert (await order_of(stage, "7")).total == Money(4200)


async def test_names_that_differ_in_their_letters_alone(stage: StripeStage) -> None:
    """Of two orders whose names differ in the case of letters each is found as it is written, and none by guess."""
    for order in ("web-1", "WEB-1"):
        await stage.server.sell(stage.server.buyer(ANA), 4200, "USD", refunds="succeeded", order=order)
        assert (await order_of(stage, order)).id == order
    assert await stage.shop.order("Web-1") is None


async def test_a_payment_that_did_not_succeed_is_no_order(stage: StripeStage) -> None:
    """What was not paid is neither told nor refunded."""
    number = await stage.sell(Sale())
    stage.server.payments["pi_1001"]["status"] = "requires_payment_method"
    assert await stage.shop.order(number) is None


@pytest.mark.parametrize(
    ("currency", "units", "minor"), [("ISK", 420000, 4200), ("UGX", 420000, 4200), ("MGA", 42, 4200)]
)
async def test_units_that_are_stripes_own(stage: StripeStage, currency: str, units: int, minor: int) -> None:
    """Where Stripe counts in other units than the currency has, the amount is right in both."""
    number = await stage.server.sell(stage.server.buyer(ANA), units, currency, refunds="succeeded")
    assert (await order_of(stage, number)).total == Money(minor, currency)
    await apply(stage, refund_of(number))
    assert await stage.given_back(number) == units


@pytest.mark.parametrize(("currency", "units", "minor"), [("KWD", 12840, 1234), ("MGA", 128, 1250)])
async def test_what_stripe_cannot_give_back_exactly(stage: StripeStage, currency: str, units: int, minor: int) -> None:
    """Of dinars Stripe takes tens of thousandths, of ariary whole ones; all else is refused before it is shown."""
    number = await stage.server.sell(stage.server.buyer(ANA), units, currency, refunds="succeeded")
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(refund_of(number, minor, currency))


async def test_a_key_for_other_words_is_refused(stage: StripeStage) -> None:
    """A key that went out for another order does nothing for this one."""
    one, other = await stage.sell(Sale()), await stage.sell(Sale())
    await apply(stage, refund_of(one, 1000))
    with pytest.raises(ShopRefusedError):
        await apply(stage, refund_of(other, 1000))
    await apply(stage, refund_of(other, 1000), OTHER_KEY)
    assert await stage.given_back(other) == 1000


async def test_a_check_tells_that_no_payment_names_its_order(stage: StripeStage) -> None:
    """When the metadata has another name, the check says which setting to change."""
    await stage.sell(Sale())
    async with open_stripe(settings(stage.faults.url, order_key="orderCode")) as shop:
        with pytest.raises(ShopCheckError, match="BOT_STRIPE_ORDER_KEY"):
            await shop.check()


@pytest.mark.parametrize("minor", [1000, None])
async def test_a_refund_is_found_when_stripe_has_forgotten_its_key(stage: StripeStage, minor: int | None) -> None:
    """After a day the key is new to Stripe; the refund is found by its metadata, and there is no second one."""
    number = await stage.sell(Sale())
    change = refund_of(number, minor)
    quote = await stage.shop.quote(change)
    first = await stage.shop.apply(change, quote, key=KEY)
    stage.server.forget_keys()
    assert await stage.shop.apply(change, quote, key=KEY) == first
    assert quote.balance
    assert await stage.given_back(number) == quote.balance.minor


async def test_a_refund_is_found_when_its_payment_is_not(stage: StripeStage) -> None:
    """When the payment has another name, or the search does not find it, what was done is still told as done."""
    number = await stage.sell(Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    first = await stage.shop.apply(change, quote, key=KEY)
    stage.server.payments["pi_1001"]["metadata"]["order_id"] = "OTHER-7"
    for _ in range(120):
        stage.server.give_back("pi_1001", 1, "succeeded", {})
    assert await stage.shop.applied(change, KEY) == first
    assert await stage.shop.apply(change, quote, key=KEY) == first
    assert await stage.shop.applied(change, "another key") is None


async def test_a_refund_that_fails_after_it_was_made(stage: StripeStage) -> None:
    """What Stripe called done and takes back days later is told as failed, with the reason in words."""
    number = await stage.sell(Sale())
    change = refund_of(number, 1000)
    assert (await apply(stage, change)).status == AppliedStatus.SUCCEEDED
    stage.server.refunds[0] |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    applied = await stage.shop.applied(change, KEY)
    assert applied is not None
    assert (applied.status, applied.why) == (AppliedStatus.FAILED, "Stripe's reason: expired or canceled card.")
    assert (await order_of(stage, number)).refunded == Money(0)


@pytest.mark.parametrize(
    ("status", "told", "gone"),
    [
        ("succeeded", AppliedStatus.SUCCEEDED, 1000),
        (None, AppliedStatus.SUCCEEDED, 1000),
        ("pending", AppliedStatus.PENDING, 1000),
        ("requires_action", AppliedStatus.PENDING, 1000),
        ("in_review", AppliedStatus.PENDING, 1000),
        ("failed", AppliedStatus.FAILED, 0),
        ("canceled", AppliedStatus.FAILED, 0),
    ],
)
async def test_what_a_status_means(stage: StripeStage, status: str | None, told: AppliedStatus, gone: int) -> None:
    """Only what Stripe calls done is done; a status of later years is on its way, and its money counts as gone."""
    number = await stage.sell(Sale())
    stage.server.give_back("pi_1001", 1000, status, {"support_bot_key": KEY})
    applied = await stage.shop.applied(refund_of(number, 1000), KEY)
    assert applied
    assert applied.status == told
    assert (await order_of(stage, number)).refunded == Money(gone)


@pytest.mark.parametrize("kind", ["invalid_request_error", "card_error"])
async def test_what_stripe_refuses_is_refused(stage: StripeStage, kind: str) -> None:
    """A payment that was charged back is not refunded: nothing has moved, in Stripe's words."""
    number = await stage.sell(Sale())
    stage.server.payments["pi_1001"]["refunds"] = "refused"
    stage.server.refusal = kind
    with pytest.raises(ShopRefusedError, match="has been charged back"):
        await apply(stage, refund_of(number, 1000))
    assert await stage.given_back(number) == 0


async def test_an_error_of_stripes_own_says_nothing_of_the_deed(stage: StripeStage) -> None:
    """What went wrong inside of Stripe may have been done: it is not told as refused, and it is found."""
    number = await stage.sell(Sale())
    change = refund_of(number, 1000)
    stage.server.error_after = "api_error"
    await not_refused(stage, change, await stage.shop.quote(change))
    assert await stage.shop.applied(change, KEY)
    assert await stage.given_back(number) == 1000


async def test_a_repeat_that_is_overtaken_is_no_refusal(stage: StripeStage) -> None:
    """What another process does under the same key, after one has looked, is found, and not taken for a change."""
    number = await stage.sell(Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    stage.faults.next("in pieces")  # the look reads twice
    stage.faults.then("in pieces")
    stage.faults.then("slow", seconds=1.0)
    overtaken = asyncio.create_task(stage.shop.apply(change, quote, key=KEY))
    await stage.faults.all_met()
    applied = await stage.shop.apply(change, quote, key=KEY)
    assert await overtaken == applied
    assert await stage.given_back(number) == 1000


async def test_more_refunds_than_can_be_read(stage: StripeStage) -> None:
    """A payment with more refunds than are read is left alone: what is not known is not taken for nothing."""
    number = await stage.sell(Sale())
    for _ in range(5_001):
        stage.server.give_back("pi_1001", 0, "succeeded", {})
    with pytest.raises(ShopUnavailableError, match="too many refunds"):
        await stage.shop.applied(refund_of(number, 1000), KEY)


async def test_a_question_that_stripe_refuses_is_unavailable(stage: StripeStage) -> None:
    """What Stripe does not tell is not taken for an answer without orders."""
    async with open_stripe(settings(stage.faults.url, order_key="what ever")) as shop:
        with pytest.raises(ShopUnavailableError, match="unable to parse"):
            await shop.order("1001")


async def test_a_check_tells_that_the_key_may_not_refund(stage: StripeStage) -> None:
    """A restricted key that only reads is found at the start, and nothing is given back by that."""
    number = await stage.sell(Sale())
    await stage.shop.check()
    assert await stage.given_back(number) == 0
    stage.server.may_refund = False
    with pytest.raises(ShopCheckError, match="to write refunds"):
        await stage.shop.check()


@pytest.mark.parametrize(("mutant", "behaviour"), [*ON_ANY.items(), *BEHIND_HTTP.items()])
async def test_a_mutant_dies(stage: StripeStage, mutant: type[Mutant], behaviour: Behaviour) -> None:
    """A shop that is wrong in one thing is found out by the tests for shops, which the right one passes."""
    assert await dies(behaviour, replace(stage, shop=mutant(stage.shop)))
