"""The two databases have the same tables, so that neither gets a column that the other lacks."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.settings import PostgresUrl
from bot.store.moving import KEYS
from bot.store.opening import open_database
from bot.store.postgres.migrations import TABLES
from bot.store.postgres.views import NAMES
from bot.store.reading import Reader, open_reader
from tests.postgres import PostgresServer

_KINDS = {"INTEGER": {"bigint", "integer", "boolean"}, "TEXT": {"text", "timestamp with time zone"}}
_KINDS["REAL"] = {"double precision"}


@pytest.fixture
async def both(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[list[Reader]]:
    """Open a new database of each kind."""
    places = (tmp_path / "support.db", PostgresUrl(postgres.new_database()))
    readers = []
    with ExitStack() as stack:
        for place in places:
            async with open_database(place):
                pass
            readers.append(stack.enter_context(open_reader(place)))
        yield readers


def of_sqlite(reader: Reader) -> Iterator[tuple[str, str, str]]:
    """List table, column and type of each column."""
    tables = reader.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    for table in (row["name"] for row in tables if not re.match(r"_?sqlite_", row["name"])):
        for row in reader.rows("SELECT name, type FROM pragma_table_xinfo(?)", [table]):
            yield table, row["name"], row["type"].split(" ")[0]


def test_same_columns(both: list[Reader]) -> None:
    """Each table and column of the one store is in the other, with a type that keeps the same values."""
    in_file = {(table, column): kind for table, column, kind in of_sqlite(both[0])}
    rows = both[1].rows(
        """SELECT table_name, column_name, data_type FROM information_schema.columns
           WHERE table_schema = 'public' AND table_name NOT IN (
               SELECT table_name FROM information_schema.views WHERE table_schema = 'public')"""
    )
    in_server = {(row["table_name"], row["column_name"]): row["data_type"] for row in rows}
    assert {table for table, _ in in_server} == {*TABLES, "support_bot_migrations"}
    assert set(in_file) == {place for place in in_server if place[0] in TABLES}
    for place, kind in in_file.items():
        assert in_server[place] in _KINDS[kind], place


def test_everything_is_moved() -> None:
    """Each table is moved to another database but for what is of the moment."""
    assert {*KEYS, "processes", "channels"} == set(TABLES)


def test_same_indexes(both: list[Reader]) -> None:
    """What is found by an index in the one store is found by the same in the other."""
    named = both[0].rows("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    in_file = {row["name"] for row in named if not row["name"].startswith("idx__sqlite")}
    in_server = {row["indexname"] for row in both[1].rows("SELECT indexname FROM pg_indexes")}
    assert in_file - in_server == set()


def test_same_views(both: list[Reader]) -> None:
    """The views that people query have the same names and the same columns in both."""
    named = both[0].rows("SELECT name FROM sqlite_master WHERE type = 'view'")
    assert {row["name"] for row in named} == set(NAMES)
    for view in NAMES:
        columns = [row["name"] for row in both[0].rows("SELECT name FROM pragma_table_info(?) ORDER BY name", [view])]
        assert both[1].columns(view) == columns, view
