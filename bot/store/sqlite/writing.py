"""A SQLite file that is filled with rows of another database."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bot.store.errors import DatabaseError
from bot.store.sqlite.reading import FileReader


class FileWriter:
    """A connection within a transaction; see `bot.store.moving.Writer`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.reader = FileReader(connection)
        self._connection = connection

    def write(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add rows."""
        marks = ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)

    def clear(self, table: str) -> None:
        """Remove what a new database has from the start."""
        self._connection.execute(f"DELETE FROM {table}")


@contextmanager
def writing(path: Path) -> Iterator[FileWriter]:
    """Fill the file while the context is open; when it raises, nothing of it is written. Raises DatabaseError."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield FileWriter(connection)
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise DatabaseError(f"The database {path} cannot be written: {error}.") from error
