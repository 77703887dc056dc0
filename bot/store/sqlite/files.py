"""The database as files: who may read them, which one is at a path, and a copy."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from bot.store.errors import DatabaseError


def file_at(path: Path) -> tuple[int, int] | None:
    """Return device and inode of the file at the path, if there is one."""
    with suppress(OSError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None


def make_private(path: Path) -> None:
    """Create the file, if it is not there, so that only its owner may read it; SQLite makes its `-wal` alike."""
    path.touch(mode=0o600)


def back_up(source: Path, target: Path) -> None:
    """Copy the database as it is at this moment, while others write to it. Raises DatabaseError."""
    if target.exists():
        raise DatabaseError(f"{target} is there already, so it stays as it is.")
    try:
        make_private(target)
        # Not mode=ro, with which SQLite 3.40 cannot copy a table that has both a CHECK and a generated column.
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            connection.execute("VACUUM INTO ?", [str(target)])
    except (sqlite3.Error, OSError) as error:
        target.unlink(missing_ok=True)
        raise DatabaseError(f"The backup to {target} failed: {error}.") from error
