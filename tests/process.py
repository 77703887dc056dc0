"""The bot as a process of its own beside a world: started, killed, started again, and held to what it promised."""

import asyncio
import multiprocessing
import os
import re
import signal
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Self

from bot.__main__ import main
from bot.settings import variable
from bot.store.records import QUOTED
from bot.testing.openai import Answer, Request
from bot.testing.slack.workspace import Message
from tests.world import SAM, World, buttons, heard, refund_of, status_of

# Each process is forked from one that has imported the bot already, which takes milliseconds in place of a second.
FORKS = multiprocessing.get_context("forkserver")
# So are the modules that the openai SDK imports at its first use only.
FORKS.set_forkserver_preload(
    [
        *("__main__", "tests.process", "bot.tools", "bot.operator.commands", "bot.store.postgres.listening"),
        *("httpcore2", "openai.resources", "truststore"),
    ]
)


STOPPED = (0, -signal.SIGTERM)  # the second when it was asked to before it had begun


def run_bot(environment: Mapping[str, str], errors: Path | None, arguments: Sequence[str]) -> None:
    """Be `support-bot run`, with nothing in the environment but what is given."""
    if errors:
        os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    os.environ.clear()
    os.environ.update(environment)
    main(["run", *arguments])


def variables_of(world: World, **changes: Any) -> dict[str, str]:
    """Return the environment of a bot that is joined to the world."""
    settings = world.settings(**changes)
    values = {
        variable(name): value.get_secret_value() if hasattr(value, "get_secret_value") else value
        for name, value in ((name, getattr(settings, name)) for name in settings.model_fields_set)
    }
    variables = {
        name: ",".join(value) if isinstance(value, tuple) else str(value)
        for name, value in values.items()
        if value is not None
    }
    failpoint = {"BOT_FAILPOINT": changes["BOT_FAILPOINT"]} if "BOT_FAILPOINT" in changes else {}
    return variables | failpoint


class BotProcess:
    """One process of the bot; what it tells the operator goes to the file `errors`, if there is to be one.

    Settings win over what else is in the `environment`; the `arguments` are those of `support-bot run`.
    """

    def __init__(
        self,
        world: World,
        *,
        errors: Path | None = None,
        environment: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        **changes: Any,
    ) -> None:
        variables = dict(environment or {}) | variables_of(world, **changes)
        self._process: ForkServerProcess = FORKS.Process(
            target=run_bot, args=(variables, errors, arguments), daemon=True
        )
        self._process.start()
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        # Not in a thread: whoever starts the next process reads how the others ended, and only one can read it.
        self._loop.add_reader(self._process.sentinel, self._end)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    @property
    def pid(self) -> int:
        """Its id, for what the operating system can do to it."""
        return self._process.pid or 0

    async def ended(self) -> int:
        """Wait for its end, and give back its exit code; a signal is a negative one."""
        return await asyncio.shield(self._ended)

    def _end(self) -> None:
        self._loop.remove_reader(self._process.sentinel)
        self._process.join()
        self._ended.set_result(self._process.exitcode or 0)

    async def kill(self) -> None:
        """Kill it as a power cut would."""
        self._process.kill()
        await self.ended()

    async def stop(self) -> int:
        """Ask it to stop, as a supervisor does, and give back its exit code."""
        self._process.terminate()
        return await self.ended()


class Supervisor:
    """Runs the bot as a process and starts it again whenever it dies; `died` are the exit codes of those that did.

    The processes have a failpoint each, for as long as there are any; an empty one is none.
    """

    def __init__(self, world: World, failpoints: Iterable[str] = (), **changes: Any) -> None:
        world.slack.socket_mode.ack_timeout = 0.3
        self.died: list[int] = []
        self._failpoints = iter(failpoints)
        self._new_process = partial(BotProcess, world, **changes)
        self._process = self._start()
        self._watching = asyncio.create_task(self._watch())

    async def kill(self) -> None:
        """Kill the process that runs now."""
        await self._process.kill()

    async def spare(self) -> None:
        """Kill the process that runs now, and let the next one live."""
        self._failpoints = iter(())
        await self.kill()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)
        assert await self._process.stop() in STOPPED

    def _start(self) -> BotProcess:
        failpoint = next(self._failpoints, None)
        return self._new_process(BOT_FAILPOINT=failpoint) if failpoint else self._new_process()

    async def _watch(self) -> None:
        while True:
            self.died.append(await self._process.ended())
            self._process = self._start()


async def think(request: Request) -> Answer:
    """Answer as a model would that is asked where an order is, or for a refund, in a message that ends in its id."""
    asked = heard(request)[-1].partition(QUOTED)[0]
    last = next(m["role"] for m in reversed(request.messages) if m["role"] != "system")
    if last == "tool":
        return Answer(f"That was “{asked}”.")
    order_id, amount = asked.split()[-1], re.search(r"\$([\d.]+)", asked)
    if "refund" in asked:
        return refund_of(order_id, float(amount[1]) if amount else None)
    return status_of(order_id)


async def approve(world: World, card: Message, person: str = SAM) -> None:
    """Press the button that says yes until the card is settled, as somebody does whose screen says that it failed."""

    def settled() -> bool:
        now = world.workspace.message(card.channel, card.ts)
        return now is not None and not buttons(now)

    async with asyncio.timeout(20):
        while not settled():
            await world.slack.connected()
            await world.workspace.click(person, card.channel, card.ts, "approve_call")
            with suppress(TimeoutError):
                await world.workspace.until(settled, within=0.3)


def check(world: World) -> None:
    """Hold what is promised, whatever has happened: once each, all settled, the shop's ledger equal to the log's."""
    assert {row["status"] for row in world.rows("SELECT status FROM inbox")} <= {"done", "failed"}
    assert {row["status"] for row in world.rows("SELECT status FROM outbox")} <= {"sent", "failed"}
    posted = [message.metadata["event_payload"]["id"] for message in world.workspace.messages if message.metadata]
    assert not [post for post, count in Counter(posted).items() if count > 1], "a post stands twice"
    ledger = world.rows("SELECT idempotency_key AS key FROM refunds WHERE idempotency_key NOT LIKE 'sample:%'")
    log = world.rows("SELECT 'support-bot:' || id AS key FROM tool_calls WHERE gated AND status = 'succeeded'")
    assert sorted(row["key"] for row in ledger) == sorted(row["key"] for row in log)
    over = """SELECT order_id FROM refunds JOIN orders ON orders.id = order_id
              GROUP BY order_id HAVING sum(amount_minor) > total_minor"""
    assert world.rows(over) == []
    cards = "SELECT o.channel, o.ts FROM outbox o JOIN tool_calls c ON c.id = call_id WHERE replaces IS NULL AND {}"
    for row in world.rows(cards.format("c.status NOT IN ('pending', 'running', 'unknown')")):
        card = world.workspace.message(row["channel"], row["ts"])
        assert card
        assert not buttons(card), "a card of a decided request has buttons"
