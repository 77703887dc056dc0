"""What a PostgreSQL server can do to the bot: be slow, be gone, be full, lose connections, pass nothing on."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from bot.settings import PostgresUrl, Settings
from bot.store.errors import DatabaseError
from bot.store.hints import Hints
from bot.store.opening import OpenDatabase, joined, open_database
from bot.store.postgres.database import BEGIN, MAX_CONNECTIONS, PostgresDatabase
from bot.store.postgres.listening import listen
from bot.store.postgres.transaction import in_postgres, locking
from bot.store.records import ThreadId
from bot.store.store import Store
from bot.store.tables.retries import Retries
from bot.store.tables.store import open_store
from tests.postgres import PostgresServer, waiting
from tests.store.rows import ANSWER, BEN, SAM, THREAD, message, park, post, take
from tests.store.wire import Wire

FULL = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full', HINT = 'Check it.'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON inbox EXECUTE FUNCTION full_disk()"""


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    """Make a database on the server."""
    return postgres.new_database()


@pytest.fixture
async def wire(url: str) -> AsyncIterator[Wire]:
    """Put a wire between it and the bot."""
    with tempfile.TemporaryDirectory(prefix="wire-") as folder:
        one = Wire(url, Path(folder))
        async with one.serving():
            yield one


@pytest.fixture
async def database(wire: Wire) -> AsyncIterator[OpenDatabase]:
    """Open the database over the wire."""
    async with open_database(PostgresUrl(wire.url)) as opened:
        yield opened
        wire.dead, wire.delay = False, 0.0


@pytest.fixture
async def store(database: OpenDatabase) -> AsyncIterator[Store]:
    """Open the store over the wire."""
    async with joined(database, 60) as member:
        yield open_store(database.tables, member.leases)


def lose_connections(url: str) -> None:
    """End every connection from the server's side, as a restart does."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid != pg_backend_pid()"""
        )


@pytest.mark.parametrize("how", ["cut", "ended by the server"])
async def test_connections_are_lost(store: Store, wire: Wire, url: str, how: str) -> None:
    """When all connections are lost at once what is asked for next is done all the same, on new ones."""
    taken = await take(store)
    if how == "cut":
        wire.cut()
    else:
        await asyncio.to_thread(lose_connections, url)
    assert await store.inbox.receive(message("2.0", BEN), addressed=False, mentioned=False)
    assert await store.conversations.finish(taken, ANSWER, [post()])


async def test_server_is_gone(store: Store, wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """While the server is gone nothing is acked and the operator reads it once; when it is back all goes on."""
    wire.dead = True
    wire.cut()
    for _ in range(2):
        with pytest.raises(DatabaseError):
            await store.inbox.receive(message(), addressed=True, mentioned=True)
    assert caplog.text.count("does not take writes") == 1
    wire.dead = False
    async with asyncio.timeout(20):
        while True:
            try:
                assert await store.inbox.receive(message(), addressed=True, mentioned=True)
                break
            except DatabaseError:
                continue
    assert caplog.text.count("takes writes again") == 1


async def test_server_is_mute(wire: Wire) -> None:
    """A server that hangs and keeps its connections is given up, and what is asked for later is done on new ones."""
    database = PostgresDatabase(wire.url, answer_seconds=0.3)
    await database.open()
    await database.read(lambda db: db.query("SELECT 1"))
    wire.mute = True
    with pytest.raises(DatabaseError, match="did not take it"):
        await database.commit(lambda db: db.query("SELECT 1"))
    wire.mute = False
    async with asyncio.timeout(20):
        while True:
            try:
                assert await database.commit(lambda db: db.query("SELECT 1 AS one")) == [{"one": 1}]
                break
            except DatabaseError:
                continue
    await database.close()


async def test_full(store: Store, url: str, caplog: pytest.LogCaptureFixture) -> None:
    """A server without room takes nothing, nothing is half written, and with room again all goes on."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FULL.encode())
        with pytest.raises(DatabaseError, match="could not extend file"):
            await store.inbox.receive(message(), addressed=True, mentioned=True)
        assert connection.execute("SELECT 1 FROM threads").fetchall() == []
        connection.execute("DROP TRIGGER full_disk ON inbox")
    (told,) = caplog.messages
    assert "does not take writes: could not extend file HINT: Check it." in told
    assert len(told.splitlines()) == 1
    assert await store.inbox.receive(message(), addressed=True, mentioned=True)


async def test_slow(store: Store, wire: Wire) -> None:
    """With 50 ms before each query a message is kept in time for Slack, and threads do not wait for each other."""
    wire.delay = 0.05
    loop = asyncio.get_running_loop()
    began = loop.time()
    threads = (replace(message(f"{n}.0"), thread=ThreadId("T", "C", f"{n}.0")) for n in range(4))
    await asyncio.gather(*(store.inbox.receive(one, addressed=True, mentioned=True) for one in threads))
    assert loop.time() - began < 2.5


async def test_hangs_in_the_midst_of_a_transaction(store: Store, url: str) -> None:
    """A process that hangs with a thread's lock in its hands does not keep the others from the thread for long."""
    await take(store)
    with closing(psycopg.connect(url, autocommit=True)) as hanging:
        hanging.execute(BEGIN.replace(b"session_timeout = '5s'", b"session_timeout = '300ms'"))
        hanging.execute(locking(THREAD.key))
        assert await store.inbox.receive(message("2.0", BEN), addressed=False, mentioned=False)
        with pytest.raises(psycopg.Error, match="idle-in-transaction"):
            hanging.execute("SELECT 1")


async def test_pause_beside_a_claim(store: Store, url: str) -> None:
    """A pause waits for the claim that is being taken, so that none is taken after it."""
    call = await park(store)
    with psycopg.connect(url) as holding, psycopg.connect(url, autocommit=True) as looking:
        holding.execute("SELECT 1 FROM tool_calls FOR UPDATE")
        claiming = asyncio.create_task(store.approval_requests.claim(call, SAM))
        await waiting(looking, 1)
        pausing = asyncio.create_task(store.admin.pause())
        await waiting(looking, 2)
        holding.rollback()
        assert await claiming
        await pausing
    assert await store.admin.is_paused()


async def test_sign_of_life_beside_much_work(database: OpenDatabase, url: str) -> None:
    """However much waits for the server, or for locks of others, a process gives its sign of life in time."""
    threads = [replace(message(f"{n}.0"), thread=ThreadId("T", "C", f"{n}.0")) for n in range(MAX_CONNECTIONS + 4)]
    async with joined(database, 60) as member:
        store = open_store(database.tables, member.leases)
        with psycopg.connect(url) as holding, psycopg.connect(url, autocommit=True) as looking:
            for one in threads:
                holding.execute(locking(one.thread.key))
            kept = asyncio.gather(*(store.inbox.receive(one, addressed=True, mentioned=True) for one in threads))
            await waiting(looking, MAX_CONNECTIONS)
            async with asyncio.timeout(2):  # before the messages that wait are given up
                await member.leases.renew()
            holding.rollback()
            assert len(await kept) == len(threads)


async def test_hint(database: OpenDatabase, url: str) -> None:
    """What any process may take up is hinted to all of them once it is written, so that nobody waits for long."""
    async with joined(database, 60) as member:
        store = open_store(database.tables, member.leases)
        await store.conversations.finish(await take(store), ANSWER, [], error="abcdef12: broken")
        await heard(member.hints)
        async with open_database(PostgresUrl(url)) as beside:
            await Retries(beside.tables).retry("abcdef12", by="operator")
        async with asyncio.timeout(10):  # before anybody would look by themselves
            await member.hints.wait()
        assert list(await store.inbox.waiting_threads()) == [THREAD]


async def heard(hints: Hints) -> None:
    """Wait until it is known that hints are heard, and until what was said before is over."""
    async with asyncio.timeout(20):
        await hints.wait()
        await hints.known.wait()


@pytest.mark.parametrize("deaf", [False, True])
async def test_listener(wire: Wire, deaf: bool) -> None:  # noqa: FBT001 - a parameter
    """Behind a pooler that passes no notification on, it is known that hints are not heard."""
    wire.deaf = deaf
    database = PostgresDatabase(wire.url)
    await database.open()
    hints = Hints()
    listening = asyncio.create_task(listen(database, hints, "abc"))
    async with asyncio.timeout(20):
        await hints.known.wait()
    assert hints.heard is not deaf
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await database.close()


def test_address_without_password() -> None:
    """What is shown of an address has no password in it."""
    settings = Settings(
        _env_file=None, slack_bot_token="xoxb-1", BOT_DATABASE="postgresql://bot:hunter2@db.example.com:5433/support"
    )
    assert str(settings.database) == "postgresql://db.example.com:5433/support"
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT ? WHERE user = ?", 'SELECT %s WHERE "user" = %s'),
        (
            "SELECT 'user?' LIKE '%_@_%' AND a.user IS ?",
            "SELECT 'user?' LIKE '%%_@_%%' AND a.\"user\" IS NOT DISTINCT FROM %s",
        ),
        ("SELECT :id, '12:30', x::text", "SELECT %(id)s, '12:30', x::text"),
    ],
)
def test_words(sql: str, expected: str) -> None:
    """The tables' SQL is worded for PostgreSQL outside of what is quoted."""
    assert in_postgres(sql).decode() == expected
