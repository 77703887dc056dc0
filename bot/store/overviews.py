"""What is seen of many rows at once, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from bot.store.records import ThreadId

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Erased:
    """How many threads were erased, and where their words can be read still, in words for the operator, if anywhere."""

    threads: int
    left_in: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of many: those from `start` on, of so many in all."""

    items: tuple[T, ...]
    start: int
    total: int


@dataclass(frozen=True, slots=True)
class OpenThread:
    """A thread that needs somebody: since when, what it was sorted as, and whether people have it."""

    thread: ThreadId
    started_by: str
    intent: str | None
    since: datetime
    with_people: bool


@dataclass(frozen=True, slots=True)
class Today:
    """A day in figures; `ended` counts requests by how they ended, `refunded` is minor units by currency."""

    messages: int
    people: int
    unanswered: int
    asked: int
    ended: Mapping[str, int]
    refunded: Mapping[str, int]
