"""How the database file is opened and shared: one connection in one thread, many operations to a commit."""

import asyncio
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlite_utils import Migrations

from bot.store.errors import DatabaseError
from bot.store.sqlite.files import file_at, identity_of, make_private, mark_in, set_mark, writes_at
from bot.store.sqlite.transaction import SqliteTransaction, empty_log
from bot.store.tables.operations import Operation, Outcome, WriteAvailability, log_failure, resolve

logger = logging.getLogger(__name__)

T = TypeVar("T")
Operated = Callable[[SqliteTransaction], T]
MAX_OPERATIONS_A_COMMIT = 256
PAGES_BETWEEN_CHECKPOINTS = 10_000  # 40 MB: a checkpoint is three waits for the disk, which an ack may stand behind
GROUP_COMMIT_LINGER_SECONDS = 0.05
_TRIES, _TRY_INTERVAL_SECONDS = 20, 0.1
_REFUSALS = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_READONLY,
}


class _MovedError(sqlite3.OperationalError):
    """The file that is open is not the one at the path: SQLite itself would write on, for nobody to read."""

    sqlite_errorcode = sqlite3.SQLITE_READONLY_DBMOVED


class DatabaseThread:
    """The one connection to the file, in a thread of its own, with group commit.

    Operations that wait at the same moment share a transaction and one fsync; each runs inside a savepoint, so
    one that fails takes nothing else with it. All of them take turns, whatever their `lock`.
    """

    def __init__(self, path: Path, *migrations: Migrations) -> None:
        self.path = path
        self._migrations = migrations
        self._queue: queue.SimpleQueue[list[Operation] | None] = queue.SimpleQueue()
        self._gathered: list[Operation] = []
        self._thread = threading.Thread(target=self._work, name="database", daemon=True)
        self._opened: Future[None] = Future()
        self._closed = False
        self._availability = WriteAvailability(str(path))
        self._log_path = path.with_name(f"{path.name}-wal")
        self._file: os.stat_result | None = None
        self._mark = 0
        self._log: tuple[int, int] | None = None

    async def open(self) -> None:
        """Open the file and bring its schema up to date. Raises DatabaseError with words for the operator."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        await asyncio.wrap_future(self._opened)

    async def close(self) -> None:
        """Commit what waits and close the file."""
        self._closed = True
        self._send()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    async def commit(self, operation: Operated[T], *, lock: str | None = None) -> T:  # noqa: ARG002
        """Run the operation in a transaction and return its result once that is durable.

        The operation is a plain function: it never awaits. When it raises, what it wrote is rolled back, and this
        raises the same; DatabaseError when the database does not take it.
        """
        return await self._run(operation, None)

    async def commit_first(self, operation: Operated[T]) -> T:
        """Commit it with whatever waits: here all of that is one transaction, and takes no longer for one more."""
        return await self._run(operation, None)

    async def read(self, query: Operated[T], *, lock: str | None = None) -> T:  # noqa: ARG002
        """Return what the query finds, and all that was asked for before it is in what it sees, and durable."""
        return await self._run(query, None)

    async def run_ahead(
        self,
        operation: Operated[T],
        *,
        on_rollback: Callable[[], object],
        lock: str | None = None,  # noqa: ARG002
    ) -> T:
        """Return before the commit is durable; only for work that is recomputed after a crash.

        Nobody outside may be told the result. When the commit fails, `on_rollback` is called in the database's thread
        before any other operation runs.
        """
        return await self._run(operation, on_rollback)

    async def wipe(self, *, thoroughly: bool) -> str | None:
        """Rewrite the file, when that is to be thorough, and empty the `-wal` file; return where words are left."""
        if thoroughly:
            try:
                # Rows that were moved within the file leave copies of themselves in bytes that nothing uses.
                await self._run(lambda db: db.execute("VACUUM"), None, alone=True)
            except DatabaseError as error:
                return f"unused bytes of {self.path} ({error})"
        for _ in range(_TRIES if thoroughly else 1):
            if await self._run(empty_log, None, alone=True):
                return None
            await asyncio.sleep(_TRY_INTERVAL_SECONDS)
        return f"{self.path}-wal, as another program reads the database"

    def enqueue(self, operation: Operated[object], *, lock: str | None = None) -> None:  # noqa: ARG002
        """Run the operation before any that is asked for later, with the next of them or in a moment.

        Nobody waits for it; a failure is logged.
        """
        self._gather(operation, None).add_done_callback(log_failure)
        self._loop.call_later(GROUP_COMMIT_LINGER_SECONDS, self._send)

    async def _run(
        self,
        operation: Operated[T],
        on_rollback: Callable[[], object] | None,
        *,
        alone: bool = False,
    ) -> T:
        future = self._gather(operation, on_rollback, alone=alone)
        self._send()
        result: T = await future
        return result

    def _gather(
        self,
        call: Operated[object],
        on_rollback: Callable[[], object] | None,
        *,
        alone: bool = False,
    ) -> asyncio.Future[Any]:
        if self._closed:
            raise DatabaseError("The database is closed.")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._gathered.append(Operation(call, future, on_rollback, alone))
        return future

    def _send(self) -> None:
        if self._gathered:
            self._queue.put(self._gathered)
            self._gathered = []

    def _work(self) -> None:
        try:
            db = self._connect()
        except (sqlite3.Error, OSError) as error:
            self._opened.set_exception(DatabaseError(f"The database {self.path} cannot be opened: {error}."))
            return
        except DatabaseError as error:
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        while batch := self._next_batch():
            self._commit(db, [operation for operation in batch if not operation.alone])
            for operation in batch:
                if operation.alone:
                    self._do_alone(db, operation)
        db.close()

    def _do_alone(self, db: SqliteTransaction, operation: Operation) -> None:
        result: object = None
        failure: sqlite3.Error | None = None
        try:
            result = operation.call(db)
        except sqlite3.Error as error:
            failure = error
        self._tell([(operation.future, result, failure)], failure)

    def _connect(self) -> SqliteTransaction:
        make_private(self.path)
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=10)
        try:
            db = SqliteTransaction(connection, execute_plugins=False)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES_BETWEEN_CHECKPOINTS}")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")
            # The library decides outside of a transaction what is to be applied; with the lock starters take turns.
            connection.execute("BEGIN IMMEDIATE")
            for migrations in self._migrations:
                refuse_newer(self.path, db, migrations)
                migrations.apply(db)
            if not connection.execute("PRAGMA user_version").fetchone()[0]:
                set_mark(connection.execute)
            connection.execute("COMMIT")
            if not mark_in(self.path):  # of a new database; what is in the file itself is to be known
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self._file, self._log = writes_at(self.path), file_at(self._log_path)
            self._mark = mark_in(self.path) or 0
        except BaseException:
            connection.close()
            raise
        return db

    def _check_in_place(self, db: SqliteTransaction) -> None:
        file = writes_at(self.path)
        if identity_of(file) != identity_of(self._file):
            raise _MovedError("the file was deleted or replaced while it was open; put it back, or start the bot again")
        # What is written to it is read by nobody else; that it is not lost is seen to at the end, when it is closed.
        if file_at(self._log_path) != self._log:
            raise _MovedError("its -wal was deleted or replaced while it was open; stop the bot, and start it again")

        if file and self._file and (file.st_mtime_ns, file.st_size) != (self._file.st_mtime_ns, self._file.st_size):
            # SQLite wrote what was in the `-wal` to it, or somebody copied another file over it.
            mark = mark_in(self.path)
            if mark is None or not self._mark <= mark <= db.execute("PRAGMA user_version").fetchone()[0]:
                raise _MovedError("the file was overwritten while open; stop the bot, then `support-bot restore`")
            self._file, self._mark = file, mark

    def _next_batch(self) -> list[Operation]:
        """Wait for operations, and take what else is there by then; an empty batch is the end."""
        batch: list[Operation] = []
        while not batch or (len(batch) < MAX_OPERATIONS_A_COMMIT and not self._queue.empty()):
            gathered = self._queue.get()
            if gathered is None:
                self._queue.put(None)
                break
            batch += gathered
        return batch

    def _commit(self, db: SqliteTransaction, batch: list[Operation]) -> None:
        """Run the operations in one transaction. When that fails as a whole, all of them have failed."""
        changes = db.conn.total_changes
        broken: sqlite3.Error | None = None
        outcomes: list[Outcome] = []
        try:
            self._check_in_place(db)
            db.conn.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            broken = error
        # Only now: a caller who stopped waiting while the database was locked does not want it any more.
        wanted = [operation for operation in batch if not operation.future.cancelled()]
        try:
            for operation in wanted if broken is None else ():
                outcomes.append((operation.future, *_attempt(db, operation.call)))
                if operation.on_rollback:
                    self._tell(outcomes[-1:], broken)
            if broken is None:
                db.conn.execute("COMMIT")
        except sqlite3.Error as error:
            broken = error
            if db.conn.in_transaction:
                db.conn.execute("ROLLBACK")
        if broken is not None:
            outcomes = [(operation.future, None, broken) for operation in wanted]
            for operation in wanted:
                if operation.on_rollback:
                    operation.on_rollback()
        refusal = next((failure for *_, failure in outcomes if failure and _is_refusal(failure)), None)
        self._availability.note(refusal, wrote=db.conn.total_changes > changes)
        self._tell(outcomes, broken)

    def _tell(self, outcomes: list[Outcome], broken: sqlite3.Error | None) -> None:
        with suppress(RuntimeError):  # the event loop is over, and with it all who waited
            self._loop.call_soon_threadsafe(
                resolve, outcomes, lambda failure: failure is broken or _is_refusal(failure)
            )


def _attempt(db: SqliteTransaction, operation: Operated[object]) -> tuple[object, Exception | None]:
    try:
        with db.atomic():
            return operation(db), None
    except Exception as error:  # noqa: BLE001 - the caller is told, whatever it was
        if db.conn.in_transaction:
            return None, error
        # SQLite itself gave the whole transaction up, and with it what the others of the batch had written.
        raise error if isinstance(error, sqlite3.Error) else sqlite3.OperationalError(str(error)) from None


def _is_refusal(error: Exception) -> bool:
    """Tell a database that cannot from an operation that is wrong."""
    return isinstance(error, sqlite3.Error) and (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _REFUSALS


def refuse_newer(path: Path, db: SqliteTransaction, migrations: Migrations) -> None:
    """Raise DatabaseError when something was done to the database that this version does not know."""
    with closing(sqlite3.connect(":memory:")) as empty:
        ours = {one.name for one in migrations.pending(SqliteTransaction(empty, execute_plugins=False))}
    if newer := {one.name for one in migrations.applied(db)} - ours:
        raise DatabaseError(
            f"The database {path} was written by a newer version of the bot "
            f"({migrations.name}: {', '.join(sorted(newer))}). Start that version, or go back to a backup."
        )
