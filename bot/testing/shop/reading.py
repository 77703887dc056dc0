"""Orders and customers are found as people name them, and nobody else's are."""

import pytest

from bot.shop.money import Money
from bot.testing.shop.stage import ANA, BEN, Sale, Stage, order_of, sold

CLEO = "cleo@example.com"
MANY_ORDERS = 23
MANY_LINES = 160


async def test_an_order_is_found_by_the_number_a_customer_knows(stage: Stage) -> None:
    """An order is found by its number, also in the spelling that `order_number` makes of what people type."""
    number = await sold(stage, Sale())
    assert (await order_of(stage, number)).id == number
    assert (await order_of(stage, stage.shop.order_number(f" {number} ") or "")).id == number


async def test_an_unknown_number_is_no_order(stage: Stage) -> None:
    """A number that nobody has is None and no error."""
    number = await sold(stage, Sale())
    assert await stage.shop.order(f"{number[:-1]}{'7' if number[-1] != '7' else '8'}9") is None


async def test_a_part_of_a_number_is_no_order(stage: Stage) -> None:
    """The beginning or the end of a number finds nothing."""
    number = await sold(stage, Sale())
    for part in (number[:-1], number[1:], number[:2], "*", "%", "_" * len(number), ""):
        found = await stage.shop.order(part)
        assert found is None or found.id == number == f"#{part}", part


@pytest.mark.parametrize("name", ["1 OR 1=1", "name:*", '" OR "', "a) {id}} #", "%", "*", "\\", "1001 status:any"])
async def test_query_syntax_in_a_number_is_only_a_number(stage: Stage, name: str) -> None:
    """What means something to a search finds nothing, and breaks nothing."""
    await sold(stage, Sale())
    assert await stage.shop.order(name) is None


async def test_a_customer_is_found_in_any_case(stage: Stage) -> None:
    """An e-mail address is found in capital letters too, and with blanks around it."""
    await sold(stage, Sale())
    customers = [await stage.shop.customer(email) for email in (ANA, ANA.upper(), f" {ANA.title()} ")]
    assert [customer and customer.email.lower() for customer in customers] == [ANA] * 3


@pytest.mark.parametrize("email", ["nobody@example.com", "ana@example", "%@example.com", "*", "", " "])
async def test_an_unknown_address_is_nobody(stage: Stage, email: str) -> None:
    """An address that no customer has, a part of one, and none at all are nobody."""
    await sold(stage, Sale())
    assert await stage.shop.customer(email) is None


async def test_only_ones_own_orders_are_listed_the_latest_first(stage: Stage) -> None:
    """A customer's orders are theirs alone, at most as many as asked for."""
    numbers = [await sold(stage, Sale()), await sold(stage, Sale())]
    other = await sold(stage, Sale(email=BEN))
    ana = await stage.shop.customer(ANA)
    assert ana
    found = [order.id for order in await stage.shop.orders(ana, most=50)]
    assert other not in found
    assert [number for number in found if number in numbers] == numbers[::-1]
    assert len(await stage.shop.orders(ana, most=1)) == 1


async def test_more_orders_than_a_page_are_all_listed(stage: Stage) -> None:
    """A customer who bought often sees as many orders as are asked for, the latest first, each of them once."""
    numbers = [await sold(stage, Sale(email=CLEO)) for _ in range(MANY_ORDERS)]
    cleo = await stage.shop.customer(CLEO)
    assert cleo
    found = [order.id for order in await stage.shop.orders(cleo, most=MANY_ORDERS + 1)]
    assert found[:MANY_ORDERS] == numbers[::-1]
    assert len(set(found)) == len(found)


async def test_an_order_tells_whose_it_is(stage: Stage) -> None:
    """An order names its customer by the address, so that nobody else's is shown as one's own."""
    assert (await order_of(stage, await sold(stage, Sale(email=BEN)))).customer.email.lower() == BEN


async def test_lines_are_told_with_their_prices(stage: Stage) -> None:
    """Each line of an order has its price, in the order's currency."""
    order = await order_of(stage, await sold(stage, Sale(prices=(4200, 1000))))
    assert [item.price for item in order.items] == [Money(4200), Money(1000)]
    assert order.total.minor >= 5200


async def test_many_lines_are_all_told(stage: Stage) -> None:
    """An order with more lines than some pages of the shop's has them all, in their order."""
    prices = tuple(range(100, 100 + MANY_LINES))
    order = await order_of(stage, await sold(stage, Sale(prices=prices)))
    assert [item.price.minor for item in order.items] == list(prices)


async def test_hostile_text_stays_text(stage: Stage) -> None:
    """A product's name that looks like markup, a query or an escape comes back as it was written."""
    name = "<b>\"' ; DROP TABLE orders; -- {{7*7}} \\u202e"
    order = await order_of(stage, await sold(stage, Sale(name=name)))
    assert order.items[0].name == name
