"""A replica on a machine whose clock is wrong: it does nothing too early or too late, by the clock of all of them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.testing.openai import Answer
from tests.process import variables_of
from tests.world import ANA, BEN, SAM, World, refund_of, shown

TESTS = Path(__file__).parent.parent
HOUR = 3600
ROOM: dict[str, Any] = {"BOT_SWEEP_SECONDS": 0.1, "BOT_LEASE_SECONDS": 3, "BOT_APPROVAL_HOURS": 0.5}
pytestmark = pytest.mark.parametrize("world", ["postgres"], indirect=True)


@asynccontextmanager
async def replica(world: World, told: Path, *, ahead: float) -> AsyncIterator[None]:
    """Run the bot on a machine whose clock is ahead by so many seconds; `told` gets what it tells the operator."""
    wrong = {"PYTHONPATH": str(TESTS / "wrong_clock"), "CLOCK_AHEAD_SECONDS": str(ahead)}
    environment = {"PATH": os.environ["PATH"], **variables_of(world, **ROOM), **wrong}
    with told.open("w") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run"),
            env=environment,
            stderr=errors,
            cwd=TESTS.parent,
        )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def test_an_hour_ahead(world: World, tmp_path: Path) -> None:
    """It reminds nobody, expires nothing, takes no thread from who has it, and dates what it keeps like the others."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot(**ROOM):
        asked = await world.says(ANA, "@bot refund ORD-10188")
        card = await world.card(asked)
        await world.replies(asked, 2)
        held = world.hold_model(lambda _: Answer("Hello."))
        question = await world.says(BEN, "@bot hello")
        await held.reached.wait()
        async with replica(world, tmp_path / "told", ahead=HOUR):
            await world.slack.connected(2)  # by then it has looked at all that waits
            assert len(world.asked) == 3
            held.release()
            await world.replies(question)
    async with replica(world, tmp_path / "told", ahead=HOUR):
        await world.slack.connected()
        await world.replies(await world.says(BEN, "@bot and now?"))
        assert await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]
    assert [shown(one) for one in world.said_to(question)] == ["Hello."]
    (request,) = world.rows("SELECT reminded_at, escalated_at, finished_at > now() AS late FROM tool_calls WHERE gated")
    assert request == {"reminded_at": None, "escalated_at": None, "late": 0}
    late = "SELECT 1 FROM inbox WHERE received_at > clock_timestamp() OR finished_at > clock_timestamp()"
    assert world.rows(late) == []
    assert "clock is 3600 s ahead of the database's" in (tmp_path / "told").read_text()


async def test_an_hour_behind(world: World, tmp_path: Path) -> None:
    """It expires a request when its time is over."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot(**ROOM):
        card = await world.card(await world.says(ANA, "@bot refund ORD-10188"))
    world.write("UPDATE tool_calls SET expires_at = clock_timestamp()")
    async with replica(world, tmp_path / "told", ahead=-HOUR):
        assert "xpired" in shown(await world.settled(card))
    assert world.refunds() == []
    assert "clock is 3600 s behind the database's" in (tmp_path / "told").read_text()
