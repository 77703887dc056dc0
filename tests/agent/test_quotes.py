"""The shop's own words are no claims of the model's."""

import json
from collections.abc import Sequence

import pytest

from bot.agent.quotes import without_quotes
from bot.store.records import ChatMessage
from bot.testing.openai import Answer, ToolCall
from tests.world import ANA, World, shown

ARTICLE = "Ask here for a refund; a person of our team approves it.\nThe money goes back\nto the way you paid, in full."


def found(tool: str) -> list[ChatMessage]:
    """Make a conversation in which a tool has found the article."""
    sections = [{"title": "Returns", "section": "Refunds", "text": ARTICLE}]
    call = {"id": "a", "type": "function", "function": {"name": tool, "arguments": "{}"}}
    return [
        {"role": "user", "content": "How do refunds work?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": json.dumps({"sections": sections})},
    ]


@pytest.mark.parametrize(
    ("text", "own"),
    [
        (ARTICLE, ""),
        ("**Refunds**\nThe money goes back to the way you paid, in full.", ""),
        ("Good news! The money goes back to the way you paid, in full.", "Good news!"),
        ("The money goes back to your card, in full.", "The money goes back to your card, in full."),
        ("In full.", "In full."),
    ],
)
def test_own_words(text: str, own: str) -> None:
    """Headings and whole sentences of an article are left out, however their lines break; what is worded anew stays."""
    assert without_quotes(text, found("search_help")) == own


@pytest.mark.parametrize("messages", [found("get_order_status"), found("search_help")[:1]])
def test_only_of_articles(messages: Sequence[ChatMessage]) -> None:
    """What other tools tell holds words of customers, and is no word of the shop's."""
    assert without_quotes(ARTICLE, messages) == ARTICLE


async def test_articles_are_told(world: World) -> None:
    """Who asks how something works is told what the article says, and nobody asks whether that is a claim."""
    quoted = "To return an item, ask here with your order number and the reason."
    async with world.bot(help_folder="bot/demo/help"):
        world.script += [
            Answer(tool_calls=(ToolCall("", "search_help", json.dumps({"question": "return"})),)),
            Answer(f"{quoted} The money goes back to the way you paid, usually within 5 to 10 working days."),
        ]
        question = await world.says(ANA, "@bot how do I return something?")
        (answer,) = await world.replies(question)
    assert quoted in shown(answer)
    assert len(world.asked) == 2
