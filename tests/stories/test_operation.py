"""The process as a supervisor sees it: it tells how it is, keeps its connection, and ends as it is told."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import aiohttp
import pytest

from bot.app import running
from bot.slack.client import StartError
from bot.slack.connection import ConnectionLostError
from bot.store.errors import StillOpenError
from bot.store.overviews import Erased
from bot.store.records import InboxMessage, ThreadId
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.leases import Leases
from bot.store.sqlite.migrations import bot_migrations
from bot.store.tables.erasure import Erasure
from bot.store.tables.inbox import Inbox
from bot.testing.openai import Answer
from bot.testing.slack.workspace import Channel
from tests.process import BotProcess
from tests.stories.test_http import http_bot
from tests.world import ANA, BEN, ON_BOTH_STORES, SAM, World, free_port, refund_of, shown, status_of


async def asked(url: str) -> tuple[int, dict[str, Any]]:
    """Ask one of the two addresses."""
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.json()


async def test_health_with_socket_mode(world: World) -> None:
    """With BOT_HEALTH_PORT a supervisor learns that Slack is heard, the database writes and nothing waits."""
    port = free_port()
    async with world.bot(BOT_HEALTH_PORT=port):
        status, told = await asked(f"http://127.0.0.1:{port}/healthz")
        assert status == 200
        assert told["seconds_since_slack_was_heard"] < 5
        assert told["seconds_oldest_message_waits"] == 0
        assert await asked(f"http://127.0.0.1:{port}/readyz") == (200, {"ready": True, "faults": [], "trouble": []})


async def test_health_over_http(world: World) -> None:
    """In HTTP mode both addresses are on the port of the events."""
    async with http_bot(world) as url:
        for path in ("/healthz", "/readyz"):
            assert (await asked(url.replace("/slack/events", path)))[0] == 200


async def test_health_apart_from_the_events(world: World) -> None:
    """With BOT_HEALTH_PORT the port of the events, which is open to the world, serves nothing but them."""
    port = free_port()
    async with http_bot(world, BOT_HEALTH_PORT=port) as url:
        assert (await asked(f"http://127.0.0.1:{port}/healthz"))[0] == 200
        async with aiohttp.ClientSession() as session:
            for path in ("/healthz", "/readyz", "/metrics"):
                async with session.get(url.replace("/slack/events", path)) as response:
                    assert response.status == 404


async def test_health_writes_nothing(world: World) -> None:
    """However often a supervisor asks, no byte is written for it."""
    port = free_port()
    log = world.database.with_name(f"{world.database.name}-wal")
    async with world.bot(BOT_HEALTH_PORT=port, BOT_LEASE_SECONDS=600, BOT_SWEEP_SECONDS=600):
        before = (log.read_bytes(), world.database.read_bytes())
        for path in ("readyz", "healthz") * 50:
            assert (await asked(f"http://127.0.0.1:{port}/{path}"))[0] == 200
        assert (log.read_bytes(), world.database.read_bytes()) == before


async def test_oldest_message(world: World) -> None:
    """While a message waits for its answer, the address tells for how long."""
    model = world.hold_model()
    port = free_port()
    async with world.bot(BOT_HEALTH_PORT=port):
        question = await world.says(ANA, "@bot hello")
        await model.reached.wait()
        _, told = await asked(f"http://127.0.0.1:{port}/healthz")
        assert told["seconds_oldest_message_waits"] > 0
        model.release()
        await world.replies(question)


async def test_silent_connection(world: World) -> None:
    """A connection that stays open and says nothing any more is noticed and replaced, and nothing is lost."""
    world.script += [Answer("Hello.")]
    async with world.bot(BOT_SILENCE_SECONDS=0.8):
        world.slack.socket_mode.mute()
        question = await world.says(ANA, "@bot hello")
        (answer,) = await world.replies(question)
    assert shown(answer) == "Hello."


async def test_cut_connection(world: World) -> None:
    """A connection that is cut without a word is replaced at once, and not when its next ping would have been due."""
    world.script += [Answer("Hello.")]
    async with running(world.settings()) as connection:
        watch = asyncio.create_task(connection.lost())
        await world.slack.connected()
        world.slack.socket_mode.close_abruptly()
        async with asyncio.timeout(8):  # the ping would be due after ten seconds
            await world.replies(await world.says(ANA, "@bot hello"))
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


@pytest.mark.sqlite_file
async def test_cut_before_the_ack(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """An ack that finds its connection cut is a line and no error: Slack sends it again, and the answer comes once."""
    world.script += [Answer("Hello.")]
    world.slack.socket_mode.ack_timeout = 0.1
    caplog.set_level("INFO", "bot.slack.connection")
    async with running(world.settings()) as connection:
        watch = asyncio.create_task(connection.lost())
        await world.slack.connected()
        with closing(sqlite3.connect(world.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            question = await world.says(ANA, "@bot hello", order=("app_mention",))
            await world.workspace.until(lambda: world.workspace.deliveries[-1].acked is not None)
            world.slack.socket_mode.close_abruptly()
            other.execute("ROLLBACK")
        await world.slack.connected()
        world.workspace.announce(question)
        await world.replies(question)
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
    assert [shown(reply) for reply in world.workspace.replies_of_bot(question)] == ["Hello."]
    assert "lost before the ack; Slack sends it again" in caplog.text
    assert [record for record in caplog.records if record.exc_info] == []


async def test_slack_is_gone(world: World) -> None:
    """When no new connection can be made either, the watch says so, for the process to end and be started again."""
    async with running(world.settings(BOT_SILENCE_SECONDS=0.2)) as connection:
        await world.slack.connected()
        await world.slack.__aexit__(None, None, None)
        with pytest.raises(ConnectionLostError, match="connecting again did not help"):
            await connection.lost()


async def test_not_ready_when_slack_is_silent(world: World) -> None:
    """A bot that does not hear Slack is not ready, and says why."""
    port = free_port()
    async with running(world.settings(BOT_SILENCE_SECONDS=0.2, BOT_HEALTH_PORT=port)) as connection:
        await world.slack.connected()
        await world.slack.__aexit__(None, None, None)
        with pytest.raises(ConnectionLostError):
            await connection.lost()
        status, told = await asked(f"http://127.0.0.1:{port}/readyz")
    assert status == 503
    assert "Slack has been silent" in told["faults"][0]


async def test_stop_lets_work_finish(world: World) -> None:
    """On SIGTERM the bot takes nothing more, finishes what it was asked, says it, and ends with 0."""
    model = world.hold_model()
    process = BotProcess(world)
    await world.slack.connected()
    question = await world.says(ANA, "@bot hello")
    await model.reached.wait()
    stopped = asyncio.create_task(process.stop())
    await world.workspace.until(lambda: world.slack.socket_mode.connections == 0)
    model.release()
    assert await stopped == 0
    assert [shown(reply) for reply in world.workspace.replies_of_bot(question)] == ["Hello."]


async def test_stop_has_a_deadline(world: World) -> None:
    """What is not finished in time is left to the next start, which goes on with it."""
    model = world.hold_model()
    process = BotProcess(world, BOT_STOP_SECONDS=0.2)
    await world.slack.connected()
    question = await world.says(ANA, "@bot hello")
    await model.reached.wait()
    assert await process.stop() == 0
    assert world.workspace.replies_of_bot(question) == []
    world.think = None
    world.script += [Answer("Hello.")]
    async with world.bot():
        await world.replies(question)


async def test_process_ends_when_slack_is_gone(world: World) -> None:
    """A process that Slack does not reach any more ends with an error, for its supervisor to start another."""
    process = BotProcess(world, BOT_SILENCE_SECONDS=0.2)
    await world.slack.connected()
    await world.slack.__aexit__(None, None, None)
    assert await process.ended() == 1


@ON_BOTH_STORES
async def test_forgotten(world: World) -> None:
    """What a person said, and what was said to them, is erased; the refund's row stays, and names nobody."""
    world.script += [status_of("ORD-10188"), refund_of("ORD-10188"), Answer("It is asked for."), Answer("Hello Ben.")]
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot my secret is mauve, refund ORD-10188"))
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
        await world.replies(await world.says(BEN, "@bot hello"))
    async with world.tables() as tables:
        assert await Erasure(tables).forget(ANA) == Erased(1)
        assert await Erasure(tables).forget(SAM) == Erased(0)
        with pytest.raises(Exception, match="a finished tool call does not change"):
            await tables.commit(lambda db: db.execute("UPDATE tool_calls SET summary = 'changed'"))
    (row,) = world.rows("SELECT status, summary, requester, decided_by, card, thread_ts FROM tool_calls")
    assert row == {
        "status": "succeeded",
        "summary": "Refund of $42.00 for ORD-10188: approved by a person and done. "
        "$42.00 for ORD-10188 went back to Visa ending 4242.",
        "requester": "forgotten",
        "decided_by": "forgotten",
        "card": "[]",
        "thread_ts": "forgotten",
    }
    assert len(world.refunds()) == 1
    assert [row["user"] for row in world.rows("SELECT user FROM inbox")] == [BEN]
    left = world.database.read_bytes()
    for secret in (b"mauve", b"U0ANA"):
        assert secret not in left


async def test_forget_waits_for_open_requests(world: World) -> None:
    """Somebody whose request is still open is not forgotten before it is decided."""
    world.script += [refund_of("ORD-10188"), Answer("It is asked for.")]
    async with world.bot():
        await world.card(await world.says(ANA, "@bot refund ORD-10188"))
    async with world.tables() as tables:
        with pytest.raises(StillOpenError, match=r"Refund of \$42.00 for ORD-10188"):
            await Erasure(tables).forget(ANA)
    assert len(world.rows("SELECT 1 FROM inbox")) == 1


@pytest.mark.sqlite_file
async def test_retention(world: World) -> None:
    """With a retention, threads that have been quiet for so long are erased, and others are not."""
    world.script += [Answer("Hello."), Answer("Hello."), refund_of("ORD-10188"), Answer("It is asked for.")]
    async with world.bot():
        for person in (ANA, BEN):
            await world.replies(await world.says(person, "@bot hello"))
        await world.card(await world.says(ANA, "@bot refund ORD-10188"))
    database = DatabaseThread(world.database, bot_migrations)
    await database.open()
    old = "UPDATE inbox SET received_at = '2020-01-01T00:00:00+00:00' WHERE user = ?"
    await database.commit(lambda db: db.execute(old, [ANA]))
    assert await Erasure(database).erase_older_than(30) == Erased(1)
    schema = world.rows("PRAGMA schema_version")
    assert await Erasure(database).erase_older_than(30) == Erased(0)
    assert world.rows("PRAGMA schema_version") == schema, "the guards of the log were lifted for nothing"
    await database.close()
    assert [row["user"] for row in world.rows("SELECT user FROM inbox ORDER BY id")] == [BEN, ANA]
    assert len(world.rows("SELECT 1 FROM tool_calls WHERE status = 'pending'")) == 1


@pytest.mark.parametrize(
    ("channel", "words"), [("C0NOWHERE", "channel_not_found"), ("C0QUIET", "is not in the channel")]
)
async def test_channel_that_the_bot_cannot_reach(world: World, channel: str, words: str) -> None:
    """A channel of the settings that is not there, or that the bot is not in, stops the start with what to do."""
    world.workspace.add(Channel("C0QUIET", "quiet", "channel", frozenset({ANA})))
    with pytest.raises(StartError, match=words):
        async with running(world.settings(BOT_ESCALATION_CHANNEL=channel)):
            pass


async def test_what_nobody_claimed_is_forgotten(database: DatabaseThread) -> None:
    """A reply in a thread that is not the bot's is kept for a while only."""
    leases = Leases(database, 15)
    await leases.join()
    inbox = Inbox(database, leases)
    reply = InboxMessage(ThreadId("T", "C", "1.0"), "2.0", ANA, "lunch?", "T")
    assert not await inbox.receive(reply, addressed=False, mentioned=False)
    counted = "SELECT count(*) FROM inbox"
    await inbox.drop_unclaimed()
    assert (await database.commit(lambda db: db.execute(counted).fetchone()[0])) == 1
    await database.commit(lambda db: db.execute("UPDATE inbox SET received_at = '2026-01-01T00:00:00+00:00'"))
    await inbox.drop_unclaimed()
    assert (await database.commit(lambda db: db.execute(counted).fetchone()[0])) == 0
    await leases.leave()
