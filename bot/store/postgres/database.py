"""How the server is reached: a pool of connections, each operation a transaction on one of them."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from random import random
from time import monotonic, sleep
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg_pool import ConnectionPool

from bot import clock
from bot.store.errors import DatabaseError
from bot.store.postgres.connection import ANSWER_SECONDS, CONNECT_SECONDS, CONNECTION, BoundedConnection
from bot.store.postgres.migrations import TABLES, migrate
from bot.store.postgres.transaction import PostgresTransaction, adapt, locking
from bot.store.tables.operations import Operation, Outcome, WriteAvailability, line_of, log_failure, resolve

T = TypeVar("T")
Operated = Callable[[PostgresTransaction], T]
MAX_CONNECTIONS = 8
LINGER_SECONDS = 0.05  # for which a row of the log waits for others, to be committed with them
TRY_SECONDS = 2.4  # Slack waits for three, and the intake for little less
CHANNEL = "support_bot"
# Together with the first lock it is one message to the server. A process that hangs in the midst of a transaction
# keeps the others waiting no longer than that: the server ends it.
BEGIN = (
    b"BEGIN; SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '15s'; "
    b"SET LOCAL idle_in_transaction_session_timeout = '5s'"
)
BEGIN_READING = BEGIN.replace(b"BEGIN", b"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", 1)
logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # what it would tell again and again is told once here


class _AgainError(Exception):
    """Nothing was written, and trying again may help; its cause says why nothing was."""


class PostgresDatabase:
    """The bot's tables on a PostgreSQL server.

    Operations with the same `lock` wait for each other in the order in which they were asked for, and those that wait
    at the same moment share a transaction, with a savepoint each. All others run side by side.
    """

    def __init__(self, url: str, *, size: int = MAX_CONNECTIONS, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.url = url
        self.name = shown(url)
        self._answer_seconds = answer_seconds
        self._pool = ConnectionPool(
            url,
            connection_class=BoundedConnection,
            kwargs=CONNECTION,
            min_size=min(size, 4),
            max_size=size + 1,
            open=False,
            configure=self._configure,
            reconnect_timeout=1.0,
            timeout=CONNECT_SECONDS,
        )
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="database")
        self._first = ThreadPoolExecutor(1, thread_name_prefix="sign of life")
        self._waiting: dict[str, list[Operation]] = {}
        self._busy: set[str] = set()
        self._unwritten: set[asyncio.Future[Any]] = set()
        self._availability = WriteAvailability(self.name)
        self._closed = False

    async def open(self) -> None:
        """Connect, and bring the schema up to date. Raises DatabaseError with words for the operator."""
        self._loop = asyncio.get_running_loop()
        await self._loop.run_in_executor(self._threads, self._open)

    async def close(self) -> None:
        """Commit what waits, and let go of all connections."""
        while self._unwritten:
            self._send_all()
            await asyncio.wait(self._unwritten)
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._first.shutdown)
        await asyncio.to_thread(self._pool.close)
        clock.forget()

    async def commit(self, operation: Operated[T], *, lock: str | None = None) -> T:
        """Run the operation in a transaction and return its result once that is durable.

        It is a plain function, which may run more than once, and never awaits. When it raises, what it wrote is rolled
        back, and this raises the same; DatabaseError when the database does not take it.
        """
        return await self._run(operation, lock, BEGIN)

    async def commit_first(self, operation: Operated[T]) -> T:
        """Commit it on a connection and in a thread of its own, which nothing else waits for."""
        if self._closed:
            raise DatabaseError("The database is closed.")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._loop.run_in_executor(self._first, self._work, [Operation(operation, future)], None, BEGIN)
        result: T = await future
        return result

    async def read(self, query: Operated[T], *, lock: str | None = None) -> T:
        """Return what the query finds; all of it is of one moment, and what was enqueued before is in it."""
        return await self._run(query, lock, BEGIN if lock else BEGIN_READING)

    async def run_ahead(
        self,
        operation: Operated[T],
        *,
        on_rollback: Callable[[], object],  # noqa: ARG002
        lock: str | None = None,
    ) -> T:
        """Run it like any other: here nobody can be told before the commit without being told what is not so."""
        return await self._run(operation, lock, BEGIN)

    def enqueue(self, operation: Operated[object], *, lock: str | None = None) -> None:
        """Run the operation with the next that has its lock, or in a moment. Nobody waits; a failure is logged."""
        future = self._loop.create_future()
        future.add_done_callback(log_failure)
        self._unwritten.add(future)
        future.add_done_callback(self._unwritten.discard)
        if lock is None:
            self._start([Operation(operation, future)], None, BEGIN)
            return
        self._waiting.setdefault(lock, []).append(Operation(operation, future))
        self._loop.call_later(LINGER_SECONDS, self._send, lock)

    async def wipe(self, *, thoroughly: bool) -> str | None:  # noqa: ARG002
        """Free the room of deleted rows, which is written over in time."""
        with suppress(psycopg.Error):
            await self._loop.run_in_executor(self._threads, self._vacuum)
        return None

    async def notify(self, channel: str) -> None:
        """Notify all who listen there. Raises DatabaseError."""
        try:
            await self._loop.run_in_executor(self._threads, self._notify, channel)
        except psycopg.Error as error:
            raise DatabaseError(str(error)) from error

    async def connect(self) -> psycopg.AsyncConnection[Any]:
        """Open a connection beside the pool, for what waits on it."""
        return await psycopg.AsyncConnection.connect(self.url, **CONNECTION)

    async def _run(self, operation: Operated[T], lock: str | None, begin: bytes) -> T:
        if self._closed:
            raise DatabaseError("The database is closed.")
        if lock is None and self._unwritten:
            self._send_all()
            await asyncio.wait(self._unwritten)
        future: asyncio.Future[Any] = self._loop.create_future()
        wanted = Operation(operation, future)
        if lock is None:
            self._start([wanted], None, begin)
        else:
            self._waiting.setdefault(lock, []).append(wanted)
            self._send(lock)
        result: T = await future
        return result

    def _send_all(self) -> None:
        for lock in tuple(self._waiting):
            self._send(lock)

    def _send(self, lock: str) -> None:
        """Start all that waits for a lock, unless something of ours has it; then it is started after that."""
        if lock not in self._busy and (batch := self._waiting.pop(lock, None)):
            self._busy.add(lock)
            self._start(batch, lock, BEGIN)

    def _start(self, batch: list[Operation], lock: str | None, begin: bytes) -> None:
        work = self._loop.run_in_executor(self._threads, self._work, batch, lock, begin)
        work.add_done_callback(partial(self._go_on, lock))

    def _go_on(self, lock: str | None, _: asyncio.Future[None]) -> None:
        if lock is not None:
            self._busy.discard(lock)
            self._send(lock)

    # From here on in one of the threads

    def _open(self) -> None:
        try:
            with psycopg.connect(self.url, **CONNECTION) as connection:
                adapt(connection)
                migrate(connection)
                PostgresTransaction(connection).now()
        except psycopg.Error as error:
            raise DatabaseError(f"The database {self.name} cannot be opened: {line_of(error)}.") from error
        self._pool.open()

    def _configure(self, connection: BoundedConnection) -> None:
        connection.answer_seconds = self._answer_seconds
        adapt(connection)

    def _vacuum(self) -> None:
        with psycopg.connect(self.url, **CONNECTION) as connection:  # one that may take its time
            connection.execute(f"VACUUM {', '.join(TABLES)}".encode())

    def _notify(self, channel: str) -> None:
        with self._pool.connection() as connection:
            connection.execute(f"NOTIFY {channel}".encode())

    def _work(self, batch: Sequence[Operation], lock: str | None, begin: bytes) -> None:
        wanted = [operation for operation in batch if not operation.future.cancelled()]
        refusal: Exception | None = None
        outcomes: list[Outcome] = []
        if wanted:
            try:
                outcomes = self._commit(wanted, begin + b"; " + locking(lock) if lock else begin)
            except Exception as error:  # noqa: BLE001 - all who wait are told, whatever it was
                refusal = error
                outcomes = [(operation.future, None, refusal) for operation in wanted]
            self._availability.note(refusal if refusal and refuses(refusal) else None, wrote=refusal is None)
        with suppress(RuntimeError):  # the event loop is over, and with it all who waited
            self._loop.call_soon_threadsafe(resolve, outcomes, refuses)

    def _commit(self, batch: Sequence[Operation], begin: bytes) -> list[Outcome]:
        """Run the operations in one transaction, again and again where that may help. Raises what cannot be helped."""
        until = monotonic() + TRY_SECONDS
        while True:
            try:
                with self._pool.connection(timeout=max(0.05, until - monotonic())) as connection:
                    return _transact(connection, batch, begin)
            except _AgainError as error:
                cause = error.__cause__ or error
                if monotonic() > until:
                    raise cause from None
                sleep(random() * 0.02)  # noqa: S311 - so that two who were in each other's way are not again


def _transact(connection: psycopg.Connection[Any], batch: Sequence[Operation], begin: bytes) -> list[Outcome]:
    transaction = PostgresTransaction(connection)
    try:
        connection.execute(begin)
        outcomes = [(operation.future, *_attempt(transaction, connection, operation, batch)) for operation in batch]
    except (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable) as error:
        connection.execute("ROLLBACK")
        raise _AgainError from error
    except psycopg.Error as error:
        if connection.closed:
            raise _AgainError from error
        connection.execute("ROLLBACK")
        raise
    if len(batch) == 1 and outcomes[0][2]:
        connection.execute("ROLLBACK")
    elif connection.execute("COMMIT").statusmessage != "COMMIT":
        raise psycopg.OperationalError("the transaction was rolled back")
    elif transaction.hinted:
        # After the commit, and apart from it: a transaction that notifies keeps all others of the server waiting.
        with suppress(psycopg.Error):
            connection.execute(f"NOTIFY {CHANNEL}".encode())
    return outcomes


def _attempt(
    transaction: PostgresTransaction,
    connection: psycopg.Connection[Any],
    operation: Operation,
    batch: Sequence[Operation],
) -> tuple[object, Exception | None]:
    """Run one operation; with others beside it, behind a savepoint. Raises what ends the whole transaction."""
    if len(batch) > 1:
        connection.execute("SAVEPOINT one")
    try:
        result = operation.call(transaction)
    except (psycopg.OperationalError, psycopg.InternalError, psycopg.InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - the caller is told, whatever it was
        if len(batch) > 1:
            connection.execute("ROLLBACK TO SAVEPOINT one")
        return None, error
    if len(batch) > 1:
        connection.execute("RELEASE SAVEPOINT one")
    return result, None


def refuses(error: Exception) -> bool:
    """Return whether the database cannot; else the operation is wrong."""
    return isinstance(error, psycopg.OperationalError | psycopg.InternalError | psycopg.InterfaceError)


def shown(url: str) -> str:
    """Name a database without the password that its address may hold."""
    try:
        parts = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return "postgresql://…"
    host = f"{parts.get('host') or 'localhost'}{f':{port}' if (port := parts.get('port')) else ''}"
    return f"postgresql://{host}/{parts.get('dbname') or ''}"
