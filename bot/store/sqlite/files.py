"""The database as files: who may read them, which one is at a path, and a copy."""

import os
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from bot.store.errors import DatabaseError

_MAX_FIRST_MARK, _MAX_LEAP = 2**30, 2**12


def file_at(path: Path) -> tuple[int, int] | None:
    """Return device and inode of the file at the path, if there is one."""
    return identity_of(writes_at(path))


def writes_at(path: Path) -> os.stat_result | None:
    """Return what the file at the path is, and what is another when it is written to; None if there is none."""
    with suppress(OSError):
        return path.stat()
    return None


def identity_of(found: os.stat_result | None) -> tuple[int, int] | None:
    """Return device and inode."""
    return (found.st_dev, found.st_ino) if found else None


def set_mark(execute: Callable[[str], Any], *, leap: bool = False) -> None:
    """Mark the database, within a transaction: every mark is greater than the one before, and a backup has none.

    With a leap it is not what a copy of the file would have next.
    """
    (mark,) = execute("PRAGMA user_version").fetchone()
    step = 1 + secrets.randbelow(_MAX_LEAP if leap else 1)
    following = (mark + step) % 2**31 if mark > 0 else 1 + secrets.randbelow(_MAX_FIRST_MARK)
    execute(f"PRAGMA user_version = {following}")


def mark_in(path: Path) -> int | None:
    """Return the mark in the file itself, which is older than what its `-wal` has; None if it is no database.

    It is read through SQLite: opening a file and closing it drops the locks that the process has on it.
    """
    place = f"{path.absolute().as_uri()}?immutable=1"
    with suppress(sqlite3.Error), closing(sqlite3.connect(place, uri=True)) as connection:
        mark: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return mark
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
        with closing(sqlite3.connect(target)) as copy:
            copy.execute("PRAGMA user_version = 0")  # whoever has the original open can tell this from it
    except (sqlite3.Error, OSError) as error:
        target.unlink(missing_ok=True)
        raise DatabaseError(f"The backup to {target} failed: {error}.") from error
