"""What an operation works with: the tables' SQL in PostgreSQL's words, and values as the tables know them."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from time import monotonic
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import dict_row

from bot import clock

_WORDS = re.compile(r"""('(?:[^']|'')*')|("[^"]*")|(?:\b(IS ))?(\?)|(?<!:):([a-z_]+)|\b(user)\b|(%)""")


class PostgresTransaction:
    """A connection within a transaction, as `bot.store.tables` asks for it."""

    conflict = psycopg.IntegrityError

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.hinted = False

    def execute(self, sql: str, parameters: Any = None, /) -> psycopg.Cursor[Any]:
        """Run a statement, and return its cursor."""
        return self._connection.execute(in_postgres(sql), _values(parameters))

    def query(self, sql: str, params: Any = None, /) -> list[dict[str, Any]]:
        """Run a query, and return its rows by the names of their columns."""
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(in_postgres(sql), _values(params)).fetchall()

    def lock(self, name: str, *, shared: bool = False) -> None:
        """Hold, until the end, a lock that anybody else waits for who locks the same name."""
        self._connection.execute(locking(name, shared=shared))

    def hint(self) -> None:
        """Notify every process to look for what waits, once this is committed."""
        self.hinted = True

    def now(self) -> datetime:
        """Return the time by the database's clock; this process goes by it from then on."""
        asked_at = monotonic()
        told = datetime.fromisoformat(self.execute("SELECT clock_timestamp()").fetchall()[0][0])
        clock.learn(told, asked_at=asked_at)
        return told

    @contextmanager
    def final_calls_unlocked(self) -> Iterator[None]:
        """Lift the triggers that hold finished calls, within the transaction only."""
        self._connection.execute("SET LOCAL support_bot.erasing = 'on'")
        yield
        self._connection.execute("SET LOCAL support_bot.erasing = 'off'")


@lru_cache(maxsize=1_000)
def in_postgres(sql: str) -> bytes:
    """Word a statement for psycopg: its marks for values, `IS ?`, and `user`, its own word."""
    return _WORDS.sub(_in_postgres, sql).encode()


def _in_postgres(found: re.Match[str]) -> str:
    literal, quoted, same, mark, name, user, _ = found.groups()
    if mark:
        return "IS NOT DISTINCT FROM %s" if same else "%s"
    if name:
        return f"%({name})s"
    return '"user"' if user else (literal or quoted or "%").replace("%", "%%")


def locking(name: str, *, shared: bool = False) -> bytes:
    """Word what waits for a lock and holds it until the transaction's end; it holds behind any pooler, too."""
    number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)
    return f"SELECT pg_advisory_xact_lock{'_shared' if shared else ''}({number})".encode()


def _values(parameters: Any) -> Any:
    if isinstance(parameters, Mapping):
        return {name: _value(value) for name, value in parameters.items()}
    values: Iterable[Any] = parameters or ()
    return [_value(value) for value in values]


def _value(value: Any) -> Any:
    """Return a value as PostgreSQL can keep it: its texts have no NUL."""
    if isinstance(value, Enum):
        value = value.value
    return value.replace("\0", "") if isinstance(value, str) and "\0" in value else value


class _Boolean(Loader):
    """Reads a boolean as the number that SQLite has in its place: the seals are over values."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data) == b"t")


class _Time(Loader):
    """Reads a time as the text that was written."""

    def load(self, data: Buffer) -> str:
        return datetime.fromisoformat(bytes(data).decode()).astimezone(UTC).isoformat()


class _Number(Loader):
    """Reads a sum or an average as a plain number."""

    def load(self, data: Buffer) -> float:
        text = bytes(data).decode()
        return float(text) if "." in text else int(text)


def adapt(connection: psycopg.Connection[Any]) -> None:
    """Configure the connection to return values of the types that the tables know."""
    for name, loader in (("bool", _Boolean), ("timestamptz", _Time), ("numeric", _Number)):
        connection.adapters.register_loader(name, loader)
