"""The tables as anybody could read them: without writing, while a bot writes."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from bot.settings import PostgresUrl, SettingsError
from bot.store.errors import DatabaseError
from bot.store.opening import MISSING
from bot.store.sqlite.reading import reading as sqlite_reading

_LOOK = """SELECT current_setting('server_version_num')::integer AS version, clock_timestamp() AS now,
                  current_setting('transaction_read_only')::boolean AS closed,
                  to_regclass('tool_calls') IS NOT NULL AS ours"""
_OLDER = "{} was written by an older version of the bot. Start the bot once."


class Reader(Protocol):
    """A database that is read. Its SQL is that of `bot.store.tables`."""

    def rows(self, sql: str, values: Any = ()) -> list[dict[str, Any]]:
        """Run a query, and return its rows by the names of their columns."""

    def version(self) -> int:
        """Return a number that changes whenever somebody else has written."""

    def columns(self, table: str) -> list[str]:
        """List the columns of a table that are not made of others."""


def open_reader(place: Path | PostgresUrl, *, at_one_moment: bool = False) -> AbstractContextManager[Reader]:
    """Open a database for reading; `at_one_moment`, all that is read is as it was at the first query.

    Raises DatabaseError when it cannot be read, or is too old to be.
    """
    if isinstance(place, PostgresUrl):
        return _postgres(place, at_one_moment=at_one_moment)
    return _file(place, at_one_moment=at_one_moment)


@dataclass(frozen=True, slots=True)
class Server:
    """What a PostgreSQL server says of itself; `now` is the time by its clock."""

    version: int
    now: datetime
    is_read_only: bool
    has_tables: bool


def look_at_server(url: PostgresUrl) -> Server:
    """Ask a server about itself. Raises DatabaseError, and SettingsError where the extra is not installed."""
    with _reading(url, at_one_moment=False) as reader:
        (row,) = reader.rows(_LOOK)
        if row["ours"]:
            from bot.store.postgres.migrations import refuse_newer

            refuse_newer([one["name"] for one in reader.rows("SELECT name FROM support_bot_migrations")])
    return Server(row["version"] // 10_000, datetime.fromisoformat(row["now"]), bool(row["closed"]), bool(row["ours"]))


@contextmanager
def _file(path: Path, *, at_one_moment: bool) -> Iterator[Reader]:
    with sqlite_reading(path, at_one_moment=at_one_moment) as reader:
        if not reader.rows("SELECT 1 FROM sqlite_master WHERE name = 'approval_requests'"):
            raise DatabaseError(_OLDER.format(path))
        yield reader


@contextmanager
def _postgres(url: PostgresUrl, *, at_one_moment: bool) -> Iterator[Reader]:
    with _reading(url, at_one_moment=at_one_moment) as reader:
        if not reader.rows("SELECT 1 FROM information_schema.views WHERE table_name = 'approval_requests'"):
            raise DatabaseError(_OLDER.format(url))
        yield reader


def _reading(url: PostgresUrl, *, at_one_moment: bool) -> AbstractContextManager[Reader]:
    try:
        from bot.store.postgres.reading import reading
    except ModuleNotFoundError as error:
        raise SettingsError(MISSING) from error
    return reading(url.get_secret_value(), at_one_moment=at_one_moment)
