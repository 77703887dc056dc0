"""What is erased, and what stays because money depends on it: threads as a whole, finished requests without a name."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlite_utils import Database

from bot.store.errors import StillOpenError
from bot.store.records import ThreadId
from bot.store.sqlite.database import DatabaseThread

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_OPEN_REQUESTS = """
    SELECT summary FROM tool_calls WHERE (team, channel, thread_ts) = (:team, :channel, :ts)
    AND gated AND status IN ('pending', 'running', 'unknown')"""
# What stays is moved out of its thread, so that nobody finds it by where it was said.
_ERASE_THREAD = (
    """UPDATE outbox SET thread_ts = :ts WHERE (team, channel) = (:team, :channel) AND thread_ts IN (
           SELECT ts FROM places WHERE (team, channel, thread_ts) = (:team, :channel, :ts))""",
    "DELETE FROM places WHERE (team, channel, thread_ts) = (:team, :channel, :ts)",
    "DELETE FROM relays WHERE (team, channel, thread_ts) = (:team, :channel, :ts)",
    """DELETE FROM outbox WHERE replaces IN (
           SELECT id FROM outbox WHERE (team, channel, thread_ts) = (:team, :channel, :ts) OR call_id IN (
               SELECT id FROM tool_calls WHERE (team, channel, thread_ts) = (:team, :channel, :ts)))""",
    """DELETE FROM outbox WHERE (team, channel, thread_ts) = (:team, :channel, :ts) OR call_id IN (
           SELECT id FROM tool_calls WHERE (team, channel, thread_ts) = (:team, :channel, :ts))""",
    "DELETE FROM tool_calls WHERE (team, channel, thread_ts) = (:team, :channel, :ts) AND NOT gated",
    """DELETE FROM messages WHERE (team, channel, thread_ts) = (:team, :channel, :ts)
       AND id NOT IN (SELECT message_id FROM tool_calls WHERE (team, channel, thread_ts) = (:team, :channel, :ts))""",
    """UPDATE messages SET message = '{}', channel = 'forgotten', thread_ts = 'forgotten'
       WHERE (team, channel, thread_ts) = (:team, :channel, :ts)""",
    """UPDATE tool_calls SET requester = 'forgotten', arguments_sent = '{}', card = '[]', figures = NULL,
           arguments = without_addresses(arguments), summary = without_addresses(summary),
           result = without_addresses(result), error = without_addresses(error),
           channel = 'forgotten', thread_ts = 'forgotten'
       WHERE (team, channel, thread_ts) = (:team, :channel, :ts)""",
    "DELETE FROM inbox WHERE (team, channel, thread_ts) = (:team, :channel, :ts)",
    "DELETE FROM model_calls WHERE (team, channel, thread_ts) = (:team, :channel, :ts)",
    "DELETE FROM threads WHERE (team, channel, ts) = (:team, :channel, :ts)",
)


class Erasure:
    """Erases threads: all that was said, looked up and posted there. Finished requests stay, without a name."""

    def __init__(self, database: DatabaseThread) -> None:
        self._database = database

    async def forget(self, user: str) -> int:
        """Erase every thread in which the person wrote, and count them. Raises StillOpenError."""

        def write(db: Database) -> int:
            threads = _threads(db, "SELECT DISTINCT team, channel, thread_ts FROM inbox WHERE user = ?", user)
            opened = [summary for thread in threads for summary in _open_requests(db, thread)]
            if opened:
                raise StillOpenError(f"This is still open: {'; '.join(opened)}. Have it decided or cancelled first.")
            if db.execute("SELECT 1 FROM inbox WHERE user = ? AND status IN ('waiting', 'running')", [user]).fetchone():
                raise StillOpenError("A message of this person is being answered. Try again in a minute.")
            with _final_calls_unlocked(db):
                _erase(db, threads)
                db.execute("UPDATE tool_calls SET decided_by = 'forgotten' WHERE decided_by = ?", [user])
            db.execute("DELETE FROM outbox WHERE instr(text || blocks, ?) AND call_id IS NULL", [f"<@{user}>"])
            db.execute("DELETE FROM refused_clicks WHERE user = ? OR instr(told, ?)", [user, f"<@{user}>"])
            return len(threads)

        return await self._database.commit(write)

    async def erase_older_than(self, days: float) -> int:
        """Erase every thread in which nothing was said for so long and nothing is open, and count them."""
        since = (datetime.now(UTC) - timedelta(days=days)).isoformat()

        def write(db: Database) -> int:
            quiet = """SELECT team, channel, thread_ts FROM inbox GROUP BY team, channel, thread_ts
                       HAVING max(received_at) < ? AND NOT max(status IN ('waiting', 'running'))"""
            threads = [thread for thread in _threads(db, quiet, since) if not _open_requests(db, thread)]
            if threads:  # lifting the guards changes the schema, for which every statement is prepared again
                with _final_calls_unlocked(db):
                    _erase(db, threads)
            db.execute(
                """UPDATE outbox SET replaces = NULL WHERE created_at >= ? AND status != 'waiting' AND replaces IN (
                       SELECT id FROM outbox WHERE created_at < ? AND call_id IS NULL)""",
                [since, since],
            )
            db.execute("DELETE FROM outbox WHERE created_at < ? AND status != 'waiting' AND call_id IS NULL", [since])
            db.execute("DELETE FROM refused_clicks WHERE at < ?", [since])
            return len(threads)

        return await self._database.commit(write)


def _threads(db: Database, sql: str, value: str) -> list[ThreadId]:
    return [ThreadId(*row) for row in db.execute(sql, [value]).fetchall()]


def _key(thread: ThreadId) -> dict[str, str]:
    return {"team": thread.team, "channel": thread.channel, "ts": thread.ts}


def _open_requests(db: Database, thread: ThreadId) -> list[str]:
    return [summary for (summary,) in db.execute(_OPEN_REQUESTS, _key(thread)).fetchall()]


def _erase(db: Database, threads: Iterable[ThreadId]) -> None:
    db.conn.create_function("without_addresses", 1, lambda text: text and _EMAIL.sub("forgotten", text))
    for thread in threads:
        for sql in _ERASE_THREAD:
            db.execute(sql, _key(thread))


@contextmanager
def _final_calls_unlocked(db: Database) -> Iterator[None]:
    """Lift the triggers that hold finished calls, within the transaction only."""
    guards = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'tool_calls_no_%_when_final'"
    triggers = db.execute(guards).fetchall()
    for name, _ in triggers:
        db.execute(f"DROP TRIGGER {name}")
    yield
    for _, sql in triggers:
        db.execute(sql)
