"""What the operator has tried again: a message that was not answered, or a post that Slack did not take."""

from bot.store.errors import NothingToRetryError
from bot.store.tables.audit import write_audit
from bot.store.tables.database import Database, Transaction
from bot.store.tables.inbox_rows import wait_again
from bot.store.tables.messages import say_again
from bot.store.tables.outbox_rows import send_again

_UNKNOWN = (
    "Nobody knows yet what came of this request. The bot asks the shop again by itself; "
    "`support-bot settle` ends it when you know."
)
_FINAL = "This call has ended ({}), and what has ended never changes. It can be asked for again in Slack."


class Retries:
    """Puts what has failed back to where it waited; a bot that runs finds it there within seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def retry(self, reference: str, *, by: str) -> str:
        """Try again what the reference names, and return in words what that is. Raises NothingToRetryError."""
        like = f"{reference.lower()}%"

        def write(db: Transaction) -> str:
            for again in (_message_again, _post_again):
                if (found := again(db, like)) is not None:
                    row_id, words = found
                    write_audit(db, "retry", by=by, subject=row_id)
                    db.hint()
                    return words
            raise NothingToRetryError(_why_not(db, reference, like))

        return await self._database.commit(write)


def _message_again(db: Transaction, like: str) -> tuple[str, str] | None:
    rows = db.execute(
        """SELECT id, error, user FROM inbox WHERE status = 'failed'
           AND (error LIKE ? OR id IN (SELECT run_id FROM model_calls WHERE id LIKE ?))""",
        [like, like],
    ).fetchall()
    if not rows:
        return None
    errors = {error for _, error, _ in rows}
    if len(errors) > 1:
        raise NothingToRetryError("Several messages have a reference that begins so. Give more of it.")
    for row_id, _, _ in rows:
        if wait_again(db, row_id):
            say_again(db, row_id)
    reference = str(rows[0][1]).partition(":")[0]
    return reference, f"The message of {rows[0][2]} waits for its answer again."


def _post_again(db: Transaction, like: str) -> tuple[str, str] | None:
    rows = db.execute(
        "SELECT id, channel, call_id, replaces, error FROM outbox WHERE status = 'failed' AND id LIKE ?", [like]
    ).fetchall()
    if not rows:
        return None
    if len(rows) > 1:
        raise NothingToRetryError("Several posts have an id that begins so. Give more of it.")
    ((row_id, channel, call_id, replaces, _),) = rows
    if call_id and replaces is None:
        raise NothingToRetryError(
            "This is the card of a request that was closed without it. It can be asked for again."
        )
    send_again(db, row_id)
    return row_id, f"The post in {channel} is tried again."


def _why_not(db: Transaction, reference: str, like: str) -> str:
    found = db.execute("SELECT status FROM tool_calls WHERE id LIKE ?", [like]).fetchone()
    if found is None:
        return (
            f"Nothing that failed has the reference {reference}: not a message that could not be answered, "
            "not a post that Slack did not take."
        )
    if found[0] in ("pending", "proposed", "running"):
        return "This call is still open; there is nothing to try again."
    return _UNKNOWN if found[0] == "unknown" else _FINAL.format(found[0])
