"""The outcome of an evaluation, as values that are written to JSON and read again, and the figures made of them."""

import math
import statistics
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError


class EvaluationFileError(Exception):
    """A file of results cannot be read or written; the text says which and why."""


class Kind(StrEnum):
    """What a finding is about."""

    MISSING = "missing call"
    WRONG = "wrong call"
    BREACH = "policy breach"
    WAITING = "waiting"
    UNDONE = "not done"
    ANSWER = "answer"
    CLICK = "click"
    PROBLEM = "problem"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Finding(_Value):
    """Something that is not as it should be; one that is no gate fails nothing."""

    step: int | None
    kind: Kind
    gate: bool
    text: str


class Line(_Value):
    """Something that somebody said or did, for those who read what happened."""

    by: str
    text: str


class Attempt(_Value):
    """A conversation that was played once."""

    status: Literal["passed", "failed", "error"]
    findings: tuple[Finding, ...]
    soft_checks: int
    soft_passed: int
    model_error: str | None
    """The last error of a model call, whatever its outcome."""
    answer_seconds: tuple[float, ...]
    model_calls: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    seconds: float
    transcript: tuple[Line, ...]

    def count(self, kind: Kind) -> int:
        """Count the findings of a kind."""
        return sum(finding.kind == kind for finding in self.findings)


class Result(_Value):
    """A conversation with all its attempts."""

    name: str
    group: str
    about: str
    tags: tuple[str, ...]
    attempts: tuple[Attempt, ...]

    @property
    def full_name(self) -> str:
        """The name with its group."""
        return f"{self.group}/{self.name}"

    @property
    def passed(self) -> int:
        """Count the attempts that passed."""
        return sum(attempt.status == "passed" for attempt in self.attempts)


class Prices(_Value):
    """Dollars for a million tokens."""

    prompt: float
    completion: float
    cached: float

    def of(self, attempt: Attempt) -> float:
        """Return what an attempt cost, in dollars."""
        fresh = attempt.prompt_tokens - attempt.cached_tokens
        cost = fresh * self.prompt + attempt.cached_tokens * self.cached + attempt.completion_tokens * self.completion
        return cost / 1_000_000


class Evaluation(_Value):
    """One run of the conversations with one model."""

    format: Literal[1] = 1
    version: str
    model: str
    server: str
    started_at: AwareDatetime
    repeat: int
    prices: Prices | None
    results: tuple[Result, ...]
    not_played: int = 0
    """Conversations that the offline model is not meant to pass."""


class Figures(_Value):
    """What some results come to."""

    conversations: int
    passed: float
    """The share of attempts that passed, which is pass^1."""
    always: float
    """pass^k: how likely all of k attempts pass, for k as many as there were."""
    soft: float | None
    missing: int
    wrong: int
    breaches: int
    errors: int
    tokens: int
    """Tokens of a conversation, on average."""
    cost: float | None
    """Dollars of a conversation, on average."""
    median_seconds: float | None
    slow_seconds: float | None
    """The 95th percentile of the seconds until an answer."""


def figures(results: Sequence[Result], prices: Prices | None) -> Figures:
    """Sum up results."""
    attempts = [attempt for result in results for attempt in result.attempts]
    soft_checks = sum(attempt.soft_checks for attempt in attempts)
    seconds = sorted(one for attempt in attempts for one in attempt.answer_seconds)
    repeat = max((len(result.attempts) for result in results), default=1)
    return Figures(
        conversations=len(results),
        passed=pass_hat(results, 1),
        always=pass_hat(results, repeat),
        soft=sum(attempt.soft_passed for attempt in attempts) / soft_checks if soft_checks else None,
        missing=sum(attempt.count(Kind.MISSING) for attempt in attempts),
        wrong=sum(attempt.count(Kind.WRONG) for attempt in attempts),
        breaches=sum(attempt.count(Kind.BREACH) for attempt in attempts),
        errors=sum(attempt.status == "error" for attempt in attempts),
        tokens=round(_mean(attempt.prompt_tokens + attempt.completion_tokens for attempt in attempts)),
        cost=_mean(prices.of(attempt) for attempt in attempts) if prices else None,
        median_seconds=statistics.median(seconds) if seconds else None,
        slow_seconds=seconds[math.ceil(len(seconds) * 0.95) - 1] if seconds else None,
    )


def pass_hat(results: Sequence[Result], k: int) -> float:
    """Return how likely k attempts at a conversation all pass, estimated without bias from those that were made."""
    chances = (math.comb(result.passed, k) / math.comb(len(result.attempts), k) for result in results)
    return _mean(chances)


def by_group(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Return the results by their group, in their order."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.group, []).append(result)
    return groups


def read(path: Path) -> Evaluation:
    """Read an evaluation that was written as JSON. Raises EvaluationFileError."""
    try:
        return Evaluation.model_validate_json(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationFileError(f"{path} cannot be read: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise EvaluationFileError(
            f"{path} was not written by `support-bot eval --json`: {where}: {first['msg']}"
        ) from None


def _mean(numbers: Iterable[float]) -> float:
    values = list(numbers)
    return sum(values) / len(values) if values else 0.0
