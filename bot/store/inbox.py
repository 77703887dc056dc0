"""Which messages came in, which threads are ours, and which messages still wait for their run."""

from datetime import UTC, datetime

from sqlite_utils import Database

from bot.store.database import DatabaseThread
from bot.store.records import InboxMessage, ThreadId


class Inbox:
    """Messages that are for us, each once, in the order of Slack's ts."""

    def __init__(self, database: DatabaseThread) -> None:
        self._database = database

    async def receive(self, message: InboxMessage, *, addressed: bool, mentioned: bool) -> bool:
        """Keep the message if it is for us and new, and tell whether it was.

        A message that addresses nobody is for us only in a thread that we are in already. A thread that was handed
        over to people is ours again when we are mentioned there.
        """

        def write(db: Database) -> bool:
            thread = message.thread
            now = datetime.now(UTC).isoformat()
            key = [thread.team, thread.channel, thread.ts]
            if addressed:
                db.execute(
                    """INSERT OR IGNORE INTO threads (team, channel, ts, started_by, created_at)
                       VALUES (?, ?, ?, ?, ?)""",
                    [*key, message.user, now],
                )
            if mentioned:
                db.execute("UPDATE threads SET handed_over_at = NULL WHERE (team, channel, ts) = (?, ?, ?)", key)
            ours = "SELECT 1 FROM threads WHERE (team, channel, ts) = (?, ?, ?) AND handed_over_at IS NULL"
            if not db.execute(ours, key).fetchone():
                return False
            inserted = db.execute(
                """INSERT OR IGNORE INTO inbox
                       (team, channel, thread_ts, ts, user, user_team, shared, text, received_at)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                [*key, message.ts, message.user, message.user_team, message.shared, message.text, now],
            )
            return inserted.rowcount == 1

        return await self._database.run(write)

    async def waiting_threads(self) -> list[ThreadId]:
        """List the threads in which a message waits, or was being answered when the process ended."""
        return await self._database.run(
            lambda db: [
                ThreadId(**row)
                for row in db.query(
                    """SELECT team, channel, thread_ts AS ts FROM inbox WHERE status IN ('waiting', 'running')
                       GROUP BY team, channel, thread_ts ORDER BY min(id)"""
                )
            ]
        )

    async def next(self, thread: ThreadId) -> InboxMessage | None:
        """Take the thread's oldest open message, again after a crash; `attempts` counts how often."""

        def write(db: Database) -> InboxMessage | None:
            rows = db.query(
                """UPDATE inbox SET status = 'running', attempts = attempts + 1 WHERE id = (
                       SELECT id FROM inbox WHERE (team, channel, thread_ts) = (?, ?, ?)
                       AND status IN ('waiting', 'running') ORDER BY ts LIMIT 1)
                   RETURNING id, ts, user, user_team, shared, text, attempts""",
                [thread.team, thread.channel, thread.ts],
            )
            for row in rows:
                return InboxMessage(**{**row, "thread": thread, "shared": bool(row["shared"])})
            return None

        return await self._database.run(write)
