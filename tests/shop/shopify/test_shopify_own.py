"""What only Shopify does: points, tokens that last a day, keys that are forgotten, addresses, rights, and jobs."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import SecretStr, ValidationError

from bot.shop.changes import Applied, AppliedStatus, CancelOrder, ChangeAddress, RefundReason, ReturnItems
from bot.shop.money import Money
from bot.shop.orders import Address, Profile, Variant
from bot.shop.shop import Reading, ShopCheckError, ShopRefusedError, ShopUnavailableError, TellsRefunds
from bot.shop.shopify import ShopifySettings, open_shopify
from bot.testing.shop import Sale
from bot.testing.shop.returns import return_of
from bot.testing.shop.stage import ANA, KEY, OTHER_KEY, apply, order_of, refund_of
from tests.shop.mutants import BEHIND_HTTP, ON_ANY, WITH_GOODS, Behaviour, Mutant, dies
from tests.shop.shopify.store import bag
from tests.shop.shopify.test_shopify import ShopifyStage

ELSEWHERE = Address("Ana Maria Lopez", "2 Side St", "Austin", "TX", "73301", "US")


async def test_too_few_points_tell_when_to_come_back(stage: ShopifyStage) -> None:
    """A store that is out of points is asked again when there are enough, and nothing has moved."""
    number = await stage.sell(Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    stage.server.points = -250.0
    with pytest.raises(ShopUnavailableError) as caught:
        await stage.shop.apply(change, quote, key=KEY)
    assert caught.value.retry_after == pytest.approx(3.5)
    assert await stage.given_back(number) == 0


async def test_what_went_back_before(stage: ShopifyStage) -> None:
    """The refunds of a customer are told with their time and sum, those that failed and those of others left out."""
    number, other = await stage.sell(Sale()), await stage.sell(Sale(refunds="failed"))
    await apply(stage, refund_of(number, 1000))
    await apply(stage, refund_of(other, 500), key=OTHER_KEY)
    customer, now = (await order_of(stage, number)).customer, datetime.now(UTC)
    assert isinstance(stage.shop, TellsRefunds)
    assert await stage.shop.refunds_of(customer, since=now - timedelta(days=90)) == [Money(1000)]
    assert await stage.shop.refunds_of(customer, since=now + timedelta(days=1)) == []
    nobody = replace(customer, id="gid://shopify/Customer/9999")
    assert await stage.shop.refunds_of(nobody, since=now - timedelta(days=90)) == []


async def test_a_token_that_ended_is_renewed_once(stage: ShopifyStage) -> None:
    """A token that is refused half-way is replaced, and the request is sent again."""
    number = await stage.sell(Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    stage.server.end_tokens()
    await stage.shop.apply(change, quote, key=KEY)
    assert stage.server.tokens_given == 2
    assert await stage.given_back(number) == 1000


async def test_a_token_of_an_older_app_works_until_it_is_refused(stage: ShopifyStage) -> None:
    """A token that was given is used as it is, and a refused one is said, with nothing to fetch another with."""
    number = await stage.sell(Sale())
    older = ShopifySettings(store="example.myshopify.com", url=stage.faults.url, token=SecretStr("shpat_old"))
    async with open_shopify(older) as shop:
        with pytest.raises(ShopCheckError):
            await shop.check()
        stage.server.allow("shpat_old")
        await shop.check()
        assert await shop.order(number)
    assert stage.server.tokens_given == 1  # that of the stage


def test_settings_need_a_key() -> None:
    """Without an app's id and secret and without a token, the settings say what to set."""
    with pytest.raises(ValidationError, match="BOT_SHOPIFY_TOKEN"):
        ShopifySettings(store="example.myshopify.com", client_id="only-an-id")


async def test_a_refund_is_found_when_shopify_has_forgotten_its_key(stage: ShopifyStage) -> None:
    """After a day the key is new to Shopify; the refund is found by its note, and there is no second one."""
    number = await stage.sell(Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    first = await stage.shop.apply(change, quote, key=KEY)
    stage.server.store.forget_keys()
    assert await stage.shop.apply(change, quote, key=KEY) == first
    assert await stage.given_back(number) == 1000


@pytest.mark.parametrize("prefix", ["", "#", "WEB-2026-#"])
async def test_any_prefix(stage: ShopifyStage, prefix: str) -> None:
    """An order is found by its name, and by its number alone, whatever stands before the numbers of the store."""
    stage.server.store.prefix = prefix
    await stage.shop.check()
    number = await stage.sell(Sale())
    assert number == f"{prefix}1001"
    assert (await order_of(stage, "1001")).id == number
    assert (await order_of(stage, number.lower())).id == number
    assert await stage.shop.order("001") is None


async def test_an_address_is_changed_while_nothing_has_left(stage: ShopifyStage) -> None:
    """The address of an order that has not left is another one afterwards; of one that has, it is refused."""
    number = await stage.sell(Sale(state="paid"))
    change = ChangeAddress(number, ELSEWHERE)
    applied = await apply(stage, change)
    assert (await order_of(stage, number)).address == ELSEWHERE
    assert await stage.shop.applied(change, KEY) == applied
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(ChangeAddress(await stage.sell(Sale()), ELSEWHERE))


async def test_an_address_that_is_not_known_is_abroad(stage: ShopifyStage) -> None:
    """Where an order went to nowhere until now, an approver looks at where it is to go; the same again is refused."""
    number = await stage.sell(Sale(state="paid"))
    [book] = stage.server.store.books.values()
    book.address = {}
    quote = await stage.shop.quote(ChangeAddress(number, ELSEWHERE))
    assert quote.goes_abroad
    await stage.shop.apply(ChangeAddress(number, ELSEWHERE), quote, key=KEY)
    with pytest.raises(ShopRefusedError, match="goes to this address already"):
        await stage.shop.quote(ChangeAddress(number, ELSEWHERE))


async def test_a_line_that_the_shops_own_people_refunded_is_not_refunded_again(stage: ShopifyStage) -> None:
    """What the store's staff gave back for a line counts for that line, as far as it did."""
    number = await stage.sell(Sale(prices=(1000, 4200)))
    [book] = stage.server.store.books.values()
    book.lines[0] |= {"quantity": 3, "refundableQuantity": 1}
    book.lines[1]["refundableQuantity"] = 0
    book.refund([(book.payments[0]["id"], Decimal(42))], "by staff")
    with pytest.raises(ShopRefusedError, match="refunded already: 2"):
        await stage.shop.quote(refund_of(number, lines=(2,)))
    assert (await stage.shop.quote(refund_of(number, lines=(1,)))).balance == Money(1000)


async def test_several_currencies_are_left_to_people(stage: ShopifyStage) -> None:
    """An order that was paid in several currencies is told, and not changed: their sums do not add up."""
    number = await stage.sell(Sale())
    [book] = stage.server.store.books.values()
    book.currency = "EUR"
    book.transact("SALE", Decimal("5.00"), "SUCCESS")
    book.currency = "USD"
    assert (await order_of(stage, number)).total == Money(4200)
    with pytest.raises(ShopRefusedError, match="several currencies"):
        await stage.shop.quote(refund_of(number))


async def test_a_price_with_a_fraction_of_a_cent(stage: ShopifyStage) -> None:
    """A discount may leave one of several with a fraction of a cent, which keeps no order from being told."""
    number = await stage.sell(Sale())
    [book] = stage.server.store.books.values()
    book.lines[0]["discountedUnitPriceAfterAllDiscountsSet"] = bag(Decimal("13.3333"), "USD")
    assert (await order_of(stage, number)).items[0].price == Money(1333)


async def test_three_hundred_lines(stage: ShopifyStage) -> None:
    """An order of three hundred lines is told whole, and all of its lines but one are refunded in one request."""
    number = await stage.sell(Sale(prices=(100,) * 300))
    assert len((await order_of(stage, number)).items) == 300
    await apply(stage, refund_of(number, lines=tuple(range(1, 300))))
    assert await stage.given_back(number) == 29_900
    assert (await stage.shop.quote(refund_of(number, lines=(300,)))).balance == Money(100)
    with pytest.raises(ShopRefusedError):
        await stage.shop.quote(refund_of(number, lines=(150,)))


@pytest.mark.parametrize(
    ("becomes", "status"),
    [
        ("REQUESTED", AppliedStatus.PENDING),
        ("OPEN", AppliedStatus.SUCCEEDED),
        ("CLOSED", AppliedStatus.SUCCEEDED),
        ("DECLINED", AppliedStatus.FAILED),
        ("CANCELED", AppliedStatus.FAILED),
    ],
)
async def test_a_return_waits_for_the_merchant(stage: ShopifyStage, becomes: str, status: AppliedStatus) -> None:
    """A return is pending until the merchant has agreed; one that is declined has failed and can be asked for again."""
    number = await stage.sell(Sale())
    change = return_of(number, 1)
    assert (await apply(stage, change)).status == AppliedStatus.PENDING
    [book] = stage.server.store.books.values()
    book.returns[0]["status"] = becomes
    found = await stage.shop.applied(change, KEY)
    assert found
    assert found.status == status
    [item] = (await order_of(stage, number)).items
    assert (item.returning, item.received) == (
        None if status == AppliedStatus.FAILED else "return",
        becomes == "CLOSED",
    )
    if status == AppliedStatus.FAILED:
        assert (await apply(stage, change, OTHER_KEY)).status == AppliedStatus.PENDING


async def test_returns_need_their_rights(stage: ShopifyStage) -> None:
    """Without the scopes of returns nothing of them is read or offered, and all else goes on."""
    assert ReturnItems in stage.shop.changes
    number = await stage.sell(Sale())
    stage.server.store.scopes.remove("read_returns")
    await stage.shop.check()
    assert ReturnItems not in stage.shop.changes
    assert (await order_of(stage, number)).items[0].returning is None
    with pytest.raises(ShopRefusedError, match="can't do that"):
        await stage.shop.quote(return_of(number, 1))


async def test_a_return_goes_where_the_money_came_from(stage: ShopifyStage) -> None:
    """The money of a return cannot be sent elsewhere than it came from, and nothing goes back that Shopify keeps."""
    number = await stage.sell(Sale())
    with pytest.raises(ShopRefusedError, match="goes back to Shopify Payments only"):
        await stage.shop.quote(ReturnItems(number, (1,), RefundReason.DEFECTIVE, "a gift card"))
    [book] = stage.server.store.books.values()
    book.fulfillments[0]["fulfillmentLineItems"]["nodes"] = []
    with pytest.raises(ShopRefusedError, match=r"1\. Mug can't be sent back any more"):
        await stage.shop.quote(return_of(number, 1))


async def test_a_cancellation_by_somebody_else_is_refused(stage: ShopifyStage) -> None:
    """Of two cancellations at once, the money goes back once, and the one that came late does not say it was done."""
    number = await stage.sell(Sale(state="paid"))
    change = CancelOrder(number)
    quote = await stage.shop.quote(change)
    both = (stage.shop.apply(change, quote, key=key) for key in (KEY, OTHER_KEY))
    first, second = await asyncio.gather(*both, return_exceptions=True)
    assert {type(first), type(second)} == {Applied, ShopRefusedError}
    assert await stage.given_back(number) == 4200


@pytest.mark.parametrize("refunds", ["pending", "failed"])
async def test_a_cancellation_tells_how_far_its_money_is(stage: ShopifyStage, refunds: str) -> None:
    """A cancelled order whose money waits is pending, and one whose money could not go back has failed."""
    number = await stage.sell(Sale(state="paid", refunds=refunds))  # type: ignore[arg-type]  # one of them
    assert (await apply(stage, CancelOrder(number))).status == refunds


async def test_a_refund_that_went_back_in_part_says_so(stage: ShopifyStage) -> None:
    """When one of two payments takes its part back and the other does not, that has failed, and the part is told."""
    number = await stage.sell(Sale(payments=2))
    [book] = stage.server.store.books.values()
    book.refuses.add(book.payments[1]["id"])
    applied = await apply(stage, refund_of(number))
    assert applied.status == AppliedStatus.FAILED
    assert applied.why.startswith("Only $21.00 of it")
    assert await stage.given_back(number) == 2100
    assert (await order_of(stage, number)).refundable.minor == 2100


async def test_an_address_that_is_not_confirmed_is_nobodys(stage: ShopifyStage) -> None:
    """Anybody may write any address into a store, so a customer who did not confirm theirs is not found by it."""
    stage.server.store.buyer(ANA, confirmed=False)
    await stage.sell(Sale())
    assert await stage.shop.customer(ANA) is None


async def test_a_check_tells_the_rights_that_lack(stage: ShopifyStage) -> None:
    """A right that the app was not given is named."""
    stage.server.store.scopes.remove("write_orders")
    with pytest.raises(ShopCheckError, match="write_orders"):
        await stage.shop.check()


async def test_a_check_tells_a_version_that_has_ended(stage: ShopifyStage) -> None:
    """A version that Shopify does not support any more is told, with the newest that it does."""
    stage.server.store.versions = {"2027-01", "2027-04", "unstable"}
    with pytest.raises(ShopCheckError, match="2027-04"):
        await stage.shop.check()


async def test_a_check_of_a_store_that_is_busy(stage: ShopifyStage) -> None:
    """A store that has no time at the start is asked later; one that is not there is told, with what to look at."""
    stage.faults.next("rate limited")
    with pytest.raises(ShopUnavailableError):
        await stage.shop.check()
    stage.faults.next("HTML")
    with pytest.raises(ShopUnavailableError):
        await stage.shop.check()
    elsewhere = ShopifySettings(store="example.myshopify.com", url=f"{stage.faults.url}/no", token=SecretStr("t"))
    async with open_shopify(elsewhere) as shop:
        with pytest.raises(ShopCheckError, match="BOT_SHOPIFY_STORE"):
            await shop.check()


async def test_a_profile_has_the_address(stage: ShopifyStage) -> None:
    """A customer's own address is told, if Shopify has one; how they pay is not."""
    number = await stage.sell(Sale())
    ana = (await order_of(stage, number)).customer
    assert await stage.shop.profile(ana) == Profile(ana, None, ())
    [book] = stage.server.store.books.values()
    stage.server.store.addresses[ana.id] = book.address
    address = (await stage.shop.profile(ana)).address
    assert str(address) == "Ana Lopez, 1 Main St, Springfield IL 62701, US"


async def test_products_are_found_where_the_app_may_read_them(stage: ShopifyStage) -> None:
    """Products are found by words of their titles, which mean nothing else to the search; without the scope none."""
    variant = {"id": "v", "title": "Default Title", "price": "18.00", "inventoryQuantity": 4, "availableForSale": True}
    gone = variant | {"id": "w", "title": "blue", "inventoryQuantity": 0, "availableForSale": False}
    stage.server.store.products = [{"id": "p", "title": "Stoneware mug", "variants": [variant, gone]}]
    assert Reading.PRODUCTS in stage.shop.reads
    for query in ("mug", "STONE mug", '"mug" OR status:draft', "mug*"):
        found = await stage.shop.products(query, most=5)
        assert [one.name for one in found] == ([] if "OR" in query else ["Stoneware mug"]), query
    [product] = await stage.shop.products("mug", most=5)
    assert product.variants == (Variant("v", "", Money(1800), 4), Variant("w", "blue", Money(1800), 0))
    assert await stage.shop.products("  ", most=5) == []
    stage.server.store.scopes.remove("read_products")
    await stage.shop.check()
    assert Reading.PRODUCTS not in stage.shop.reads
    assert await stage.shop.products("mug", most=5) == []


async def test_a_parcel_is_told_with_its_tracking(stage: ShopifyStage) -> None:
    """An order tells who carries it, under which number, and what happened on the way."""
    order = await order_of(stage, await stage.sell(Sale(state="shipped")))
    assert (order.carrier, order.tracking_number) == ("UPS", "1Z999")
    assert [(event.place, event.text) for event in order.tracking] == [("Reno, US", "Left the depot")]


async def test_every_page_of_a_customers_orders_is_read(stage: ShopifyStage) -> None:
    """More orders than a page are listed, as many as asked for."""
    for _ in range(25):
        await stage.sell(Sale())
    ana = await stage.shop.customer(ANA)
    assert ana
    assert [order.id for order in await stage.shop.orders(ana, most=23)] == [f"#{1025 - n}" for n in range(23)]


@pytest.mark.parametrize(("mutant", "behaviour"), [*ON_ANY.items(), *WITH_GOODS.items(), *BEHIND_HTTP.items()])
async def test_a_mutant_dies(stage: ShopifyStage, mutant: type[Mutant], behaviour: Behaviour) -> None:
    """A shop that is wrong in one thing is found out by the tests for shops, which the right one passes."""
    assert await dies(behaviour, replace(stage, shop=mutant(stage.shop)))
