"""What people see of all threads at a glance: requests, threads that need somebody, the day in figures."""

from datetime import datetime

from bot import clock
from bot.store.calls import ToolCall
from bot.store.overviews import OpenThread, Page, Today
from bot.store.records import ThreadId
from bot.store.tables.calls import call_of
from bot.store.tables.database import Database, Transaction

_WAITING = """gated AND status = 'pending' AND expires_at > ?
              AND (gate = 'approver' OR (gate = 'both' AND confirmed_at IS NOT NULL))"""
_OPEN = "handed_over_at IS NOT NULL OR EXISTS (SELECT 1 FROM tool_calls c WHERE c.thread = threads.thread AND c.{})"
_NEEDED = _OPEN.format("gated AND c.status IN ('pending', 'running', 'unknown')")
# Money that has gone back since a time; what a return gives back follows with a request of its own.
_REFUNDED = """FROM refund_requests r JOIN tool_calls c ON c.id = r.id
               WHERE r.status = 'succeeded' AND r.failed_later_at IS NULL AND r.finished_at >= ? AND r.amount_minor > 0
               AND json_extract(c.quote, '$.quote.when') = 'now'"""


class Overview:
    """Reads across threads, page by page; it writes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def waiting(self, start: int, most: int, *, escalated: bool = False) -> Page[ToolCall]:
        """List the requests that wait for a decision, or those of which the next group was asked, the oldest first."""
        now, waiting = clock.now().isoformat(), _WAITING + (" AND escalated_at IS NOT NULL" if escalated else "")

        def read(db: Transaction) -> Page[ToolCall]:
            total = db.execute(f"SELECT count(*) FROM tool_calls WHERE {waiting}", [now]).fetchone()[0]
            sql = f"SELECT * FROM tool_calls WHERE {waiting} ORDER BY created_at, id LIMIT ? OFFSET ?"
            return Page(tuple(call_of(row) for row in db.query(sql, [now, most, start])), start, total)

        return await self._database.read(read)

    async def requests_of(self, user: str, start: int, most: int) -> Page[ToolCall]:
        """List what a person has asked for, the latest first."""
        asked = "gated AND requester = ? AND status NOT IN ('proposed', 'rejected')"

        def read(db: Transaction) -> Page[ToolCall]:
            total = db.execute(f"SELECT count(*) FROM tool_calls WHERE {asked}", [user]).fetchone()[0]
            sql = f"SELECT * FROM tool_calls WHERE {asked} ORDER BY created_at DESC, id LIMIT ? OFFSET ?"
            return Page(tuple(call_of(row) for row in db.query(sql, [user, most, start])), start, total)

        return await self._database.read(read)

    async def open_threads(self, start: int, most: int) -> Page[OpenThread]:
        """List the threads that people have or in which a request is open: what is urgent first, then the oldest."""

        def read(db: Transaction) -> Page[OpenThread]:
            total = db.execute(f"SELECT count(*) FROM threads WHERE {_NEEDED}").fetchone()[0]
            rows = db.query(
                f"""SELECT thread, started_by, intent, handed_over_at, created_at FROM threads WHERE {_NEEDED}
                    ORDER BY CASE json_extract(intent, '$.urgency') WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END,
                             coalesce(handed_over_at, created_at), thread LIMIT ? OFFSET ?""",
                [most, start],
            )
            return Page(tuple(map(_thread, rows)), start, total)

        return await self._database.read(read)

    async def today(self) -> Today:
        """Count what has happened since midnight, in UTC."""
        day = clock.now().replace(hour=0, minute=0, second=0, microsecond=0).isoformat()

        def read(db: Transaction) -> Today:
            messages, people, failed = db.execute(
                """SELECT count(*), count(DISTINCT user), count(*) FILTER (WHERE status = 'failed') FROM inbox
                   WHERE status != 'unclaimed' AND received_at >= ?""",
                [day],
            ).fetchone()
            asked = """SELECT count(*) FROM tool_calls
                       WHERE gated AND expires_at IS NOT NULL AND created_at >= ? AND supersedes IS NULL"""
            ended = """SELECT status, count(*) FROM tool_calls WHERE gated AND expires_at IS NOT NULL
                       AND finished_at >= ? GROUP BY status"""
            refunded = f"SELECT r.currency, sum(r.amount_minor) {_REFUNDED} GROUP BY r.currency"
            return Today(
                messages=messages,
                people=people,
                unanswered=failed,
                asked=db.execute(asked, [day]).fetchone()[0],
                ended=dict(db.execute(ended, [day]).fetchall()),
                refunded=dict(db.execute(refunded, [day]).fetchall()),
            )

        return await self._database.read(read)

    async def refunds_of(self, customer: str, since: datetime) -> dict[str, tuple[int, int]]:
        """Count the requests through which money went back to a customer, and add it up, by currency."""
        sql = f"SELECT r.currency, count(*), sum(r.amount_minor) {_REFUNDED} AND c.customer = ? GROUP BY r.currency"
        rows = await self._database.read(lambda db: db.execute(sql, [since.isoformat(), customer]).fetchall())
        return {currency: (int(count), int(minor)) for currency, count, minor in rows}

    async def version(self) -> str:
        """Return what is another text when a request or a thread that people have is not what it was."""
        figures = (
            """SELECT count(*), count(*) FILTER (WHERE shown_paused), max(created_at) FROM tool_calls
               WHERE gated AND status IN ('pending', 'running', 'unknown')""",
            """SELECT max(finished_at), max(confirmed_at), max(escalated_at), max(first_approved_at),
                      count(first_approved_at) FROM tool_calls WHERE gated""",
            "SELECT count(*), max(handed_over_at) FROM threads WHERE handed_over_at IS NOT NULL",
        )
        return str(await self._database.read(lambda db: [db.execute(sql).fetchone() for sql in figures]))


def _thread(row: dict[str, str]) -> OpenThread:
    return OpenThread(
        thread=ThreadId.of_key(row["thread"]),
        started_by=row["started_by"],
        intent=row["intent"],
        since=datetime.fromisoformat(row["handed_over_at"] or row["created_at"]),
        with_people=row["handed_over_at"] is not None,
    )
