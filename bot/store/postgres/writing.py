"""A PostgreSQL database that is filled with rows of another one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from bot.store.errors import DatabaseError
from bot.store.postgres.connection import CONNECTION
from bot.store.postgres.database import shown
from bot.store.postgres.reading import PostgresReader
from bot.store.postgres.transaction import adapt, in_postgres
from bot.store.tables.operations import line_of

_NUMBERED = {"inbox": "id", "messages": "id", "outbox": "seq", "refused_clicks": "id", "audit": "id"}


class PostgresWriter:
    """A connection within a transaction; see `bot.store.moving.Writer`."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.reader = PostgresReader(connection)
        self._connection = connection

    def write(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add rows, and have the numbers of later ones follow theirs."""
        with (
            self._connection.cursor() as cursor,
            cursor.copy(in_postgres(f"COPY {table} ({', '.join(columns)}) FROM STDIN")) as copy,
        ):
            for row in rows:
                copy.write_row(row)
        if number := _NUMBERED.get(table):
            self._connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{number}'), max({number})) FROM {table}".encode()
            )

    def clear(self, table: str) -> None:
        """Remove what a new database has from the start."""
        self._connection.execute(f"DELETE FROM {table}".encode())


@contextmanager
def writing(url: str) -> Iterator[PostgresWriter]:
    """Fill the database while the context is open; when it raises, nothing is written. Raises DatabaseError."""
    try:
        with psycopg.connect(url, **CONNECTION) as connection, connection.transaction():
            adapt(connection)
            yield PostgresWriter(connection)
    except psycopg.Error as error:
        raise DatabaseError(f"The database {shown(url)} cannot be written: {line_of(error)}.") from error
