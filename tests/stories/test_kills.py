"""The process is killed wherever it can be, and killed again: nothing is lost, nothing is done or said twice."""

import signal
from typing import Any, NamedTuple

import pytest

from bot import failpoints
from bot.testing.slack.workspace import Channel, Message
from tests.answers import is_timeline
from tests.process import Supervisor, approve, check, think
from tests.world import ANA, BEN, BOT, SAM, World, shown

REFUNDABLE = [
    (ANA, "ORD-10188", 4200), (ANA, "ORD-10142", 11350), (ANA, "ORD-10234", 8400), (ANA, "ORD-10235", 5600),
    (ANA, "ORD-10251", 4350), (BEN, "ORD-10240", 4600), (BEN, "ORD-10229", 7900), (BEN, "ORD-10176", 14200),
]  # fmt: skip
# Where nobody can tell at once that a process is dead, it is not waited for as long as in earnest.
SOON: dict[str, Any] = {"BOT_LEASE_SECONDS": 0.6, "BOT_TOOL_TIMEOUT_SECONDS": 1, "BOT_SWEEP_SECONDS": 0.2}
KILLED = [
    *([name, name] for name in failpoints.NAMES),
    *([f"{name}:2", f"{name}:3"] for name in failpoints.NAMES),
    ["call claimed", "shop answered"],  # for the second time while it finds out what came of the call
]


class Round(NamedTuple):
    """What has the bot pass every place once: a refund, asked for by one event only, and where an order is."""

    request: Message
    question: Message


def said(world: World, message: Message) -> list[Message]:
    """List what the bot has posted in the message's thread, without what only shows what it does."""
    return [reply for reply in world.workspace.replies_of_bot(message) if not is_timeline(reply)]


async def play(world: World, person: str, order_id: str) -> Round:
    """Ask, approve, and wait until all is answered, over however many deaths."""
    channel = f"C0{order_id[-5:]}"  # of its own, so that the bot is never at Slack's pace
    world.workspace.add(Channel(channel, order_id.lower(), "channel", frozenset((ANA, BEN, SAM, BOT))))
    request = await world.says(person, f"@bot refund {order_id}", channel, order=("app_mention",))
    question = await world.says(BEN, "@bot where is ORD-10240", channel, copies=2)
    await approve(world, await world.card(request))
    await world.workspace.until(lambda: said(world, question) and len(said(world, request)) >= 3)
    return Round(request, question)


@pytest.mark.parametrize("killed", KILLED, ids=", ".join)
async def test_killed_at(world: World, killed: list[str]) -> None:
    """Whatever was just done when one process after the other is killed, each message is answered and refunds once."""
    world.think = think
    world.deliver_all()
    rounds: list[Round] = []
    async with Supervisor(world, killed, **SOON) as supervisor:
        for person, order_id, _ in REFUNDABLE:
            rounds.append(await play(world, person, order_id))
            if len(supervisor.died) == len(killed):
                break
    assert supervisor.died == [-signal.SIGKILL] * len(killed)
    assert world.refunds() == [(order_id, minor) for _, order_id, minor in REFUNDABLE[: len(rounds)]]
    for request, question in rounds:
        replies = [shown(reply) for reply in said(world, request)]
        assert len(replies) == 3
        assert sum(reply.startswith(f"<@{request.user}> ✓ Approved by") for reply in replies) == 1
        (answer,) = said(world, question)
        assert "*Order ORD-10240*" in shown(answer)
    check(world)
