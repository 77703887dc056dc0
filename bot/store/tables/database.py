"""What the tables ask of a database. Their SQL is what SQLite and PostgreSQL have in common, with `?` for a value."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Transaction(Protocol):
    """What an operation works with: all of it is written, or none."""

    @property
    def conflict(self) -> type[Exception]:
        """The error of a row that a constraint does not allow; who catches it writes nothing more."""

    def execute(self, sql: str, parameters: Any = None, /) -> Any:
        """Run a statement, and return a cursor as PEP 249 has it, whose rows are tuples."""

    def query(self, sql: str, params: Any = None, /) -> Iterable[dict[str, Any]]:
        """Run a query, and return its rows by the names of their columns."""

    def lock(self, name: str, *, shared: bool = False) -> None:
        """Hold, until the end, a lock that anybody else waits for who locks the same name, in any process.

        Those who have it `shared` wait for nobody but those who do not. For what is read first and written then; where
        all writers take turns anyway, there is nothing to be done.
        Names are locked in this order: threads, subjects, people, the pause, the chain of seals, channels.
        """

    def now(self) -> datetime:
        """Return the time by the one clock that all processes on the database have in common."""

    def hint(self) -> None:
        """Notify every process, once this is written, to look for what waits: what was written is for any of them."""

    def final_calls_unlocked(self) -> AbstractContextManager[None]:
        """Lift the guards that hold finished calls, for this transaction only."""


class Database(Protocol):
    """How operations reach a database; each is a plain function that never awaits, and a transaction.

    With a `lock`, nothing that has the same one runs beside it, in any process; in this one they run in the order in
    which they were asked for. All of these raise DatabaseError when the database does not take it.
    """

    async def commit(self, operation: Callable[[Transaction], T], *, lock: str | None = None) -> T:
        """Return the operation's result once it is durable. When it raises, nothing of it is written."""

    async def commit_first(self, operation: Callable[[Transaction], T]) -> T:
        """Commit it before all that waits, however much that is: what others take for a sign of life."""

    async def read(self, query: Callable[[Transaction], T], *, lock: str | None = None) -> T:
        """Return what the query finds; what was enqueued before is in what it sees."""

    async def run_ahead(
        self, operation: Callable[[Transaction], T], *, on_rollback: Callable[[], object], lock: str | None = None
    ) -> T:
        """Return a result that may not be durable yet; when it never is, `on_rollback` is called at once."""

    def enqueue(self, operation: Callable[[Transaction], object], *, lock: str | None = None) -> None:
        """Run the operation before any with the same lock that is asked for later. Not awaited; a failure is logged."""

    async def wipe(self, *, thoroughly: bool) -> str | None:
        """Clear what is kept of deleted rows, and return where it can be read still, if anywhere, for the operator."""
