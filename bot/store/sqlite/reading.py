"""A SQLite file as anybody could read it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.store.errors import DatabaseError


class FileReader:
    """A connection that only reads; see `bot.store.reading.Reader`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, values: Any = ()) -> list[dict[str, Any]]:
        """Run a query, and return its rows by the names of their columns."""
        cursor = self._connection.execute(sql, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def version(self) -> int:
        """Return a number that changes whenever somebody else has written."""
        number: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return number

    def columns(self, table: str) -> list[str]:
        """List the columns of a table that are not made of others."""
        return [name for name, hidden in self._connection.execute(_COLUMNS, [table]) if not hidden]


_OF_PERMISSIONS = ("readonly database", "unable to open database file")
_OTHER_USER = "Give the command as the user as whom the bot runs: who reads writes beside the file, for its lock."
_COLUMNS = "SELECT name, hidden FROM pragma_table_xinfo(?) ORDER BY name"


@contextmanager
def reading(path: Path, *, at_one_moment: bool = False) -> Iterator[FileReader]:
    """Read while the context is open; `at_one_moment`, all of it is as it was at the first query.

    Raises DatabaseError.
    """
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            if at_one_moment:
                connection.execute("BEGIN")
            yield FileReader(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        hint = f" {_OTHER_USER}" if any(word in str(error) for word in _OF_PERMISSIONS) else ""
        raise DatabaseError(f"The database {path} cannot be read: {error}.{hint}") from error
