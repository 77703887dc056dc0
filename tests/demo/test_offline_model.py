"""The offline model, talked to as the bot talks to it: with a history, and with tools that answer."""

from typing import Any

import pytest

from bot.demo.offline_model import MODEL_NAME, respond
from bot.testing.openai import Request
from tests.demo.talk import OUTPUTS, TOOLS, Call, Talk, refund, status

CALLS: list[tuple[list[str], list[Call]]] = [
    (["Where is ORD-10234?"], [status("ORD-10234")]),
    (["where is my order ord 10234"], [status("ORD-10234")]),
    (["status of #10234 please"], [status("ORD-10234")]),
    (["What about order 10234"], [status("ORD-10234")]),
    (["Order number: 10234"], [status("ORD-10234")]),
    (["my order number is 10234"], [status("ORD-10234")]),
    (["Ana Ruiz: Has order no. 10234 shipped?"], [status("ORD-10234")]),
    (["ORD-10234"], [status("ORD-10234")]),
    (["ORD-10234 and ORD-10250?"], [status("ORD-10234"), status("ORD-10250")]),
    (["where are orders 10234, 10250 and 10251?"], [status("ORD-10234"), status("ORD-10250"), status("ORD-10251")]),
    (["orders 10234,10250"], [status("ORD-10234"), status("ORD-10250")]),
    (["ORD-10250, ORD-10234, and again ORD-10250"], [status("ORD-10250"), status("ORD-10234")]),
    (["tracking for ORD-10234"], [status("ORD-10234", tracking=True)]),
    (["Where is the parcel of order 10234?"], [status("ORD-10234", tracking=True)]),
    (["Show me the events of ORD-10234"], [status("ORD-10234", tracking=True)]),
    (["ORD-10234 has not arrived yet"], [status("ORD-10234")]),
    (["Where is my order?", "10234"], [status("ORD-10234")]),
    (["Where is ORD-10234?", "And the tracking?"], [status("ORD-10234", tracking=True)]),
    (["I don't want a refund, just tell me where ORD-10234 is"], [status("ORD-10234")]),
    (["Is my refund for ORD-10234 through?"], [status("ORD-10234")]),
    (["Refund ORD-10234, it arrived broken"], [refund("ORD-10234", "defective")]),
    (["I want my money back for #10234, it doesn\u2019t work"], [refund("ORD-10234", "defective")]),
    (["Money back for ORD-10234 please, wrong colour"], [refund("ORD-10234", "wrong_item")]),
    (["Please refund ORD-10234, you sent me the wrong size"], [refund("ORD-10234", "wrong_item")]),
    (["Refund ORD-10234, it never arrived"], [refund("ORD-10234", "not_delivered")]),
    (["Refund for ORD-10234: it was not delivered."], [refund("ORD-10234", "not_delivered")]),
    (["I changed my mind about ORD-10234, refund please"], [refund("ORD-10234", "changed_mind")]),
    (["Can I return ORD-10234?"], [refund("ORD-10234", "changed_mind")]),
    (["I'd like to return ORD-10234, it is cracked"], [refund("ORD-10234", "defective")]),
    (["It isn't broken, I just don't like it. Refund ORD-10234"], [refund("ORD-10234", "changed_mind")]),
    (["Refund $42 of ORD-10234, it is scratched"], [refund("ORD-10234", "defective", 42)]),
    (["Refund 42 dollars of order 10234, it is scratched"], [refund("ORD-10234", "defective", 42)]),
    (["I want $1,042.50 back for ORD-10234, broken"], [refund("ORD-10234", "defective", 1042.5)]),
    (["A refund of 42.50 for ORD-10234, broken"], [refund("ORD-10234", "defective", 42.5)]),
    (["Refund the whole of ORD-10234, broken"], [refund("ORD-10234", "defective")]),
    (["I want a refund", "ORD-10234, it arrived broken"], [refund("ORD-10234", "defective")]),
    (["I want a refund", "10234", "it never came"], [refund("ORD-10234", "not_delivered")]),
    (["I want a refund, it is broken", "10234"], [refund("ORD-10234", "defective")]),
    (["my order ORD-10234", "I want my money back, it is broken"], [refund("ORD-10234", "defective")]),
    (["Refund $42 for order 10234", "the wrong colour came"], [refund("ORD-10234", "wrong_item", 42)]),
    (["I'd like half back for ORD-10234, it's scratched", "$21"], [refund("ORD-10234", "defective", 21)]),
    (["ORD-10234 arrived broken", "Yes, please!"], [refund("ORD-10234", "defective")]),
    (["Refund ORD-10234, broken", "And a refund for ORD-10250, wrong item"], [refund("ORD-10250", "wrong_item")]),
    (
        ["Refund ORD-10234 and ORD-10250, both are broken"],
        [refund("ORD-10234", "defective"), refund("ORD-10250", "defective")],
    ),
]


@pytest.mark.parametrize(
    ("texts", "calls"), CALLS, ids=lambda value: " / ".join(value) if isinstance(value[0], str) else ""
)
def test_calls(texts: list[str], calls: list[Call]) -> None:
    """The last of these messages leads to exactly these calls."""
    talk = Talk()
    talk.say(*texts)
    assert talk.calls == calls


ASKS: list[tuple[list[str], str]] = [
    (["Where is my order?"], "Which order is it?"),
    (["I want a refund"], "Which order is it?"),
    (["Refund please, it is broken"], "Which order is it?"),
    (["Refund ORD-10234"], "What is the reason for ORD-10234"),
    (["Refund ORD-10234", "because"], "ORD-10234"),
    (["Refund half of ORD-10234, it is broken"], "How much is that in US dollars?"),
    (["Refund 50% of ORD-10234, it is broken"], "How much is that in US dollars?"),
    (["Refund 20 euros of ORD-10234, it is broken"], "How much is that in US dollars?"),
    (["Refund $20 for ORD-10234 and ORD-10250, broken"], "Which of them is it about"),
    (["Where are ORD-10234 and ORD-10250?", "Refund, it is broken"], "ORD-10234 or ORD-10250?"),
    (["ORD-10234 arrived broken"], "Would you like your money back for ORD-10234?"),
    (["Cancel ORD-10234"], "I cannot cancel an order"),
    (["I want to speak to a human"], "I cannot call a person from here"),
    (["Delete my account"], "I cannot delete an account"),
    (["Is my refund through?"], "I know of no request"),
    (["thanks!"], "You are welcome."),
    (["Hello"], "I can look up an order, ask for a refund."),
    (["never mind"], "No problem"),
    (["Hola, quiero hablar de mi pedido"], "I only understand English"),
    (["Wo ist meine Bestellung"], "I only understand English"),
    (["注文はどこですか"], "I only understand English"),
    (["Thanks for the refund"], "You are welcome."),
]


@pytest.mark.parametrize(
    ("texts", "words"), ASKS, ids=lambda value: value if isinstance(value, str) else " / ".join(value)
)
def test_texts(texts: list[str], words: str) -> None:
    """The last of these messages calls nothing and is answered with these words."""
    talk = Talk()
    text = talk.say(*texts)
    assert talk.calls == []
    assert words in text


@pytest.mark.parametrize(
    "text",
    ["Who are you?", "what are you", "Are you a human?", "are you really a language model", "Is this ChatGPT?", "help",
     "What can you do?", "colourless green ideas", "🤷", "Which model are you?"],
)  # fmt: skip
def test_honesty(text: str) -> None:
    """Asked what it is, or at a loss, it says that it is a set of rules and what it can do."""
    answer = Talk().say(text)
    assert "I am the demo's offline stand-in, a set of rules, not a language model." in answer
    assert "look up an order" in answer


@pytest.mark.parametrize(
    "text", ["yes", "Yes!", "ok", "approve", "Approved.", "I approve", "Ana Ruiz: yes", "yes, approve it"]
)
def test_typed_yes(text: str) -> None:
    """A typed yes approves nothing, and it says that only the button does."""
    talk = Talk()
    talk.say("Refund ORD-10234, broken")
    assert "only the Approve button" in talk.say(text)
    assert talk.calls == []
    assert "only the Approve button" in Talk().say(text)


def test_status_in_words() -> None:
    """An order's status is one short sentence with its date, since the card shows the rest."""
    text = Talk().say("Where is ORD-10234?")
    assert text == "ORD-10234: shipped, on its way, and should arrive on Wednesday, November 25."


def test_tracking_in_words() -> None:
    """Tracking adds the newest event only."""
    text = Talk().say("tracking of ORD-10234")
    assert text.endswith("Last seen in Memphis: Sorted.")


def test_several_outputs() -> None:
    """What several tools answer becomes one text, and what is the same is said once."""
    both = Talk().say("Where are ORD-10234 and ORD-10250?")
    assert both.count("on its way") == len(both.splitlines()) == 2
    missing = Talk(outputs={"get_order_status": lambda _: {"error": "There is no such order"}})
    assert missing.say("ORD-1, ORD-2, ORD-3?") == "There is no such order. What shall I do instead?"


OUTPUT_WORDS: list[tuple[Any, str]] = [
    (
        {"error": "There is no order ORD-99999 in your name.", "hint": "Do not guess another one."},
        "There is no order ORD-99999 in your name. What shall I do instead?",
    ),
    (
        {"order_id": "ORD-1", "status": "delayed", "expected": "2026-11-25"},
        "ORD-1: delayed, and should arrive on Wednesday, November 25.",
    ),
    ({"message": "The shop is closed"}, "The shop is closed."),
    ({"order_id": "ORD-1", "status": "delivered", "expected": "2026-11-25"}, "ORD-1: delivered."),
    ({"order_id": "ORD-1", "status": "shipped", "expected": "soon"}, "should arrive on soon."),
    ({"order_id": "ORD-1", "status": "odd", "status_text": "In a balloon"}, "ORD-1: in a balloon."),
    ({"status": "shipped"}, "ORD-99999: shipped."),
    ([1], "[1]"),
    ({}, "ORD-99999: the card shows where it stands."),
    ("plain words", "plain words."),
    (None, "null."),
    ({"error": "x" * 1000}, "x…"),
]


@pytest.mark.parametrize(("output", "words"), OUTPUT_WORDS, ids=str)
def test_output_words(output: Any, words: str) -> None:
    """It words whatever a tool answers, and the tool's own words come first."""
    assert words in Talk(outputs={"get_order_status": lambda _: output}).say("ORD-99999")


def test_refused_refund_is_corrected() -> None:
    """After a refusal the customer only has to name the right order."""
    refuse = {"initiate_refund": lambda _: {"error": "There is no order ORD-99999 in your name."}}
    talk = Talk(outputs={**OUTPUTS, **refuse})
    talk.say("Refund ORD-99999, it is broken", "Sorry, ORD-10234")
    assert talk.calls == [refund("ORD-10234", "defective")]


def test_refused_amount_is_corrected() -> None:
    """After an amount that is too high the customer only has to name another one."""
    refuse = {"initiate_refund": lambda _: {"error": "$99.00 is more than is left to refund for ORD-10234."}}
    talk = Talk(outputs={**OUTPUTS, **refuse})
    assert "What shall I do instead?" in talk.say("Refund $99 of ORD-10234, it is broken")
    talk.say("42 dollars then")
    assert talk.calls == [refund("ORD-10234", "defective", 42)]


def test_messages_in_a_row() -> None:
    """Several messages before our turn are read as one."""
    talk = Talk()
    talk.messages.append({"role": "user", "content": "I want my money back for ORD-10234"})
    talk.say("it arrived broken")
    assert talk.calls == [refund("ORD-10234", "defective")]


def test_withdrawing_without_the_tool() -> None:
    """Without a tool for it, a request is withdrawn by the card's button only."""
    talk = Talk()
    talk.say("Refund ORD-10234, broken")
    assert "press Cancel on its card" in talk.say("cancel the refund")


@pytest.mark.parametrize("text", ["Where is ORD-10234?", "Refund ORD-10234, broken", "Where is my order?", "Hello"])
def test_tools_that_are_not_offered(text: str) -> None:
    """What is not offered is not called, and not promised."""
    talk = Talk(tools=())
    answer = talk.say(text)
    assert talk.calls == []
    assert "I can look up" not in answer


def test_ids_are_left_to_the_server() -> None:
    """A pure function has no unique ids to give."""
    request = Request(MODEL_NAME, ({"role": "user", "content": "ORD-10234"},), TOOLS, None, {})
    assert [call.id for call in respond(request).tool_calls] == [""]
