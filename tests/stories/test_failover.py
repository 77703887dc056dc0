"""A PostgreSQL that is lost: its standby is promoted, the bot finds it by its address, and nothing is done twice."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from bot.testing.openai import Answer
from tests.postgres import serving, standby_of
from tests.process import check
from tests.world import ANA, SAM, open_world, refund_of

ONLY_WRITABLE = "&target_session_attrs=read-write"


def host(url: str) -> str:
    """Return the folder of a server's socket."""
    return str(conninfo.conninfo_to_dict(url)["host"])


@dataclass(frozen=True, slots=True)
class Pair:
    """A server and its standby, which has all that was committed there."""

    first: str
    second: str

    @property
    def address(self) -> str:
        """How whichever of the two takes writes is reached."""
        return self.first.replace(host(self.first), f"{host(self.first)},{host(self.second)}") + ONLY_WRITABLE

    def lose_first(self) -> None:
        """Kill the first server at once, and promote the second."""
        data = Path(host(self.first))  # where its socket is, too
        os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        with psycopg.connect(self.second, autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Run both, short of a disk that is waited for."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pair-")))
        first = stack.enter_context(serving(folder / "1"))
        second = stack.enter_context(standby_of(first, folder / "2"))
        place = first.new_database()
        yield Pair(place, place.replace(host(place), host(second)))


async def test_server_is_lost(tmp_path: Path, pair: Pair) -> None:
    """What was asked for before is approved after, once; what was said meanwhile is answered, once."""
    async with open_world(tmp_path, pair.address) as world:
        world.script += [refund_of("ORD-10188"), Answer("I have asked for it."), Answer("Hello.")]
        async with world.bot():
            question = await world.says(ANA, "@bot refund ORD-10188")
            card = await world.card(question)
            await world.replies(question, 2)
            pair.lose_first()
            world.slack.socket_mode.retry_delays = (0.1,) * 100
            other = await world.says(SAM, "@bot hello", order=("app_mention",))
            await world.workspace.until(lambda: world.workspace.replies_of_bot(other), within=30)
            assert await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
            await world.settled(card)
        assert world.refunds() == [("ORD-10188", 4200)]
        assert len(world.workspace.replies_of_bot(other)) == 1
        check(world)
