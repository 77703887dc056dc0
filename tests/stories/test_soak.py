"""Everything at once, at random from a seed: doubles, kills, faults of Slack, slow and dead models, many who click."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from bot.demo.completions import Answer, Failure, Request
from bot.demo.workspace import Channel, Message
from bot.demo.workspace.faults import Moment
from tests.process import BotProcess, Supervisor, check, think
from tests.world import ANA, BEN, BOT, SAM, World, buttons

ORDERS = ("ORD-10188", "ORD-10142", "ORD-10234", "ORD-10235", "ORD-10240")
PEOPLE = (ANA, BEN, SAM)


class Chaos:
    """What people, Slack, the model and the power supply do, drawn from one source of chance."""

    def __init__(self, world: World, supervisor: Supervisor, chance: Random) -> None:
        self._world = world
        self._supervisor = supervisor
        self._chance = chance
        self._asked: list[Message] = []
        self._clicks: set[asyncio.Task[bool]] = set()
        self._channels = [f"C0SOAK{number}" for number in range(24)]  # enough that none is at its pace
        world.think = self._think
        for channel in self._channels:
            world.workspace.add(Channel(channel, channel.lower(), "channel", frozenset((*PEOPLE, BOT))))

    async def run(self, seconds: float) -> None:
        """Do one thing after the other for so long."""
        acts: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (10, self._ask), (5, self._follow_up), (12, self._click), (3, self._break_slack), (1, self._kill),
            (1, self._disconnect),
        ]  # fmt: skip
        async with asyncio.timeout(seconds + 60):
            until = asyncio.get_running_loop().time() + seconds
            while asyncio.get_running_loop().time() < until:
                (act,) = self._chance.choices([act for _, act in acts], [weight for weight, _ in acts])
                await act()
                await asyncio.sleep(self._chance.random() * 0.05)
        await asyncio.gather(*self._clicks)
        self._world.workspace.faults.clear()
        self._world.think = think

    @property
    def said(self) -> set[tuple[str, str]]:
        """Name every message that somebody sent to the bot."""
        return {(message.channel, message.ts) for message in self._asked}

    async def _ask(self) -> None:
        what = self._chance.choice(("where is", "refund"))
        text = f"@bot {what} {self._chance.choice(ORDERS)}"
        await self._say(text, self._chance.choice(self._channels), None)

    async def _follow_up(self) -> None:
        if self._asked:
            message = self._chance.choice(self._asked)
            await self._say(f"@bot where is {self._chance.choice(ORDERS)}", message.channel, message.root_ts)

    async def _say(self, text: str, channel: str, thread_ts: str | None) -> None:
        order = self._chance.choice((("app_mention", "message"), ("message", "app_mention"), ("message",)))
        copies, person = self._chance.choice((1, 1, 2, 3)), self._chance.choice(PEOPLE)
        said = await self._world.says(person, text, channel, thread_ts=thread_ts, order=order, copies=copies)
        self._asked.append(said)

    async def _click(self) -> None:
        cards = [message for message in self._world.workspace.messages if buttons(message)]
        if cards:
            card, action = self._chance.choice(cards), self._chance.choice(("approve_call",) * 3 + ("cancel_call",))
            for _ in range(self._chance.choice((1, 1, 2))):
                click = self._world.workspace.click(self._chance.choice((SAM, *PEOPLE)), card.channel, card.ts, action)
                task = asyncio.create_task(click)
                self._clicks.add(task)
                task.add_done_callback(self._clicks.discard)

    async def _break_slack(self) -> None:
        faults = self._world.workspace.faults
        method = self._chance.choice(("chat.postMessage", "chat.update", "users.info", "conversations.replies"))
        moments: tuple[Moment, ...] = ("before", "after")
        moment = self._chance.choice(moments)
        self._chance.choice(
            (
                lambda: faults.server_error(method, moment=moment),
                lambda: faults.lose_connection(method, moment=moment),
                lambda: faults.rate_limit(method, retry_after=0),
            )
        )()

    async def _kill(self) -> None:
        await self._supervisor.kill()

    async def _disconnect(self) -> None:
        self._world.slack.socket_mode.close_abruptly()

    async def _think(self, request: Request) -> Answer | Failure:
        if self._chance.random() < 0.03:
            return Failure(self._chance.choice((400, 401, 500)))
        await asyncio.sleep(self._chance.random() * 0.1)
        return await think(request)


async def finish(world: World) -> None:
    """Start the bot and stop it until nothing is left to be done or said."""
    left = """SELECT 1 FROM inbox WHERE status IN ('waiting', 'running')
              UNION ALL SELECT 1 FROM outbox WHERE status = 'waiting'
              UNION ALL SELECT 1 FROM tool_calls WHERE gated AND status IN ('running', 'unknown')"""
    for _ in range(5):
        process = BotProcess(world, BOT_STOP_SECONDS=20)
        await world.slack.connected()
        await world.workspace.until(lambda: all(d.acked is not None for d in world.workspace.deliveries))
        assert await process.stop() == 0
        if not world.rows(left):
            return
    raise AssertionError(world.rows(left))


async def test_soak(world: World, pytestconfig: pytest.Config) -> None:
    """After any mixture of it all, every message was answered, each thing was said once, and the money is right."""
    seconds, seed = pytestconfig.getoption("--soak-seconds"), pytestconfig.getoption("--soak-seed")
    async with Supervisor(world, BOT_STOP_SECONDS=1) as supervisor:
        await world.slack.connected()
        chaos = Chaos(world, supervisor, Random(seed))  # noqa: S311 - chance that can be repeated is wanted
        await chaos.run(seconds)
        await world.workspace.until(lambda: all(d.acked is not None for d in world.workspace.deliveries), within=30)
    await finish(world)
    kept = {(row["channel"], row["ts"]) for row in world.rows("SELECT channel, ts FROM inbox")}
    assert chaos.said <= kept
    check(world)
