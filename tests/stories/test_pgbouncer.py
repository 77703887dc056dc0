"""Replicas behind PgBouncer, which gives each transaction another connection: all holds but the hints."""

import asyncio
import getpass
import os
import shutil
import tempfile
from asyncio.subprocess import DEVNULL, create_subprocess_exec
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
from psycopg import conninfo

from bot.settings import PostgresUrl
from bot.store.postgres.database import CHANNEL
from tests.postgres import MUST_RUN
from tests.process import Supervisor, approve, check, think
from tests.stories.test_soak import SETTINGS, finish
from tests.world import ANA, SAM, World, free_port

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
REPLICAS = 3
CLICKS = 5
CONNECTIONS = {"transaction": 4, "session": 20}
ROOM: dict[str, Any] = SETTINGS | {"BOT_APPROVAL_HOURS": 1, "BOT_MODEL_TIMEOUT_SECONDS": 5}
HEARD = "hints_of_other_processes_are_heard"
pytestmark = [
    pytest.mark.parametrize("world", ["postgres"], indirect=True),
    pytest.mark.skipif(
        PGBOUNCER is None and not os.environ.get(MUST_RUN), reason="PgBouncer is not installed here; CI installs it"
    ),
]


@pytest.fixture
async def pooled(world: World, request: pytest.FixtureRequest) -> AsyncIterator[PostgresUrl]:
    """Run PgBouncer before the world's database, in transaction mode or another that a test names.

    It has fewer connections than replicas want.
    """
    mode = getattr(request, "param", "transaction")
    assert PGBOUNCER, "CI must have PgBouncer"
    parts = conninfo.conninfo_to_dict(world.place)
    with tempfile.TemporaryDirectory(prefix="pgb-") as name:
        port, settings = free_port(), Path(name) / "pgbouncer.ini"
        shutil.copymode("/tmp", name)  # noqa: S108 - so that the user it runs as can read them
        settings.write_text(f"""
            [databases]
            {parts["dbname"]} = host={parts["host"]} user={parts["user"]}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            pool_mode = {mode}
            default_pool_size = {CONNECTIONS[mode]}
            """)
        as_somebody = ["-u", owner(parts)] if getpass.getuser() == "root" else []
        process = await create_subprocess_exec(PGBOUNCER, "-q", *as_somebody, str(settings), stdout=DEVNULL)
        try:
            url = f"postgresql://{parts['user']}@127.0.0.1:{port}/{parts['dbname']}"
            await _answers(url)
            yield PostgresUrl(url)
        finally:
            process.kill()
            await process.wait()


def owner(parts: Mapping[str, Any]) -> str:
    """Return who runs the server; PgBouncer, which does not run as root, can reach its socket as the same one."""
    return Path(str(parts["host"])).owner()


async def _answers(url: str) -> None:
    """Wait until it takes connections."""
    async with asyncio.timeout(20):
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(url):
                    return
            except psycopg.OperationalError:
                await asyncio.sleep(0.05)


async def test_replicas_behind_it(world: World, pooled: PostgresUrl) -> None:
    """Three replicas behind it, one of them killed: many click on a refund, which is made once, and all is answered."""
    world.think = think
    world.deliver_all()
    async with AsyncExitStack() as stack:
        replicas = [
            await stack.enter_async_context(Supervisor(world, BOT_DATABASE=pooled, **ROOM)) for _ in range(REPLICAS)
        ]
        world.slack.socket_mode.retry_delays = (0.1,) * 100
        await world.slack.connected(REPLICAS)
        question = await world.says(ANA, "@bot refund $1.10 of ORD-10188", copies=2)
        card = await world.card(question)
        clicks = [world.workspace.click(SAM, card.channel, card.ts, "approve_call") for _ in range(CLICKS)]
        await asyncio.gather(*clicks, replicas[0].kill(), approve(world, card))
        await world.settled(card)
    await finish(world)
    assert world.refunds() == [("ORD-10188", 110)]
    check(world)


@pytest.mark.parametrize(("pooled", "heard"), [("transaction", False), ("session", True)], indirect=["pooled"])
async def test_it_is_told(world: World, pooled: PostgresUrl, heard: bool) -> None:  # noqa: FBT001 - a parameter
    """`/healthz` tells whether hints of other processes are heard behind it: in session mode they are."""
    port = free_port()
    async with world.bot(BOT_DATABASE=pooled, BOT_HEALTH_PORT=port), aiohttp.ClientSession() as session:
        told: dict[str, Any] = {}
        async with asyncio.timeout(20):
            while HEARD not in told:
                async with session.get(f"http://127.0.0.1:{port}/healthz") as response:
                    told = await response.json()
    assert told[HEARD] is heard


async def test_no_connection_is_left_listening(world: World, pooled: PostgresUrl) -> None:
    """None of its connections to the server is left listening, on which others would be told what is not for them."""
    notices: list[psycopg.Notify] = []
    async with world.bot(BOT_DATABASE=pooled):
        await world.replies(await world.says(ANA, "@bot hello"))
    async with AsyncExitStack() as stack:
        there = []
        for _ in range(CONNECTIONS["transaction"]):
            there.append(await psycopg.AsyncConnection.connect(pooled.get_secret_value()))
            await stack.enter_async_context(there[-1])
            there[-1].add_notify_handler(notices.append)
            await there[-1].execute("SELECT 1")  # from here on it has one of them for itself
        async with await psycopg.AsyncConnection.connect(world.place, autocommit=True) as speaking:
            await speaking.execute(f"NOTIFY {CHANNEL}")
        for one in there:
            await one.commit()
    assert notices == []
