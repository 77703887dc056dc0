"""The offline model on returns, exchanges, items and addresses: it asks for what is missing, and never chooses."""

import pytest

from bot.demo.offline_model import MODEL_NAME, respond
from bot.testing.openai import Json, Request
from bot.tools.change_address import ChangeAddress
from bot.tools.change_items import ChangeItems
from bot.tools.exchange_items import ExchangeItems
from bot.tools.return_items import ReturnItems
from tests.demo.talk import ALL_OUTPUTS, ALL_TOOLS, Call, Talk, offer, parked

TOOLS = (*ALL_TOOLS, *offer(ReturnItems, ExchangeItems, ChangeItems, ChangeAddress))
ADDRESS = {
    "recipient": "Ana Ruiz",
    "street": "15 Pioneer Road",
    "city": "Provo",
    "region": "UT",
    "postcode": "84601",
    "country": "US",
}


def waits(arguments: Json) -> Json:
    """Answer as the gate does."""
    return parked("R-1", f"The change of {arguments['order_id']}")


IN_PARIS = ADDRESS | {
    "street": "1 Rue de Rivoli",
    "city": "Paris",
    "region": "",
    "postcode": "75001",
    "country": "FR",
}
OUTPUTS = dict(ALL_OUTPUTS) | dict.fromkeys(("return_items", "exchange_items", "change_items", "change_address"), waits)


def returned(lines: list[int], reason: str, refund_to: str) -> Call:
    """Expect a return."""
    return "return_items", {"order_id": "ORD-10188", "lines": lines, "reason": reason, "refund_to": refund_to}


def swapped(tool: str, order: str, line: int, variant: str, pay_with: str) -> Call:
    """Expect other variants."""
    return tool, {"order_id": order, "swaps": [{"line": line, "variant": variant}], "pay_with": pay_with}


def moved(order: str = "ORD-10251") -> Call:
    """Expect another address."""
    return "change_address", {"order_id": order, "address": ADDRESS}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["Return line 1 of ORD-10188, it is broken, to my Visa"], returned([1], "defective", "original")),
        (
            ["I want to return ORD-10188", "line 1", "I changed my mind", "onto my gift card"],
            returned([1], "changed_mind", "gift card"),
        ),
        (
            ["Please send lines 1 and 2 of ORD-10188 back", "they are the wrong size", "to how I paid"],
            returned([1, 2], "wrong_item", "original"),
        ),
        (
            ['Exchange line 1 of ORD-10188 for "1.2 l, black", the difference with my gift card'],
            swapped("exchange_items", "ORD-10188", 1, "1.2 l, black", "gift card"),
        ),
        (
            ["can you swap line 2 of ORD-10188?", "for \u201csize M\u201d", "with my visa"],
            swapped("exchange_items", "ORD-10188", 2, "size M", "original"),
        ),
        (
            ['change line 1 of ORD-10251 to "pair, tall" and take the rest from my PayPal'],
            swapped("change_items", "ORD-10251", 1, "pair, tall", "original"),
        ),
        (["Please send ORD-10251 to Ana Ruiz, 15 Pioneer Road, Provo, UT 84601, US"], moved()),
        (
            ["Please send ORD-10251 to Ana Ruiz, 1 Rue de Rivoli, 75001 Paris, FR"],
            ("change_address", {"order_id": "ORD-10251", "address": IN_PARIS}),
        ),
        (["I need another address for ORD-10251", "Ana Ruiz, 15 Pioneer Road, Provo, UT 84601, us"], moved()),
    ],
)
def test_wishes(said: list[str], expected: Call) -> None:
    """What is wanted becomes one call when all of it was said, in one message or in several."""
    talk = Talk(TOOLS, OUTPUTS)
    for text in said[:-1]:
        assert "?" in talk.say(text)
        assert talk.calls == []
    answer = talk.say(said[-1])
    assert talk.calls == [expected]
    assert "waits until" in answer


@pytest.mark.parametrize(
    ("said", "tool"),
    [
        ("How do I return an item?", "search_help"),
        ("Can I exchange it for another size?", "search_help"),
        ("Can I change my delivery address?", "search_help"),
        ("Refund ORD-10188, it is cracked", "initiate_refund"),
        ("Where is ORD-10234?", "get_order_status"),
    ],
)
def test_other_wishes(said: str, tool: str) -> None:
    """Questions about how it works, refunds and look-ups are what they were."""
    talk = Talk(TOOLS, OUTPUTS)
    talk.say(said)
    assert [name for name, _ in talk.calls] == [tool]


def test_going_on() -> None:
    """After a Confirm it tells what the note says, and asks what else there is."""
    note = "Note from the shop: Exchange of a teapot: confirmed by the customer and done. Nothing is to be paid."
    messages: list[Json] = [
        {"role": "system", "content": "You are the assistant."},
        {"role": "user", "content": "Exchange it"},
        {"role": "assistant", "content": "It waits."},
        {"role": "system", "content": note},
        {"role": "user", "content": "(I have pressed Confirm on the card.)"},
    ]
    answer = respond(Request(MODEL_NAME, tuple(messages), TOOLS, None, {}))
    assert answer.text == "Good news: the exchange of a teapot is confirmed. What else can I do for you?"
