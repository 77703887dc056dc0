"""The offline model with every tool that the bot has: lists, cancellations, accounts, help and people."""

from pathlib import Path

import pytest

from bot.demo import serve
from bot.help import HelpArticles
from bot.testing.openai import Json
from tests.demo.talk import ALL_OUTPUTS, ALL_TOOLS, WITH_MENUS, Call, Talk, refund, status

LIST: Call = ("find_orders", {"email": None})
DELETE: Call = ("delete_account", {})


def cancel(order: str) -> Call:
    """Expect an order to be cancelled."""
    return "cancel_order", {"order_id": order, "reason": None}


def ask_help(question: str) -> Call:
    """Expect the help articles to be searched."""
    return "search_help", {"question": question}


CALLS: list[tuple[list[str], list[Call]]] = [
    (["what did I order?"], [LIST]),
    (["What have I bought so far?"], [LIST]),
    (["my orders"], [LIST]),
    (["which orders do I have?"], [LIST]),
    (["Show me my recent orders please"], [LIST]),
    (["Where is my order?"], [LIST]),
    (["I don't know the number"], [LIST]),
    (["I want a refund", "I don't know the order number"], [LIST]),
    (["orders of ben@example.com"], [("find_orders", {"email": "ben@example.com"})]),
    (["What did I order?", "10251"], [status("ORD-10251")]),
    (["I want my money back, it's broken", "10188"], [refund("ORD-10188", "defective")]),
    (["Cancel ORD-10251"], [cancel("ORD-10251")]),
    (["Can you please cancel order 10251 and refund me?"], [cancel("ORD-10251")]),
    (["Where is ORD-10251?", "cancel it"], [cancel("ORD-10251")]),
    (["cancel my order"], [LIST]),
    (["cancel my order", "10251"], [cancel("ORD-10251")]),
    (["cancel my order", "I don't know the number", "10251"], [cancel("ORD-10251")]),
    (["Don't cancel ORD-10251"], [status("ORD-10251")]),
    (["Delete my account"], [DELETE]),
    (["Please close the account"], [DELETE]),
    (["I want my account deleted"], [DELETE]),
    (["How long does shipping take?"], [ask_help("long shipping take")]),
    (["return policy"], [ask_help("return policy")]),
    (["Do you offer gift wrapping?"], [ask_help("gift wrapping")]),
    (["Is there a warranty on the teapot?"], [ask_help("warranty teapot")]),
    (["Which payment methods do you accept?"], [ask_help("payment methods accept")]),
    (["How do I delete my account?"], [ask_help("delete account")]),
    (["How do I return an item?"], [ask_help("return")]),
    (["Is the mug microwave safe?"], [ask_help("mug microwave safe")]),
    (["When will my order arrive?"], [LIST]),
    (["Can I get a refund?"], [LIST]),
    (["Can I return ORD-10188?"], [refund("ORD-10188", "changed_mind")]),
]


@pytest.mark.parametrize(
    ("texts", "calls"), CALLS, ids=lambda value: " / ".join(value) if isinstance(value[0], str) else ""
)
def test_calls(texts: list[str], calls: list[Call]) -> None:
    """The last of these messages leads to exactly these calls, one turn after the other."""
    talk = Talk(ALL_TOOLS, ALL_OUTPUTS)
    talk.say(*texts)
    assert talk.calls == calls


@pytest.mark.parametrize(
    "text",
    ["I want to talk to a person", "Can I speak with someone?", "human please", "get me a manager", "Escalate this",
     "connect me to a real agent", "This is ridiculous, where is ORD-10234?", "I am fed up", "my lawyer will call you",
     "worst service ever"],
)  # fmt: skip
def test_calls_a_person(text: str) -> None:
    """Whoever asks for a person or is angry gets one, who is told what was said."""
    talk = Talk(ALL_TOOLS, ALL_OUTPUTS)
    assert talk.say(text) == "The support team was told."
    [(tool, arguments)] = talk.calls
    assert tool == "escalate_to_human"
    assert text in arguments["summary"]


@pytest.mark.parametrize(
    "text",
    [
        "I don't want a human",
        "Where is ORD-10234?",
        "Is a person going to approve it?",
        "the teapot is useless",
        "Tell me a joke",
    ],
)
def test_calls_nobody(text: str) -> None:
    """A word about people alone calls nobody, since the bot would fall silent in the thread."""
    talk = Talk(ALL_TOOLS, ALL_OUTPUTS)
    talk.say(text)
    assert "escalate_to_human" not in dict(talk.calls)


def test_summary_for_a_person() -> None:
    """The person who takes over is told what was said, and what was said before."""
    talk = Talk(ALL_TOOLS, ALL_OUTPUTS)
    talk.say("Refund ORD-10188, it is cracked", "I want to talk to a person")
    assert talk.calls[0][1]["summary"] == (
        "Asks for a person: “I want to talk to a person”. Wrote before: “Refund ORD-10188, it is cracked”."
    )


def test_asks_with_a_menu() -> None:
    """Where a menu can be shown it asks by one which order is meant, and goes on with what was chosen."""
    talk = Talk(WITH_MENUS, ALL_OUTPUTS)
    assert talk.say("I want my money back, it's broken") == "Which order is it about?"
    assert talk.calls == [("ask_which", {"question": "Which order is it about?", "order_id": None})]
    talk.say("ORD-10188")
    assert talk.calls == [refund("ORD-10188", "defective")]


def test_looks_at_each() -> None:
    """Who asks where everything is has their orders found, and then the latest looked up, in a second step."""
    talk = Talk(ALL_TOOLS, ALL_OUTPUTS)
    text = talk.say("Where are all my orders?")
    assert talk.calls == [LIST, status("ORD-10251"), status("ORD-10234"), status("ORD-10188")]
    assert text.count("shipped") == 3


def test_orders_in_words() -> None:
    """A list of orders has a line for each, with what is in it."""
    text = Talk(ALL_TOOLS, ALL_OUTPUTS).say("What did I order?")
    assert "I found, the latest first:\n• ORD-10251 (paid): Beeswax candles, pair\n" in text
    assert "• ORD-10234 (shipped): Stoneware mug; Tea towels\n" in text


def test_no_orders() -> None:
    """Without orders nothing is guessed."""
    talk = Talk(ALL_TOOLS, {**ALL_OUTPUTS, "find_orders": lambda _: {"orders": []}})
    assert talk.say("Where is my order?") == "I could not find an order in your name."


def test_help_in_words() -> None:
    """An answer from the help articles is the section's first sentences, and where they stand."""
    assert Talk(ALL_TOOLS, ALL_OUTPUTS).say("gift wrapping?") == "One. Two. (Gifts, Wrapping)"
    nothing = Talk(ALL_TOOLS, {**ALL_OUTPUTS, "search_help": lambda _: {"sections": []}})
    assert "so I do not know" in nothing.say("Is the backpack waterproof?")


ERRORS: list[tuple[str, str, str]] = [
    (
        "Cancel ORD-10234",
        "ORD-10234 is shipped and can't be cancelled any more.",
        "ORD-10234 is shipped and can't be cancelled any more.",
    ),
    ("Delete my account", "You have no account in the shop.", "You have no account in the shop."),
    (
        "Delete my account",
        "Your account can't be deleted while orders are under way: ORD-10234.",
        "Your account can't be deleted while orders are under way: ORD-10234.",
    ),
    ("orders of ben@example.com", "Only your own orders can be listed.", "Only your own orders can be listed."),
]


@pytest.mark.parametrize(("text", "error", "words"), ERRORS, ids=[words for _, _, words in ERRORS])
def test_errors_in_words(text: str, error: str, words: str) -> None:
    """What the tools tell the model about the customer is told to the customer."""
    talk = Talk(ALL_TOOLS, dict.fromkeys(ALL_OUTPUTS, lambda _: {"error": error, "hint": "For the model."}))
    assert talk.say(text).startswith(words)


def test_what_it_can_do() -> None:
    """Asked what it can do, it names every tool, and that people approve."""
    text = Talk(ALL_TOOLS, ALL_OUTPUTS).say("What can you do?")
    assert "a set of rules, not a language model" in text
    for skill in (
        "look up an order", "list your orders", "ask for a refund", "cancel an order", "delete your account",
        "take a request back", "help articles", "call a person", "once a person approves it",
    ):  # fmt: skip
        assert skill in text


ARTICLES: list[tuple[str, str]] = [
    ("How long does shipping take?", "How long delivery takes"),
    ("how much is shipping", "What shipping costs"),
    ("Is shipping free?", "What shipping costs"),
    ("Do you ship to Canada?", "Where we ship"),
    ("Can I change my delivery address?", "Changing the delivery address or cancelling an order"),
    ("How do I cancel an order?", "Changing the delivery address or cancelling an order"),
    ("What is your return policy?", "How long you have"),
    ("How do I return an item?", "How to return or exchange something"),
    ("Can I exchange it for another size?", "How to return or exchange something"),
    ("How long does a refund take?", "How a refund works and how long it takes"),
    ("What if my item arrives broken?", "When something arrives broken or wrong"),
    ("What payment methods do you take?", "How you can pay"),
    ("Can I pay with PayPal?", "How you can pay"),
    ("Do you have a discount code?", "Discount codes"),
    ("Where can I find my invoice?", "Invoices and receipts"),
    ("I forgot my password", "Resetting your password"),
    ("How do I change my email address?", "Changing your e-mail or address"),
    ("How do I delete my account?", "Deleting your account"),
    ("Is there a warranty?", "How long the warranty lasts"),
    ("How do I claim the warranty?", "How to claim the warranty"),
    ("Do you offer gift wrapping?", "Gift wrapping"),
    ("Do you sell gift cards?", "Gift cards"),
    ("Can I return a gift?", "Returning a gift"),
    ("Are the candles vegan?", ""),
]


@pytest.mark.parametrize(("question", "section"), ARTICLES, ids=[question for question, _ in ARTICLES])
def test_the_shop_s_articles(question: str, section: str) -> None:
    """What people ask first finds its section in the demo's help articles, and nothing else is found for the rest."""
    articles = HelpArticles(Path(serve.__file__).parent / "help")

    def search(arguments: Json) -> Json:
        found = articles.search(arguments["question"])
        return {"sections": [{"title": one.title, "section": one.section, "text": one.text} for one in found]}

    text = Talk(ALL_TOOLS, {**ALL_OUTPUTS, "search_help": search}).say(question)
    assert text.endswith(f", {section})") if section else "I found nothing" in text
