"""Which processes are alive on this database, and whose hands a thread or a post is in."""

import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import TextIOWrapper
from pathlib import Path

from sqlite_utils import Database

from bot.store.errors import DatabaseError, LostLeaseError
from bot.store.records import ThreadId, new_id
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.files import make_private
from bot.store.sqlite.threads import set_owner

if sys.platform != "win32":
    import fcntl


class Leases:
    """This process among those that share the database.

    Whatever a process works on carries its id, which is new at every start. The mark holds for as long as the process
    gives a sign of life within `seconds`; after that anybody may put their own mark in its place. One sign of life
    renews everything that the process has in its hands.
    """

    def __init__(self, database: DatabaseThread, seconds: float) -> None:
        self.process = new_id()
        self.alone = False
        self._database = database
        self._seconds = seconds
        self._lock: TextIOWrapper | None = None
        self._unwritten: DatabaseError | None = None

    async def join(self) -> None:
        """Come to life. When no other process has the file open, those that are written down as alive are dead."""
        lock = self._database.path.with_name(f"{self._database.path.name}.lock")
        make_private(lock)
        self._lock = lock.open("w")
        await self._database.commit(self._enter)

    async def renew(self) -> None:
        """Give the sign of life."""
        try:
            await self._database.commit(self._write_seen)
        except DatabaseError as error:
            self._unwritten = error
            raise
        self._unwritten = None

    async def ensure_alive(self) -> None:
        """Raise DatabaseError when the last sign of life was not written or nothing can be now; this writes nothing."""
        if self._unwritten:
            raise self._unwritten
        await self._database.commit(lambda _: None)

    async def leave(self) -> None:
        """Let go of everything at once, so that nobody has to wait."""
        if self._lock:
            self._lock.close()
        await self._database.commit(lambda db: db.execute("DELETE FROM processes WHERE id = ?", [self.process]))

    def held_by_another_process(self, db: Database, owner: str | None) -> bool:
        """Return whether a mark is that of another process which is alive."""
        if owner is None or owner == self.process:
            return False
        alive_since = (datetime.now(UTC) - timedelta(seconds=self._seconds)).isoformat()
        found = db.execute("SELECT 1 FROM processes WHERE id = ? AND seen_at > ?", [owner, alive_since])
        return found.fetchone() is not None

    def check(self, db: Database, thread: ThreadId) -> None:
        """Refuse to go on, within the transaction of a write, when the thread is not in our hands any more."""
        (owner,) = db.execute("SELECT owner FROM threads WHERE thread = ?", [thread.key]).fetchone()
        if owner != self.process:
            raise LostLeaseError(f"thread {thread.ts} in {thread.channel} is in the hands of {owner or 'nobody'}")

    def take(self, db: Database, thread: ThreadId) -> None:
        """Put our mark on a thread, within the transaction of a write."""
        set_owner(db, thread, self.process)

    def let_go(self, db: Database, thread: ThreadId) -> None:
        """Take our mark off a thread."""
        set_owner(db, thread, None)

    def _enter(self, db: Database) -> None:
        # Only inside of a write transaction, so that starters take turns: changing a lock is not atomic.
        self.alone = self._lock_file()
        if self.alone:
            db.execute("DELETE FROM processes")
        self._write_seen(db)

    def _write_seen(self, db: Database) -> None:
        db.execute("INSERT OR REPLACE INTO processes VALUES (?, ?)", [self.process, datetime.now(UTC).isoformat()])

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
