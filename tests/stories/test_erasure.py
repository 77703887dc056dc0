"""What is erased is gone: from every row, wherever it was posted, from the file, and from what lies beside it."""

import json
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database as SqliteUtils

from bot.store.calls import CallStatus
from bot.store.overviews import Erased
from bot.store.records import Post, ThreadId, new_id
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.leases import Leases
from bot.store.sqlite.migrations import bot_migrations
from bot.store.store import Store
from bot.store.tables.seals import verify
from bot.store.tables.store import open_store
from tests.store.rows import ANA, ANSWER, BEN, SAM, message, post, propose, refund, take

ADDRESSES = ["anna@example.net", '"ana b"@example.com', "ana@localhost", "Ana+1@b\u00fccher.example", "ana@[127.0.0.1]"]


@pytest.fixture
async def store(database: DatabaseThread) -> AsyncIterator[Store]:
    """Open the store over a file of its own."""
    leases = Leases(database, 60)
    await leases.join()
    yield open_store(database, leases)
    await leases.leave()


def held(database: DatabaseThread) -> bytes:
    """Read all that is in the database's files."""
    return b"".join(path.read_bytes() for path in database.path.parent.glob(f"{database.path.name}*"))


async def send_all(store: Store) -> None:
    """Mark every post as sent."""
    for channel in await store.outbox.waiting_channels():
        waiting = await store.outbox.next(channel)
        while waiting:
            waiting = await store.outbox.sent(waiting, f"{waiting.id}.0")


@pytest.mark.parametrize("address", ADDRESSES)
async def test_address_of_any_shape(store: Store, database: DatabaseThread, address: str) -> None:
    """A call's address goes with the call, whatever its shape: from its row, its cards, its end and its reminder."""
    wanted = replace(
        refund(),
        arguments=json.dumps({"email": address, "amount": 5}),
        arguments_sent=json.dumps({"email": address}),
        subject=f"customer:{address}",
        summary=f"Deletion of the account {address}",
    )
    (call,) = await propose(store, wanted)
    cards = [post(f"delete {address}?", call.id), post(f"{address}?", call.id, "CAPP")]
    await store.approval_requests.park(call, cards)
    await store.open_requests.remind(call, [post(f"{address} still waits", channel="CAPP")])
    claimed = await store.approval_requests.claim(call, SAM)
    assert claimed
    await store.approval_requests.settle(
        claimed,
        CallStatus.SUCCEEDED,
        f"{wanted.summary}: done",
        redrawn=post(f"done {address}", call.id),
        announcement=post(f"{address} is gone"),
        result=json.dumps({"deleted": address}),
    )
    await store.conversations.finish(await take(store), ANSWER, [], escalation=post(f"help {address}", channel="CTEAM"))
    await send_all(store)
    assert await store.admin.forget(ANA) == Erased(1)
    assert address.encode() not in held(database)
    assert json.dumps(address)[1:-1].encode() not in held(database)
    kept = await store.calls.get(call.id)
    assert kept
    assert (kept.status, kept.summary) == (CallStatus.SUCCEEDED, "Deletion of the account forgotten: done")
    assert json.loads(kept.arguments or "") == {"email": "forgotten", "amount": 5}


@pytest.mark.parametrize("seed", range(2))
async def test_no_byte_is_left(store: Store, database: DatabaseThread, seed: int) -> None:
    """Nothing that was said in an erased thread is in a byte of the files, however rows were moved among pages."""
    words: dict[str, str] = {}
    for number in range(150):
        user = (ANA, BEN, ANA, BEN, BEN)[(number + seed) % 5]
        text = secrets.token_hex((10, 2_500, 60, 500)[(number * 7 + seed + number // 9) % 4])
        words[text] = user
        thread = ThreadId("T", f"C{number % 9}", f"{number}.0")
        await store.inbox.receive(
            replace(message(f"{number}.0", user, text), thread=thread), addressed=True, mentioned=True
        )
        taken = await store.inbox.next(thread)
        assert taken
        await store.conversations.begin(taken)
        said = Post(new_id(), "T", thread.channel, thread.ts, text)
        await store.conversations.finish(taken, {"role": "assistant", "content": text}, [said])
    await send_all(store)
    erased = await store.admin.forget(ANA)
    assert erased == Erased(sum(user == ANA for user in words.values()))
    left = held(database)
    for text, user in words.items():
        assert any(text[at : at + 16].encode() in left for at in range(0, len(text) - 15, 16)) == (user == BEN)


async def test_somebody_reads(store: Store, database: DatabaseThread) -> None:
    """While a program reads the file, the operator hears where erased words are still, and later that they are gone."""
    await store.conversations.finish(await take(store), ANSWER, [])
    with closing(sqlite3.connect(database.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM inbox").fetchall()
        erased = await store.admin.erase_older_than(0)
        assert (erased.threads, "support.db-wal" in (erased.left_in or "")) == (1, True)
        assert (await store.admin.erase_older_than(0)).left_in, "it is told until it is done"
    assert await store.admin.erase_older_than(0) == Erased(0)
    assert b"hello" not in held(database)


async def test_words_about_somebody_elsewhere(store: Store, database: DatabaseThread) -> None:
    """What was posted in other people's threads names a forgotten person no more; a card that waits stays as it is."""
    (call,) = await propose(store, refund())
    await store.approval_requests.park(call, [post(f"only <@{SAM}> may", call.id)])
    await store.conversations.finish(await take(store), ANSWER, [post(f"ask <@{SAM}>")])
    await send_all(store)
    assert await store.admin.forget(SAM) == Erased(0)
    assert [card.text for card in await store.open_requests.cards(call.id)] == [f"only <@{SAM}> may"]
    assert b"ask <@USAM>" not in held(database)


async def test_one_of_two_approvers(store: Store, database: DatabaseThread) -> None:
    """Who was the first of two to approve is forgotten in what is done, and their yes in what still waits."""
    done, waits = await propose(store, refund(), replace(refund(1), subject="order:2"))
    for call in (done, waits):
        await store.approval_requests.park(replace(call, approvals_needed=2), [post("card", call.id)])
        parked = await store.calls.get(call.id)
        assert parked
        assert await store.yeses.first(parked, SAM, lambda _, card: card)
    approved = await store.calls.get(done.id)
    assert approved
    claimed = await store.approval_requests.claim(approved, BEN)
    assert claimed
    redrawn, status = post("done", done.id), CallStatus.SUCCEEDED
    assert await store.approval_requests.settle(claimed, status, "done", redrawn=redrawn, announcement=None)
    await store.conversations.finish(await take(store), ANSWER, [])
    await send_all(store)
    assert await store.admin.forget(SAM) == Erased(0)
    first = [call and call.first_approved_by for call in [await store.calls.get(one.id) for one in (done, waits)]]
    assert first == ["forgotten", None]
    assert (await database.read(verify)).broken == ()


def test_posts_of_an_older_version(tmp_path: Path) -> None:
    """Cards, answers and reminders that an older version posted are known to be about their thread, too."""
    with closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as connection:
        db = SqliteUtils(connection, execute_plugins=False)
        bot_migrations.apply(db, stop_before="one_key_a_thread")
        connection.executescript("""
            INSERT INTO threads (team, channel, ts, started_by, created_at) VALUES ('T', 'C', '1.0', 'U', '');
            INSERT INTO messages (id, team, channel, thread_ts, role, message, created_at)
            VALUES (1, 'T', 'C', '1.0', 'assistant', '{}', '');
            INSERT INTO tool_calls (id, team, channel, thread_ts, tool, status, requester, arguments_sent, gated, card,
                                    created_at, message_id, position, tool_call_id)
            VALUES ('call', 'T', 'C', '1.0', 'x', 'expired', 'U', '{}', 1, '[]', '', 1, 0, 'c');
            INSERT INTO outbox (id, team, channel, thread_ts, ts, text, blocks, call_id, created_at) VALUES
                ('answer', 'T', 'C', '1.0', '2.0', '', '[]', NULL, ''),
                ('card', 'T', 'CAPP', NULL, '3.0', '', '[]', 'call', ''),
                ('reminder', 'T', 'CAPP', '3.0', '4.0', '', '[]', NULL, ''),
                ('other', 'T', 'C', '9.0', '5.0', '', '[]', NULL, '');
        """)
        bot_migrations.apply(db)
        about = dict(connection.execute("SELECT id, about FROM outbox").fetchall())
    assert about == {"answer": "T/C/1.0", "card": "T/C/1.0", "reminder": "T/C/1.0", "other": "T/C/9.0"}
