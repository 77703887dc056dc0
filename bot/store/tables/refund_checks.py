"""Refunds that were made and are looked at for a while longer, as a payment provider may take one back days later."""

from datetime import datetime

from bot import clock
from bot.store.calls import ToolCall
from bot.store.records import Post, ThreadId
from bot.store.tables.calls import call_of
from bot.store.tables.database import Database, Transaction
from bot.store.tables.outbox import Outbox
from bot.store.tables.outbox_rows import cards_of, over


class RefundChecks:
    """Rows of `refund_checks`: one for each request that gave money back, beside its own, which is final."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def due(self) -> list[ToolCall]:
        """List the requests whose refund is to be looked at now, out of those whose thread is still there."""
        sql = """SELECT tool_calls.* FROM refund_checks JOIN tool_calls ON tool_calls.id = call_id
                 WHERE refund_checks.look_at <= ? AND quote IS NOT NULL ORDER BY refund_checks.look_at"""
        now = clock.now().isoformat()
        return await self._database.read(lambda db: [call_of(row) for row in db.query(sql, [now])])

    async def look_later(self, call: ToolCall, at: datetime | None) -> None:
        """Note when the refund is looked at next; without a time, never again."""
        sql = "UPDATE refund_checks SET look_at = ? WHERE call_id = ? AND failed_at IS NULL"
        await self._database.commit(lambda db: db.execute(sql, [at and at.isoformat(), call.id]))

    async def fail(self, call: ToolCall, why: str, note: str, *, redrawn: Post, posts: list[Post]) -> bool:
        """Note that a refund has failed after it was made, and return whether this caller was the one to do it.

        Every card of the call is redrawn like `redrawn`, and the posts are queued, in the same transaction. The model
        reads the note when the thread goes on.
        """

        def write(db: Transaction) -> bool:
            failed = db.execute(
                """UPDATE refund_checks SET look_at = NULL, failed_at = ?, why = ?, note = ?
                   WHERE call_id = ? AND failed_at IS NULL""",
                [clock.now().isoformat(), why, note, call.id],
            )
            if failed.rowcount == 1:
                self._outbox.insert(db, [*(over(card, redrawn) for card in cards_of(db, call.id)), *posts], call.thread)
            return bool(failed.rowcount == 1)

        return await self._database.commit(write, lock=call.thread.key)


def watch_refund(db: Transaction, call: ToolCall, look_at: datetime) -> None:
    """Have the refund of a call looked at once more, within the transaction that settles it."""
    sql = "INSERT INTO refund_checks (call_id, look_at) VALUES (?, ?)"
    db.execute(sql, [call.id, look_at.isoformat()])


def take_failures(db: Transaction, thread: ThreadId) -> list[str]:
    """Return what the model is still to be told of refunds in the thread that have failed since, and do so once."""
    rows = db.execute(
        """SELECT call_id, note FROM refund_checks JOIN tool_calls ON tool_calls.id = call_id
           WHERE note IS NOT NULL AND thread = ? ORDER BY failed_at""",
        [thread.key],
    ).fetchall()
    for call_id, _ in rows:
        db.execute("UPDATE refund_checks SET note = NULL WHERE call_id = ?", [call_id])
    return [note for _, note in rows]


def erase_refund_checks(db: Transaction, thread: ThreadId) -> None:
    """Erase the words about the refunds of a thread, before its calls are; that one has failed stays."""
    db.execute(
        """UPDATE refund_checks SET why = NULL, note = NULL, look_at = NULL
           WHERE call_id IN (SELECT id FROM tool_calls WHERE thread = ?)""",
        [thread.key],
    )
