"""What is left of posts when somebody is forgotten, or when their time is over."""

from bot.store.records import ThreadId
from bot.store.tables.database import Transaction


def erase_posts(db: Transaction, thread: ThreadId) -> None:
    """Erase all that was said about the thread, wherever it was posted."""
    db.execute("DELETE FROM outbox WHERE about = ?", [thread.key])
    db.execute("DELETE FROM relays WHERE thread = ?", [thread.key])
    if thread.channel.startswith("D"):
        db.execute("DELETE FROM channels WHERE channel = ?", [thread.channel])


def erase_mentions(db: Transaction, user: str) -> bool:
    """Erase the words of posts that mention the person in threads that stay; False when one is still to be said.

    The card of an open request keeps its words until it is decided: it is drawn again from them.
    """
    mentions = "instr(text || blocks, ?) > 0"
    waiting = f"SELECT 1 FROM outbox WHERE status = 'waiting' AND {mentions}"  # noqa: S608 - a word of ours
    if db.execute(waiting, [f"<@{user}>"]).fetchone():
        return False
    db.execute(
        f"""UPDATE outbox SET text = '', blocks = '[]' WHERE {mentions} AND NOT EXISTS (
                SELECT 1 FROM tool_calls WHERE id = call_id AND status IN ('pending', 'running', 'unknown'))""",  # noqa: S608
        [f"<@{user}>"],
    )
    return True


def erase_old_posts(db: Transaction, before: str) -> int:
    """Erase what was said before a time and is no card of a request, and return how much that was."""
    db.execute(
        """UPDATE outbox SET replaces = NULL WHERE created_at >= ? AND status != 'waiting' AND replaces IN (
               SELECT id FROM outbox WHERE created_at < ? AND call_id IS NULL)""",
        [before, before],
    )
    old = "DELETE FROM outbox WHERE created_at < ? AND status != 'waiting' AND call_id IS NULL"
    return int(db.execute(old, [before]).rowcount)
