"""An order number is found however a phone, a person or a model writes it."""

import json

import pytest

from bot.shop.sqlite import SqliteShop
from bot.testing.openai import Answer
from bot.tools.find_orders import FindOrders
from bot.tools.get_order_status import GetOrderStatus
from bot.tools.tool import ToolError
from tests.world import SAM, World, calls

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
    "#ORD-10234#",
    "ORD -- 10234",
    "1\ufe0f\N{COMBINING ENCLOSING KEYCAP}0\ufe0f\N{COMBINING ENCLOSING KEYCAP}234",
    "ord10234",
    "\N{MATHEMATICAL BOLD DIGIT ONE}0234",
    "<ORD-10234>",
    "ORD-10234.",
    "ord 10234",
    "order no. 10234",
    "Order #ORD-10234",
    "N\N{DEGREE SIGN} 10234",
    "\N{NUMERO SIGN}10234",
    "\u6ce8\u6587\u756a\u53f710234",
    "#10234",
    "ORD-10 234",
    "10\N{NARROW NO-BREAK SPACE}234",
    "10'234",
    "\u041eRD-10234",
    "\u039fRD-10234",
    "O\N{CHEROKEE LETTER SV}\N{CHEROKEE LETTER A}-10234",
    "\N{LATIN LETTER SMALL CAPITAL O}\N{LATIN LETTER SMALL CAPITAL R}\N{LATIN LETTER SMALL CAPITAL D}-10234",
    "\N{GREEK SMALL LETTER OMICRON}rd-10234",
    "\N{LATIN CAPITAL LETTER O WITH ACUTE}RD-10234",
    "\N{LATIN SMALL LETTER O WITH GRAVE}rd-10234",
    "10,234",
    "ORD-10,234",
    "Order-10234",
    "order10234",
    "Bestellung 10234",
    "No10234",
    10234,
]


@pytest.mark.parametrize("written", AS_WRITTEN, ids=map(ascii, AS_WRITTEN))
async def test_one_number(shop: SqliteShop, written: str | int) -> None:
    """Dashes, digits and quotes of any kind, unseen characters and words around a number make no other number."""
    tool = GetOrderStatus.parse(json.dumps({"order_id": written, "include_tracking": False}))
    number = shop.order_number(tool.order_id)
    assert number
    order = await shop.order(number)
    assert order
    assert order.id == "ORD-10234"


@pytest.mark.parametrize("written", ["101 234", "10 234 567 8", "10 234 10188", "INV-10234"])
async def test_another_number(shop: SqliteShop, written: str) -> None:
    """What may be two numbers is not put together."""
    tool = GetOrderStatus.parse(json.dumps({"order_id": written, "include_tracking": False}))
    number = shop.order_number(tool.order_id)
    assert number is None or await shop.order(number) is None


@pytest.mark.parametrize("written", ["", "#", True, None, ["10234"], 1.5, "10,23,4", "102,34", "10,234,5"])
def test_no_number(written: object) -> None:
    """What is no text or number, or nothing of either, is refused."""
    with pytest.raises(ToolError):
        GetOrderStatus.parse(json.dumps({"order_id": written, "include_tracking": False}))


@pytest.mark.parametrize("written", ["the blue one", "10234 or 10235"])
async def test_no_one_number(shop: SqliteShop, written: str) -> None:
    """What names no order, or more than one, is none of the shop's, and nothing is guessed."""
    tool = GetOrderStatus.parse(json.dumps({"order_id": written, "include_tracking": False}))
    assert shop.order_number(tool.order_id) is None


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
