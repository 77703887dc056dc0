"""Which messages came in, which threads are ours, and which messages still wait for their run."""

import hashlib
from datetime import UTC, datetime, timedelta

from bot.store.records import InboxMessage, ThreadId
from bot.store.tables.database import Database, Transaction
from bot.store.tables.leases import Leases
from bot.store.tables.threads import insert_thread, is_quiet_for, mark_taken_back

TIME_TO_CLAIM = timedelta(minutes=10)  # Slack's last redelivery comes after about six
TIME_TO_REDELIVER = timedelta(days=3)  # where an app has asked Slack to deliver late events, for a day


class Inbox:
    """Messages that are for us, each once, in the order of Slack's ts."""

    def __init__(self, database: Database, leases: Leases) -> None:
        self._database = database
        self._leases = leases
        self._marked: set[int] = set()  # messages that are in our hands from the start, and not handed out yet

    async def receive(self, message: InboxMessage, *, addressed: bool, mentioned: bool) -> bool:
        """Keep the message if it is for us, once, and return whether it is still to be answered.

        A message that addresses nobody is for us only in a thread that we are in already. One that came before the
        mention which makes the thread ours is left unclaimed for a while. A thread that was handed over to people is
        ours again when we are mentioned there.
        """
        thread = message.thread

        def write(db: Transaction) -> bool:
            if _was_erased(db, message):
                return False
            if addressed:
                _open_thread(db, message)
            kept = "SELECT 1 FROM inbox WHERE (team, channel, ts) = (?, ?, ?)"
            is_new = db.execute(kept, [thread.team, thread.channel, message.ts]).fetchone() is None
            if mentioned and is_new:
                mark_taken_back(db, thread)
            if is_quiet_for(db, thread, message.user):
                return False
            found = db.execute("SELECT owner FROM threads WHERE thread = ?", [thread.key]).fetchone()
            if is_new:
                _insert(db, message, "waiting" if found else "unclaimed")
            return found is not None and self._is_open(db, message, owner=found[0])

        return await self._database.commit(write, lock=thread.key)

    def _is_open(self, db: Transaction, message: InboxMessage, *, owner: str | None) -> bool:
        """Return whether the message is to be answered; one that can be at once is leased, sparing `next` a write."""
        thread = message.thread
        row_id, status, others = db.execute(
            """SELECT id, status, (SELECT count(*) FROM inbox AS o
                                   WHERE o.thread = inbox.thread
                                   AND o.status IN ('waiting', 'running') AND o.id != inbox.id)
               FROM inbox WHERE (team, channel, ts) = (?, ?, ?)""",
            [thread.team, thread.channel, message.ts],
        ).fetchone()
        if status == "waiting" and owner is None and not others:
            db.execute("UPDATE inbox SET status = 'running', attempts = attempts + 1 WHERE id = ?", [row_id])
            self._leases.take(db, thread)
            self._marked.add(row_id)
        return status in ("waiting", "running")

    async def drop_unclaimed(self) -> None:
        """Forget what was not for us after all."""
        now = datetime.now(UTC)

        def write(db: Transaction) -> None:
            unclaimed = "DELETE FROM inbox WHERE status = 'unclaimed' AND received_at < ?"
            db.execute(unclaimed, [(now - TIME_TO_CLAIM).isoformat()])
            db.execute("DELETE FROM erased_messages WHERE at < ?", [(now - TIME_TO_REDELIVER).isoformat()])

        await self._database.commit(write)

    async def waiting_threads(self) -> dict[ThreadId, str]:
        """Return threads with unprocessed or interrupted messages that no other living process has leased.

        With each is who wrote the oldest of them.
        """

        def read(db: Transaction) -> dict[ThreadId, str]:
            rows = db.query(
                """SELECT t.thread, t.owner, inbox.user FROM inbox JOIN threads t ON t.thread = inbox.thread
                   WHERE id IN (SELECT min(id) FROM inbox WHERE status IN ('waiting', 'running') GROUP BY thread)
                   ORDER BY id"""
            )
            return {
                ThreadId.of_key(row["thread"]): row["user"]
                for row in rows
                if not self._leases.held_by_another_process(db, row["owner"])
            }

        return await self._database.read(read)

    async def next(self, thread: ThreadId) -> InboxMessage | None:
        """Take the thread into our hands and the oldest message that waits in it; `attempts` counts how often.

        A run that was cut off goes on before anything older that came late: it ends all that is running. With none left
        the thread is let go, in the same transaction. One in other hands is left alone.
        """

        def write(db: Transaction) -> InboxMessage | None:
            owner = db.execute("SELECT owner FROM threads WHERE thread = ?", [thread.key]).fetchone()
            if owner is None or self._leases.held_by_another_process(db, owner[0]):
                return None
            row = db.execute(
                """SELECT ts, user, text, user_team, shared, id, attempts, status FROM inbox
                   WHERE thread = ? AND status IN ('waiting', 'running') ORDER BY status = 'waiting', ts LIMIT 1""",
                [thread.key],
            ).fetchone()
            if row is None:
                self._leases.let_go(db, thread)
                return None
            ts, user, text, user_team, shared, row_id, attempts, status = row
            is_ours = status == "running" and owner[0] == self._leases.process
            if not (is_ours and row_id in self._marked):
                attempts += 1
                db.execute("UPDATE inbox SET status = 'running', attempts = ? WHERE id = ?", [attempts, row_id])
                self._leases.take(db, thread)
            self._leases.begin(db, thread)
            self._marked.discard(row_id)
            return InboxMessage(thread, ts, user, text, user_team, bool(shared), row_id, attempts)

        return await self._database.commit(write, lock=thread.key)

    async def oldest_waiting_seconds(self) -> float:
        """Tell for how long the oldest message has waited for its run, or for the rest of it; 0 when none does."""
        sql = "SELECT min(received_at) FROM inbox WHERE status IN ('waiting', 'running')"
        (oldest,) = await self._database.read(lambda db: db.execute(sql).fetchone())
        return (datetime.now(UTC) - datetime.fromisoformat(oldest)).total_seconds() if oldest else 0.0


def _insert(db: Transaction, message: InboxMessage, status: str) -> None:
    thread = message.thread
    db.execute(
        """INSERT INTO inbox (team, channel, thread_ts, ts, user, user_team, shared, text, status, received_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            *(thread.team, thread.channel, thread.ts, message.ts, message.user, message.user_team, message.shared),
            *(message.text, status, datetime.now(UTC).isoformat()),
        ],
    )


def _open_thread(db: Transaction, message: InboxMessage) -> None:
    """Make the thread ours, with what was said in it after this message but reached us before.

    A thread that is ours already may have been opened by a later mention than this one.
    """
    thread = message.thread
    insert_thread(db, thread, message.user)
    db.execute(
        """UPDATE inbox SET status = 'waiting'
           WHERE thread = ? AND status = 'unclaimed' AND ts > ?""",
        [thread.key, message.ts],
    )


def _was_erased(db: Transaction, message: InboxMessage) -> bool:
    found = "SELECT 1 FROM erased_messages WHERE key = ?"
    return db.execute(found, [_erased_key(message.key)]).fetchone() is not None


def _erased_key(key: str) -> str:
    """Return what tells a message again that was erased, and tells nothing else of it."""
    return hashlib.sha256(key.encode()).hexdigest()


def erase_inbox(db: Transaction, thread: ThreadId) -> None:
    """Erase the thread's messages; each is known for some days, so that it is not answered when it comes again."""
    now = datetime.now(UTC).isoformat()
    for (ts,) in db.execute("SELECT ts FROM inbox WHERE thread = ?", [thread.key]).fetchall():
        db.execute(
            "INSERT INTO erased_messages VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET at = excluded.at",
            [_erased_key(f"{thread.team}/{thread.channel}/{ts}"), now],
        )
    db.execute("DELETE FROM inbox WHERE thread = ?", [thread.key])


def threads_of(db: Transaction, user: str) -> list[ThreadId]:
    """List the threads in which the person wrote."""
    rows = db.execute("SELECT DISTINCT thread FROM inbox WHERE user = ?", [user]).fetchall()
    return [ThreadId.of_key(key) for (key,) in rows]


def quiet_threads(db: Transaction, since: str) -> list[ThreadId]:
    """List the threads in which nobody has written since, and nothing waits for its answer."""
    rows = db.execute(
        """SELECT thread FROM inbox GROUP BY thread
           HAVING max(received_at) < ? AND count(*) FILTER (WHERE status IN ('waiting', 'running')) = 0""",
        [since],
    ).fetchall()
    return [ThreadId.of_key(key) for (key,) in rows]


def is_answering(db: Transaction, thread: ThreadId) -> bool:
    """Return whether a message of the thread waits for its answer."""
    waits = "SELECT 1 FROM inbox WHERE thread = ? AND status IN ('waiting', 'running')"
    return db.execute(waits, [thread.key]).fetchone() is not None


def mark_running(db: Transaction, row_id: int) -> None:
    """Note that a run answers the message, too."""
    db.execute("UPDATE inbox SET status = 'running' WHERE id = ?", [row_id])


def finish_running(db: Transaction, thread: ThreadId, error: str | None) -> bool:
    """End all messages that the thread's run answers, and return whether another waits."""
    # The first condition on the status is the index's own (inbox_open): SQLite uses it only when it reads just that.
    db.execute(
        """UPDATE inbox SET status = ?, error = ?, finished_at = ?
           WHERE thread = ?
           AND status IN ('waiting', 'running') AND status = 'running'""",
        ["failed" if error else "done", error, datetime.now(UTC).isoformat(), thread.key],
    )
    return is_answering(db, thread)


def current_run(db: Transaction, thread: ThreadId) -> int | None:
    """Return the run that is under way in a thread, which is named by the first of the messages that it answers."""
    # Named twice, the status lets SQLite use the index of open messages, as in `finish_running`.
    found: tuple[int | None] = db.execute(
        """SELECT min(id) FROM inbox WHERE thread = ? AND status IN ('waiting', 'running') AND status = 'running'""",
        [thread.key],
    ).fetchone()
    return found[0]


def thread_of(db: Transaction, team: str, channel: str, ts: str) -> ThreadId | None:
    """Return the thread of a message, if it was kept."""
    found = db.execute("SELECT thread FROM inbox WHERE (team, channel, ts) = (?, ?, ?)", [team, channel, ts]).fetchone()
    return ThreadId.of_key(found[0]) if found else None


def mark_changed(db: Transaction, team: str, channel: str, ts: str) -> None:
    """Note that somebody changed or deleted the message."""
    changed = "UPDATE inbox SET changed_at = ? WHERE (team, channel, ts) = (?, ?, ?)"
    db.execute(changed, [datetime.now(UTC).isoformat(), team, channel, ts])
