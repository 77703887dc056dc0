"""Which processes are alive on this file."""

import sys
from contextlib import suppress
from datetime import timedelta
from io import TextIOWrapper
from pathlib import Path

from bot import clock
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.files import make_private, set_mark
from bot.store.tables import leases
from bot.store.tables.database import Transaction

if sys.platform != "win32":
    import fcntl


class Leases(leases.Leases):
    """Leases by this machine's clock. A lock on a file beside the database tells whether anybody else lives at all."""

    def __init__(self, database: DatabaseThread, seconds: float) -> None:
        super().__init__(database, seconds)
        self._path = database.path
        self._lock: TextIOWrapper | None = None

    async def join(self) -> None:
        """Come to life. When no other process has the file open, those that are written down as alive are dead."""
        lock = self._path.with_name(f"{self._path.name}.lock")
        make_private(lock)
        self._lock = lock.open("w")
        await self._sign(self._enter)
        await self._database.wipe(thoroughly=False)  # the mark is in the file itself then

    async def leave(self) -> None:
        """Release every lease at once, so that nobody has to wait."""
        if self._lock:
            self._lock.close()
        await super().leave()

    def write_seen(self, db: Transaction) -> None:
        """Write the sign of life, within a transaction."""
        db.execute("INSERT OR REPLACE INTO processes VALUES (?, ?)", [self.process, clock.now().isoformat()])
        set_mark(db.execute)

    def lives(self, db: Transaction, process: str) -> bool:
        """Return whether another process has given a sign of life in time."""
        alive_since = (clock.now() - timedelta(seconds=self.seconds)).isoformat()
        found = db.execute("SELECT 1 FROM processes WHERE id = ? AND seen_at > ?", [process, alive_since])
        return found.fetchone() is not None

    def _enter(self, db: Transaction) -> None:
        # Only inside of a write transaction, so that starters take turns: changing a lock is not atomic.
        self.alone = self._lock_file()
        if self.alone:
            db.execute("DELETE FROM processes")
        set_mark(db.execute, leap=True)
        self.write_seen(db)

    def _lock_file(self) -> bool:
        """Hold the file's lock together with all living processes, and return whether there is no other."""
        if sys.platform == "win32" or self._lock is None:
            return False
        alone = False
        with suppress(BlockingIOError):
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        return alone


def is_in_use(path: Path) -> bool:
    """Return whether a living process has joined the database; where files cannot be locked nobody can tell: no."""
    lock = path.with_name(f"{path.name}.lock")
    if sys.platform == "win32" or not lock.exists():
        return False
    with lock.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
