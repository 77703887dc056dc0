"""Claims that nobody bears out are found in two dozen languages, and what is no claim is left alone."""

import json
import re
from pathlib import Path

import pytest

from bot.agent.claims import NOTHING_ELSE, PLAIN, claims, is_unfounded, truth
from bot.store.records import NOTE, ChatMessage
from bot.testing.openai import Answer
from tests.agent.claims_corpus import CLAIMS, HARMLESS
from tests.model.test_wire import call
from tests.world import ANA, World, refund_of, shown

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


ASKED = "Refund of $42.00 for ORD-10188 waits until a person approves it. Nothing has happened yet."
LOOKED_UP: list[ChatMessage] = [
    {"role": "assistant", "content": None, "tool_calls": [call("a", "get_order_status", order_id="ORD-10234")]},
    result(order_id="ORD-10234", status="shipped"),
]
WAITS = [QUESTION, *LOOKED_UP, result(status="waiting_for_approval", message=ASKED)]
DONE: ChatMessage = {
    "role": "system",
    "content": f"{NOTE}Refund of $42.00 for ORD-10188: approved by a person and done.",
}
DECLINED: ChatMessage = {"role": "system", "content": f"{NOTE}Refund of $42.00 for ORD-10188: declined by a person."}


@pytest.mark.parametrize(
    ("text", "while_it_waits", "once_done"),
    [
        ("I've requested the refund of $42.00 for ORD-10188.", False, False),
        ("Die Erstattung ist beantragt.", False, False),
        ("I have cancelled your order ORD-10188.", True, True),
        ("Ich habe deine Bestellung storniert.", True, True),
        ("I've updated the address of your order.", True, True),
        ("Your account has been deleted.", True, True),
        ("I've requested a refund for ORD-10234 as well.", True, True),
        ("Your refund has been approved.", True, False),
        ("Le remboursement a été effectué.", True, False),
        ("返金しました。", True, False),
        ("I've requested a refund for the order that you wanted cancelled.", False, False),
        ("Your refund is being processed and goes to your Visa ending 4242.", False, False),
    ],
)
def test_a_claim_is_borne_out_by_its_own_deed(text: str, while_it_waits: bool, once_done: bool) -> None:  # noqa: FBT001
    """A request bears out what is said of it, not of another deed or order, nor that it is done while it waits."""
    assert is_unfounded(text, WAITS) is while_it_waits
    assert is_unfounded(text, [*WAITS, DONE]) is once_done


def test_what_is_told_in_a_claims_place() -> None:
    """In place of a claim stands how the requests are; one that has ended is told by its end, and waits no more."""
    assert truth([QUESTION]) == PLAIN
    assert truth(WAITS) == f"{ASKED} {NOTHING_ELSE}"
    declined = [*WAITS, DECLINED]
    assert truth(declined) == f"Refund of $42.00 for ORD-10188: declined by a person. {NOTHING_ELSE}"
    assert is_unfounded("Your refund is waiting for approval.", declined)
    facts: ChatMessage = {"role": "system", "content": f"The beginning is left out. Its facts: Asked for: {ASKED}"}
    assert not is_unfounded("Your refund is waiting for approval.", [facts, QUESTION])
    assert not any(map(claims, (PLAIN, NOTHING_ELSE, truth(declined))))


async def test_another_deed_than_what_waits(world: World) -> None:
    """A customer whose refund waits does not read that the order was cancelled, but what is true."""
    said = Answer("I have cancelled your order ORD-10188.")
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it."), said, said]
    async with world.bot():
        question = await world.says(ANA, "@bot refund ORD-10188")
        await world.replies(question, 2)
        await world.says(ANA, "and cancel it", thread_ts=question.ts)
        answer = (await world.replies(question, 3))[-1]
    assert shown(answer) == f"{ASKED} {NOTHING_ELSE}"
    assert "Nothing else has been requested" in world.asked[-1].messages[-1]["content"]
