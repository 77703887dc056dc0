"""Lines of what has arrived are sent back once, and their money waits for them."""

import asyncio

import pytest

from bot.shop.changes import Applied, AppliedStatus, RefundReason, ReturnItems, When
from bot.shop.money import Money
from bot.shop.shop import ShopRefusedError
from bot.testing.shop.stage import (
    KEY,
    OTHER_KEY,
    Sale,
    Stage,
    faults_of,
    needs,
    not_refused,
    order_of,
    refund_of,
    sold,
    until_applied,
)


def return_of(number: str, *lines: int) -> ReturnItems:
    """Send lines back, for the money to go to where it came from."""
    return ReturnItems(number, lines, RefundReason.CHANGED_MIND, "original")


async def returnable(stage: Stage) -> str:
    """Place an order of two lines that has arrived, if the shop takes goods back."""
    needs(stage, ReturnItems)
    return await sold(stage, Sale(prices=(4200, 1000)))


async def test_a_return_moves_no_money_and_is_noted_once(stage: Stage) -> None:
    """A line is noted as going back, once under its key, and its money waits until it has arrived, as an amount too."""
    number = await returnable(stage)
    change = return_of(number, 2)
    quote = await stage.shop.quote(change)
    assert (quote.balance, quote.when, [item.line for item in quote.items]) == (Money(1000), When.ON_RECEIPT, [2])
    first = await stage.shop.apply(change, quote, key=KEY)
    assert first.status != AppliedStatus.FAILED
    assert await stage.shop.apply(change, quote, key=KEY) == first == await stage.shop.applied(change, KEY)
    assert await stage.shop.applied(change, OTHER_KEY) is None
    assert [bool(item.returning) for item in (await order_of(stage, number)).items] == [False, True]
    assert await stage.given_back(number) == 0
    refundable = (await order_of(stage, number)).refundable.minor
    for early in (refund_of(number, lines=(2,)), refund_of(number), refund_of(number, refundable - 999)):
        with pytest.raises(ShopRefusedError):
            await stage.shop.quote(early)
    assert (await stage.shop.quote(refund_of(number, refundable - 1000))).balance == Money(refundable - 1000)


async def test_a_line_is_sent_back_once(stage: Stage) -> None:
    """A line that goes back is not sent back again, also by two keys at once; another line still can be."""
    number = await returnable(stage)
    change = return_of(number, 1)
    quote = await stage.shop.quote(change)
    both = (stage.shop.apply(change, quote, key=key) for key in (KEY, OTHER_KEY))
    done = [one for one in await asyncio.gather(*both, return_exceptions=True) if isinstance(one, Applied)]
    assert len(done) == 1
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(change)
    assert (await stage.shop.quote(return_of(number, 2))).balance == Money(1000)


async def test_what_has_not_arrived_is_not_sent_back(stage: Stage) -> None:
    """Nothing of an order on its way or before it has left can be sent back, and no line that there is not."""
    needs(stage, ReturnItems)
    for sale in (Sale(state="shipped"), Sale(state="paid")):
        number = await sold(stage, sale)
        with pytest.raises(ShopRefusedError):
            await stage.shop.quote(return_of(number, 1))
    number = await returnable(stage)
    for lines in ((), (3,), (1, 1)):
        with pytest.raises(ShopRefusedError):
            await stage.shop.quote(return_of(number, *lines))


async def test_a_return_whose_answer_is_lost_is_found(stage: Stage) -> None:
    """A return that was noted, and whose answer was lost, is found by its key and not noted twice."""
    number = await returnable(stage)
    faults = faults_of(stage)
    change = return_of(number, 1)
    quote = await stage.shop.quote(change)
    faults.next("answer lost", stage.return_marker)
    await not_refused(stage, change, quote)
    found = await until_applied(stage, change)
    assert await stage.shop.apply(change, quote, key=KEY) == found
