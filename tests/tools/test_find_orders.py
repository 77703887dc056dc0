"""Somebody does not know an order's number."""

import json
from typing import Any

import pytest

from bot.testing.openai import Answer
from bot.testing.slack.workspace import Person
from tests.world import ANA, SAM, World, calls

LATEST_OF_ANA = ["ORD-10251", "ORD-10234", "ORD-10235", "ORD-10188", "ORD-10142"]


async def found(world: World, person: str, text: str, email: str | None = None) -> dict[str, Any]:
    """Ask as a person, look for orders as the model; return what it was told."""
    world.script += [calls(("find_orders", {"email": email})), Answer("Here they are.")]
    async with world.bot():
        await world.replies(await world.says(person, text, f"D{person[1:]}"))
    output: dict[str, Any] = json.loads(world.asked[-1].messages[-1]["content"])
    return output


async def test_ones_own(world: World) -> None:
    """The orders of who asks are listed, the latest first, with status, items and total."""
    orders = (await found(world, ANA, "@bot what did I order?"))["orders"]
    assert [order["order_id"] for order in orders] == LATEST_OF_ANA
    assert orders[1] | {"placed": ""} == {
        "order_id": "ORD-10234",
        "status": "shipped",
        "status_text": "Shipped",
        "placed": "",
        "items": ["Stoneware mug, slate blue", "Linen tea towels, set of 4"],
        "total": "$84.00",
    }


@pytest.mark.parametrize("email", ["ben@example.com", "nobody@example.com"])
async def test_somebody_elses(world: World, email: str) -> None:
    """A customer who names another e-mail address learns nothing, not even whether it is a customer's."""
    output = await found(world, ANA, f"@bot what did {email} order?", email)
    assert output["error"] == "Only your own orders can be listed."


async def test_ones_own_by_email(world: World) -> None:
    """A model that sends the customer's own e-mail address, in any case, lists the same."""
    output = await found(world, ANA, "@bot what did I order?", " Ana@Example.com ")
    assert [order["order_id"] for order in output["orders"]] == LATEST_OF_ANA


async def test_staff_by_email(world: World) -> None:
    """A member of the team who writes a customer's e-mail address gets that customer's orders."""
    output = await found(world, SAM, "@bot what did ben@example.com order?", "ben@example.com")
    assert len(output["orders"]) == 5


async def test_staff_who_named_nobody(world: World) -> None:
    """A model that names a customer whom the member of the team did not name gets nothing."""
    output = await found(world, SAM, "@bot what is new?", "ben@example.com")
    assert "error" in output


async def test_no_customer(world: World) -> None:
    """Somebody who has bought nothing, or has no e-mail address in Slack, has no orders."""
    world.workspace.add(Person("U0EVE", "eve", "Eve"))
    world.workspace.open_im("U0EVE")
    assert await found(world, "U0EVE", "@bot what did I order?") == {"orders": []}


def copy_orders(world: World, count: int) -> None:
    """Give Ana so many more orders that are like one of hers."""
    for number in range(count):
        columns = [row["name"] for row in world.rows("SELECT name FROM pragma_table_info('orders')")]
        values = ", ".join(f"'ORD-2{number:04}'" if name == "id" else name for name in columns)
        world.write(f"INSERT INTO orders SELECT {values} FROM orders WHERE id = 'ORD-10188'")  # noqa: S608


@pytest.mark.parametrize(
    ("more", "listed"), [(8, "10 of 13, the latest first"), (99, "10 of 100 or more, the latest first"), (5, None)]
)
async def test_more_than_are_listed(world: World, more: int, listed: str | None) -> None:
    """A list that leaves orders out says how many it has of how many."""
    copy_orders(world, more)
    output = await found(world, ANA, "@bot what did I order?")
    assert len(output["orders"]) == 10
    assert output.get("listed") == listed
