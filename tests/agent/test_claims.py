"""Claims that nobody bears out are found in two dozen languages, and what is no claim is left alone."""

import json
import operator
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from bot.agent.claims import DOUBT, NOTHING_ELSE, PLAIN, claims, is_doubtful, is_unfounded, states, truth
from bot.store.records import NOTE, ChatMessage
from bot.testing.openai import Answer, Failure
from tests.agent import claims_unseen, claims_vague
from tests.agent.claims_corpus import CLAIMS, HARMLESS
from tests.model.items import call
from tests.world import ANA, World, refund_of, shown

QUESTION: ChatMessage = {"role": "user", "name": "U0ANA", "content": "I want my money back"}
README = Path(__file__).parents[2] / "README.md"


def rates(texts: Iterable[str]) -> tuple[int, int, int]:
    """Count the answers that are taken for a claim, those about which the model is asked once more, and all."""
    every = list(texts)
    return sum(map(claims, every)), sum(claims(one) or states(one) for one in every), len(every)


def answers(texts: Mapping[str, Iterable[str]]) -> tuple[int, int, int]:
    """Count the answers to questions that are taken for a claim, those about which the model is asked, and all."""
    every = [(text, [{**QUESTION, "content": question}]) for question, ones in texts.items() for text in ones]
    found = [is_unfounded(*one) for one in every]
    return sum(found), sum(map(operator.or_, found, (is_doubtful(*one) for one in every))), len(every)


SETS = (
    rates(text for one in CLAIMS.values() for text in one),
    rates(text for one in HARMLESS.values() for text in one),
    rates(claims_unseen.CLAIMS),
    rates(claims_unseen.HARMLESS),
    answers(claims_vague.CLAIMS),
    answers(claims_vague.HARMLESS),
)


def test_rates() -> None:
    """The README says how many claims are found and asked about, and how many other answers, of both sets."""
    rows = re.findall(
        r"^\| [^|]+ of the set[^|]*\| (\d+) \| (\d+) \| (\d+) \|$", README.read_text("utf-8"), re.MULTILINE
    )
    assert [(int(found), int(asked), int(every)) for every, found, asked in rows] == list(SETS)


def test_what_the_rates_are_good_for() -> None:
    """Of new claims nine of ten are asked about; of other answers hardly any is replaced, and few are asked about."""
    for found, asked, every in SETS[::2]:
        assert found > 0.5 * every
        assert asked > 0.9 * every
    for found, asked, every in SETS[1::2]:
        assert found < 0.02 * every
        assert asked < 0.25 * every


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


VAGUE = "I've got that refund rolling for you, you should see it by Friday."


@pytest.mark.parametrize(
    "verdict", [Answer("NO"), Answer("No, it does not."), Answer("Yesterday."), refund_of("ORD-10188")]
)
async def test_no_claim(world: World, verdict: Answer) -> None:
    """What may claim a deed in words that nobody listed is asked about with the facts, and stays unless it is one."""
    world.script += [Answer(VAGUE), verdict]
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "@bot I want my money back"))
    assert shown(answer) == VAGUE
    (_, asked) = world.asked
    assert DOUBT in asked.messages[-1]["content"]
    assert "nothing was requested or done in this conversation" in asked.messages[-1]["content"]


async def test_claim_in_words_that_nobody_listed(world: World) -> None:
    """What the model itself calls a claim when it is asked is none any more: it asks for the refund, or is replaced."""
    world.script += [Answer(VAGUE), Answer("**YES**"), refund_of("ORD-10188"), Answer(VAGUE)]
    async with world.bot():
        question = await world.says(ANA, "@bot my ORD-10188 is broken, money back")
        await world.card(question)
        replies = await world.replies(question, 2)
        assert any(shown(reply) == VAGUE for reply in replies)
        world.script += [
            Answer("The cancellation has found its way for you."),
            Answer("YES"),
            Answer("I have cancelled your order."),
        ]
        await world.says(ANA, "and cancel ORD-10251", thread_ts=question.ts)
        answer = (await world.replies(question, 3))[2]
    assert shown(answer).endswith(NOTHING_ELSE)


async def test_what_may_be_a_claim_when_the_model_is_gone(world: World) -> None:
    """Where the model can't be asked again, what only may be a claim is posted as it is."""
    world.script += [Answer("Refunds take five days."), *[Failure(400, "no")] * 3]
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "@bot how long does a refund take?"))
    assert shown(answer) == "Refunds take five days."


@pytest.mark.parametrize("status", ["cancelled", "refunded"])
def test_what_the_shop_bears_out(status: str) -> None:
    """What an order's own status says is no doubtful word."""
    found = [QUESTION, *LOOKED_UP[:1], result(order_id="ORD-10234", status=status)]
    assert not is_doubtful("For ORD-10234 the refund is all taken care of.", found)
    assert is_doubtful("For ORD-10234 the refund is all taken care of.", [QUESTION])


@pytest.mark.parametrize(
    "text",
    [
        "All set!",
        "Your refund? It's in the system now.",
        "Your request is in the queue for approval.",
        "The label is in your inbox.",
        "Erledigt, Sie bekommen eine E-Mail.",
        "Listo, ya est\u00e1 hecho.",
        "No worries, that one is history.",
        "Kein Problem, ist erledigt.",
        "No hay problema, ya est\u00e1 hecho.",
    ],
)
def test_consent(text: str) -> None:
    """A short answer to who wants something done may say that it is, without a word of it, so it is asked about."""
    wanted = {"role": "user", "content": "I want my money back for ORD-10188"}
    assert is_doubtful(text, [wanted])
    assert not is_doubtful(text, [{"role": "user", "content": "hello"}])
    assert not is_doubtful(f"{text} Which order is it?", [wanted])
    assert not is_doubtful(text, [wanted], is_whole=False)
