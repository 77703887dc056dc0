"""What an operation on the file works with, and what is done to the file beside all operations."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlite_utils import Database

from bot import clock


class SqliteTransaction(Database):
    """The database within a transaction: as sqlite-utils has it, and as `bot.store.tables` asks for it."""

    conflict = sqlite3.IntegrityError

    def lock(self, name: str, *, shared: bool = False) -> None:
        """Do nothing: one transaction at a time has the file."""

    def now(self) -> datetime:
        """Return the time by this machine's clock: all who share the file are on this machine."""
        return clock.now()

    def hint(self) -> None:
        """Do nothing: all who share the file look for what waits again and again."""

    @contextmanager
    def final_calls_unlocked(self) -> Iterator[None]:
        """Lift the triggers that hold finished calls, within the transaction only."""
        guards = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'tool_calls_no_%_when_final'"
        triggers = self.execute(guards).fetchall()
        for name, _ in triggers:
            self.execute(f"DROP TRIGGER {name}")
        yield
        for _, sql in triggers:
            self.execute(sql)


def empty_log(db: Database) -> bool:
    """Move the `-wal` file's content into the database and cut it to nothing; False at once when somebody reads it."""
    (patience,) = db.execute("PRAGMA busy_timeout").fetchone()
    db.execute("PRAGMA busy_timeout = 0")
    try:
        (is_busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        return False
    finally:
        db.execute(f"PRAGMA busy_timeout = {patience}")
    return not is_busy
