"""What time it is, by the clock that the processes on one database have in common.

What one of them writes down another compares with now: when a request expires, whom to remind, who waits for too long.
On PostgreSQL that clock is the server's, which is asked at each sign of life and carried on in between by a count of
seconds that nobody sets; a machine whose clock is wrong, or is put right, does nothing too early or too late. The
processes on a SQLite file are on one machine, and have its clock.
"""

import logging
from datetime import UTC, datetime, timedelta
from time import monotonic

logger = logging.getLogger(__name__)

NOTICED = timedelta(seconds=1)  # less is the way there and back
TOLD = timedelta(seconds=5)

_beginning: datetime | None = None  # of this machine's count of seconds, by the common clock


def now() -> datetime:
    """Return the time, aware and in UTC."""
    return datetime.now(UTC) if _beginning is None else _beginning + timedelta(seconds=monotonic())


def learn(common: datetime, *, asked_at: float) -> None:
    """Go by the common clock, which tells this time in answer to a question that was asked then, by `monotonic`."""
    global _beginning  # noqa: PLW0603 - there is one time
    on_its_way = timedelta(seconds=monotonic() - asked_at) / 2
    beginning = common + on_its_way - timedelta(seconds=monotonic())
    if _beginning is not None and abs(beginning - _beginning) <= NOTICED + on_its_way:
        return
    _beginning = beginning
    ahead = datetime.now(UTC) - now()
    if abs(ahead) > TOLD + on_its_way:
        direction = "ahead of" if ahead > timedelta() else "behind"
        logger.warning(
            "this machine's clock is %.0f s %s the database's, which is gone by; set it right",
            *(abs(ahead).total_seconds(), direction),
        )


def forget() -> None:
    """Go by this machine's clock."""
    global _beginning  # noqa: PLW0603 - as above
    _beginning = None
