"""Several processes on one database, and a database that does not do as it is told."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
from sqlite_utils import Database

from bot.shop import sample as sample_shop
from bot.shop.changes import Refund, RefundReason
from bot.shop.money import Money
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite import SqliteShop, shop_migrations
from bot.store.calls import Conversation
from bot.store.errors import DatabaseError, LostLeaseError
from bot.store.records import InboxMessage, ThreadId
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.leases import Leases
from bot.store.sqlite.migrations import bot_migrations
from bot.store.tables.store import open_store
from bot.testing.openai import Answer, Request
from tests.stories.test_crashes import tamper
from tests.world import ANA, BEN, ON_BOTH_STORES, SUPPORT, World, heard, refund_of, shown, status_of


def message(ts: str = "1.0") -> InboxMessage:
    """Make a message that somebody sent."""
    return InboxMessage(ThreadId("T", "C", "1.0"), ts, ANA, "hello", "T")


class Process:
    """One of the processes that share a database, by the parts of it that meet there."""

    def __init__(self, path: Path, lease_seconds: float) -> None:
        self.database = DatabaseThread(path, bot_migrations, shop_migrations)
        self.leases = Leases(self.database, lease_seconds)

    async def __aenter__(self) -> Self:
        await self.database.open()
        await self.leases.join()
        self.store = open_store(self.database, self.leases)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leases.leave()
        await self.database.close()


async def test_reply_between_two_late_mentions(tmp_path: Path) -> None:
    """A reply is for us when the mention before it comes last of all, after another one that has opened the thread."""
    async with Process(tmp_path / "support.db", 60) as process:
        receive = process.store.inbox.receive
        assert not await receive(message("2.0"), addressed=False, mentioned=False)
        assert await receive(message("3.0"), addressed=True, mentioned=True)
        assert await receive(message("1.0"), addressed=True, mentioned=True)
        rows = await process.database.commit(lambda db: list(db.query("SELECT ts, status FROM inbox ORDER BY ts")))
    assert [(row["ts"], row["status"]) for row in rows] == [("1.0", "waiting"), ("2.0", "waiting"), ("3.0", "running")]


@ON_BOTH_STORES
async def test_two_bots_share_the_work(world: World) -> None:
    """Two bots on one database answer every message once, each thread in order, one run at a time."""
    running: dict[str, int] = {}

    async def answer(request: Request) -> Answer:
        topic = request.messages[1]["content"].split()[-1]
        running[topic] = running.get(topic, 0) + 1
        assert running[topic] == 1
        await asyncio.sleep(0.01)
        running[topic] -= 1
        return Answer(f"{len(heard(request))} so far")

    world.think = answer
    async with world.bot(BOT_DIRECT_MESSAGE_MINUTES=0), world.bot(BOT_DIRECT_MESSAGE_MINUTES=0):
        await world.slack.connected(2)
        first = [
            await world.says(ANA, f"@bot question {number}", channel, copies=2)
            for number, channel in enumerate((SUPPORT, SUPPORT, "D0ANA", "D0ANA"))
        ]
        for _ in range(2):
            for number, question in enumerate(first):
                await world.says(ANA, f"and more of {number}", question.channel, thread_ts=question.ts, copies=2)
        for question in first:
            await world.workspace.until(
                lambda question=question: any(  # type: ignore[misc]  # mypy does not infer a lambda with a default
                    "3 so far" in shown(reply) for reply in world.workspace.replies_of_bot(question)
                )
            )
    assert {row["status"] for row in world.rows("SELECT status FROM inbox")} == {"done"}
    answered = world.rows("SELECT count(*) AS n FROM messages WHERE role = 'assistant'")[0]["n"]
    assert len([m for m in world.workspace.messages if m.user == "U0BOT"]) == answered


@pytest.mark.sqlite_file
async def test_dead_process_beside_a_living_one(world: World) -> None:
    """What a process had in its hands when it died is taken over by another one when its lease is over."""
    world.script += [status_of("ORD-10234"), Answer("On its way.")]
    async with world.bot():
        question = await world.says(ANA, "@bot ORD-10234?")
        await world.replies(question)
    tamper(world, "UPDATE inbox SET status = 'running'")
    tamper(world, "UPDATE threads SET owner = 'another'")
    tamper(world, "DELETE FROM messages WHERE role = 'assistant' AND message LIKE '%On its way%'")
    world.script += [Answer("Still on its way.")]
    async with Process(world.database, 0.5) as other:
        await other.database.commit(lambda db: db.execute("UPDATE processes SET id = 'another'"))
        async with world.bot(BOT_LEASE_SECONDS=0.5):
            assert len(world.workspace.replies_of_bot(question)) == 1
            assert "*Order ORD-10234*" in shown((await world.replies(question, 2))[1])


async def test_slow_process_is_fenced_off(tmp_path: Path) -> None:
    """A process that was taken for dead, and wakes up, writes nothing into the thread that is another's now."""
    path = tmp_path / "support.db"
    async with Process(path, 60) as slow, Process(path, -1) as quick:
        await slow.store.inbox.receive(message(), addressed=True, mentioned=True)
        taken = await slow.store.inbox.next(message().thread)
        assert taken
        assert (await slow.store.conversations.begin(taken)).messages
        taken_over = await quick.store.inbox.next(message().thread)
        assert taken_over
        assert (taken_over.id, taken_over.attempts) == (taken.id, 2)
        for write in (
            slow.store.conversations.begin(taken),
            slow.store.conversations.add_turn(taken.thread, {"role": "assistant", "content": "Late."}, []),
            slow.store.conversations.add_results(taken.thread),
            slow.store.conversations.finish(taken, None, []),
        ):
            with pytest.raises(LostLeaseError):
                await write
        await quick.store.conversations.finish(taken_over, {"role": "assistant", "content": "In time."}, [])
        assert await slow.store.inbox.next(taken.thread) is None


async def test_thread_in_other_hands_is_left_alone(tmp_path: Path) -> None:
    """A thread that a living process works on is not taken, and is free at once when that process has ended."""
    path = tmp_path / "support.db"
    async with Process(path, 60) as second:
        async with Process(path, 60) as first:
            assert not first.leases.alone
            await first.store.inbox.receive(message(), addressed=True, mentioned=True)
            assert await first.store.inbox.next(message().thread)
            assert await second.store.inbox.next(message().thread) is None
            assert await second.store.inbox.waiting_threads() == {}
        assert list(await second.store.inbox.waiting_threads()) == [message().thread]
        assert await second.store.inbox.next(message().thread)


async def test_older_message_of_somebody_else_after_a_crash(tmp_path: Path) -> None:
    """A run that was cut off goes on before what somebody else wrote earlier and reached us later; each is answered."""
    path = tmp_path / "support.db"
    first, late = replace(message("2.0"), user=ANA), replace(message("1.0"), user=BEN)
    async with Process(path, 60) as dying:
        await dying.store.inbox.receive(first, addressed=True, mentioned=True)
        begun = await dying.store.inbox.next(first.thread)
        assert begun
        await dying.store.conversations.begin(begun)
    async with Process(path, 60) as next_one:
        await next_one.store.inbox.receive(late, addressed=True, mentioned=True)
        for ts in ("2.0", "1.0"):
            taken = await next_one.store.inbox.next(first.thread)
            assert taken
            assert taken.ts == ts
            await next_one.store.conversations.begin(taken)
            await next_one.store.conversations.finish(taken, {"role": "assistant", "content": "Here you are."}, [])
        assert await next_one.store.inbox.next(first.thread) is None


async def test_alone_after_a_crash(tmp_path: Path) -> None:
    """A process that starts alone waits for no lease of a dead one."""
    path = tmp_path / "support.db"
    async with Process(path, 60) as dying:
        await dying.store.inbox.receive(message(), addressed=True, mentioned=True)
        assert await dying.store.inbox.next(message().thread)
        (left_behind,) = await dying.database.commit(lambda db: list(db.query("SELECT * FROM processes")))
    async with Process(path, 60) as next_one:
        await next_one.database.commit(lambda db: db.table("processes").insert(left_behind))
        assert await next_one.store.inbox.next(message().thread) is None
    async with Process(path, 60) as last:
        assert last.leases.alone
        assert await last.store.inbox.next(message().thread)


async def test_taken_before_an_earlier_one_arrived(tmp_path: Path) -> None:
    """A message that was taken when an earlier one of somebody else arrives is answered first, and neither is lost."""
    late, early = message(), replace(message(), ts="0.5", user=BEN)
    for crashed in (False, True):
        async with Process(tmp_path / f"{crashed}.db", 60) as one:
            for each in (late, early):
                assert await one.store.inbox.receive(each, addressed=True, mentioned=True)
            if not crashed:
                await answer_both(one)
        if crashed:
            async with Process(tmp_path / f"{crashed}.db", 60) as another:
                await answer_both(another)


async def answer_both(process: Process) -> None:
    """Answer what waits in the thread, and see that it was Ana's message and then Ben's."""
    for user, more in ((ANA, True), (BEN, False)):
        taken = await process.store.inbox.next(message().thread)
        assert taken
        assert taken.user == user
        assert (await process.store.conversations.begin(taken)).said_by(user)
        assert await process.store.conversations.finish(taken, {"role": "assistant", "content": "Yes."}, []) is more
    assert await process.store.inbox.next(message().thread) is None


async def test_found_after_a_long_outage(world: World) -> None:
    """A message found late is answered with the question whether it is still needed; a yes goes on from there."""
    model = world.hold_model()
    async with world.bot(BOT_STOP_SECONDS=0.1):
        question = await world.says(ANA, "@bot refund ORD-10188, broken")
        await model.reached.wait()
    world.think = None
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot(BOT_STALE_MINUTES=1e-6):
        (asked,) = await world.replies(question)
        assert "Is it still needed?" in shown(asked)
    assert len(world.asked) == 1
    assert world.rows("SELECT 1 FROM tool_calls") == []
    async with world.bot():
        await world.says(ANA, "yes", thread_ts=question.ts)
        await world.card(question)
    said = [(m["role"], m["content"]) for m in world.asked[1].messages[1:]]
    assert [role for role, _ in said] == ["user", "assistant", "user"]
    assert heard(world.asked[1])[0] == "refund ORD-10188, broken"


async def test_run_that_is_cut_off_between_tools_leaves_a_sound_thread(world: World) -> None:
    """When a run takes too long in the middle of its calls, each of them is answered before the thread goes on."""
    world.script += [status_of("ORD-10234"), Answer("Here I am.")]
    async with world.bot(BOT_RUN_TIMEOUT_SECONDS=1.5):
        question = await world.says(ANA, "@bot hello")
        hang = world.workspace.faults.hang("users.info")
        await world.replies(question)
        hang.release()
        await world.says(ANA, "again?", thread_ts=question.ts)
        await world.replies(question, 2)
    roles = [message["role"] for message in world.asked[-1].messages]
    assert roles.count("tool") == sum(len(m.get("tool_calls", ())) for m in world.asked[-1].messages)


@pytest.mark.sqlite_file
async def test_run_whose_time_is_over_while_its_end_is_written(world: World) -> None:
    """A run that ends on a slow disk has ended once, and what is written to the thread meanwhile is answered."""
    loop, ending = asyncio.get_running_loop(), asyncio.Event()

    def be_slow() -> None:
        loop.call_soon_threadsafe(ending.set)
        threading.Event().wait(1.0)

    def open_shop(database: DatabaseThread) -> SqliteShop:
        database.enqueue(lambda db: db.register_function(be_slow))
        return SqliteShop(database)

    world.write("CREATE TRIGGER slow AFTER UPDATE OF finished_at ON inbox WHEN NEW.id = 1 BEGIN SELECT be_slow(); END")
    world.script += [Answer("One."), Answer("Two.")]
    async with world.bot(open_shop=open_shop, BOT_RUN_TIMEOUT_SECONDS=1.0):
        question = await world.says(ANA, "@bot hello")
        await ending.wait()
        await world.says(BEN, "and me?", thread_ts=question.ts)
        await world.replies(question, 2)
    assert [shown(reply) for reply in world.workspace.replies_of_bot(question)] == ["One.", "Two."]


@pytest.mark.sqlite_file
async def test_locked_database(world: World) -> None:
    """While the database takes no writes there is no ack; Slack comes again, and then the message is answered once."""
    world.script += [Answer("Hello.")]
    world.slack.socket_mode.ack_timeout = 0.1
    async with world.bot():
        with closing(sqlite3.connect(world.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            question = await world.says(ANA, "@bot hello", order=("app_mention",))
            refused = await world.workspace.until(
                lambda: next((delivery for delivery in world.workspace.deliveries if delivery.acked is not None), None)
            )
            other.execute("ROLLBACK")
        assert refused.acked is False
        world.workspace.announce(question)
        await world.replies(question)
    assert [shown(reply) for reply in world.workspace.replies_of_bot(question)] == ["Hello."]


async def test_full_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A full disk is one clear line for the operator; nothing is half written, and with room again all goes on."""
    large = InboxMessage(ThreadId("T", "C", "1.0"), "1.0", ANA, "x" * 1_000_000, "T")
    async with Process(tmp_path / "support.db", 60) as process:
        await process.database.commit(lambda db: db.execute("PRAGMA max_page_count = 100"))
        writes = (process.store.inbox.receive(large, addressed=True, mentioned=True) for _ in range(3))
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert all(isinstance(result, DatabaseError) for result in results)
        assert caplog.text.count("does not take writes") == 1
        assert "full" in caplog.text
        assert await process.database.commit(lambda db: db.execute("SELECT 1 FROM threads").fetchall()) == []
        await process.database.commit(lambda db: db.execute("PRAGMA max_page_count = 1000000"))
        assert await process.store.inbox.receive(large, addressed=True, mentioned=True)
        assert "takes writes again" in caplog.text


def spoil(db: Database) -> None:
    """Write what the database takes, but not at the end of the transaction, with whatever else is in that."""
    db.execute("PRAGMA defer_foreign_keys = ON")
    db.execute(
        """INSERT INTO messages (team, channel, thread_ts, role, message, inbox_id, created_at)
           VALUES ('T', 'C', '0', 'user', '{}', -1, '')"""
    )


async def test_early_result_that_was_not_written(tmp_path: Path) -> None:
    """When what a run was told early is not written after all, nothing is built on it, and the run begins again."""
    async with Process(tmp_path / "support.db", 60) as one:
        history, item = one.store.conversations, {"role": "assistant", "content": "Yes."}
        await one.store.inbox.receive(message(), addressed=True, mentioned=True)
        taken = await one.store.inbox.next(message().thread)
        assert taken
        told, spoilt = await asyncio.gather(history.begin(taken), one.database.commit(spoil), return_exceptions=True)
        assert isinstance(told, Conversation)
        assert isinstance(spoilt, DatabaseError)
        for write in (history.add_turn(taken.thread, item, []), history.finish(taken, item, [])):
            with pytest.raises(DatabaseError, match="not written"):
                await write
        assert (await history.begin(taken)).said_by(ANA)
        assert await history.finish(taken, item, []) is False


async def test_read_only_database(database: DatabaseThread, caplog: pytest.LogCaptureFixture) -> None:
    """A file that cannot be written is one clear line for the operator."""
    await database.commit(lambda db: db.execute("PRAGMA query_only = ON"))
    with pytest.raises(DatabaseError, match="readonly"):
        await database.commit(lambda db: db.execute("DELETE FROM orders"))
    assert "does not take writes: attempt to write a readonly database" in caplog.text


async def test_corrupted_file(tmp_path: Path) -> None:
    """A file that is no database stops the start with words that name it, and stays as it is."""
    path = tmp_path / "support.db"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(DatabaseError, match=r"support\.db cannot be opened: file is not a database"):
        await DatabaseThread(path, bot_migrations, shop_migrations).open()
    assert path.read_bytes() == b"not a database" * 1000


async def test_newer_file(tmp_path: Path) -> None:
    """A file that a newer version has written is refused in words, and stays as it is."""
    path = tmp_path / "support.db"
    newer = DatabaseThread(path, bot_migrations, shop_migrations)
    await newer.open()
    await newer.commit(
        lambda db: db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('bot', 'x', '')"
        )
    )
    await newer.close()
    with pytest.raises(DatabaseError, match=r"support\.db was written by a newer version of the bot \(bot: x\)"):
        await DatabaseThread(path, bot_migrations, shop_migrations).open()


async def test_nobody_waits_any_more(database: DatabaseThread) -> None:
    """What nobody waits for any more when a locked database is free again is not done."""
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        first = asyncio.ensure_future(database.commit(lambda db: db.execute("SELECT 1").fetchone()))
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(database.commit(lambda db: db.execute("DELETE FROM payments")), 0.05)
        other.execute("ROLLBACK")
    assert await first == (1,)
    assert await database.commit(lambda db: db.execute("SELECT count(*) > 0 FROM refunds").fetchone()) == (1,)


async def test_approvals_in_two_processes_never_exceed_what_was_paid(tmp_path: Path) -> None:
    """However many refunds of one order are made side by side in two processes, never more goes back than was paid."""
    path = tmp_path / "support.db"

    async def refund(shop: SqliteShop, key: str) -> Any:
        change = Refund("ORD-10188", RefundReason.DEFECTIVE, Money(1500))
        while True:
            try:
                return await shop.apply(change, await shop.quote(change), key=key)
            except ShopRefusedError as error:
                if "as it was shown" not in str(error):  # another one was faster, so it is quoted again
                    return error

    async with Process(path, 60) as one, Process(path, 60) as two:
        await sample_shop.fill(one.database)
        shops = SqliteShop(one.database), SqliteShop(two.database)
        made = await asyncio.gather(*(refund(shop, f"key {n % 20}") for n in range(40) for shop in shops))
        order = await shops[1].order("ORD-10188")
    assert order
    assert order.refunded == Money(3000)
    assert len({refund.id for refund in made if not isinstance(refund, ShopRefusedError)}) == 2
