"""What any shop's adapter must hold, as tests to run against yours, over a server that may fail in every way.

In a test module of your own, say `from bot.testing.shop import *` and make a fixture `stage` that returns a `Stage`. A
test is skipped, with your reason, when your stage raises `NotHereError` for what your shop does not know.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

import pytest
from aiohttp import ClientSession, web

from bot.shop.changes import Applied, AppliedStatus, CancelOrder, Change, Quote, Refund, RefundReason
from bot.shop.money import Money
from bot.shop.orders import Order
from bot.shop.shop import LookFirst, Safe, Shop, ShopCheckError, ShopRefusedError, ShopUnavailableError

__all__ = ["FaultProxy", "NotHereError", "Sale", "Stage"]
ANA, BEN = "ana@example.com", "ben@example.com"
KEY, OTHER_KEY = "6f1d2c3b4a5968778695a4b3c2d1e0f1", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
Fault = Literal["request lost", "answer lost", "500 before", "500 after", "HTML", "rate limited", "slow"]


class NotHereError(Exception):
    """The shop does not know what was asked of the stage; the words say why."""


@dataclass(frozen=True, slots=True)
class Sale:
    """An order to be placed: lines by their price, in minor units, one of each, paid with as many payments.

    `refunds` says how the payment provider will answer a refund; `name` is given to the first line's product.
    """

    email: str = ANA
    prices: tuple[int, ...] = (4200,)
    currency: str = "USD"
    state: Literal["paid", "shipped", "delivered"] = "delivered"
    payments: int = 1
    refunds: Literal["succeeded", "pending", "failed"] = "succeeded"
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

    async def sell(self, sale: Sale) -> str:
        """Place the order and return its number as a customer knows it. Raises NotHereError."""

    async def given_back(self, number: str) -> int:
        """Return how much went back or is about to, in minor units, by the server's own books."""

    async def check(self, *, broken: Literal["nothing", "key", "e-mail"] = "nothing") -> None:
        """Check an adapter like `shop` whose key is wrong, or whose server hides e-mail addresses."""


class FaultProxy:
    """Passes requests on to a server, but for the next ones, which fail as they are told to.

    Only requests whose body contains `about` count, so that a fault hits a change and not a look.
    """

    def __init__(self, target: str) -> None:
        self.url = ""
        self._target = target
        self._faults: list[tuple[Fault, str, float]] = []

    def next(self, fault: Fault, about: str = "", *, seconds: float = 1.0) -> None:
        """Have the next request about this fail so; one that is slow takes so many seconds."""
        self._faults.append((fault, about, seconds))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["FaultProxy"]:
        """Serve on a port of localhost while the context is open."""
        async with ClientSession() as self._session:
            app = web.Application(client_max_size=10_000_000)
            app.router.add_route("*", "/{path:.*}", self._pass_on)
            runner = web.AppRunner(app, handler_cancellation=False)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            self.url = f"http://{host}:{port}"
            try:
                yield self
            finally:
                await runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        fault, seconds = self._fault(body.decode(errors="replace"))
        if fault == "rate limited":
            return web.Response(status=429, headers={"Retry-After": "7"}, text="Too many requests")
        if fault == "HTML":
            return web.Response(text="<html><body>Bad gateway</body></html>", content_type="text/html")
        if fault == "500 before":
            return web.Response(status=500, text="Internal error")
        if fault == "request lost":
            return self._cut(request)
        if fault == "slow":
            await asyncio.sleep(seconds)  # the adapter gives up meanwhile; what it sent still arrives
        response = await self._send(request, body)
        if fault == "500 after":
            return web.Response(status=500, text="Internal error")
        return self._cut(request) if fault == "answer lost" else response

    async def _send(self, request: web.Request, body: bytes) -> web.Response:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "content-length")}
        url = f"{self._target}{request.rel_url}"
        async with self._session.request(request.method, url, data=body, headers=headers) as answer:
            kept = {k: v for k, v in answer.headers.items() if k.lower() in ("content-type", "retry-after")}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    def _fault(self, body: str) -> tuple[Fault | None, float]:
        for position, (fault, about, seconds) in enumerate(self._faults):
            if about in body:
                del self._faults[position]
                return fault, seconds
        return None, 0

    @staticmethod
    def _cut(request: web.Request) -> web.Response:
        if request.transport:
            request.transport.abort()
        return web.Response()


async def _sold(stage: Stage, sale: Sale) -> str:
    try:
        return await stage.sell(sale)
    except NotHereError as error:
        pytest.skip(str(error))


async def _order(stage: Stage, number: str) -> Order:
    order = await stage.shop.order(number)
    assert order is not None
    return order


def _refund(number: str, minor: int | None = None, currency: str = "USD", lines: tuple[int, ...] = ()) -> Refund:
    amount = None if minor is None else Money(minor, currency)
    return Refund(number, RefundReason.DEFECTIVE, amount, lines)


async def _apply(stage: Stage, change: Change, key: str = KEY) -> Applied:
    return await stage.shop.apply(change, await stage.shop.quote(change), key=key)


async def _until_applied(stage: Stage, change: Change, key: str = KEY) -> Applied:
    async with asyncio.timeout(20):
        while (applied := await stage.shop.applied(change, key)) is None:
            await asyncio.sleep(0.05)
    return applied


async def _not_refused(stage: Stage, change: Change, quote: Quote) -> None:
    """Apply the change over a fault: it is found at once, or its outcome is unknown, but nobody says "not done"."""
    try:
        await stage.shop.apply(change, quote, key=KEY)
    except (ShopRefusedError, ShopUnavailableError) as error:
        raise AssertionError(f"told as not done: {error}") from error
    except Exception:  # noqa: BLE001, S110 - any other error means that the outcome is unknown
        pass


def _faults(stage: Stage) -> FaultProxy:
    if stage.faults is None:
        pytest.skip("there is no HTTP between this shop and its data")
    return stage.faults


async def _quoted_again(stage: Stage, number: str) -> int:
    return (await _order(stage, number)).refundable.minor


# Reading


async def test_an_order_is_found_by_the_number_a_customer_knows(stage: Stage) -> None:
    """An order is found by its number, also in the spelling that `order_number` makes of what people type."""
    number = await _sold(stage, Sale())
    assert (await _order(stage, number)).id == number
    assert (await _order(stage, stage.shop.order_number(f" {number} ") or "")).id == number


async def test_an_unknown_number_is_no_order(stage: Stage) -> None:
    """A number that nobody has is None and no error."""
    number = await _sold(stage, Sale())
    assert await stage.shop.order(f"{number[:-1]}{'7' if number[-1] != '7' else '8'}9") is None


async def test_a_part_of_a_number_is_no_order(stage: Stage) -> None:
    """The beginning or the end of a number finds nothing."""
    number = await _sold(stage, Sale())
    for part in (number[:-1], number[1:], number[:2], "*", "%", "_" * len(number), ""):
        found = await stage.shop.order(part)
        assert found is None or found.id == number == f"#{part}", part


@pytest.mark.parametrize("name", ["1 OR 1=1", "name:*", '" OR "', "a) {id}} #", "%", "*", "\\", "1001 status:any"])
async def test_query_syntax_in_a_number_is_only_a_number(stage: Stage, name: str) -> None:
    """What means something to a search finds nothing, and breaks nothing."""
    await _sold(stage, Sale())
    assert await stage.shop.order(name) is None


async def test_a_customer_is_found_in_any_case(stage: Stage) -> None:
    """An e-mail address is found in capital letters too, and with blanks around it."""
    await _sold(stage, Sale())
    customers = [await stage.shop.customer(email) for email in (ANA, ANA.upper(), f" {ANA.title()} ")]
    assert [customer and customer.email.lower() for customer in customers] == [ANA] * 3


@pytest.mark.parametrize("email", ["nobody@example.com", "ana@example", "%@example.com", "*", "", " "])
async def test_an_unknown_address_is_nobody(stage: Stage, email: str) -> None:
    """An address that no customer has, a part of one, and none at all are nobody."""
    await _sold(stage, Sale())
    assert await stage.shop.customer(email) is None


async def test_only_ones_own_orders_are_listed_the_latest_first(stage: Stage) -> None:
    """A customer's orders are theirs alone, at most as many as asked for."""
    numbers = [await _sold(stage, Sale()), await _sold(stage, Sale())]
    other = await _sold(stage, Sale(email=BEN))
    ana = await stage.shop.customer(ANA)
    assert ana
    found = [order.id for order in await stage.shop.orders(ana, most=50)]
    assert other not in found
    assert [number for number in found if number in numbers] == numbers[::-1]
    assert len(await stage.shop.orders(ana, most=1)) == 1


async def test_an_order_tells_whose_it_is(stage: Stage) -> None:
    """An order names its customer by the address, so that nobody else's is shown as one's own."""
    assert (await _order(stage, await _sold(stage, Sale(email=BEN)))).customer.email.lower() == BEN


async def test_lines_are_told_with_their_prices(stage: Stage) -> None:
    """Each line of an order has its price, in the order's currency."""
    order = await _order(stage, await _sold(stage, Sale(prices=(4200, 1000))))
    assert [item.price for item in order.items] == [Money(4200), Money(1000)]
    assert order.total.minor >= 5200


async def test_many_lines_are_all_told(stage: Stage) -> None:
    """An order with more lines than a page of the shop's has them all."""
    order = await _order(stage, await _sold(stage, Sale(prices=(100,) * 60)))
    assert len(order.items) == 60


async def test_hostile_text_stays_text(stage: Stage) -> None:
    """A product's name that looks like markup, a query or an escape comes back as it was written."""
    name = '<b>"\' ; DROP TABLE orders; -- {{7*7}} \\u202e'
    order = await _order(stage, await _sold(stage, Sale(name=name)))
    assert order.items[0].name == name


# Refunds


async def test_a_part_is_refunded_to_the_cent(stage: Stage) -> None:
    """What goes back is what was quoted, and no cent else."""
    number = await _sold(stage, Sale())
    applied = await _apply(stage, _refund(number, 1001))
    assert applied.status == AppliedStatus.SUCCEEDED
    assert await stage.given_back(number) == 1001
    assert (await _order(stage, number)).refunded == Money(1001)


async def test_all_that_is_left_is_refunded(stage: Stage) -> None:
    """A refund without an amount gives back the rest; after it nothing is left."""
    number = await _sold(stage, Sale())
    await _apply(stage, _refund(number, 1000))
    await _apply(stage, _refund(number), OTHER_KEY)
    order = await _order(stage, number)
    assert order.refundable.minor == 0
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(_refund(number))


async def test_a_line_is_refunded_once(stage: Stage) -> None:
    """What a line cost goes back for it once, while another line's still can."""
    number = await _sold(stage, Sale(prices=(4200, 1000)))
    await _apply(stage, _refund(number, lines=(2,)))
    assert await stage.given_back(number) == 1000
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(_refund(number, lines=(2,)))
    quote = await stage.shop.quote(_refund(number, lines=(1,)))
    assert quote.balance == Money(4200)


async def test_the_same_key_again_is_the_first_refund(stage: Stage) -> None:
    """A repeat under the key returns what the first one did, and moves nothing."""
    number = await _sold(stage, Sale())
    change = _refund(number, 1000)
    quote = await stage.shop.quote(change)
    first = await stage.shop.apply(change, quote, key=KEY)
    assert await stage.shop.apply(change, quote, key=KEY) == first
    assert await stage.given_back(number) == 1000


async def test_the_same_key_twice_at_once_moves_money_once(stage: Stage) -> None:
    """Two requests under one key at the same instant are one refund."""
    number = await _sold(stage, Sale())
    change = _refund(number, 1000)
    quote = await stage.shop.quote(change)
    both = (stage.shop.apply(change, quote, key=KEY) for _ in range(2))
    done = [one for one in await asyncio.gather(*both, return_exceptions=True) if isinstance(one, Applied)]
    assert done
    assert await stage.given_back(number) == 1000


async def test_two_keys_at_once_never_exceed_what_was_paid(stage: Stage) -> None:
    """Of two refunds of all the money at the same instant, one is refused."""
    number = await _sold(stage, Sale())
    change = _refund(number)
    quote = await stage.shop.quote(change)
    assert quote.balance
    both = (stage.shop.apply(change, quote, key=key) for key in (KEY, OTHER_KEY))
    done = [one for one in await asyncio.gather(*both, return_exceptions=True) if isinstance(one, Applied)]
    assert len(done) == 1
    assert await stage.given_back(number) == quote.balance.minor


async def test_a_refund_is_found_by_its_key(stage: Stage) -> None:
    """What was done under a key is found by it, and nothing by another key or a part of one."""
    number = await _sold(stage, Sale())
    change = _refund(number, 1000)
    applied = await _apply(stage, change)
    assert await stage.shop.applied(change, KEY) == applied
    for key in (OTHER_KEY, KEY[:-1], KEY[1:], ""):
        assert await stage.shop.applied(change, key) is None


async def test_a_key_of_another_order_is_not_found_there(stage: Stage) -> None:
    """A key is looked for in the order that its change is about."""
    one, other = await _sold(stage, Sale()), await _sold(stage, Sale())
    await _apply(stage, _refund(one, 1000))
    assert await stage.shop.applied(_refund(other, 1000), KEY) is None
    assert await stage.given_back(other) == 0


@pytest.mark.parametrize("minor", [0, -5, 10_000_000])
async def test_no_money_less_than_none_and_too_much_are_refused(stage: Stage, minor: int) -> None:
    """An amount that cannot go back is refused before anything is sent."""
    number = await _sold(stage, Sale())
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(_refund(number, minor))
    assert await stage.given_back(number) == 0


async def test_another_currency_is_refused(stage: Stage) -> None:
    """An amount in another currency than the order's is refused."""
    number = await _sold(stage, Sale())
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(_refund(number, 1000, "EUR"))


async def test_an_order_that_is_not_there_is_refused(stage: Stage) -> None:
    """Nothing is quoted for an order that nobody has."""
    await _sold(stage, Sale())
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(_refund("NO-SUCH-1"))


async def test_an_outdated_quote_is_refused(stage: Stage) -> None:
    """What was shown is what is done: after another refund, the quote from before it does nothing."""
    number = await _sold(stage, Sale())
    change = _refund(number)
    quote = await stage.shop.quote(change)
    await _apply(stage, _refund(number, 100), OTHER_KEY)
    with pytest.raises(ShopRefusedError):
        await stage.shop.apply(change, quote, key=KEY)
    assert await stage.given_back(number) == 100


async def test_pending_is_pending_and_counts_as_gone(stage: Stage) -> None:
    """A refund that the provider has not settled is told as pending, and its money cannot go back again."""
    number = await _sold(stage, Sale(refunds="pending"))
    before = await _quoted_again(stage, number)
    change = _refund(number, 1000)
    assert (await _apply(stage, change)).status == AppliedStatus.PENDING
    found = await stage.shop.applied(change, KEY)
    assert found
    assert found.status == AppliedStatus.PENDING
    assert await _quoted_again(stage, number) == before - 1000


async def test_failed_is_failed_and_its_money_is_free_again(stage: Stage) -> None:
    """A refund that the provider refused is told as failed, and the same money can be asked for again."""
    number = await _sold(stage, Sale(refunds="failed"))
    before = await _quoted_again(stage, number)
    change = _refund(number, 1000)
    assert (await _apply(stage, change)).status == AppliedStatus.FAILED
    found = await stage.shop.applied(change, KEY)
    assert found
    assert found.status == AppliedStatus.FAILED
    assert await _quoted_again(stage, number) == before


@pytest.mark.parametrize(("currency", "minor", "shown"), [("JPY", 6900, "6,900 JPY"), ("KWD", 12840, "12.840 KWD")])
async def test_yen_have_no_decimals_and_dinars_three(stage: Stage, currency: str, minor: int, shown: str) -> None:
    """Amounts are right in currencies without cents, and in those with thousandths."""
    number = await _sold(stage, Sale(prices=(minor,), currency=currency))
    quote = await stage.shop.quote(_refund(number, lines=(1,)))
    assert str(quote.balance) == shown
    await stage.shop.apply(_refund(number, lines=(1,)), quote, key=KEY)
    assert await stage.given_back(number) == minor


async def test_an_order_paid_in_two_parts(stage: Stage) -> None:
    """Of an order with two payments, each part's money can go back, and never more than was paid."""
    number = await _sold(stage, Sale(payments=2))
    order = await _order(stage, number)
    await _apply(stage, _refund(number, 100))
    assert await stage.given_back(number) == 100
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(_refund(number, order.total.minor))


# Cancellations


async def test_what_has_not_left_is_cancelled_with_its_money(stage: Stage) -> None:
    """A cancellation stops the order and gives back all of its money, once under its key."""
    number = await _cancellable(stage)
    change = CancelOrder(number)
    quote = await stage.shop.quote(change)
    assert quote.balance
    first = await stage.shop.apply(change, quote, key=KEY)
    assert await stage.shop.apply(change, quote, key=KEY) == first
    order = await _order(stage, number)
    assert not order.cancellable
    assert await stage.given_back(number) == quote.balance.minor == order.refunded.minor


async def test_the_rest_goes_back_with_a_cancellation(stage: Stage) -> None:
    """What was refunded before is not given back again."""
    number = await _cancellable(stage)
    total = (await _order(stage, number)).total.minor
    try:
        await _apply(stage, _refund(number, 500), OTHER_KEY)
    except ShopRefusedError:
        pytest.skip("this shop refunds nothing before an order has left")
    await _apply(stage, CancelOrder(number))
    assert await stage.given_back(number) == total


async def test_what_has_left_is_not_cancelled(stage: Stage) -> None:
    """An order on its way is refused."""
    _needs(stage, CancelOrder)
    number = await _sold(stage, Sale(state="shipped"))
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(CancelOrder(number))


async def test_a_cancellation_that_was_cut_off_is_finished_by_its_key(stage: Stage) -> None:
    """Cut off in the middle, the same key again ends in a cancelled order and all of its money back, once."""
    number = await _cancellable(stage)
    faults = _faults(stage)
    change = CancelOrder(number)
    quote = await stage.shop.quote(change)
    assert quote.balance
    faults.next("answer lost", stage.cancel_marker)
    await _not_refused(stage, change, quote)
    await stage.shop.apply(change, quote, key=KEY)
    assert await stage.given_back(number) == quote.balance.minor


# Failures


@pytest.mark.parametrize("fault", ["answer lost", "500 after"])
async def test_a_deed_whose_answer_is_lost_is_found(stage: Stage, fault: Fault) -> None:
    """Done, and the answer lost or an error: nobody says that nothing moved, it is found, and it happens once."""
    number = await _sold(stage, Sale())
    change = _refund(number, 1000)
    quote = await stage.shop.quote(change)
    _faults(stage).next(fault, stage.refund_marker)
    await _not_refused(stage, change, quote)
    await _until_applied(stage, change)
    await stage.shop.apply(change, quote, key=KEY)
    assert await stage.given_back(number) == 1000


@pytest.mark.parametrize("fault", ["request lost", "500 before", "HTML"])
async def test_a_request_that_got_lost_is_unknown_and_done_once(stage: Stage, fault: Fault) -> None:
    """Not done, and no answer of the shop's: the outcome is unknown, not refused, and a repeat does it once."""
    number = await _sold(stage, Sale())
    change = _refund(number, 1000)
    quote = await stage.shop.quote(change)
    _faults(stage).next(fault, stage.refund_marker)
    await _not_refused(stage, change, quote)
    await stage.shop.apply(change, quote, key=KEY)
    assert await stage.given_back(number) == 1000


async def test_a_deed_that_is_too_slow_is_unknown_and_shows_up_later(stage: Stage) -> None:
    """What takes longer than the adapter waits is unknown, and is found once it is done."""
    number = await _sold(stage, Sale())
    change = _refund(number, 1000)
    quote = await stage.shop.quote(change)
    _faults(stage).next("slow", stage.refund_marker, seconds=3.0)
    await _not_refused(stage, change, quote)
    await _until_applied(stage, change)
    assert await stage.given_back(number) == 1000


async def test_too_many_requests_tell_when_to_come_back(stage: Stage) -> None:
    """A shop that asks for patience is unavailable for as long as it says, and nothing has moved."""
    number = await _sold(stage, Sale())
    change = _refund(number, 1000)
    quote = await stage.shop.quote(change)
    _faults(stage).next("rate limited", stage.refund_marker)
    with pytest.raises(ShopUnavailableError) as caught:
        await stage.shop.apply(change, quote, key=KEY)
    assert caught.value.retry_after == 7
    assert await stage.given_back(number) == 0


@pytest.mark.parametrize("fault", ["request lost", "answer lost", "500 before", "HTML", "rate limited", "slow"])
async def test_a_look_that_fails_is_unavailable(stage: Stage, fault: Fault) -> None:
    """When an order cannot be read, the shop is unavailable: that is not the same as no such order."""
    number = await _sold(stage, Sale())
    _faults(stage).next(fault, seconds=3.0)
    with pytest.raises(ShopUnavailableError):
        await stage.shop.order(number)


async def test_how_a_repeat_is_safe_is_said(stage: Stage) -> None:
    """A shop either keeps keys, for some time or for ever, or says how long until an effect shows."""
    replay = stage.shop.replay
    if isinstance(replay, LookFirst):
        assert replay.settles_after.total_seconds() > 0
    else:
        assert isinstance(replay, Safe)
        assert replay.key_lifetime is None or replay.key_lifetime.total_seconds() > 0


# At the start


async def test_a_check_of_a_shop_that_is_right(stage: Stage) -> None:
    """A shop that answers, with a key that may do all, passes its check."""
    await _sold(stage, Sale())
    await _check(stage, "nothing")


@pytest.mark.parametrize("broken", ["key", "e-mail"])
async def test_a_check_that_fails_says_what_to_do(stage: Stage, broken: Literal["key", "e-mail"]) -> None:
    """A wrong key, and a shop that hides addresses, are found at the start; the error says what to do."""
    await _sold(stage, Sale())
    with pytest.raises(ShopCheckError, match=r"\w{3,} \w+"):
        await _check(stage, broken)


async def _check(stage: Stage, broken: Literal["nothing", "key", "e-mail"]) -> None:
    try:
        await stage.check(broken=broken)
    except NotHereError as error:
        pytest.skip(str(error))


async def _cancellable(stage: Stage) -> str:
    _needs(stage, CancelOrder)
    return await _sold(stage, Sale(state="paid"))


def _needs(stage: Stage, change: type[Change]) -> None:
    if change not in stage.shop.changes:
        pytest.skip(f"this shop does not make a {change.__name__}")


