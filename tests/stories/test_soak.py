"""Everything at once, at random from a seed: doubles, kills, faults of Slack, slow and dead models, many who click."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from bot import failpoints
from bot.testing.openai import Answer, Failure, Request
from bot.testing.slack.workspace import Channel, Message
from bot.testing.slack.workspace.faults import Moment
from bot.testing.slack.workspace.workspace import Order
from tests.answers import Key, check_answers
from tests.process import STOPPED, BotProcess, Supervisor, check, think
from tests.world import ANA, BEN, BOT, SAM, World, buttons

ORDERS = ("ORD-10188", "ORD-10142", "ORD-10234", "ORD-10235", "ORD-10240")
PEOPLE = (ANA, BEN, SAM)
HUNG_MODEL_SECONDS = 5  # far more than it may take
IN_HANDS = 40  # more messages than this at once would say how fast the machine is, and not whether anything is lost
SETTINGS: dict[str, Any] = {
    "BOT_MODEL_TIMEOUT_SECONDS": 0.5,
    "BOT_TOOL_TIMEOUT_SECONDS": 1,
    "BOT_LEASE_SECONDS": 2,
    "BOT_SWEEP_SECONDS": 0.2,
    "BOT_APPROVAL_HOURS": 2.5 / 3600,
    "BOT_REQUESTS_PER_THREAD_DAY": 10_000,
    "BOT_REQUESTS_PER_USER_DAY": 10_000,
    "BOT_CALLS_PER_THREAD_HOUR": 10_000,
    "BOT_RUNS_PER_USER_HOUR": 100_000,
    "BOT_TOKENS_PER_USER_HOUR": 10**9,
    "BOT_CLICKS_PER_USER_HOUR": 100_000,
    "BOT_ESCALATIONS_PER_USER_HOUR": 100_000,
    "BOT_STOP_SECONDS": 1,
}


class Chaos:
    """What people, Slack, the model and the power supply do, drawn from one source of chance."""

    def __init__(self, world: World, supervisor: Supervisor, chance: Random) -> None:
        self._world = world
        self._supervisor = supervisor
        self._chance = chance
        self._asked: list[Message] = []
        self._background: set[asyncio.Task[Any]] = set()
        self._second: BotProcess | None = None
        self._model_is_there = True
        self.said: dict[Key, str] = {}
        self._channels = [f"C0SOAK{number}" for number in range(96)]  # enough that none is long at its pace
        world.think = self._think
        world.deliver_all()
        for channel in self._channels:
            world.workspace.add(Channel(channel, channel.lower(), "channel", frozenset((*PEOPLE, BOT))))

    async def run(self, seconds: float) -> None:
        """Do one thing after the other for so long, and until all that is to be survived has happened."""
        try:
            async with asyncio.timeout(seconds + 60):
                await self._act(asyncio.get_running_loop().time() + seconds)
                await asyncio.gather(*self._background)
                await self._supervisor.spare()
                if self._second:
                    assert await self._second.stop() in STOPPED
        except TimeoutError:
            raise TimeoutError(f"Never happened: {self.missing()}") from None
        finally:
            if self._second:
                await self._second.kill()
        self._world.workspace.faults.clear()
        self._world.think = think

    async def _act(self, until: float) -> None:
        for act in self._acts():
            if self._in_hands() < IN_HANDS:
                await act()
            await asyncio.sleep(self._chance.random() * 0.05)
            if asyncio.get_running_loop().time() >= until and not self.missing():
                return

    def _in_hands(self) -> int:
        """Count what was not acked so far, and what was and is not answered."""
        unacked = sum(delivery.acked is None for delivery in self._world.workspace.deliveries)
        return unacked + len(self._world.rows("SELECT 1 FROM inbox WHERE status IN ('waiting', 'running')"))

    def _acts(self) -> Iterator[Callable[[], Awaitable[None]]]:
        """Draw without end; of some four dozen acts, each comes as often as its number."""
        acts: dict[Callable[[], Awaitable[None]], int] = {
            self._ask: 12, self._follow_up: 5, self._out_of_order: 3, self._chat: 1, self._click: 16,
            self._break_slack: 3, self._kill: 1, self._disconnect: 1, self._leave_model: 1, self._pause: 1,
            self._second_process: 2,
        }  # fmt: skip
        while True:
            yield from self._chance.sample(list(acts), sum(acts.values()), counts=list(acts.values()))

    def missing(self) -> list[str]:
        """Name what has not happened so far."""
        seen = {row["status"] for row in self._world.rows("SELECT DISTINCT status FROM tool_calls WHERE gated")}
        wanted = {"succeeded", "cancelled", "expired"} - seen
        return [*wanted, *["kill"] * (not self._supervisor.died), *["again"] * (not self._redelivered)]

    @property
    def _redelivered(self) -> int:
        return self._world.slack.socket_mode.sent_again

    # What people do

    async def _ask(self) -> None:
        await self._say(self._wish(), self._chance.choice(self._channels), None)

    async def _follow_up(self) -> None:
        if self._asked:
            message = self._chance.choice(self._asked)
            await self._say(self._wish(), message.channel, message.root_ts)

    async def _out_of_order(self) -> None:
        """Tell the bot in any order of what was written in a thread, where only the first message mentions it."""
        channel = self._chance.choice(self._channels)
        root = self._post(f"@bot {self._wish()}", channel, None)
        messages = [root, *(self._post(self._wish(), channel, root.ts) for _ in range(self._chance.choice((1, 2, 3))))]
        for message in self._chance.sample(messages, len(messages)):
            self._world.workspace.announce(message, copies=self._chance.choice((1, 2)))
            await asyncio.sleep(self._chance.choice((0, 0.02)))

    async def _chat(self) -> None:
        await self._world.says(self._chance.choice(PEOPLE), "Lunch?", self._chance.choice(self._channels))

    def _wish(self) -> str:
        what = self._chance.choice(("where is", f"refund ${self._chance.randint(1, 200) / 100:.2f} of"))
        return f"#{len(self.said) + 1} {what} {self._chance.choice(ORDERS)}"

    async def _say(self, wish: str, channel: str, thread_ts: str | None) -> None:
        orders: tuple[Order, ...] = (("app_mention", "message"), ("message", "app_mention"), ("message",))
        order = self._chance.choice(orders)
        said = self._post(f"@bot {wish}", channel, thread_ts)
        self._world.workspace.announce(said, order=order, copies=self._chance.choice((1, 1, 2, 3)))

    def _post(self, text: str, channel: str, thread_ts: str | None) -> Message:
        person, raw = self._chance.choice(PEOPLE), text.replace("@bot", f"<@{BOT}>")
        message = self._world.workspace.post(person, channel, raw, thread_ts=thread_ts)
        self._asked.append(message)
        self.said[message.channel, message.ts] = text.removeprefix("@bot ")
        return message

    async def _click(self) -> None:
        cards = [message for message in self._world.workspace.messages if buttons(message)]
        if cards:
            card, action = self._chance.choice(cards), self._chance.choice(("approve_call",) * 2 + ("cancel_call",))
            for _ in range(self._chance.choice((1, 1, 2))):
                person = self._chance.choice((SAM, *PEOPLE))
                self._start(self._world.workspace.click(person, card.channel, card.ts, action))

    # What breaks

    async def _break_slack(self) -> None:
        faults = self._world.workspace.faults
        faults.clear()  # those of methods that are seldom called would gather, and hold a post up for long
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

    async def _pause(self) -> None:
        """Pause approvals for a moment as the operator."""
        if not self._world.rows("SELECT 1 FROM switches"):
            self._world.write("INSERT INTO switches VALUES ('paused', ?)", datetime.now(UTC).isoformat())
            self._start(self._resume(self._chance.random() * 0.5))

    async def _resume(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._world.write("DELETE FROM switches")

    async def _second_process(self) -> None:
        """Run a second process on the same database, until this is drawn again."""
        if self._second is None:
            self._second = BotProcess(self._world, **SETTINGS)
            return
        if self._chance.random() < 0.5:
            await self._second.kill()
        else:
            assert await self._second.stop() in STOPPED
        self._second = None

    async def _leave_model(self) -> None:
        """Make the model answer everybody with errors for a moment."""
        if self._model_is_there:
            self._model_is_there = False
            self._start(self._return_model(self._chance.random() * 0.5))

    async def _return_model(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._model_is_there = True

    async def _think(self, request: Request) -> Answer | Failure:
        if not self._model_is_there:
            return Failure(503)
        if self._chance.random() < 0.03:
            return Failure(self._chance.choice((400, 401, 500)))
        hangs = self._chance.random() < 0.02
        await asyncio.sleep(HUNG_MODEL_SECONDS if hangs else self._chance.random() * 0.1)
        return await think(request)

    def _start(self, work: Awaitable[Any]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def deaths(chance: Random) -> Iterator[str]:
    """Draw where each process dies; most of them live until they are killed."""
    while True:
        yield chance.choice(("", "", f"{chance.choice(failpoints.NAMES)}:{chance.randint(1, 20)}"))


async def finish(world: World) -> None:
    """Start the bot and stop it until nothing is left to be done or said."""
    left = """SELECT 1 FROM inbox WHERE status IN ('waiting', 'running')
              UNION ALL SELECT 1 FROM outbox WHERE status = 'waiting'
              UNION ALL SELECT 1 FROM tool_calls WHERE gated AND status IN ('running', 'unknown')"""
    for _ in range(20):  # channels have a pace, and each time it goes on for some seconds only
        process = BotProcess(world, **SETTINGS | {"BOT_STOP_SECONDS": 20})
        await world.slack.connected()
        await world.workspace.until(lambda: all(d.acked is not None for d in world.workspace.deliveries))
        with suppress(TimeoutError):  # what a dead process had in its hands waits out its lease
            await world.workspace.until(lambda: not (world.postgres and world.rows(left)))
        assert await process.stop() == 0
        if not world.rows(left):
            return
    raise AssertionError(world.rows(left))


async def test_soak(world: World, pytestconfig: pytest.Config) -> None:
    """After any mixture of it all, every message has its one answer, nothing else was said, and the money is right."""
    seconds, seed = pytestconfig.getoption("--soak-seconds"), pytestconfig.getoption("--soak-seed")
    world.slack.socket_mode.retry_delays = (0.1,) * 100  # so patient that what is missing is not Slack's doing
    chance = Random(seed)  # noqa: S311 - chance that can be repeated is wanted
    async with Supervisor(world, deaths(chance), **SETTINGS) as supervisor:
        await world.slack.connected()
        chaos = Chaos(world, supervisor, chance)
        await chaos.run(seconds)
        await world.workspace.until(lambda: all(d.acked is not None for d in world.workspace.deliveries), within=30)
    await finish(world)
    assert set(supervisor.died) == {-signal.SIGKILL}
    check(world)
    check_answers(world, chaos.said)
