"""The process is killed wherever it can be: nothing is lost, nothing is done or said twice."""

import signal

import pytest

from bot import failpoints
from tests.process import Supervisor, approve, check, think
from tests.world import ANA, BEN, SUPPORT, World, shown


@pytest.mark.parametrize("name", failpoints.NAMES)
async def test_killed_at(world: World, name: str) -> None:
    """Whatever was just done when the process was killed, the next one answers each message and refunds, once."""
    world.think = think
    async with Supervisor(world, {"BOT_FAILPOINT": name}) as supervisor:
        question = await world.says(BEN, "@bot where is ORD-10240", copies=2)
        request = await world.says(ANA, "@bot refund ORD-10188")
        card = await world.card(request)
        await approve(world, card)
        answers = await world.replies(question)
        replies = await world.replies(request, 3)
    assert supervisor.died == [-signal.SIGKILL]
    assert world.refunds() == [("ORD-10188", 4200)]
    assert "*Order ORD-10240*" in shown(answers[0])
    assert len(world.workspace.replies_of_bot(question)) == 1
    assert len(world.workspace.replies_of_bot(request)) == 3
    assert [shown(reply).startswith("<@U0ANA> ✓ Approved by") for reply in replies] == [False, False, True]
    assert [message.user for message in world.workspace.thread(SUPPORT, question.ts)] == [BEN, "U0BOT"]
    check(world)
