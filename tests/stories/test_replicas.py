"""Several replicas on one PostgreSQL: killed, hung, cut off, slowed down. Everybody is answered once, and paid once."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest

from bot.settings import PostgresUrl
from bot.testing.openai import Answer
from bot.testing.slack.workspace import Channel, Message
from tests.answers import Key, check_answers
from tests.process import BotProcess, Supervisor, approve, check, think
from tests.store.wire import Wire
from tests.stories.test_kills import REFUNDABLE, SOON
from tests.stories.test_soak import SETTINGS, finish
from tests.world import ANA, BEN, BOT, SAM, World, buttons, free_port, refund_of, shown, status_of

REPLICAS = 3
CLICKS = 5
HEARD = "hints_of_other_processes_are_heard"
ROOM: dict[str, Any] = SETTINGS | {"BOT_APPROVAL_HOURS": 1, "BOT_MODEL_TIMEOUT_SECONDS": 5}
pytestmark = pytest.mark.parametrize("world", ["postgres"], indirect=True)


async def refund_often(world: World, person: str, order_id: str, times: int, said: dict[Key, str]) -> None:
    """Ask for a little of an order's money again and again, and have everybody click at once on each card."""
    channel = f"C0{order_id[-5:]}"
    world.workspace.add(Channel(channel, order_id.lower(), "channel", frozenset((ANA, BEN, SAM, BOT))))
    for number in range(times):
        text = f"#{order_id}/{number} refund $0.{10 + number} of {order_id}"
        request = await world.says(person, f"@bot {text}", channel, copies=2)
        said[channel, request.ts] = text
        card = await world.workspace.until(partial(card_of, world, request), within=60)
        clicks = [world.workspace.click(SAM, channel, card.ts, "approve_call") for _ in range(CLICKS)]
        await asyncio.gather(*clicks, approve(world, card))


def card_of(world: World, request: Message) -> Message | None:
    """Find the card with buttons in the request's thread."""
    return next((reply for reply in world.workspace.replies_of_bot(request) if buttons(reply)), None)


async def kill_at_random(world: World, supervisors: list[Supervisor], chance: Random) -> None:
    """Kill one replica after the other, each once something was posted since: a slow machine gets on with it, too."""
    while True:
        posted = posts_of_bot(world)
        await asyncio.sleep(0.1 + chance.random())
        await world.workspace.until(lambda: posts_of_bot(world) > posted, within=None)  # noqa: B023 - awaited here
        await chance.choice(supervisors).kill()


def posts_of_bot(world: World) -> int:
    """Count what the bot has posted."""
    return sum(message.user == BOT for message in world.workspace.messages)


async def test_refunds_by_replicas(world: World, pytestconfig: pytest.Config) -> None:
    """However many click on however many requests in three replicas that are killed, each refund is made once."""
    times: int = pytestconfig.getoption("--refunds-an-order")
    orders = REFUNDABLE[: 4 if times == 1 else None]
    world.think = think
    world.deliver_all()
    said: dict[Key, str] = {}
    chance = Random(1)  # noqa: S311 - chance that can be repeated is wanted
    async with AsyncExitStack() as stack:
        supervisors = [await stack.enter_async_context(Supervisor(world, **ROOM)) for _ in range(REPLICAS)]
        world.slack.socket_mode.retry_delays = (0.1,) * 100
        await world.slack.connected(REPLICAS)
        killing = asyncio.create_task(kill_at_random(world, supervisors, chance))
        await asyncio.gather(*(refund_often(world, person, order_id, times, said) for person, order_id, _ in orders))
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
        if not any(supervisor.died for supervisor in supervisors):  # it was over before the first was killed
            await supervisors[0].kill()
    await finish(world)
    expected = [(order_id, 10 + number) for _, order_id, _ in orders for number in range(times)]
    assert sorted(world.refunds()) == sorted(expected)
    check(world)
    check_answers(world, said)


async def test_hung_for_longer_than_its_lease(world: World) -> None:
    """A replica that hangs in the midst of a run, and goes on when another has answered, says nothing more of it."""
    held = world.hold_model(lambda _: Answer("Much too late."))
    async with BotProcess(world, **ROOM) as hung:
        await world.slack.connected()
        question = await world.says(ANA, "@bot hello")
        await held.reached.wait()
        os.kill(hung.pid, signal.SIGSTOP)
        world.think = None
        world.script += [Answer("In time."), Answer("Again.")]
        async with BotProcess(world, **ROOM) as other:
            assert [shown(reply) for reply in await world.replies(question)] == ["In time."]
            os.kill(hung.pid, signal.SIGCONT)
            held.release()
            await world.says(ANA, "and now?", thread_ts=question.ts)
            await world.replies(question, 2)
            assert await hung.stop() == 0
            assert await other.stop() == 0
    assert [shown(reply) for reply in world.workspace.replies_of_bot(question)] == ["In time.", "Again."]
    check(world)


@pytest.mark.parametrize("answers", [True, False])
async def test_stands_still_in_a_request(world: World, *, answers: bool) -> None:
    """A post that was under way to Slack while its process stood still, and was said by another, stands there once."""
    world.script += [Answer("Once."), Answer("Again.")]
    under_way = world.workspace.faults.hang("chat.postMessage", answers=answers)
    async with BotProcess(world, **ROOM) as still:
        await world.slack.connected()
        question = await world.says(ANA, "@bot hello")
        await under_way.reached.wait()
        os.kill(still.pid, signal.SIGSTOP)
        async with BotProcess(world, **ROOM) as other:
            await world.replies(question)
            under_way.release()
            await world.workspace.until(lambda: len(world.said_to(question)) == 2)
            os.kill(still.pid, signal.SIGCONT)
            await world.workspace.until(lambda: len(world.said_to(question)) == 1)
            await world.says(ANA, "and now?", thread_ts=question.ts)
            await world.replies(question, 2)
            assert await still.stop() == 0
            assert await other.stop() == 0
    assert [shown(reply) for reply in world.said_to(question)] == ["Once.", "Again."]
    [kept, _] = world.said_to(question)
    assert world.rows("SELECT ts FROM outbox ORDER BY seq LIMIT 1") == [{"ts": kept.ts}]
    check(world)


@pytest.mark.parametrize("where", ["post taken", "call claimed", "shop answered", "outcome written"])
async def test_stands_still_for_longer_than_its_lease(world: World, tmp_path: Path, where: str) -> None:
    """What a replica had in its hands when it stood still is done by another, and not once more when it goes on."""
    world.think = think
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    world.slack.socket_mode.ack_timeout = 0.3
    world.slack.socket_mode.retry_delays = (0.1,) * 100
    async with BotProcess(world, BOT_FAILPOINT=f"{where}@{pipe}", **SOON) as still:
        await world.slack.connected()
        request = await world.says(ANA, "@bot refund ORD-10188")
        if where != "post taken":
            card = await world.card(request)
            await world.replies(request, 2)
            await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        async with BotProcess(world, **SOON) as other:
            await world.slack.connected(2)
            card = await world.workspace.until(lambda: next(iter(world.said_to(request)), None))
            await approve(world, card)
            await world.replies(request, 3)
            await asyncio.to_thread(pipe.write_bytes, b"")
            await world.replies(await world.says(BEN, "@bot where is ORD-10240"))
            assert await still.stop() == 0
            assert await other.stop() == 0
    assert world.refunds() == [("ORD-10188", 4200)]
    assert len(world.said_to(request)) == 3
    check(world)


async def test_slow_server(world: World, wire: Wire) -> None:
    """With 50 ms before each query every event is acked in the end, and a question is answered once."""
    wire.delay = 0.05
    world.slack.socket_mode.retry_delays = (0.1,) * 100  # Slack comes again for what took too long
    world.script += [status_of("ORD-10240"), Answer("On its way.")]
    async with world.bot(BOT_DATABASE=PostgresUrl(wire.url)):
        question = await world.says(BEN, "@bot where is ORD-10240")
        await world.workspace.until(lambda: world.workspace.replies_of_bot(question), within=30)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries), within=30)
    assert len(world.workspace.replies_of_bot(question)) == 1
    check(world)


async def test_behind_a_pooler(world: World, wire: Wire) -> None:
    """Behind a pooler that passes no notification on a refund goes its way, and `/healthz` tells of it."""
    wire.deaf = True
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    port = free_port()
    async with world.bot(BOT_DATABASE=PostgresUrl(wire.url), BOT_HEALTH_PORT=port), aiohttp.ClientSession() as session:
        card = await world.card(await world.says(ANA, "@bot refund ORD-10188"))
        assert await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
        told: dict[str, Any] = {}
        async with asyncio.timeout(20):
            while HEARD not in told:
                async with session.get(f"http://127.0.0.1:{port}/healthz") as response:
                    told = await response.json()
    assert told[HEARD] is False
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_server_is_restarted(world: World, wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """While the server is away nothing is acked; Slack comes again, and each message is answered once."""
    world.slack.socket_mode.ack_timeout = 0.3
    world.script += [Answer("Hello."), Answer("Hello again.")]
    port = free_port()
    async with world.bot(BOT_DATABASE=PostgresUrl(wire.url), BOT_HEALTH_PORT=port), aiohttp.ClientSession() as session:
        before = await world.says(ANA, "@bot hello")
        await world.replies(before)
        wire.dead = True
        wire.cut()
        question = await world.says(BEN, "@bot hello", order=("app_mention",))
        assert not await world.workspace.deliveries[-1].outcome
        async with asyncio.timeout(20):
            while "does not take writes" not in caplog.text:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
                    assert response.status == 503
        wire.dead = False
        world.slack.socket_mode.retry_delays = (0.1,) * 100
        world.workspace.announce(question)
        await world.replies(question)
    assert [shown(reply) for reply in world.workspace.replies_of_bot(question)] == ["Hello again."]
    assert "takes writes again" in caplog.text
    check(world)
