"""Moves the bot's tables from one database to another, and checks that all of it arrived."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bot.settings import PostgresUrl, SettingsError
from bot.store.errors import DatabaseError
from bot.store.opening import MISSING, open_database
from bot.store.reading import Reader, open_reader
from bot.store.sqlite.files import file_at
from bot.store.sqlite.leases import is_in_use
from bot.store.sqlite.writing import writing

Place = Path | PostgresUrl
ROWS_AT_ONCE = 2_000
# In an order in which no row refers to a later one, with the key by which each is read. Which processes are alive, and
# when a channel is free, is of the moment and stays.
KEYS = {
    "threads": "team, channel, ts",
    "inbox": "id",
    "messages": "id",
    "tool_calls": "id",
    "model_calls": "id",
    "refund_checks": "call_id",
    "outbox": "seq",
    "refused_clicks": "id",
    "audit": "id",
    "sealed_calls": "seq",
    "seal_chain": "entries",
    "erased_messages": "key",
    "usage": "resource, key",
    "bounds_told": "user, resource",
    "switches": "name",
    "places": "team, channel, ts",
    "relays": "post_id",
    "ratings": "post_id, user",
}
_ALWAYS_THERE = "seal_chain"


class Writer(Protocol):
    """A database that is filled, in one transaction; it can be read meanwhile."""

    @property
    def reader(self) -> Reader:
        """What reads it."""

    def write(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add rows."""

    def clear(self, table: str) -> None:
        """Remove what a new database has from the start."""


@dataclass
class Sum:
    """How many rows a table has, and a sum over all that is in them."""

    rows: int = 0
    content: int = 0

    def add(self, row: Sequence[Any]) -> None:
        """Add one row."""
        digest = hashlib.sha256(json.dumps(row).encode()).digest()
        self.rows, self.content = self.rows + 1, (self.content + int.from_bytes(digest[:8])) % 2**64


Sums = dict[str, Sum]


async def move(source: Place, target: Place) -> tuple[Sums, bool]:
    """Copy all tables into an empty database, and return what was found in each, and whether it had to be copied.

    No bot may run on either. One that was moved already is compared. Raises DatabaseError; then nothing has changed.
    """
    if isinstance(source, Path) and not await asyncio.to_thread(source.is_file):
        raise DatabaseError(f"There is no database at {source}.")
    if source == target or _is_same_file(source, target):
        raise _stays(target)
    for place in (source, target):
        async with open_database(place):
            pass  # its schema is up to date from here on
        _refuse_in_use(place)
    return await asyncio.to_thread(_copy_or_compare, source, target)


async def export(source: Place, target: Path) -> Sums:
    """Copy all tables, as they are at this moment, into a new SQLite file. Raises DatabaseError."""
    if await asyncio.to_thread(target.exists):
        raise DatabaseError(f"{target} is there already, so it stays as it is.")
    try:
        for place in (source, target):
            async with open_database(place):
                pass
        return await asyncio.to_thread(_copy, source, target)
    except DatabaseError:
        await asyncio.to_thread(target.unlink, missing_ok=True)
        raise


def _copy_or_compare(source: Place, target: Place) -> tuple[Sums, bool]:
    with open_reader(source, at_one_moment=True) as reader, open_reader(target) as there:
        if isinstance(source, PostgresUrl) and isinstance(target, PostgresUrl) and _is_same_database(reader, there):
            raise _stays(target)
        if any(_is_filled(there, table) for table in KEYS if table != _ALWAYS_THERE):
            sums = _sums(reader)
            if sums != _sums(there):
                raise DatabaseError(f"{target} holds other rows already, so it stays as it is.")
            return sums, False
    return _copy(source, target), True


def _copy(source: Place, target: Place) -> Sums:
    with open_reader(source, at_one_moment=True) as reader, _open_writer(target) as writer:
        writer.clear(_ALWAYS_THERE)
        copied: Sums = {}
        for table, key in KEYS.items():
            total = copied[table] = Sum()
            columns = reader.columns(table)
            for rows in _batches(reader, table, key, columns):
                values = [[row[column] for column in columns] for row in rows]
                writer.write(table, columns, values)
                for row in values:
                    total.add(row)
        if (arrived := _sums(writer.reader)) != copied:
            wrong = ", ".join(table for table in KEYS if arrived[table] != copied[table])
            raise DatabaseError(f"What arrived is not what was sent, in {wrong}; nothing was changed.")
        return copied


def _sums(reader: Reader) -> Sums:
    sums: Sums = {}
    for table, key in KEYS.items():
        total = sums[table] = Sum()
        columns = reader.columns(table)
        for rows in _batches(reader, table, key, columns):
            for row in rows:
                total.add([row[column] for column in columns])
    return sums


def _batches(reader: Reader, table: str, key: str, columns: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    names = key.split(", ")
    marks = ", ".join("?" * len(names))
    select = f"SELECT {', '.join(columns)} FROM {table}"
    order = f"ORDER BY {key} LIMIT {ROWS_AT_ONCE}"
    rows = reader.rows(f"{select} {order}")
    while rows:
        yield rows
        rows = reader.rows(f"{select} WHERE ({key}) > ({marks}) {order}", [rows[-1][name] for name in names])


def _is_same_file(source: Place, target: Place) -> bool:
    files = [file_at(place) if isinstance(place, Path) else None for place in (source, target)]
    return files[0] is not None and files[0] == files[1]


def _is_same_database(one: Reader, other: Reader) -> bool:
    """Return whether both read the same tables of a server, by whatever address: one's lock is seen by the other."""
    key = [secrets.randbits(62)]
    (mine,) = one.rows("SELECT current_schema() AS schema, pg_advisory_xact_lock(?)", key)
    (theirs,) = other.rows("SELECT current_schema() AS schema, pg_try_advisory_xact_lock(?) AS is_free", key)
    return not theirs["is_free"] and mine["schema"] == theirs["schema"]


def _stays(target: Place) -> DatabaseError:
    return DatabaseError(f"{target} is the database that is to be moved, so it stays as it is.")


def _is_filled(reader: Reader, table: str) -> bool:
    return bool(reader.rows(f"SELECT 1 FROM {table} LIMIT 1"))


def _refuse_in_use(place: Place) -> None:
    """Raise DatabaseError when a bot runs on the database; one that crashed is known to be dead after a minute."""
    if isinstance(place, Path):
        in_use = is_in_use(place)
    else:
        alive = "SELECT 1 FROM processes WHERE seen_at > clock_timestamp() - interval '1 minute'"
        with open_reader(place) as reader:
            in_use = bool(reader.rows(alive))
    if in_use:
        raise DatabaseError(f"A bot runs on {place}. Stop it first; after a crash, wait a minute.")


def _open_writer(place: Place) -> AbstractContextManager[Writer]:
    if isinstance(place, Path):
        return writing(place)
    try:
        from bot.store.postgres.writing import writing as writing_there
    except ModuleNotFoundError as error:
        raise SettingsError(MISSING) from error
    return writing_there(place.get_secret_value())
