"""How much one person may use, as values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Resource(StrEnum):
    """What one person may use only so much of within an hour."""

    RUNS = "runs"
    TOKENS = "tokens"
    ESCALATIONS = "escalations"
    CLICKS = "clicks"


@dataclass(frozen=True, slots=True)
class Bound:
    """How much of a resource a person may use within an hour, and how much of it a use is."""

    resource: Resource
    most: int
    amount: int = 1


@dataclass(frozen=True, slots=True)
class BoundReached:
    """A person has used all that they may until a time; `is_news` when they were not told of it yet."""

    bound: Bound
    until: datetime
    is_news: bool
