"""How a backup becomes the database again."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from sqlite_utils import Migrations

from bot import clock
from bot.store.errors import DatabaseError
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.files import back_up
from bot.store.sqlite.leases import is_in_use
from bot.store.tables.audit import write_audit
from bot.store.tables.database import Transaction
from bot.store.tables.switches import set_paused


async def restore(backup: Path, target: Path, *migrations: Migrations, by: str) -> Path | None:
    """Put a backup in the database's place, and return where the one that was there is now.

    Approvals are paused in it, and its posts are looked for in Slack before they are posted: both may be done already.
    Raises DatabaseError when the backup cannot be used or a bot runs; then all stays as it is.
    """
    _check(backup)
    if is_in_use(target):
        raise DatabaseError(f"A bot runs on {target}. Stop it first.")
    now = clock.now().strftime("%Y%m%dT%H%M%SZ")
    fresh = target.with_name(f"{target.name}.restoring-{now}")
    try:
        back_up(backup, fresh)
        database = DatabaseThread(fresh, *migrations)
        await database.open()
        try:
            await database.commit(lambda db: _prepare(db, backup, by))
        finally:
            await database.close()
        aside = _move_aside(target, now)
        fresh.replace(target)
    except OSError as error:
        raise DatabaseError(f"The backup could not be put in place: {error}.") from error
    finally:
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    return aside


def _check(backup: Path) -> None:
    if not backup.is_file():
        raise DatabaseError(f"There is no backup at {backup}.")
    try:
        with closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro", uri=True)) as db:
            whole = db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            ours = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'tool_calls'").fetchone()
    except sqlite3.Error as error:
        raise DatabaseError(f"{backup} is no backup of a bot: {error}.") from error
    if not ours:
        raise DatabaseError(f"{backup} is no backup of a bot: it has no log of tool calls.")
    if not whole:
        raise DatabaseError(f"{backup} is damaged, so it is not put in place.")


def _prepare(db: Transaction, backup: Path, by: str) -> None:
    set_paused(db)
    db.execute("UPDATE outbox SET sender = 'restore' WHERE status = 'waiting'")
    db.execute("DELETE FROM processes")
    write_audit(db, "restore", by=by, subject=backup.name)


def _move_aside(target: Path, now: str) -> Path | None:
    if not target.exists():
        return None
    aside = target.with_name(f"{target.name}.before-restore-{now}")
    for suffix in ("-wal", "-shm", ""):
        part = target.with_name(target.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside
