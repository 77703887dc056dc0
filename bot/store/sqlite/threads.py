"""The rows of `threads`, within the caller's transaction."""

from datetime import UTC, datetime

from sqlite_utils import Database

from bot.store.records import ThreadId


def insert_thread(db: Database, thread: ThreadId, started_by: str) -> None:
    """Make the thread ours, unless it is."""
    db.execute(
        "INSERT OR IGNORE INTO threads (team, channel, ts, started_by, created_at) VALUES (?, ?, ?, ?, ?)",
        [*thread.key, started_by, datetime.now(UTC).isoformat()],
    )


def set_owner(db: Database, thread: ThreadId, process: str | None) -> None:
    """Lease the thread to a process, or to none."""
    db.execute("UPDATE threads SET owner = ? WHERE (team, channel, ts) = (?, ?, ?)", [process, *thread.key])


def mark_handed_over(db: Database, thread: ThreadId, user: str) -> None:
    """Leave the thread to people, because of this person: see `is_quiet_for`."""
    db.execute(
        """UPDATE threads SET handed_over_at = ?, handed_over_by = CASE WHEN handed_over_by = started_by
           AND handed_over_at IS NOT NULL THEN handed_over_by ELSE ? END WHERE (team, channel, ts) = (?, ?, ?)""",
        [datetime.now(UTC).isoformat(), user, *thread.key],
    )


def is_quiet_for(db: Database, thread: ThreadId, user: str) -> bool:
    """Return whether people have the thread, so that the bot does not answer this person until it is mentioned.

    When somebody else than the one who began the thread wanted a person, it goes on answering the one who did.
    """
    quiet = """SELECT 1 FROM threads WHERE (team, channel, ts) = (?, ?, ?) AND handed_over_at IS NOT NULL
               AND (started_by != ? OR handed_over_by IS NULL OR handed_over_by = started_by)"""
    return db.execute(quiet, [*thread.key, user]).fetchone() is not None


def mark_taken_back(db: Database, thread: ThreadId) -> None:
    """Answer in the thread again."""
    db.execute("UPDATE threads SET handed_over_at = NULL WHERE (team, channel, ts) = (?, ?, ?)", thread.key)


def set_intent(db: Database, thread: ThreadId, intent: str) -> None:
    """Keep what the thread's customer wants."""
    db.execute("UPDATE threads SET intent = ? WHERE (team, channel, ts) = (?, ?, ?)", [intent, *thread.key])


def get_intent(db: Database, thread: ThreadId) -> str | None:
    """Read what the thread's customer wants, as it was stored last."""
    stored: str | None = db.execute(
        "SELECT intent FROM threads WHERE (team, channel, ts) = (?, ?, ?)", thread.key
    ).fetchone()[0]
    return stored
