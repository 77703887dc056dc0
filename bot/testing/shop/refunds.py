"""Money goes back once for a key, to the cent, and never more than was paid."""

import asyncio
from dataclasses import replace

import pytest

from bot.shop.changes import Applied, AppliedStatus
from bot.shop.money import Money
from bot.shop.shop import ShopRefusedError
from bot.testing.shop.stage import (
    KEY,
    OTHER_KEY,
    Sale,
    Stage,
    apply,
    order_of,
    refund_of,
    refundable,
    sold,
)


async def test_a_part_is_refunded_to_the_cent(stage: Stage) -> None:
    """What goes back is what was quoted, and no cent else."""
    number = await sold(stage, Sale())
    quote = await stage.shop.quote(refund_of(number, 1001))
    applied = await stage.shop.apply(refund_of(number, 1001), quote, key=KEY)
    assert applied.status == AppliedStatus.SUCCEEDED
    assert quote.balance == Money(1001)
    assert await stage.given_back(number) == 1001
    assert (await order_of(stage, number)).refunded == Money(1001)


async def test_all_that_is_left_is_refunded(stage: Stage) -> None:
    """A refund without an amount gives back the rest; after it nothing is left."""
    number = await sold(stage, Sale())
    await apply(stage, refund_of(number, 1000))
    await apply(stage, refund_of(number), OTHER_KEY)
    order = await order_of(stage, number)
    assert order.refundable.minor == 0
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(refund_of(number))


async def test_a_line_is_refunded_once(stage: Stage) -> None:
    """What a line cost goes back for it once, while another line's still can."""
    number = await sold(stage, Sale(prices=(4200, 1000)))
    await apply(stage, refund_of(number, lines=(2,)))
    assert await stage.given_back(number) == 1000
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(refund_of(number, lines=(2,)))
    quote = await stage.shop.quote(refund_of(number, lines=(1,)))
    assert quote.balance == Money(4200)


async def test_what_is_left_of_a_line_can_be_refunded(stage: Stage) -> None:
    """When a part of a line's price went back for it, the rest still can, and no more."""
    number = await sold(stage, Sale(prices=(4200, 1000)))
    await apply(stage, refund_of(number, 1001, lines=(1,)))
    for line, minor in ((1, 3199), (2, 1000)):
        assert (await stage.shop.quote(refund_of(number, lines=(line,)))).balance == Money(minor)
    await apply(stage, refund_of(number, lines=(1,)), OTHER_KEY)
    assert await stage.given_back(number) == 4200
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(refund_of(number, 1, lines=(1,)))


async def test_the_same_key_again_is_the_first_refund(stage: Stage) -> None:
    """A repeat under the key returns what the first one did, and moves nothing."""
    number = await sold(stage, Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    first = await stage.shop.apply(change, quote, key=KEY)
    assert await stage.shop.apply(change, quote, key=KEY) == first
    assert await stage.given_back(number) == 1000


async def test_the_same_key_twice_at_once_moves_money_once(stage: Stage) -> None:
    """Two requests under one key at the same instant are one refund, and neither says that nothing was done."""
    number = await sold(stage, Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    both = (stage.shop.apply(change, quote, key=KEY) for _ in range(2))
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert any(isinstance(one, Applied) for one in outcomes)
    assert not any(isinstance(one, ShopRefusedError) for one in outcomes)
    assert await stage.given_back(number) == 1000


async def test_two_keys_at_once_never_exceed_what_was_paid(stage: Stage) -> None:
    """Of two refunds of all the money at the same instant, one is refused."""
    number = await sold(stage, Sale())
    change = refund_of(number)
    quote = await stage.shop.quote(change)
    assert quote.balance
    both = (stage.shop.apply(change, quote, key=key) for key in (KEY, OTHER_KEY))
    done = [one for one in await asyncio.gather(*both, return_exceptions=True) if isinstance(one, Applied)]
    assert len(done) == 1
    assert await stage.given_back(number) == quote.balance.minor


async def test_two_keys_at_once_refund_a_line_once(stage: Stage) -> None:
    """Of two refunds of one line at the same instant, one is refused, though the order has money left for both."""
    number = await sold(stage, Sale(prices=(4200, 1000)))
    change = refund_of(number, lines=(2,))
    quote = await stage.shop.quote(change)
    both = (stage.shop.apply(change, quote, key=key) for key in (KEY, OTHER_KEY))
    done = [one for one in await asyncio.gather(*both, return_exceptions=True) if isinstance(one, Applied)]
    assert len(done) == 1
    assert await stage.given_back(number) == 1000


async def test_a_refund_is_found_by_its_key(stage: Stage) -> None:
    """What was done under a key is found by it, and nothing by another key or a part of one."""
    number = await sold(stage, Sale())
    change = refund_of(number, 1000)
    applied = await apply(stage, change)
    assert await stage.shop.applied(change, KEY) == applied
    for key in (OTHER_KEY, KEY[:-1], KEY[1:], ""):
        assert await stage.shop.applied(change, key) is None


async def test_a_key_of_another_order_is_not_found_there(stage: Stage) -> None:
    """A key is looked for in the order that its change is about."""
    one, other = await sold(stage, Sale()), await sold(stage, Sale())
    await apply(stage, refund_of(one, 1000))
    assert await stage.shop.applied(refund_of(other, 1000), KEY) is None
    assert await stage.given_back(other) == 0


@pytest.mark.parametrize("minor", [0, -5, 10_000_000])
async def test_no_money_less_than_none_and_too_much_are_refused(stage: Stage, minor: int) -> None:
    """An amount that cannot go back is refused before anything is sent."""
    number = await sold(stage, Sale())
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(refund_of(number, minor))
    assert await stage.given_back(number) == 0


async def test_another_currency_is_refused(stage: Stage) -> None:
    """An amount in another currency than the order's is refused."""
    number = await sold(stage, Sale())
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(refund_of(number, 1000, "EUR"))


async def test_an_order_that_is_not_there_is_refused(stage: Stage) -> None:
    """Nothing is quoted for an order that nobody has."""
    await sold(stage, Sale())
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(refund_of("NO-SUCH-1"))


async def test_an_outdated_quote_is_refused(stage: Stage) -> None:
    """What was shown is what is done: after another refund, the quote from before it does nothing."""
    number = await sold(stage, Sale())
    change = refund_of(number)
    quote = await stage.shop.quote(change)
    await apply(stage, refund_of(number, 100), OTHER_KEY)
    with pytest.raises(ShopRefusedError):
        await stage.shop.apply(change, quote, key=KEY)
    assert await stage.given_back(number) == 100


async def test_other_figures_than_the_shops_are_refused(stage: Stage) -> None:
    """A quote that says other figures than the shop would, less money, another way or person, moves nothing."""
    number = await sold(stage, Sale())
    change = refund_of(number)
    quote = await stage.shop.quote(change)
    assert quote.balance
    less = replace(quote.balance, minor=quote.balance.minor - 1)
    others = (
        replace(quote, balance=less),
        replace(quote, method="another way of payment"),
        replace(quote, customer=replace(quote.customer, email="somebody.else@example.com")),
    )
    for other in others:
        with pytest.raises(ShopRefusedError):
            await stage.shop.apply(change, other, key=KEY)
    assert await stage.given_back(number) == 0


async def test_pending_is_pending_and_counts_as_gone(stage: Stage) -> None:
    """A refund that the provider has not settled is told as pending, and its money cannot go back again."""
    number = await sold(stage, Sale(refunds="pending"))
    before = await refundable(stage, number)
    change = refund_of(number, 1000)
    assert (await apply(stage, change)).status == AppliedStatus.PENDING
    found = await stage.shop.applied(change, KEY)
    assert found
    assert found.status == AppliedStatus.PENDING
    assert await refundable(stage, number) == before - 1000


async def test_failed_is_failed_and_its_money_is_free_again(stage: Stage) -> None:
    """A refund that the provider refused is told as failed, and the same money can be asked for again."""
    number = await sold(stage, Sale(refunds="failed"))
    before = await refundable(stage, number)
    change = refund_of(number, 1000)
    assert (await apply(stage, change)).status == AppliedStatus.FAILED
    found = await stage.shop.applied(change, KEY)
    assert found
    assert found.status == AppliedStatus.FAILED
    assert await refundable(stage, number) == before


async def test_a_line_whose_refund_failed_can_be_refunded(stage: Stage) -> None:
    """What the provider refused of a line's money is there for that line still."""
    number = await sold(stage, Sale(prices=(4200, 1000), refunds="failed"))
    await apply(stage, refund_of(number, lines=(2,)))
    assert (await stage.shop.quote(refund_of(number, lines=(2,)))).balance == Money(1000)


async def test_what_the_shop_refuses_is_refused(stage: Stage) -> None:
    """A refund that the shop itself does not make is told as refused, is not found, and its money is there still."""
    number = await sold(stage, Sale(refunds="refused"))
    before = await refundable(stage, number)
    change = refund_of(number, 1000)
    with pytest.raises(ShopRefusedError):
        await apply(stage, change)
    assert await stage.shop.applied(change, KEY) is None
    assert (await refundable(stage, number), await stage.given_back(number)) == (before, 0)


@pytest.mark.parametrize(("currency", "minor", "shown"), [("JPY", 6900, "6,900 JPY"), ("KWD", 12840, "12.840 KWD")])
async def test_yen_have_no_decimals_and_dinars_three(stage: Stage, currency: str, minor: int, shown: str) -> None:
    """Amounts are right in currencies without cents, and in those with thousandths."""
    number = await sold(stage, Sale(prices=(minor,), currency=currency))
    change = refund_of(number, lines=(1,) if (await order_of(stage, number)).items else ())
    quote = await stage.shop.quote(change)
    assert str(quote.balance) == shown
    await stage.shop.apply(change, quote, key=KEY)
    assert await stage.given_back(number) == minor


async def test_an_order_paid_in_two_parts(stage: Stage) -> None:
    """Of an order with two payments, each part's money can go back, and never more than was paid."""
    number = await sold(stage, Sale(payments=2))
    order = await order_of(stage, number)
    await apply(stage, refund_of(number, 100))
    assert await stage.given_back(number) == 100
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(refund_of(number, order.total.minor))


async def test_each_part_of_an_order_paid_in_two_goes_back(stage: Stage) -> None:
    """When the first payment has too little left, the money goes back to the second."""
    number = await sold(stage, Sale(payments=2))
    third = (await order_of(stage, number)).total.minor // 3
    await apply(stage, refund_of(number, third))
    await apply(stage, refund_of(number, third), OTHER_KEY)
    assert await stage.given_back(number) == 2 * third
