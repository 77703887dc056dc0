"""A database of an older version: what is in it is there for the operator after the first start of this one."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.shop.sqlite import shop_migrations
from bot.store.sqlite.migrations import bot_migrations
from bot.store.sqlite.transaction import SqliteTransaction
from bot.store.tables.seals import verify
from tests.operator.command import give

SEALED_BEFORE = """
    SELECT id, channel, thread_ts, tool, status, requester, arguments_sent, arguments, result, error, gated, subject,
        quote, customer, summary, card, decided_by, decided_at, created_at, finished_at, message_id, position,
        tool_call_id
    FROM tool_calls WHERE id = 'bbbbbbbbbbbb'"""
CALL = """
    INSERT INTO tool_calls (id, team, channel, thread_ts, tool, status, requester, arguments_sent, arguments, gated,
        subject, card, created_at, finished_at, message_id, position, tool_call_id, decided_by)
    VALUES (?, 'T', 'C', '1.0', ?, 'succeeded', 'UANA', ?, ?, ?, ?, '[]', '2026-01-01T00:00:00+00:00',
        '2026-01-01T00:00:01+00:00', 1, ?, 'x', 'USAM')"""


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """Give a database as the version before runs, orders and seals left it, with three finished calls."""
    path = tmp_path / "support.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        db = Database(connection, execute_plugins=False)
        bot_migrations.apply(db, stop_before="runs_and_orders")
        shop_migrations.apply(db)
        db.execute("INSERT INTO messages VALUES (1, 'T', 'C', '1.0', 'assistant', '{}', NULL, NULL, '')")
        for position, (call_id, tool, sent, arguments, gated, subject) in enumerate(
            (
                ("aaaaaaaaaaaa", "get_order_status", "{}", '{"order_id": "ORD-1"}', 0, None),
                ("bbbbbbbbbbbb", "initiate_refund", "{}", "{}", 1, "order:ORD-2"),
                ("cccccccccccc", "get_order_status", "no JSON", None, 0, None),
            )
        ):
            db.execute(CALL, [call_id, tool, sent, arguments, gated, subject, position])
    return path


async def test_older_database(older: Path) -> None:
    """Before the first start the log says that it is too old to be read; after it calls have orders and seals."""
    variables = {"BOT_DATABASE": str(older)}
    said = await give(older.parent, "log", **variables)
    assert said.errors == f"Error: {older} was written by an older version of the bot. Start the bot once.\n"
    assert (await give(older.parent, "verify", **variables)).lines[0].startswith("\u2713 3 entries; ")
    assert "ORD-1" in (await give(older.parent, "log", "--tool", "get_order_status", **variables)).out
    with closing(sqlite3.connect(older)) as db:
        orders = [order for (order,) in db.execute("SELECT order_id FROM tool_calls ORDER BY id")]
        assert orders == ["ORD-1", "ORD-2", None]
        with pytest.raises(sqlite3.IntegrityError, match="a finished tool call does not change"):
            db.execute("UPDATE tool_calls SET order_id = 'x'")


async def test_compacted(older: Path) -> None:
    """The database can be compacted by SQLite's own command, and reads as before."""
    variables = {"BOT_DATABASE": str(older)}
    assert (await give(older.parent, "verify", **variables)).code == 0
    with closing(sqlite3.connect(older)) as db:
        db.execute("VACUUM")
    assert (await give(older.parent, "verify", **variables)).code == 0


async def test_sealed_by_an_older_version(older: Path) -> None:
    """What was sealed before a seal was over whose yes a request had is still known to be unchanged."""
    with closing(sqlite3.connect(older, isolation_level=None)) as connection:
        db = Database(connection, execute_plugins=False)
        bot_migrations.apply(db)
        row = connection.execute(SEALED_BEFORE).fetchone()
        content = hashlib.sha256(json.dumps(["salt", list(row)]).encode()).hexdigest()
        link = hashlib.sha256(f"{'0' * 64} bbbbbbbbbbbb finished {content}".encode()).hexdigest()
        connection.execute("DELETE FROM sealed_calls")
        connection.execute(
            "INSERT INTO sealed_calls VALUES (1, 'bbbbbbbbbbbb', 'finished', 'salt', ?, ?)", [content, link]
        )
        told = verify(SqliteTransaction(connection, execute_plugins=False))
    assert [seal.call_id for seal in told.broken] == ["aaaaaaaaaaaa", "cccccccccccc"]
