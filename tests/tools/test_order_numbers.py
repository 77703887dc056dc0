"""An order number is found however a phone, a person or a model writes it."""

import json
from dataclasses import replace

import pytest

from bot.shop.shop import Order
from bot.shop.sqlite import SqliteShop
from bot.store.sqlite.database import DatabaseThread
from bot.testing.openai import Answer
from bot.tools.find_orders import FindOrders
from bot.tools.get_order_status import GetOrderStatus
from bot.tools.tool import ToolError
from tests.world import ANA, SAM, World, calls, refund_of

AS_WRITTEN = [
    "ORD\N{EN DASH}10234",
    "ORD\N{MINUS SIGN}10234",
    "ORD\N{NON-BREAKING HYPHEN}10234",
    "ORD \N{EM DASH} 10234",
    "ORD-\N{ZERO WIDTH SPACE}10234",
    "O\N{SOFT HYPHEN}RD-10234",
    "\N{FULLWIDTH DIGIT ONE}0234",
    "ORD\N{FULLWIDTH HYPHEN-MINUS}10234",
    "\N{ARABIC-INDIC DIGIT ONE}\N{ARABIC-INDIC DIGIT ZERO}\N{ARABIC-INDIC DIGIT TWO}34",
    "`ORD-10234`",
    "\N{LEFT DOUBLE QUOTATION MARK}ORD-10234\N{RIGHT DOUBLE QUOTATION MARK}",
    "*ORD-10234*",
    "<ORD-10234>",
    "ORD-10234.",
    "ord 10234",
    "order no. 10234",
    "Order #ORD-10234",
    "N\N{DEGREE SIGN} 10234",
    "\N{NUMERO SIGN}10234",
    "\u6ce8\u6587\u756a\u53f710234",
    "#10234",
    10234,
]


@pytest.mark.parametrize("written", AS_WRITTEN, ids=map(ascii, AS_WRITTEN))
def test_one_number(written: str | int) -> None:
    """Dashes, digits and quotes of any kind, unseen characters and words around a number make no other number."""
    tool = GetOrderStatus.parse(json.dumps({"order_id": written, "include_tracking": False}))
    assert tool.order_id == "ORD-10234"


@pytest.mark.parametrize("written", ["", "#", "the blue one", "10234 or 10235", True, None, ["10234"], 1.5])
def test_no_number(written: object) -> None:
    """What names no order, or more than one, is refused and nothing is guessed."""
    with pytest.raises(ToolError):
        GetOrderStatus.parse(json.dumps({"order_id": written, "include_tracking": False}))


class OtherNumbers(SqliteShop):
    """A shop that calls its orders by a number alone, or by one behind a mark."""

    mark = ""

    async def order(self, order_id: str) -> Order | None:
        """Find an order by this shop's name for it."""
        number = order_id.removeprefix(self.mark)
        if not number.isdigit() or order_id != f"{self.mark}{number}":
            return None
        order = await super().order(f"ORD-{number}")
        return replace(order, id=order_id) if order else None


class MarkedNumbers(OtherNumbers):
    """A shop that writes a number sign before each number."""

    mark = "#"


@pytest.mark.parametrize(("kind", "name"), [(OtherNumbers, "10188"), (MarkedNumbers, "#10188")])
@pytest.mark.parametrize("written", ["10188", "#10188", "order no. 10188"])
async def test_number_that_the_shop_calls_so(world: World, kind: type[OtherNumbers], name: str, written: str) -> None:
    """An order is found by the shop's own name for it, and its request is about exactly that name."""
    world.script += [refund_of(written), Answer("I have asked for it.")]

    def open_shop(database: DatabaseThread) -> OtherNumbers:
        return kind(database)

    async with world.bot(open_shop=open_shop):
        card = await world.card(await world.says(ANA, f"@bot {written} came broken"))
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
    (call,) = world.rows("SELECT * FROM tool_calls")
    assert json.loads(call["arguments"])["order_id"] == name
    assert call["subject"] == f"order:{name}"


@pytest.mark.parametrize(
    "written",
    [
        "ben@example.com",
        "mailto:ben@example.com",
        "<mailto:ben@example.com|ben@example.com>",
        " Ben Okafor <ben@example.com>,",
        "\N{LEFT DOUBLE QUOTATION MARK}ben@example.com\N{RIGHT DOUBLE QUOTATION MARK}.",
    ],
)
async def test_address_in_its_wrapping(world: World, written: str) -> None:
    """An e-mail address is read out of what Slack or a mail program wraps around it."""
    assert FindOrders.parse(json.dumps({"email": written})).email == "ben@example.com"
    world.script += [calls(("find_orders", {"email": written})), Answer("Here.")]
    async with world.bot(BOT_STAFF=SAM):
        await world.replies(await world.says(SAM, "@bot what did <mailto:ben@example.com|ben@example.com> order?"))
    assert json.loads(world.asked[-1].messages[-1]["content"])["orders"]
