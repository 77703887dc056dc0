"""Whose hands a thread or a post is in, among the processes that share a database."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from time import monotonic

from bot.store.errors import DatabaseError, LostLeaseError
from bot.store.records import ThreadId, new_id
from bot.store.tables.database import Database, Transaction


class Leases(ABC):
    """This process among those that share the database.

    Whatever a process works on carries its id, which is new at every start. The mark holds for as long as the process
    gives a sign of life within `seconds`; after that anybody may put their own mark in its place. One sign of life
    renews everything that the process has in its hands.

    Each time that a thread changes hands its `fence` is raised. A run writes only while the thread has the number that
    it had when the run was begun: one that slept through a take-over writes nothing more, even when its own process
    has taken the thread back since.
    """

    def __init__(self, database: Database, seconds: float) -> None:
        self.process = new_id()
        self.alone = False
        self.seconds = seconds
        self._database = database
        self._fences: dict[str, int] = {}
        self._unwritten: DatabaseError | None = None
        self._lapses = 0
        self._seen_at = float("-inf")  # by this process's count of seconds, when its last sign of life was begun

    @abstractmethod
    async def join(self) -> None:
        """Come to life; `alone` tells from then on whether nobody else was alive."""

    @abstractmethod
    def write_seen(self, db: Transaction) -> None:
        """Write the sign of life, within a transaction."""

    @abstractmethod
    def lives(self, db: Transaction, process: str) -> bool:
        """Return whether another process has given a sign of life in time."""

    async def renew(self) -> None:
        """Give the sign of life."""
        try:
            await self._sign(self.write_seen)
        except DatabaseError as error:
            self._unwritten = error
            raise
        self._unwritten = None

    async def _sign(self, write: Callable[[Transaction], None]) -> None:
        began = monotonic()
        await self._database.commit_first(write)
        self._lapses += began - self._seen_at >= self.seconds
        self._seen_at = began

    @property
    def hold(self) -> bool:
        """Whether nobody can have taken anything from this process: it has not slept since its last sign of life."""
        return monotonic() - self._seen_at < self.seconds

    @property
    def lapses(self) -> int:
        """How often it was not, this time included."""
        return self._lapses + (not self.hold)

    async def ensure_alive(self) -> None:
        """Raise DatabaseError when the last sign of life was not written or nothing can be now; this writes nothing."""
        if self._unwritten:
            raise self._unwritten
        await self._database.commit(lambda _: None)

    async def leave(self) -> None:
        """Release every lease at once, so that nobody has to wait."""

        def write(db: Transaction) -> None:
            db.execute("DELETE FROM processes WHERE id = ?", [self.process])
            db.hint()

        await self._database.commit(write)

    def held_by_another_process(self, db: Transaction, owner: str | None) -> bool:
        """Return whether a mark is that of another process which is alive."""
        return owner is not None and owner != self.process and self.lives(db, owner)

    def take(self, db: Transaction, thread: ThreadId) -> None:
        """Put our mark on a thread, within the transaction of a write."""
        db.execute("UPDATE threads SET owner = ?, fence = fence + 1 WHERE thread = ?", [self.process, thread.key])

    def begin(self, db: Transaction, thread: ThreadId) -> None:
        """Make the run that begins now the one that may write in a thread of ours."""
        _, self._fences[thread.key] = _owner(db, thread)

    def check(self, db: Transaction, thread: ThreadId) -> None:
        """Refuse to go on, within the transaction of a write, when the thread is not in the run's hands any more."""
        owner, fence = _owner(db, thread)
        if (owner, fence) != (self.process, self._fences.get(thread.key)):
            raise LostLeaseError(f"thread {thread.ts} in {thread.channel} is in the hands of {owner or 'nobody'}")

    def let_go(self, db: Transaction, thread: ThreadId) -> None:
        """Take our mark off a thread."""
        db.execute("UPDATE threads SET owner = NULL WHERE thread = ?", [thread.key])
        self._fences.pop(thread.key, None)


def _owner(db: Transaction, thread: ThreadId) -> tuple[str | None, int]:
    found: tuple[str | None, int] | None = db.execute(
        "SELECT owner, fence FROM threads WHERE thread = ?", [thread.key]
    ).fetchone()
    return found or (None, -1)
