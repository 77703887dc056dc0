"""Which messages came in, which threads are ours, and which messages still wait for their run."""

import hashlib
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

from sqlite_utils import Database

from bot.store.records import InboxMessage, PassOn, SharedFile, ThreadId
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.leases import Leases
from bot.store.sqlite.outbox import Outbox
from bot.store.sqlite.threads import (
    continue_in,
    find_thread,
    insert_thread,
    is_quiet_for,
    mark_taken_back,
    place_of,
    relayed_to_customer,
    relayed_to_team,
)

NEIGHBOURS = 50  # messages around one, by which it is known how late it is
TIME_TO_CLAIM = timedelta(minutes=10)  # Slack's last redelivery comes after about six
TIME_TO_REDELIVER = timedelta(days=3)  # where an app has asked Slack to deliver late events, for a day


class Inbox:
    """Messages that are for us, each once, in the order of Slack's ts."""

    def __init__(self, database: DatabaseThread, leases: Leases, outbox: Outbox | None = None) -> None:
        self._database = database
        self._outbox = outbox or Outbox(database, leases)
        self._leases = leases
        self._marked: set[int] = set()  # messages that are in our hands from the start, and not handed out yet

    async def receive(
        self,
        message: InboxMessage,
        *,
        addressed: bool,
        mentioned: bool,
        goes_on_for: timedelta = timedelta(),
        pass_on: PassOn | None = None,
    ) -> ThreadId | None:
        """Keep the message if it is for us, once, and return its conversation while it is still to be answered.

        A message that addresses nobody is for us only in a thread that we are in already. One that came before the
        mention which makes the thread ours is left unclaimed for a while. A thread that was handed over to people is
        ours again when we are mentioned there. In a direct message a conversation goes on for so long after our last
        word in it. Of the two copies of a mention one may have the files alone, whichever comes first.

        What the team says below the post about a thread is passed on to that, and back where the team cannot look.
        """

        def write(db: Database) -> ThreadId | None:
            if _was_erased(db, message):
                return None
            kept = "SELECT status FROM inbox WHERE (team, channel, ts) = (?, ?, ?)"
            status = db.execute(kept, [message.thread.team, message.thread.channel, message.ts]).fetchone()
            found = _placed(db, message, goes_on_for if status is None else timedelta())
            thread = found.thread
            if addressed:
                _open_thread(db, found)
            if mentioned and status in (None, ("unclaimed",)):
                mark_taken_back(db, thread)
            handed_over = is_quiet_for(db, thread, message.user)
            is_for_others = status is None and (handed_over or not addressed)
            if pass_on and is_for_others and self._pass_on(db, found, pass_on, handed_over=handed_over):
                return None
            if handed_over:
                return None
            row = db.execute("SELECT owner FROM threads WHERE thread = ?", [thread.key]).fetchone()
            if status is None:
                _insert(db, found, "waiting" if row else "unclaimed")
            else:
                _complete(db, found, claimed=addressed)
            return thread if row is not None and self._is_open(db, found, owner=row[0]) else None

        return await self._database.commit(write)

    def _pass_on(
        self,
        db: Database,
        message: InboxMessage,
        pass_on: PassOn,
        *,
        handed_over: bool,
    ) -> bool:
        if handed_over and message.private and (team := relayed_to_team(db, message.thread)):
            target, about = team, message.thread
        elif not handed_over and (customer := relayed_to_customer(db, message.thread)):
            target, about = customer, customer
        else:
            return False
        _insert(db, message, "done")
        self._outbox.insert(db, [pass_on(target, message)], about)
        return True

    def _is_open(self, db: Database, message: InboxMessage, *, owner: str | None) -> bool:
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

        def write(db: Database) -> None:
            unclaimed = "DELETE FROM inbox WHERE status = 'unclaimed' AND received_at < ?"
            db.execute(unclaimed, [(now - TIME_TO_CLAIM).isoformat()])
            db.execute("DELETE FROM erased_messages WHERE at < ?", [(now - TIME_TO_REDELIVER).isoformat()])

        await self._database.commit(write)

    async def waiting_threads(self) -> dict[ThreadId, str]:
        """Return threads with unprocessed or interrupted messages that no other living process has leased.

        With each is who wrote the oldest of them.
        """

        def read(db: Database) -> dict[ThreadId, str]:
            rows = db.query(
                """SELECT t.thread, t.owner, inbox.user, min(id) FROM inbox
                   JOIN threads t ON t.thread = inbox.thread
                   WHERE status IN ('waiting', 'running') GROUP BY t.thread ORDER BY min(id)"""
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

        def write(db: Database) -> InboxMessage | None:
            owner = db.execute("SELECT owner FROM threads WHERE thread = ?", [thread.key]).fetchone()
            if owner is None or self._leases.held_by_another_process(db, owner[0]):
                return None
            row = db.execute(
                """SELECT ts, user, text, user_team, shared, id, attempts, status, files, received_at,
                       ts != thread_ts AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.thread = inbox.thread)
                   FROM inbox WHERE thread = ?
                   AND status IN ('waiting', 'running') ORDER BY status = 'waiting', ts LIMIT 1""",
                [thread.key],
            ).fetchone()
            if row is None:
                self._leases.let_go(db, thread)
                return None
            ts, user, text, user_team, shared, row_id, attempts, status, files, received_at, called_in = row
            is_ours = status == "running" and owner[0] == self._leases.process
            if not (is_ours and row_id in self._marked):
                attempts += 1
                db.execute("UPDATE inbox SET status = 'running', attempts = ? WHERE id = ?", [attempts, row_id])
                self._leases.take(db, thread)
            self._marked.discard(row_id)
            return InboxMessage(
                thread=thread,
                ts=ts,
                user=user,
                text=text,
                user_team=user_team,
                shared=bool(shared),
                id=row_id,
                attempts=attempts,
                files=read_files(files),
                place=place_of(db, thread.team, thread.channel, thread.ts),
                called_in=bool(called_in),
                received_at=datetime.fromisoformat(received_at),
            )

        return await self._database.commit(write)

    async def lateness(self, message: InboxMessage) -> timedelta:
        """Return for how long a message has waited, on its way and here, however wrong the clock of this host is.

        How long it was on its way is known by those around it that came and went without delay: what was received
        nearest to when Slack says that it was sent shows by how much the two clocks differ.
        """

        def read(db: Database) -> list[tuple[str, str]]:
            around = "SELECT received_at, ts FROM inbox WHERE id != ? AND id BETWEEN ? AND ?"
            said = """SELECT sent_at, ts FROM outbox WHERE status = 'sent' AND replaces IS NULL AND ts IS NOT NULL
                      ORDER BY seq DESC LIMIT ?"""
            ids = [message.id, message.id - NEIGHBOURS, message.id + NEIGHBOURS]
            return [*db.execute(around, ids).fetchall(), *db.execute(said, [NEIGHBOURS]).fetchall()]

        known = [_delay(datetime.fromisoformat(at), ts) for at, ts in await self._database.read(read)]
        on_its_way = _delay(message.received_at, message.ts) - min(known) if known else timedelta()
        return max(on_its_way, timedelta()) + max(datetime.now(UTC) - message.received_at, timedelta())

    async def oldest_waiting_seconds(self) -> float:
        """Tell for how long the oldest message has waited for its run, or for the rest of it; 0 when none does."""
        sql = "SELECT min(received_at) FROM inbox WHERE status IN ('waiting', 'running')"
        (oldest,) = await self._database.read(lambda db: db.execute(sql).fetchone())
        return (datetime.now(UTC) - datetime.fromisoformat(oldest)).total_seconds() if oldest else 0.0


def _delay(at: datetime, ts: str) -> timedelta:
    return at - datetime.fromtimestamp(float(ts), UTC)


def read_files(stored: str | None) -> tuple[SharedFile, ...]:
    """Return the files of a row."""
    return tuple(SharedFile(**file) for file in json.loads(stored)) if stored else ()


def _placed(db: Database, message: InboxMessage, goes_on_for: timedelta) -> InboxMessage:
    """Return the message in the conversation that it belongs to, which may have begun in an earlier thread."""
    thread = find_thread(db, message.thread)
    if not goes_on_for or not thread.channel.startswith("D") or thread.ts != message.ts:
        return replace(message, thread=thread)
    last = db.execute(
        """SELECT thread_ts, status IN ('waiting', 'running') AS is_open, max(coalesce(finished_at, received_at),
               coalesce((SELECT max(finished_at) FROM tool_calls AS c WHERE c.thread = inbox.thread), '')) AS last_word
           FROM inbox JOIN threads AS t ON t.thread = inbox.thread
           WHERE (inbox.team, inbox.channel) = (?, ?) AND handed_over_at IS NULL ORDER BY inbox.ts DESC LIMIT 1""",
        [thread.team, thread.channel],
    ).fetchone()
    if last is None or (not last[1] and datetime.now(UTC) - datetime.fromisoformat(last[2]) > goes_on_for):
        return message
    earlier = replace(thread, ts=last[0])
    continue_in(db, earlier, message.ts)
    return replace(message, thread=earlier)


def _complete(db: Database, message: InboxMessage, *, claimed: bool) -> None:
    """Add to a message what its other copy has: the files, or that it is for us after all."""
    key = [message.thread.team, message.thread.channel, message.ts]
    if message.files:
        db.execute(
            "UPDATE inbox SET text = ?, files = ? WHERE (team, channel, ts) = (?, ?, ?) AND files IS NULL",
            [message.text, _written(message.files), *key],
        )
    if claimed:
        db.execute(
            "UPDATE inbox SET status = 'waiting' WHERE (team, channel, ts) = (?, ?, ?) AND status = 'unclaimed'", key
        )


def _written(files: tuple[SharedFile, ...]) -> str | None:
    return json.dumps([asdict(file) for file in files], ensure_ascii=False) if files else None


def _insert(db: Database, message: InboxMessage, status: str) -> None:
    thread = message.thread
    db.execute(
        """INSERT INTO inbox (team, channel, thread_ts, ts, user, user_team, shared, text, files, status, received_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            *(thread.team, thread.channel, thread.ts, message.ts, message.user, message.user_team, message.shared),
            *(message.text, _written(message.files), status, datetime.now(UTC).isoformat()),
        ],
    )


def _open_thread(db: Database, message: InboxMessage) -> None:
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


def _was_erased(db: Database, message: InboxMessage) -> bool:
    found = "SELECT 1 FROM erased_messages WHERE key = ?"
    return db.execute(found, [_erased_key(message.thread, message.ts)]).fetchone() is not None


def _erased_key(thread: ThreadId, ts: str) -> str:
    """Return what tells a message again that was erased, and tells nothing else of it."""
    return hashlib.sha256(f"{thread.team}/{thread.channel}/{ts}".encode()).hexdigest()


def erase_inbox(db: Database, thread: ThreadId) -> None:
    """Erase the thread's messages; each is known for some days, so that it is not answered when it comes again."""
    now = datetime.now(UTC).isoformat()
    for (ts,) in db.execute("SELECT ts FROM inbox WHERE thread = ?", [thread.key]).fetchall():
        db.execute("INSERT OR REPLACE INTO erased_messages VALUES (?, ?)", [_erased_key(thread, ts), now])
    db.execute("DELETE FROM inbox WHERE thread = ?", [thread.key])


def threads_of(db: Database, user: str) -> list[ThreadId]:
    """List the threads in which the person wrote."""
    rows = db.execute("SELECT DISTINCT thread FROM inbox WHERE user = ?", [user]).fetchall()
    return [ThreadId.of_key(key) for (key,) in rows]


def quiet_threads(db: Database, since: str) -> list[ThreadId]:
    """List the threads in which nobody has written since, and nothing waits for its answer."""
    rows = db.execute(
        """SELECT thread FROM inbox GROUP BY thread
           HAVING max(received_at) < ? AND NOT max(status IN ('waiting', 'running'))""",
        [since],
    ).fetchall()
    return [ThreadId.of_key(key) for (key,) in rows]


def is_answering(db: Database, thread: ThreadId) -> bool:
    """Return whether a message of the thread waits for its answer."""
    waits = "SELECT 1 FROM inbox WHERE thread = ? AND status IN ('waiting', 'running')"
    return db.execute(waits, [thread.key]).fetchone() is not None


def mark_running(db: Database, row_id: int) -> None:
    """Note that a run answers the message, too."""
    db.execute("UPDATE inbox SET status = 'running' WHERE id = ?", [row_id])


def finish_running(db: Database, thread: ThreadId, error: str | None) -> bool:
    """End all messages that the thread's run answers, and return whether another waits."""
    # The first condition on the status is the index's own (inbox_open): SQLite uses it only when it reads just that.
    db.execute(
        """UPDATE inbox SET status = ?, error = ?, finished_at = ?
           WHERE thread = ?
           AND status IN ('waiting', 'running') AND status = 'running'""",
        ["failed" if error else "done", error, datetime.now(UTC).isoformat(), thread.key],
    )
    return is_answering(db, thread)


def mark_changed(
    db: Database, team: str, channel: str, ts: str, text: str | None = None
) -> tuple[ThreadId, str] | None:
    """Replace the words of a message that is not answered; without any, it is gone and nobody waits for an answer.

    Return the thread and the author of one that was answered with the words that are gone, the first time.
    """
    key = [team, channel, ts]
    row = db.execute(
        "SELECT id, status, thread_ts, user, changed_at, text FROM inbox WHERE (team, channel, ts) = (?, ?, ?)", key
    ).fetchone()
    if row is None:
        return None
    row_id, status, thread_ts, user, changed_at, said = row
    now = datetime.now(UTC).isoformat()
    if status in ("unclaimed", "waiting") and text is None:
        db.execute("UPDATE inbox SET status = 'done', finished_at = ?, changed_at = ? WHERE id = ?", [now, now, row_id])
    elif status in ("unclaimed", "waiting"):
        db.execute("UPDATE inbox SET text = ? WHERE id = ?", [text, row_id])
    else:
        words = text if status == "running" and text is not None else said
        db.execute("UPDATE inbox SET text = ?, changed_at = ? WHERE id = ?", [words, now, row_id])
        if status != "running" and changed_at is None and text not in (None, said):
            return ThreadId(team, channel, thread_ts), user
    return None
