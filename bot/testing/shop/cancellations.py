"""An order that has not left is cancelled with its money, once."""

from collections.abc import Callable

import pytest

from bot.shop.changes import AppliedStatus, CancelOrder
from bot.shop.orders import OrderStatus
from bot.shop.shop import ShopRefusedError
from bot.testing.shop.faults import Fault, FaultProxy
from bot.testing.shop.stage import (
    KEY,
    OTHER_KEY,
    Sale,
    Stage,
    apply,
    cancellable,
    faults_of,
    needs,
    not_refused,
    order_of,
    refund_of,
    sold,
)


async def test_what_has_not_left_is_cancelled_with_its_money(stage: Stage) -> None:
    """A cancellation stops the order and gives back all of its money, once under its key, and is no other key's."""
    number = await cancellable(stage)
    change = CancelOrder(number)
    quote = await stage.shop.quote(change)
    assert quote.balance
    first = await stage.shop.apply(change, quote, key=KEY)
    assert await stage.shop.apply(change, quote, key=KEY) == first == await stage.shop.applied(change, KEY)
    for key in (OTHER_KEY, KEY[:-1], ""):
        assert await stage.shop.applied(change, key) is None
    with pytest.raises(ShopRefusedError):
        await stage.shop.apply(change, quote, key=OTHER_KEY)
    order = await order_of(stage, number)
    assert not order.cancellable
    assert await stage.given_back(number) == quote.balance.minor == order.refunded.minor


async def test_the_rest_goes_back_with_a_cancellation(stage: Stage) -> None:
    """What was refunded before is not given back again."""
    number = await cancellable(stage)
    total = (await order_of(stage, number)).total.minor
    try:
        await apply(stage, refund_of(number, 500), OTHER_KEY)
    except ShopRefusedError:
        pytest.skip("this shop refunds nothing before an order has left")
    await apply(stage, CancelOrder(number))
    assert await stage.given_back(number) == total


async def test_what_has_left_is_not_cancelled(stage: Stage) -> None:
    """An order on its way is refused."""
    needs(stage, CancelOrder)
    number = await sold(stage, Sale(state="shipped"))
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(CancelOrder(number))


async def ends_by_its_key(stage: Stage, arm: Callable[[FaultProxy], None]) -> None:
    """Cancel over faults: nobody says "not done", and the same key again ends it, with all of its money back once."""
    number = await cancellable(stage)
    faults = faults_of(stage)
    change = CancelOrder(number)
    quote = await stage.shop.quote(change)
    assert quote.balance
    arm(faults)
    await not_refused(stage, change, quote)
    await stage.shop.apply(change, quote, key=KEY)
    assert await stage.given_back(number) == quote.balance.minor


async def test_a_cancellation_that_was_cut_off_is_finished_by_its_key(stage: Stage) -> None:
    """Cut off in the middle, the same key again ends in a cancelled order and all of its money back, once."""
    await ends_by_its_key(stage, lambda faults: faults.next("answer lost", stage.cancel_marker))


@pytest.mark.parametrize("look", ["500 before", "rate limited", "request lost"])
async def test_a_look_that_fails_after_a_cancellation_says_nothing_of_it(stage: Stage, look: Fault) -> None:
    """Cancelled, and whatever is asked next fails: nobody says "not done", and the same key ends it."""

    def arm(faults: FaultProxy) -> None:
        faults.next("in pieces", stage.cancel_marker)
        faults.then(look)

    await ends_by_its_key(stage, arm)


async def test_a_cancellation_whose_money_must_wait_is_no_refusal(stage: Stage) -> None:
    """Where the money goes back by a request of its own that the shop does not take now, nobody says "not begun"."""
    number = await cancellable(stage)
    faults = faults_of(stage)
    change = CancelOrder(number)
    quote = await stage.shop.quote(change)
    assert quote.balance
    faults.next("rate limited", stage.refund_marker)
    await not_refused(stage, change, quote)
    assert not (await order_of(stage, number)).cancellable
    await stage.shop.apply(change, quote, key=KEY)
    assert await stage.given_back(number) == quote.balance.minor


async def test_an_order_that_was_paid_in_parts_is_cancelled(stage: Stage) -> None:
    """All of the money goes back, to each payment what it paid."""
    needs(stage, CancelOrder)
    number = await sold(stage, Sale(state="paid", payments=2))
    total = (await order_of(stage, number)).total.minor
    assert (await apply(stage, CancelOrder(number))).status != AppliedStatus.FAILED
    assert await stage.given_back(number) == total


async def test_a_cancellation_whose_money_is_on_its_way_is_pending(stage: Stage) -> None:
    """The payment provider has not settled it: the order is cancelled, and nobody says that its money went back."""
    needs(stage, CancelOrder)
    number = await sold(stage, Sale(state="paid", refunds="pending"))
    change = CancelOrder(number)
    assert (await apply(stage, change)).status == AppliedStatus.PENDING
    found = await stage.shop.applied(change, KEY)
    assert found
    assert found.status == AppliedStatus.PENDING


async def test_a_cancellation_whose_money_does_not_go_back_says_both(stage: Stage) -> None:
    """The payment provider refuses the money: the order is cancelled all the same, and that is what is told."""
    needs(stage, CancelOrder)
    number = await sold(stage, Sale(state="paid", refunds="failed"))
    change = CancelOrder(number)
    applied = await apply(stage, change)
    assert (applied.status, await stage.given_back(number)) == (AppliedStatus.FAILED, 0)
    assert "cancelled" in applied.why
    assert await stage.shop.applied(change, KEY) == applied
    assert (await order_of(stage, number)).status == OrderStatus.CANCELLED
