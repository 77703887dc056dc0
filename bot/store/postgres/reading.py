"""The tables as anybody could read them, with a connection of one's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from bot.store.errors import DatabaseError
from bot.store.postgres.connection import CONNECTION
from bot.store.postgres.database import shown
from bot.store.postgres.transaction import PostgresTransaction, adapt
from bot.store.tables.operations import line_of


class PostgresReader:
    """A connection that only reads; see `bot.store.reading.Reader`."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._transaction = PostgresTransaction(connection)

    def rows(self, sql: str, values: Any = ()) -> list[dict[str, Any]]:
        """Run a query, and return its rows by the names of their columns."""
        return self._transaction.query(sql, values)

    def version(self) -> int:
        """Return a number that changes whenever somebody else has written."""
        return int(self._transaction.query("SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xid")[0]["xid"])

    def columns(self, table: str) -> list[str]:
        """List the columns of a table that are not made of others."""
        return [row["column_name"] for row in self.rows(_COLUMNS, [table])]


_COLUMNS = """SELECT column_name FROM information_schema.columns
              WHERE table_schema = current_schema() AND table_name = ? AND is_generated = 'NEVER'
              ORDER BY column_name COLLATE "C" """


@contextmanager
def reading(url: str, *, at_one_moment: bool = False) -> Iterator[PostgresReader]:
    """Read while the context is open; `at_one_moment`, all of it is as it was at the first query.

    Raises DatabaseError.
    """
    try:
        with psycopg.connect(url, **CONNECTION) as connection:
            adapt(connection)
            if at_one_moment:
                connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield PostgresReader(connection)
    except psycopg.Error as error:
        raise DatabaseError(f"The database {shown(url)} cannot be read: {line_of(error)}.") from error
