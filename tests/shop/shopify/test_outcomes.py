"""What became of what was sent to Shopify: what it says, and what stands in the order."""

import asyncio
from decimal import Decimal

import pytest

from bot.shop.changes import Applied, AppliedStatus, CancelOrder
from bot.shop.money import Money
from bot.shop.remote import OutcomeUnknownError
from bot.shop.shop import ShopRefusedError, ShopUnavailableError
from bot.shop.shopify import open_shopify
from bot.shop.shopify.documents import MAX_PARTS, MAX_PAYMENTS, MAX_REFUNDS, MAX_RETURNS
from bot.testing.shop import Sale
from bot.testing.shop.returns import return_of
from bot.testing.shop.stage import ANA, KEY, OTHER_KEY, apply, not_refused, order_of, refund_of
from tests.shop.shopify.store import Book
from tests.shop.shopify.test_shopify import ShopifyStage, settings


def only_book(stage: ShopifyStage) -> Book:
    """Return the one order of the store."""
    [book] = stage.server.store.books.values()
    return book


@pytest.mark.parametrize(
    "told", [{"refund": None, "userErrors": [{"field": None, "message": "Something went wrong"}]}, {"refund": None}]
)
async def test_an_error_beside_a_refund_that_was_made(stage: ShopifyStage, told: dict[str, object]) -> None:
    """What Shopify says is wrong, or says nothing of, and yet is there, is found and not told as refused."""
    number = await stage.sell(Sale())
    change = refund_of(number, 1000)
    stage.server.store.told_of_refunds = told
    await not_refused(stage, change, await stage.shop.quote(change))
    found = await stage.shop.applied(change, KEY)
    assert found
    assert found.status == AppliedStatus.SUCCEEDED
    assert await stage.given_back(number) == 1000


@pytest.mark.parametrize("codes", [["INTERNAL_SERVER_ERROR"], ["ACCESS_DENIED", "INTERNAL_SERVER_ERROR"], ["NEW"]])
async def test_errors_that_say_nothing_of_the_deed(stage: ShopifyStage, codes: list[str]) -> None:
    """Errors with status 200 mean that nothing was begun only where all of them do."""
    number = await stage.sell(Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    stage.server.errors_after = codes
    await not_refused(stage, change, quote)
    assert await stage.shop.applied(change, KEY)


async def test_the_same_key_from_two_processes_at_once(stage: ShopifyStage) -> None:
    """Shopify says that a key is at work: that is no refusal, and the refund is made once."""
    number = await stage.sell(Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    async with open_shopify(settings(stage.faults.url)) as other:
        both = (shop.apply(change, quote, key=KEY) for shop in (stage.shop, other))
        outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert any(isinstance(one, Applied) for one in outcomes)
    assert not any(isinstance(one, ShopRefusedError | ShopUnavailableError) for one in outcomes)
    assert await stage.given_back(number) == 1000


async def test_a_cancellation_from_two_processes_at_once(stage: ShopifyStage) -> None:
    """The one whose cancellation it is says so, and the other that it was refused."""
    number = await stage.sell(Sale(state="paid"))
    change = CancelOrder(number)
    quote = await stage.shop.quote(change)
    async with open_shopify(settings(stage.faults.url)) as other:
        await other.check()
        both = (shop.apply(change, quote, key=key) for shop, key in ((stage.shop, KEY), (other, OTHER_KEY)))
        first, second = await asyncio.gather(*both, return_exceptions=True)
    assert {type(first), type(second)} == {Applied, ShopRefusedError}
    assert await stage.given_back(number) == 4200


async def test_a_cancellation_that_is_not_allowed(stage: ShopifyStage) -> None:
    """What Shopify refuses before it begins is refused at once."""
    number = await stage.sell(Sale(state="paid"))
    stage.server.store.may_cancel = False
    with pytest.raises(ShopRefusedError, match="does not allow it"):
        await apply(stage, CancelOrder(number))
    assert (await order_of(stage, number)).cancellable


async def test_a_job_that_takes_longer_than_anybody_waits(stage: ShopifyStage) -> None:
    """A cancellation whose job is not done in some seconds is unknown, and found once it is."""
    number = await stage.sell(Sale(state="paid"))
    change = CancelOrder(number)
    quote = await stage.shop.quote(change)
    stage.server.store.job_seconds = 60.0
    with pytest.raises(OutcomeUnknownError):
        await stage.shop.apply(change, quote, key=KEY)
    assert await stage.shop.applied(change, KEY) is None


async def test_a_refund_without_transactions_is_pending(stage: ShopifyStage) -> None:
    """A refund of ours that names no payment yet is on its way: nobody says that the money went back."""
    number = await stage.sell(Sale())
    change = refund_of(number, 1000)
    await apply(stage, change)
    only_book(stage).refunds[0]["transactions"]["nodes"] = []
    found = await stage.shop.applied(change, KEY)
    assert found
    assert found.status == AppliedStatus.PENDING


async def test_a_payment_that_failed_was_none(stage: ShopifyStage) -> None:
    """What was tried and not paid counts neither as paid nor as what money can go back to."""
    number = await stage.sell(Sale())
    only_book(stage).transact("SALE", Decimal(10), "FAILURE")
    order = await order_of(stage, number)
    assert (order.total, order.refundable) == (Money(4200), Money(4200))


async def test_two_orders_of_one_name_are_found_by_nobody(stage: ShopifyStage) -> None:
    """Where a name is two orders', neither is told or changed."""
    number = await stage.sell(Sale())
    await stage.sell(Sale(email="ben@example.com"))
    for book in stage.server.store.books.values():
        book.name = number
    assert await stage.shop.order(number) is None


async def test_more_than_is_read_is_not_changed(stage: ShopifyStage) -> None:
    """An order with more payments, refunds or returns than are read at once is left to people."""
    paid, refunded, returned = [await stage.sell(Sale()) for _ in range(3)]
    await apply(stage, return_of(returned, 1))
    books = {book.name: book for book in stage.server.store.books.values()}
    for _ in range(MAX_PAYMENTS):
        books[paid].transact("SALE", Decimal(1), "FAILURE")
    for _ in range(MAX_REFUNDS):
        books[refunded].refund([], None)
    books[returned].returns = [books[returned].returns[0] | {"status": "DECLINED"}] * MAX_RETURNS
    for number, words in ((paid, "payments and refunds"), (refunded, "payments and refunds"), (returned, "returns")):
        with pytest.raises(ShopRefusedError, match=f"has too many {words} to be changed here"):
            await stage.shop.quote(refund_of(number, 1000))


async def test_a_refund_to_more_payments_than_one_takes(stage: ShopifyStage) -> None:
    """Money that would go back to too many payments at once is refused, and a smaller sum goes back."""
    number = await stage.sell(Sale())
    book = only_book(stage)
    book.transactions.clear()
    for _ in range(MAX_PARTS + 1):
        book.transact("SALE", Decimal(10), "SUCCESS")
    with pytest.raises(ShopRefusedError, match="too many parts"):
        await apply(stage, refund_of(number))
    assert await stage.given_back(number) == 0
    await apply(stage, refund_of(number, MAX_PARTS * 1000))
    assert await stage.given_back(number) == MAX_PARTS * 1000


async def test_a_parcel_with_more_lines_than_are_read(stage: ShopifyStage) -> None:
    """What can be sent back is not known when a parcel has more lines than are read, so nothing is."""
    number = await stage.sell(Sale(prices=(100,) * 60))
    with pytest.raises(ShopRefusedError, match="too many lines in one parcel"):
        await stage.shop.quote(return_of(number, 1))


async def test_an_address_of_another_person_is_not_found_by_a_part(stage: ShopifyStage) -> None:
    """Shopify may find somebody whose address holds the one that was asked for: that is another person."""
    await stage.sell(Sale(email=f"not-{ANA}"))
    assert await stage.shop.customer(ANA) is None
