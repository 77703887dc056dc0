"""Rows of what is to be said, as others read and change them within their transactions: cards, and what is relayed."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.store.records import Post, ThreadId, new_id
from bot.store.tables.database import Transaction

NOWHERE = ""  # where a post went that the team never read


def cards_of(db: Transaction, call_id: str) -> list[Post]:
    """List the cards that were posted, or are about to be, for a gated call; not those that Slack did not take."""
    rows = db.query(
        "SELECT * FROM outbox WHERE call_id = ? AND replaces IS NULL AND status != 'failed' ORDER BY seq", [call_id]
    )
    return [post_of(row) for row in rows]


def redraw(db: Transaction, card: Post, drawn: Post) -> None:
    """Keep a card as it is shown from now on: it is drawn again like this, after a pause and on a Home tab."""
    db.execute("UPDATE outbox SET text = ?, blocks = ? WHERE id = ?", [drawn.text, json.dumps(drawn.blocks), card.id])


def over(card: Post, redrawn: Post) -> Post:
    """Return the post that replaces a card where it stands."""
    return replace(
        redrawn, id=new_id(), team=card.team, channel=card.channel, thread_ts=card.thread_ts, replaces=card.id
    )


def relayed_to_team(db: Transaction, thread: ThreadId) -> ThreadId | None:
    """Return the team's thread about a customer's."""
    sql = """SELECT to_channel, coalesce(ts, '') FROM relays WHERE thread = ? AND to_channel != ?
             ORDER BY at DESC NULLS LAST LIMIT 1"""
    found = db.execute(sql, [thread.key, NOWHERE]).fetchone()
    return ThreadId(thread.team, *found) if found else None


def relayed_to_customer(db: Transaction, thread: ThreadId) -> ThreadId | None:
    """Return the customer's thread that the team's is about."""
    found = db.execute(
        "SELECT thread FROM relays WHERE (to_channel, ts) = (?, ?)", [thread.channel, thread.ts]
    ).fetchone()
    return ThreadId.of_key(found[0]) if found else None


def take_unreached(db: Transaction, thread: ThreadId) -> bool:
    """Return, once, whether the team could not be told of the thread, so that nobody has it."""
    deleted = "DELETE FROM relays WHERE thread = ? AND to_channel = ?"
    return bool(db.execute(deleted, [thread.key, NOWHERE]).rowcount)


def is_waiting(db: Transaction, thread: ThreadId) -> bool:
    """Return whether something about the thread is still to be said."""
    waiting = "SELECT 1 FROM outbox WHERE about = ? AND status = 'waiting'"
    return db.execute(waiting, [thread.key]).fetchone() is not None


def post_of(row: dict[str, Any]) -> Post:
    """Make a post of its row."""
    return Post(
        id=row["id"],
        team=row["team"],
        channel=row["channel"],
        thread_ts=row["thread_ts"],
        text=row["text"],
        blocks=tuple(json.loads(row["blocks"])),
        call_id=row["call_id"],
        replaces=row["replaces"],
        draft_ts=row["draft_ts"],
        decidable=bool(row["decidable"]),
        ephemeral_for=row["ephemeral_for"],
        ts=row["ts"],
        attempts=row["attempts"],
        created_at=datetime.fromisoformat(row["created_at"]),
        traceparent=row["traceparent"],
    )


def close_cards(db: Transaction, call_id: str) -> None:
    """Note that nothing is decided any more on the cards of a call."""
    db.execute("UPDATE outbox SET decidable = FALSE WHERE call_id = ? AND replaces IS NULL", [call_id])


def mark_deleted(db: Transaction, post_id: str) -> None:
    """Note that a post is not in Slack any more, because somebody has deleted it there."""
    deleted = "UPDATE outbox SET status = 'failed', decidable = FALSE, error = 'deleted in Slack' WHERE id = ?"
    db.execute(deleted, [post_id])


def send_again(db: Transaction, post_id: str) -> None:
    """Make a post wait once more that Slack did not take."""
    # Somebody else's mark: whether the post is in Slack after all is asked before it is posted.
    again = "UPDATE outbox SET status = 'waiting', attempts = 0, sender = 'retry' WHERE id = ? AND status = 'failed'"
    db.execute(again, [post_id])
