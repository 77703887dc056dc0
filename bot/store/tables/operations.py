"""What a database is asked to do, and how those who wait for it are told."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from bot.store.errors import DatabaseError

logger = logging.getLogger(__name__)

Outcome = tuple[asyncio.Future[Any], object, Exception | None]


class Operation(NamedTuple):
    """Something to be done, in a transaction or `alone`, and who waits for it.

    `on_rollback` is as in `Database.run_ahead`.
    """

    call: Callable[[Any], object]
    future: asyncio.Future[Any]
    on_rollback: Callable[[], object] | None = None
    alone: bool = False


def resolve(outcomes: Iterable[Outcome], refuses: Callable[[Exception], bool]) -> None:
    """Tell those who still wait: an error by which the database `refuses` is a DatabaseError to them."""
    for future, result, failure in outcomes:
        if future.done():
            continue
        if failure is None:
            future.set_result(result)
        elif refuses(failure):
            future.set_exception(DatabaseError(f"The database did not take it: {line_of(failure)}."))
        else:
            future.set_exception(failure)


def log_failure(future: asyncio.Future[Any]) -> None:
    """Log that something failed for which nobody waits."""
    if not future.cancelled() and (error := future.exception()) is not None:
        logger.error("a row was not written: %s", error)


class WriteAvailability:
    """Tells the operator once that the database takes no writes, and once that it does again."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._refuses = False

    def note(self, refusal: Exception | None, *, wrote: bool) -> None:
        """Note how the last operations went: with what the database refused one, and whether any was written."""
        if refusal and not self._refuses:
            logger.error(
                "The database %s does not take writes: %s. Nothing is acked until it does.",
                *(self._name, line_of(refusal)),
            )
        elif self._refuses and wrote and not refusal:
            logger.warning("The database %s takes writes again.", self._name)
        self._refuses = bool(refusal) or (self._refuses and not wrote)


def line_of(error: Exception) -> str:
    """Return what an error says in one line, without a point."""
    return " ".join(str(error).split()).rstrip(".?")
