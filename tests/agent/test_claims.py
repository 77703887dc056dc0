"""Claims that nobody bears out are found in thirteen languages, and what is no claim is left alone."""

import json
import re
from pathlib import Path

import pytest

from bot.agent.claims import PLAIN, claims, is_unfounded
from bot.store.records import NOTE, ChatMessage
from tests.agent.claims_corpus import CLAIMS, HARMLESS

QUESTION: ChatMessage = {"role": "user", "name": "U0ANA", "content": "I want my money back"}
README = Path(__file__).parents[2] / "README.md"


def rate(texts: dict[str, tuple[str, ...]]) -> tuple[int, int]:
    """Count the answers that are taken for a claim, and all."""
    every = [text for one in texts.values() for text in one]
    return sum(map(claims, every)), len(every)


def test_rates() -> None:
    """The README says how many claims of the corpus are found, and how many other answers are taken for one."""
    (found, of_claims), (wrong, of_others) = rate(CLAIMS), rate(HARMLESS)
    said = re.search(r"(\d+) of (\d+) claims.*?(\d+) of (\d+) other\s+answers", README.read_text("utf-8"), re.DOTALL)
    assert said is not None
    assert tuple(map(int, said.groups())) == (found, of_claims, wrong, of_others)
    assert found / of_claims > 0.9
    assert wrong / of_others < 0.05


@pytest.mark.parametrize("language", CLAIMS)
def test_each_language(language: str) -> None:
    """No language is much worse than the others."""
    assert sum(map(claims, CLAIMS[language])) >= 0.9 * len(CLAIMS[language])
    assert sum(map(claims, HARMLESS[language])) <= 1


def result(**content: object) -> ChatMessage:
    """Write a tool's result."""
    return {"role": "tool", "tool_call_id": "a", "content": json.dumps(content)}


GROUNDS: dict[str, ChatMessage] = {
    "a request that waits": result(status="waiting_for_approval"),
    "an outcome": {"role": "system", "content": f"{NOTE}Refund of $42.00: approved by a person and done."},
    "an order that was refunded": result(order_id="ORD-10142", refunded="$10.00"),
    "an order that was cancelled": result(orders=[{"order_id": "ORD-1", "status": "shipped"}, {"status": "cancelled"}]),
}
NO_GROUNDS: dict[str, ChatMessage] = {
    "nothing": QUESTION,
    "an order": result(order_id="ORD-10234", status="shipped", refunded="$0.00"),
    "a refusal": result(error="That can't be refunded."),
}


@pytest.mark.parametrize("kind", [*GROUNDS, *NO_GROUNDS])
def test_grounds(kind: str) -> None:
    """What was asked for in the conversation, or done according to the shop, bears a claim out."""
    messages = [QUESTION, (GROUNDS | NO_GROUNDS)[kind]]
    assert is_unfounded("I've requested your refund.", messages) is (kind in NO_GROUNDS)
    assert not is_unfounded("Which order is it?", messages)


def test_our_own_words_are_no_claim() -> None:
    """What takes a claim's place is none."""
    assert not claims(PLAIN)
