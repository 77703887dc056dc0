"""Where a run began in its conversation, and what it has cost since, within the caller's transaction."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from bot.store.calls import Spent
from bot.store.records import ThreadId
from bot.store.tables.database import Transaction


class Begin(NamedTuple):
    """Where a run began in the conversation, when, and for whom."""

    message_id: int = 0
    at: str = "0001-01-01"
    user: str = ""


def start_of_run(db: Transaction, thread: ThreadId) -> Begin:
    """Find where the run began in the conversation: at the first of the messages that it answers."""
    # Named twice, the status lets SQLite use the index of open messages, here as in `finish_running`.
    first = db.execute(
        """SELECT messages.id, created_at, inbox.user FROM inbox JOIN messages ON inbox_id = inbox.id
           WHERE inbox.thread = ?
           AND status IN ('waiting', 'running') AND status = 'running'
           ORDER BY messages.id LIMIT 1""",
        [thread.key],
    ).fetchone()
    return Begin(*first or ())


def spent(db: Transaction, thread: ThreadId, begin: Begin) -> Spent:
    """Sum up what the run has cost so far, of which some bounds count an hour."""
    steps, tokens = db.execute(
        """SELECT count(*) FILTER (WHERE status = 'succeeded' AND purpose = 'turn'),
                  coalesce(sum(coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)), 0)
           FROM model_calls WHERE thread = ? AND created_at >= ?""",
        [thread.key, begin.at],
    ).fetchone()
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    calls = db.execute(
        """SELECT count(*) FROM tool_calls WHERE thread = ? AND requester = ? AND created_at > ?
           AND message_id IS NOT NULL AND supersedes IS NULL""",
        [thread.key, begin.user, hour_ago],
    ).fetchone()[0]
    same = db.execute(
        """SELECT coalesce(max(n), 0) FROM (
               SELECT count(DISTINCT message_id) AS n FROM tool_calls
               WHERE thread = ? AND message_id > ?
               AND status IN ('rejected', 'failed') GROUP BY tool, arguments_sent) AS failures""",
        [thread.key, begin.message_id],
    ).fetchone()[0]
    return Spent(steps, tokens, calls, same)
