"""Who did what to the bot from its command line."""

from bot import clock
from bot.store.tables.database import Transaction


def write_audit(db: Transaction, action: str, *, by: str, subject: str | None = None, why: str | None = None) -> None:
    """Add a row, within the transaction of what was done.

    `action` is the command; `subject` is the id of what it was done to, and never a person's.
    """
    db.execute(
        "INSERT INTO audit (at, by, action, subject, why) VALUES (?, ?, ?, ?, ?)",
        [clock.now().isoformat(), by, action, subject, why],
    )
