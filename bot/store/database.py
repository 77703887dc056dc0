"""How the database file is opened and shared: one connection in one thread, many operations to a commit."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from sqlite_utils import Database, Migrations

T = TypeVar("T")
MOST_OPERATIONS_A_COMMIT = 256


class DatabaseError(Exception):
    """The database cannot be opened, or did not take an operation."""


class DatabaseThread:
    """The one connection to the file, in a thread of its own, with group commit.

    Operations that wait at the same moment share a transaction and one fsync; each runs inside a savepoint, so
    one that fails takes nothing else with it.
    """

    def __init__(self, path: Path, *migrations: Migrations) -> None:
        self.path = path
        self._migrations = migrations
        self._queue: queue.SimpleQueue[tuple[Callable[[Database], object], Future[object]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="database", daemon=True)
        self._opened: Future[None] = Future()
        self._closed = False

    async def open(self) -> None:
        """Open the file and bring its schema up to date. Raises DatabaseError with words for the operator."""
        self._thread.start()
        await asyncio.wrap_future(self._opened)

    async def close(self) -> None:
        """Commit what waits and close the file."""
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    async def run(self, operation: Callable[[Database], T]) -> T:
        """Run the operation in a transaction and return its result once that is committed.

        The operation is a plain function: it never awaits. When it raises, what it wrote is rolled back.
        """
        if self._closed:
            raise DatabaseError("The database is closed.")
        future: Future[T] = Future()
        # The queue holds results of every type; each future gets that of its own operation.
        self._queue.put((operation, future))  # type: ignore[arg-type]
        return await asyncio.wrap_future(future)

    def _work(self) -> None:
        try:
            db = self._connect()
        except (sqlite3.Error, OSError) as error:
            self._opened.set_exception(DatabaseError(f"The database {self.path} cannot be opened: {error}."))
            return
        self._opened.set_result(None)
        while batch := self._next_batch():
            _commit(db, batch)
        db.close()

    def _connect(self) -> Database:
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=10)
        db = Database(connection, execute_plugins=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # The library decides outside of a transaction what is to be applied; the lock makes two starters take turns.
        connection.execute("BEGIN IMMEDIATE")
        for migrations in self._migrations:
            migrations.apply(db)
        connection.execute("COMMIT")
        return db

    def _next_batch(self) -> list[tuple[Callable[[Database], object], Future[object]]]:
        batch = []
        item = self._queue.get()
        while item is not None:
            batch.append(item)
            if len(batch) == MOST_OPERATIONS_A_COMMIT or self._queue.empty():
                return batch
            item = self._queue.get()
        if batch:
            self._queue.put(None)
        return batch


def _commit(db: Database, batch: list[tuple[Callable[[Database], object], Future[object]]]) -> None:
    outcomes: list[tuple[Future[object], object, BaseException | None]] = []
    try:
        db.conn.execute("BEGIN IMMEDIATE")
        for operation, future in batch:
            if not future.set_running_or_notify_cancel():
                continue
            try:
                with db.atomic():
                    outcomes.append((future, operation(db), None))
            except Exception as error:  # noqa: BLE001 - whoever asked for the operation is told, whatever it was
                outcomes.append((future, None, error))
        db.conn.execute("COMMIT")
    except sqlite3.Error as error:
        if db.conn.in_transaction:
            db.conn.execute("ROLLBACK")
        outcomes = [
            (future, None, DatabaseError(f"The database did not commit: {error}."))
            for _, future in batch
            if future.running() or future.set_running_or_notify_cancel()
        ]
    for future, result, failure in outcomes:
        if failure is None:
            future.set_result(result)
        else:
            future.set_exception(failure)
