"""The rows of `inbox`, within the caller's transaction."""

import hashlib
import json
import re
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

from bot import clock
from bot.store.calls import ToolCall
from bot.store.records import QUOTED, InboxMessage, SharedFile, ThreadId
from bot.store.tables.database import Transaction
from bot.store.tables.threads import continue_in, find_thread, insert_thread, is_quiet_for


def delay(at: datetime, ts: str) -> timedelta:
    """Return how long after Slack's time something happened by this host's clock."""
    return at - datetime.fromtimestamp(float(ts), UTC)


def read_files(stored: str | None) -> tuple[SharedFile, ...]:
    """Return the files of a row."""
    return tuple(SharedFile(**file) for file in json.loads(stored)) if stored else ()


def placed(db: Transaction, message: InboxMessage, goes_on_for: timedelta) -> InboxMessage:
    """Return the message in the conversation that it belongs to, which may have begun in an earlier thread."""
    thread = find_thread(db, message.thread)
    if not goes_on_for or not thread.channel.startswith("D") or thread.ts != message.ts:
        return replace(message, thread=thread)
    last = db.execute(
        """SELECT thread_ts, status IN ('waiting', 'running') AS is_open, coalesce(finished_at, received_at),
               (SELECT max(finished_at) FROM tool_calls AS c WHERE c.thread = inbox.thread)
           FROM inbox JOIN threads AS t ON t.thread = inbox.thread
           WHERE (inbox.team, inbox.channel) = (?, ?) AND handed_over_at IS NULL ORDER BY inbox.ts DESC LIMIT 1""",
        [thread.team, thread.channel],
    ).fetchone()
    if last is None:
        return message
    last_word = max(datetime.fromisoformat(at) for at in last[2:] if at)
    if not last[1] and clock.now() - last_word > goes_on_for:
        return message
    earlier = replace(thread, ts=last[0])
    continue_in(db, earlier, message.ts)
    return replace(message, thread=earlier)


def complete(db: Transaction, message: InboxMessage, *, claimed: bool) -> None:
    """Add to a message what another copy of it has: files, a message that it links to, or that it is for us."""
    key = [message.thread.team, message.thread.channel, message.ts]
    if message.files:
        db.execute(
            "UPDATE inbox SET text = ?, files = ? WHERE (team, channel, ts) = (?, ?, ?) AND files IS NULL",
            [message.text, write_files(message.files), *key],
        )
    # Only what stands below the words: those are corrected by an edit, and not by a copy that is late.
    db.execute(
        """UPDATE inbox SET text = :text WHERE (team, channel, ts) = (:team, :channel, :ts)
           AND status IN ('unclaimed', 'waiting', 'running')
           AND instr(text, :mark) = 0 AND instr(:text, text || :mark) = 1""",
        {"text": message.text, "team": key[0], "channel": key[1], "ts": key[2], "mark": QUOTED},
    )
    if claimed:
        db.execute(
            """UPDATE inbox SET status = 'waiting', called_in = ?
               WHERE (team, channel, ts) = (?, ?, ?) AND status = 'unclaimed'""",
            [message.called_in, *key],
        )


def write_files(files: tuple[SharedFile, ...]) -> str | None:
    """Return files as a row holds them."""
    return json.dumps([asdict(file) for file in files], ensure_ascii=False) if files else None


def insert_message(db: Transaction, message: InboxMessage, status: str) -> None:
    """Write a message's row."""
    thread = message.thread
    db.execute(
        """INSERT INTO inbox (team, channel, thread_ts, ts, user, user_team, shared, text, files, called_in, status,
                              received_at, form, traceparent)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            *(thread.team, thread.channel, thread.ts, message.ts, message.user, message.user_team, message.shared),
            *(message.text, write_files(message.files), message.called_in, status, clock.now().isoformat()),
            json.dumps(asdict(message.form)) if message.form else None,
            message.traceparent,
        ],
    )


def open_thread(db: Transaction, message: InboxMessage) -> None:
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


def was_erased(db: Transaction, message: InboxMessage) -> bool:
    """Return whether the message was erased, and comes again."""
    found = "SELECT 1 FROM erased_messages WHERE key = ?"
    return db.execute(found, [_erased_key(message.thread, message.ts)]).fetchone() is not None


def _erased_key(thread: ThreadId, ts: str) -> str:
    """Return what tells a message again that was erased, and tells nothing else of it."""
    return hashlib.sha256(f"{thread.team}/{thread.channel}/{ts}".encode()).hexdigest()


def erase_inbox(db: Transaction, thread: ThreadId) -> None:
    """Erase the thread's messages; each is known for some days, so that it is not answered when it comes again."""
    now = clock.now().isoformat()
    for (ts,) in db.execute("SELECT ts FROM inbox WHERE thread = ?", [thread.key]).fetchall():
        db.execute(
            "INSERT INTO erased_messages VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET at = excluded.at",
            [_erased_key(thread, ts), now],
        )
    db.execute("DELETE FROM inbox WHERE thread = ?", [thread.key])


def threads_of(db: Transaction, user: str) -> list[ThreadId]:
    """List the threads in which the person wrote."""
    rows = db.execute("SELECT DISTINCT thread FROM inbox WHERE user = ?", [user]).fetchall()
    return [ThreadId.of_key(key) for (key,) in rows]


def threads_that_name(db: Transaction, user: str) -> list[ThreadId]:
    """List the threads in which somebody named the person, or in which what they said above was read."""
    rows = db.execute(
        """SELECT thread FROM inbox WHERE instr(text || coalesce(context, ''), ?) > 0
           UNION SELECT thread FROM messages WHERE instr(message, ?) > 0""",
        [user, user],
    ).fetchall()
    return [ThreadId.of_key(key) for (key,) in rows]


def erase_names(db: Transaction, user: str) -> None:
    """Name the person no more in what others wrote, and erase what was said above that, of which they said a part."""
    rows = db.execute(
        "SELECT id, text, context FROM inbox WHERE instr(text || coalesce(context, ''), ?) > 0", [user]
    ).fetchall()
    for row_id, said, context in rows:
        left = f"{QUOTED}What was said above was erased." if context and user in context else context
        db.execute("UPDATE inbox SET text = ?, context = ? WHERE id = ?", [without_name(said, user), left, row_id])


def erase_passed_on(db: Transaction, thread: ThreadId) -> None:
    """Erase what the team wrote below the posts from which it was passed on to the thread, before those are erased."""
    db.execute(
        """DELETE FROM inbox WHERE status IN ('unclaimed', 'done') AND (channel, thread_ts) IN (
               SELECT to_channel, ts FROM relays WHERE thread = ? AND ts IS NOT NULL)
           AND NOT EXISTS (SELECT 1 FROM messages WHERE inbox_id = inbox.id)""",
        [thread.key],
    )


def without_name(words: str, user: str) -> str:
    """Return words that name a person by their id no more."""
    return re.sub(rf"<@{re.escape(user)}(?:\|[^<>]*)?>|\b{re.escape(user)}\b", "@forgotten", words)


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


def mark_running(db: Transaction, row_id: int, traceparent: str | None) -> None:
    """Note that a run answers the message, too, and which trace is the run's."""
    db.execute("UPDATE inbox SET status = 'running', traceparent = ? WHERE id = ?", [traceparent, row_id])


def keep_context(db: Transaction, row_id: int, context: str) -> None:
    """Keep what the model is told around a message."""
    db.execute("UPDATE inbox SET context = ? WHERE id = ?", [context, row_id])


def mark_corrected(db: Transaction, row_id: int) -> None:
    """Note that the model has read the corrected words of a message that is not answered yet."""
    db.execute("UPDATE inbox SET changed_at = NULL WHERE id = ? AND finished_at IS NULL", [row_id])


def wait_again(db: Transaction, row_id: int) -> bool:
    """Make a message that could not be answered wait once more; False when it is none."""
    again = db.execute(
        """UPDATE inbox SET status = 'waiting', attempts = 0, error = NULL, finished_at = NULL, traceparent = NULL
           WHERE id = ? AND status = 'failed'""",
        [row_id],
    )
    return bool(again.rowcount == 1)


def finish_running(db: Transaction, thread: ThreadId, error: str | None) -> bool:
    """End all messages that the thread's run answers, and return whether another waits."""
    # The first condition on the status is the index's own (inbox_open): SQLite uses it only when it reads just that.
    db.execute(
        """UPDATE inbox SET status = ?, error = ?, finished_at = ?
           WHERE thread = ?
           AND status IN ('waiting', 'running') AND status = 'running'""",
        ["failed" if error else "done", error, clock.now().isoformat(), thread.key],
    )
    return is_answering(db, thread)


def read_by_model(db: Transaction, thread: ThreadId) -> tuple[str, frozenset[str]]:
    """Return up to where a thread was read in Slack, or where we came into it, and the messages of it that were read.

    Nothing when none was read yet.
    """
    rows = db.execute(
        """SELECT ts, called_in FROM inbox WHERE thread = ?
           AND EXISTS (SELECT 1 FROM messages WHERE inbox_id = inbox.id)""",
        [thread.key],
    ).fetchall()
    since = max((ts for ts, called_in in rows if called_in), default=min((ts for ts, _ in rows), default=""))
    return since, frozenset(ts for ts, _ in rows)


def is_known_text(db: Transaction, team: str, channel: str, ts: str, text: str) -> bool:
    """Return whether this is what the message says already."""
    known = "SELECT 1 FROM inbox WHERE (team, channel, ts) = (?, ?, ?) AND text = ?"
    return db.execute(known, [team, channel, ts, text]).fetchone() is not None


def go_on(db: Transaction, thread: ThreadId, user: str, text: str) -> None:
    """Continue the thread, as if this person had written the text there now; not where people have taken over."""
    if is_quiet_for(db, thread, user):
        return
    now = clock.now()
    db.execute(
        """INSERT INTO inbox
               (team, channel, thread_ts, ts, user, user_team, shared, text, status, received_at)
           SELECT team, channel, thread_ts, ?, user, user_team, shared, ?, 'waiting', ? FROM inbox
           WHERE thread = ? AND user = ? ORDER BY id DESC LIMIT 1 ON CONFLICT DO NOTHING""",
        [f"{now.timestamp():.6f}", text, now.isoformat(), thread.key, user],
    )


def is_answered(db: Transaction, call: ToolCall) -> bool:
    """Return whether who was asked something by a call has written in its thread since."""
    since = """SELECT 1 FROM inbox WHERE thread = ? AND user = ? AND id > (
                   SELECT max(inbox_id) FROM messages WHERE thread = ? AND id < ?) LIMIT 1"""
    asked = [call.thread.key, call.requester, call.thread.key, call.message_id]
    return db.execute(since, asked).fetchone() is not None


def thread_of(db: Transaction, team: str, channel: str, ts: str) -> ThreadId | None:
    """Return the thread of a message, if it was kept."""
    found = db.execute("SELECT thread FROM inbox WHERE (team, channel, ts) = (?, ?, ?)", [team, channel, ts]).fetchone()
    return ThreadId.of_key(found[0]) if found else None


def mark_changed(
    db: Transaction, team: str, channel: str, ts: str, text: str | None = None
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
    now = clock.now().isoformat()
    if status in ("unclaimed", "waiting") and text is None:
        db.execute("UPDATE inbox SET status = 'done', finished_at = ?, changed_at = ? WHERE id = ?", [now, now, row_id])
    elif status in ("unclaimed", "waiting"):
        db.execute("UPDATE inbox SET text = ? WHERE id = ?", [text, row_id])
    else:
        words = text if status == "running" and text is not None else said
        db.execute("UPDATE inbox SET text = ?, changed_at = ? WHERE id = ?", [words, now, row_id])
        if status == "running" and text is None:  # its run goes on to its end, of which nothing is said
            db.execute("UPDATE inbox SET finished_at = ? WHERE id = ?", [now, row_id])
        if status != "running" and changed_at is None and text not in (None, said):
            return ThreadId(team, channel, thread_ts), user
    return None


def current_run(db: Transaction, thread: ThreadId) -> int | None:
    """Return the run that is under way in a thread, which is named by the first of the messages that it answers."""
    # Named twice, the status lets SQLite use the index of open messages, as in `finish_running`.
    found: tuple[int | None] = db.execute(
        """SELECT min(id) FROM inbox WHERE thread = ? AND status IN ('waiting', 'running') AND status = 'running'""",
        [thread.key],
    ).fetchone()
    return found[0]
