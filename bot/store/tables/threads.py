"""The rows of `threads`, within the caller's transaction."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot import clock
from bot.store.records import InboxMessage, Post, ThreadId, new_id
from bot.store.tables.database import Transaction


def insert_thread(db: Transaction, thread: ThreadId, started_by: str) -> None:
    """Make the thread ours, unless it is."""
    db.execute(
        """INSERT INTO threads (team, channel, ts, started_by, created_at) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT DO NOTHING""",
        [thread.team, thread.channel, thread.ts, started_by, clock.now().isoformat()],
    )


def find_thread(db: Transaction, thread: ThreadId) -> ThreadId:
    """Return the conversation that goes on in this thread of a direct message; any other thread is its own."""
    if not thread.channel.startswith("D"):
        return thread
    sql = "SELECT thread FROM places WHERE (team, channel, ts) = (?, ?, ?)"
    found = db.execute(sql, [thread.team, thread.channel, thread.ts]).fetchone()
    return ThreadId.of_key(found[0]) if found else thread


def continue_in(db: Transaction, thread: ThreadId, place: str) -> None:
    """Go on with a conversation below another message of the same direct message; from now on we answer there."""
    db.execute(
        "INSERT INTO places (team, channel, ts, thread) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [thread.team, thread.channel, place, thread.key],
    )
    db.execute("UPDATE threads SET place = ? WHERE thread = ? AND coalesce(place, ts) < ?", [place, thread.key, place])


def place_of(db: Transaction, team: str, channel: str, ts: str) -> str:
    """Return the ts below which a conversation is answered now."""
    if not channel.startswith("D"):
        return ts
    sql = "SELECT coalesce(place, ts) FROM threads WHERE thread = ?"
    found = db.execute(sql, [ThreadId(team, channel, ts).key]).fetchone()
    return str(found[0]) if found else ts


def mark_handed_over(db: Transaction, thread: ThreadId, user: str) -> None:
    """Leave the thread to people, because of this person: see `is_quiet_for`."""
    db.execute(
        """UPDATE threads SET handed_over_at = ?, handed_over_by = CASE WHEN handed_over_by = started_by
           AND handed_over_at IS NOT NULL THEN handed_over_by ELSE ? END WHERE thread = ?""",
        [clock.now().isoformat(), user, thread.key],
    )


def is_quiet_for(db: Transaction, thread: ThreadId, user: str) -> bool:
    """Return whether people have the thread, so that the bot does not answer this person until it is mentioned.

    When somebody else than the one who began the thread wanted a person, it goes on answering the one who did.
    """
    quiet = """SELECT 1 FROM threads WHERE thread = ? AND handed_over_at IS NOT NULL
               AND (started_by != ? OR handed_over_by IS NULL OR handed_over_by = started_by)"""
    return db.execute(quiet, [thread.key, user]).fetchone() is not None


def mark_taken_back(db: Transaction, thread: ThreadId) -> bool:
    """Answer in the thread again, and return whether people had it."""
    back = "UPDATE threads SET handed_over_at = NULL WHERE thread = ? AND handed_over_at IS NOT NULL RETURNING 1"
    return db.execute(back, [thread.key]).fetchone() is not None


def take_back_older_than(db: Transaction, hours: float) -> None:
    """Answer again in threads that people have had for so long."""
    before = clock.now() - timedelta(hours=hours)
    db.execute("UPDATE threads SET handed_over_at = NULL WHERE handed_over_at < ?", [before.isoformat()])


def is_known(db: Transaction, thread: ThreadId) -> bool:
    """Return whether the thread is one of ours."""
    return db.execute("SELECT 1 FROM threads WHERE thread = ?", [thread.key]).fetchone() is not None


def keep_rating(
    db: Transaction, thread: ThreadId, post_id: str, user: str, *, worth: str, reason: str | None = None
) -> None:
    """Keep what somebody says that an answer was worth, in place of what they said before."""
    db.execute(
        """INSERT INTO ratings (thread, post_id, user, worth, reason, at) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (post_id, user) DO UPDATE SET (thread, worth, reason, at)
           = (excluded.thread, excluded.worth, excluded.reason, excluded.at)""",
        [thread.key, post_id, user, worth, reason, clock.now().isoformat()],
    )


def give_back(db: Transaction, team_post: str) -> tuple[ThreadId, str] | None:
    """Answer again in the thread that people were to take over because of this post, and return it and who asked."""
    row = db.execute(
        "SELECT thread, handed_over_by FROM threads WHERE team_post = ? AND handed_over_at IS NOT NULL", [team_post]
    ).fetchone()
    if row is None:
        return None
    thread = ThreadId.of_key(row[0])
    mark_taken_back(db, thread)
    return thread, row[1]


def team_post(db: Transaction, thread: ThreadId, post: Post, *, escalates: bool) -> Post | None:
    """Return how the team is told, once for a message: what is urgent is drawn over when it is escalated as well.

    None when they know already.
    """
    latest = """SELECT id FROM inbox WHERE thread = ? AND status != 'waiting'
                ORDER BY status = 'running' DESC, finished_at DESC NULLS LAST, id LIMIT 1"""
    about = (db.execute(latest, [thread.key]).fetchone() or (None,))[0]
    told, told_about, is_escalated = db.execute(
        "SELECT team_post, team_post_about, handed_over_at IS NOT NULL FROM threads WHERE thread = ?",
        [thread.key],
    ).fetchone()
    if told and told_about == about:
        if is_escalated or not escalates:
            return None
        if db.execute("SELECT 1 FROM outbox WHERE id = ? AND status != 'failed'", [told]).fetchone():
            post = replace(post, replaces=told)
    db.execute(
        "UPDATE threads SET team_post = ?, team_post_about = ? WHERE thread = ?",
        [post.id, about, thread.key],
    )
    return post


def set_intent(db: Transaction, message: InboxMessage, intent: str) -> bool:
    """Keep what the thread's customer wants, unless the message was taken up again; return whether it was kept."""
    kept = db.execute(
        """UPDATE threads SET intent = ? WHERE thread = ?
           AND EXISTS (SELECT 1 FROM inbox WHERE id = ? AND attempts = ?)""",
        [intent, message.thread.key, message.id, message.attempts],
    )
    return bool(kept.rowcount == 1)


def get_intent(db: Transaction, thread: ThreadId) -> str | None:
    """Read what the thread's customer wants, as it was stored last."""
    stored: tuple[str | None] | None = db.execute(
        "SELECT intent FROM threads WHERE thread = ?", [thread.key]
    ).fetchone()
    return stored[0] if stored else None


def get_timeline(db: Transaction, thread: ThreadId) -> str | None:
    """Return the ts of the message that shows what is done in the thread, while something is."""
    found: tuple[str | None] | None = db.execute(
        "SELECT timeline_ts FROM threads WHERE thread = ?", [thread.key]
    ).fetchone()
    return found[0] if found else None


def keep_timeline(db: Transaction, thread: ThreadId, ts: str | None, *, before: str | None) -> None:
    """Keep the ts of that message in place of the one before, or that there is none."""
    db.execute("UPDATE threads SET timeline_ts = ? WHERE thread = ? AND timeline_ts IS ?", [ts, thread.key, before])


def keep_draft(db: Transaction, thread: ThreadId, ts: str) -> bool:
    """Keep the ts of the message that shows the answer while it is being written, unless there is one already."""
    kept = db.execute("UPDATE threads SET draft_ts = ? WHERE thread = ? AND draft_ts IS NULL", [ts, thread.key])
    return bool(kept.rowcount == 1)


def over_draft(db: Transaction, thread: ThreadId, posts: Sequence[Post]) -> list[Post]:
    """Have the first of these posts that everybody in the thread sees drawn over its draft, if there is one.

    Where there is none to draw over it, the draft is deleted.
    """
    found: tuple[str | None] | None = db.execute(
        "SELECT draft_ts FROM threads WHERE thread = ?", [thread.key]
    ).fetchone()
    if not found or not (ts := found[0]):
        return list(posts)
    db.execute("UPDATE threads SET draft_ts = NULL WHERE thread = ?", [thread.key])
    for place, post in enumerate(posts):
        if post.ephemeral_for is None and post.replaces is None and post.channel == thread.channel:
            return [*posts[:place], replace(post, draft_ts=ts), *posts[place + 1 :]]
    return [*posts, Post(new_id(), thread.team, thread.channel, thread.ts, "", draft_ts=ts)]


def mark_stopped(db: Transaction, thread: ThreadId, ts: str) -> None:
    """Keep when a person has stopped the bot in the thread; an earlier time than what is kept changes nothing."""
    stop = "UPDATE threads SET stopped_at = ? WHERE thread = ? AND coalesce(stopped_at, '') < ?"
    db.execute(stop, [ts, thread.key, ts])


def erase_ratings(db: Transaction, user: str) -> None:
    """Erase what the person said that answers in others' threads were worth, and that they called people there."""
    db.execute("DELETE FROM ratings WHERE user = ?", [user])
    db.execute("UPDATE threads SET handed_over_by = 'forgotten' WHERE handed_over_by = ?", [user])


def erase_thread(db: Transaction, thread: ThreadId) -> None:
    """Make the thread nobody's, after all else of it is erased."""
    db.execute("DELETE FROM ratings WHERE thread = ?", [thread.key])
    db.execute("DELETE FROM places WHERE thread = ?", [thread.key])
    db.execute("DELETE FROM threads WHERE thread = ?", [thread.key])
