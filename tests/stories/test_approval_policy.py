"""A rule of the operator's own: it wants more approval than the bot does or refuses, never less, and fails closed."""

import json
from typing import Any

import pytest

from bot.settings import SettingsError
from bot.testing.openai import Answer, Request
from tests.stories.test_two_keys import press, request
from tests.world import ANA, SAM, World, buttons, calls, refund_of, shown

RULES = "tests.own.rules"
CANCEL = calls(("cancel_order", {"order_id": "ORD-10251"}))
PAYMENT = calls(("change_payment", {"order_id": "ORD-10251", "pay_with": "Visa ending 4242"}))


async def asks(world: World, turn: Answer, name: str = "strict", **settings: Any) -> None:
    """Ask for something as Ana where the rule is this one."""
    world.script += [turn, Answer("There it is.")]
    async with world.bot(BOT_APPROVAL_POLICY=f"{RULES}:{name}", **settings):
        question = await world.says(ANA, "@bot please")
        await world.workspace.until(
            lambda: any("There it is." in shown(reply) for reply in world.workspace.replies_of_bot(question))
        )


def told(ask: Request) -> dict[str, Any]:
    """Read what the model was told of its call."""
    found: dict[str, Any] = json.loads(ask.messages[-1]["content"])
    return found


@pytest.mark.parametrize(
    ("turn", "name", "gate", "needed"),
    [
        (refund_of("ORD-10188"), "strict", "approver", 2),
        (CANCEL, "strict", "both", 1),
        (refund_of("ORD-10188"), "lax", "approver", 1),
        (CANCEL, "lax", "requester", 0),
    ],
)
async def test_only_stricter(world: World, turn: Answer, name: str, gate: str, needed: int) -> None:
    """What the rule wants joins what the bot wants itself, so that nothing needs fewer people's yes."""
    await asks(world, turn, name, BOT_CUSTOMER_MAY_CONFIRM=100)
    assert (request(world)["gate"], request(world)["approvals_needed"]) == (gate, needed)


async def test_refusal(world: World) -> None:
    """What the rule refuses is told to the model in its sentence, and nobody is asked."""
    await asks(world, PAYMENT)
    assert told(world.asked[1])["error"] == "How an order is paid can't be changed this week."
    assert (request(world)["status"], request(world)["gate"]) == ("rejected", "approver")


@pytest.mark.parametrize("name", ["crashes", "forgets", "says_yes", "hangs"])
async def test_fails_closed(world: World, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """A rule that breaks, hangs or answers nonsense has nothing asked for, and a line for the operator."""
    await asks(world, refund_of("ORD-10188"), name, BOT_TOOL_TIMEOUT_SECONDS=0.5)
    assert "rule for this could not be asked, so nothing was requested" in told(world.asked[1])["error"]
    assert request(world)["status"] not in ("pending", "running")
    assert f"BOT_APPROVAL_POLICY: {RULES}:{name} " in caplog.text


async def test_breaks_meanwhile(world: World) -> None:
    """When the rule has to be asked again and breaks, the click does nothing and the request stays open."""
    world.script += [refund_of("ORD-10142", 80), Answer("Asked.")]
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot refund"))
    world.refund_elsewhere("ORD-10142", 2500)
    async with world.bot(BOT_APPROVAL_POLICY=f"{RULES}:crashes"):
        await press(world, card, SAM)
        assert "rule for this could not be asked, so nothing was done" in await world.whisper_to(SAM)
        now = world.workspace.message(card.channel, card.ts)
        assert now
        assert "approve_call" in buttons(now)
    assert request(world)["status"] == "pending"


async def test_stricter_meanwhile(world: World) -> None:
    """What waits when a rule becomes stricter is asked again, of more people when somebody says yes to it."""
    world.script += [refund_of("ORD-10188"), Answer("Asked.")]
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot refund"))
    async with world.bot(BOT_APPROVAL_POLICY=f"{RULES}:strict"):
        await press(world, card, SAM)
        assert "More people have to agree to this by now" in await world.whisper_to(SAM)
        assert "asked again below" in shown(await world.settled(card))
    assert (request(world)["status"], request(world)["approvals_needed"], world.refunds()) == ("pending", 2, [])


async def test_refused_meanwhile(world: World) -> None:
    """What a rule has come to refuse ends, in its sentence, when somebody says yes to it."""
    world.script += [PAYMENT, Answer("Please confirm.")]
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot pay with my card"))
    async with world.bot(BOT_APPROVAL_POLICY=f"{RULES}:strict"):
        await press(world, card, ANA)
        assert "How an order is paid can't be changed this week." in shown(await world.settled(card))
    assert request(world)["status"] == "failed"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("strict", "“strict” is no package.module:function"),
        (f"{RULES}:nothing", "there is no nothing in tests.own.rules"),
        (f"{RULES}:NUMBER", "is a int; it has to be a function"),
        (f"{RULES}:takes_one", "has to take three arguments: the change, its quote and who asks"),
        ("tests.own.nowhere:rule", "there is no module tests.own.nowhere"),
    ],
)
async def test_slips(world: World, name: str, words: str) -> None:
    """A rule that could not be asked keeps the bot from starting, with one line that says why."""
    with pytest.raises(SettingsError, match=words.replace("(", r"\(")):
        async with world.bot(BOT_APPROVAL_POLICY=name):
            pass
