"""What is erased, and what stays because money depends on it: threads as a whole, finished requests without a name."""

from collections.abc import Iterable
from datetime import timedelta

from bot import clock
from bot.store.errors import StillOpenError, UnknownPersonError
from bot.store.overviews import Erased
from bot.store.records import ThreadId
from bot.store.tables.approval_requests import erase_clicks, erase_old_clicks
from bot.store.tables.audit import write_audit
from bot.store.tables.calls import open_requests
from bot.store.tables.database import Database, Transaction
from bot.store.tables.erased_calls import erase_calls, erase_look_ups, forget_approver
from bot.store.tables.erased_posts import erase_mentions, erase_old_posts, erase_posts
from bot.store.tables.inbox_rows import (
    erase_inbox,
    erase_names,
    erase_passed_on,
    is_answering,
    quiet_threads,
    threads_of,
    threads_that_name,
)
from bot.store.tables.messages import erase_messages, erase_names_in_messages, erase_reasons
from bot.store.tables.outbox_rows import is_waiting
from bot.store.tables.refund_checks import erase_refund_checks
from bot.store.tables.threads import erase_ratings, erase_thread
from bot.store.tables.usage import erase_usage

_TRACES = """
    SELECT 1 FROM inbox WHERE user = :user
    UNION ALL SELECT 1 FROM tool_calls WHERE :user IN (requester, decided_by, first_approved_by)
    UNION ALL SELECT 1 FROM refused_clicks WHERE user = :user OR instr(told, :mention) > 0
    UNION ALL SELECT 1 FROM outbox WHERE instr(text || blocks, :mention) > 0
    UNION ALL SELECT 1 FROM ratings WHERE user = :user
    UNION ALL SELECT 1 FROM usage WHERE user = :user LIMIT 1"""


class Erasure:
    """Erases threads: all that was said, looked up and posted there. Finished requests stay, without a name."""

    _left_in: str | None = None  # where words that were erased may be read still

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(self, user: str, *, by: str | None = None) -> Erased:
        """Erase every thread in which the person wrote, and rewrite the file.

        Raises StillOpenError, and UnknownPersonError when nothing of theirs is there.
        """

        def write(db: Transaction) -> int:
            if not db.execute(_TRACES, {"user": user, "mention": f"<@{user}>"}).fetchone():
                raise UnknownPersonError(f"Nobody with the id {user} wrote here or decided anything.")
            threads, named = threads_of(db, user), threads_that_name(db, user)
            _locked(db, list({*threads, *named}))
            if opened := [summary for thread in threads for summary in open_requests(db, thread)]:
                raise StillOpenError(f"This is still open: {'; '.join(opened)}. Have it decided or cancelled first.")
            if any(is_answering(db, thread) for thread in threads):
                raise StillOpenError("A message in a thread of this person is being answered. Try again in a minute.")
            if any(is_waiting(db, thread) for thread in threads) or not erase_mentions(db, user):
                raise StillOpenError("A post about this person is still to be sent. Try again in a minute.")
            with db.final_calls_unlocked():
                _erase(db, threads)
                erase_reasons(db, user)
                forget_approver(db, user)
                erase_look_ups(db, user=user)
            erase_names(db, user)
            erase_names_in_messages(db, user)
            erase_ratings(db, user)
            erase_clicks(db, user)
            erase_usage(db, user)
            if by:
                write_audit(db, "forget", by=by)
            return len(threads)

        count = await self._database.commit(write)
        return Erased(count, await self._database.wipe(thoroughly=True))

    async def erase_older_than(self, days: float) -> Erased:
        """Erase every thread in which nothing was said for so long and nothing is open."""
        since = (clock.now() - timedelta(days=days)).isoformat()

        def write(db: Transaction) -> tuple[int, bool]:
            _locked(db, quiet_threads(db, since))
            quiet = quiet_threads(db, since)
            threads = [thread for thread in quiet if not open_requests(db, thread) and not is_waiting(db, thread)]
            old = "SELECT 1 FROM tool_calls WHERE message_id IS NULL AND NOT gated AND created_at < ? LIMIT 1"
            # Lifting the guards changes the schema, for which every statement is prepared again.
            erased = bool(threads or db.execute(old, [since]).fetchone())
            if erased:
                with db.final_calls_unlocked():
                    _erase(db, threads)
                    erase_look_ups(db, before=since)
            old_words = erase_old_posts(db, since) + erase_old_clicks(db, since)
            return len(threads), erased or old_words > 0

        count, erased = await self._database.commit(write)
        if erased or self._left_in:
            self._left_in = await self._database.wipe(thoroughly=False)
        return Erased(count, self._left_in)


def _locked(db: Transaction, threads: list[ThreadId]) -> list[ThreadId]:
    """Keep everybody out of the threads, who all take them in the same order."""
    for thread in sorted(threads, key=lambda thread: thread.key):
        db.lock(thread.key)
    return threads


def _erase(db: Transaction, threads: Iterable[ThreadId]) -> None:
    """Erase the rows of each owner, those that refer to others first."""
    for thread in threads:
        for erase in (
            erase_passed_on,
            erase_posts,
            erase_refund_checks,
            erase_calls,
            erase_messages,
            erase_inbox,
            erase_thread,
        ):
            erase(db, thread)
