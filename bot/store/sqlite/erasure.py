"""What is erased, and what stays because money depends on it: threads as a whole, finished requests without a name."""

import asyncio
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlite_utils import Database

from bot.store.errors import DatabaseError, StillOpenError, UnknownPersonError
from bot.store.records import Erased, ThreadId
from bot.store.sqlite.approval_requests import erase_clicks, erase_old_clicks
from bot.store.sqlite.audit import write_audit
from bot.store.sqlite.calls import erase_calls, final_calls_unlocked, forget_approver, open_requests
from bot.store.sqlite.conversations import erase_messages
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.inbox_rows import erase_inbox, is_answering, quiet_threads, threads_of
from bot.store.sqlite.outbox import erase_mentions, erase_old_posts, erase_posts, is_waiting
from bot.store.sqlite.threads import erase_thread
from bot.store.sqlite.usage import erase_usage

_TRACES = """
    SELECT 1 FROM inbox WHERE user = :user
    UNION ALL SELECT 1 FROM tool_calls WHERE requester = :user OR decided_by = :user
    UNION ALL SELECT 1 FROM refused_clicks WHERE user = :user OR instr(told, :mention)
    UNION ALL SELECT 1 FROM outbox WHERE instr(text || blocks, :mention)
    UNION ALL SELECT 1 FROM usage WHERE user = :user LIMIT 1"""
_TRIES, _SECONDS_BETWEEN_TRIES = 20, 0.1


class Erasure:
    """Erases threads: all that was said, looked up and posted there. Finished requests stay, without a name."""

    _is_in_log = False  # whether the `-wal` file may hold words that were erased

    def __init__(self, database: DatabaseThread) -> None:
        self._database = database

    async def forget(self, user: str, *, by: str | None = None) -> Erased:
        """Erase every thread in which the person wrote, and write the file anew.

        Raises StillOpenError, and UnknownPersonError when nothing of theirs is there.
        """

        def write(db: Database) -> int:
            if not db.execute(_TRACES, {"user": user, "mention": f"<@{user}>"}).fetchone():
                raise UnknownPersonError(f"Nobody with the id {user} wrote here or decided anything.")
            threads = threads_of(db, user)
            if opened := [summary for thread in threads for summary in open_requests(db, thread)]:
                raise StillOpenError(f"This is still open: {'; '.join(opened)}. Have it decided or cancelled first.")
            if any(is_answering(db, thread) for thread in threads):
                raise StillOpenError("A message in a thread of this person is being answered. Try again in a minute.")
            if any(is_waiting(db, thread) for thread in threads) or not erase_mentions(db, user):
                raise StillOpenError("A post about this person is still to be sent. Try again in a minute.")
            with final_calls_unlocked(db):
                _erase(db, threads)
                forget_approver(db, user)
            erase_clicks(db, user)
            erase_usage(db, user)
            if by:
                write_audit(db, "forget", by=by)
            return len(threads)

        count = await self._database.commit(write)
        try:
            # Rows that were moved within the file leave copies of themselves in bytes that nothing uses.
            await self._database.run_alone(lambda db: db.execute("VACUUM"))
        except DatabaseError as error:
            return Erased(count, f"unused bytes of {self._database.path} ({error})")
        for _ in range(_TRIES):
            if await self._database.run_alone(_empty_log):
                return Erased(count)
            await asyncio.sleep(_SECONDS_BETWEEN_TRIES)
        return Erased(count, self._log)

    async def erase_older_than(self, days: float) -> Erased:
        """Erase every thread in which nothing was said for so long and nothing is open."""
        since = (datetime.now(UTC) - timedelta(days=days)).isoformat()

        def write(db: Database) -> int:
            quiet = quiet_threads(db, since)
            threads = [thread for thread in quiet if not open_requests(db, thread) and not is_waiting(db, thread)]
            if threads:  # lifting the guards changes the schema, for which every statement is prepared again
                with final_calls_unlocked(db):
                    _erase(db, threads)
            erase_old_posts(db, since)
            erase_old_clicks(db, since)
            return len(threads)

        count = await self._database.commit(write)
        if count or self._is_in_log:
            self._is_in_log = not await self._database.run_alone(_empty_log)
        return Erased(count, self._log if self._is_in_log else None)

    @property
    def _log(self) -> str:
        return f"{self._database.path}-wal, as another program reads the database"


def _erase(db: Database, threads: Iterable[ThreadId]) -> None:
    """Have each owner erase its rows, those that refer to others first."""
    for thread in threads:
        for erase in (erase_posts, erase_calls, erase_messages, erase_inbox, erase_thread):
            erase(db, thread)


def _empty_log(db: Database) -> bool:
    """Move the `-wal` file's content into the database and cut it to nothing; False at once when somebody reads it."""
    (patience,) = db.execute("PRAGMA busy_timeout").fetchone()
    db.execute("PRAGMA busy_timeout = 0")
    try:
        (is_busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        return False
    finally:
        db.execute(f"PRAGMA busy_timeout = {patience}")
    return not is_busy
