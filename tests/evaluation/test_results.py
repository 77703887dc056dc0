"""The figures of an evaluation, and how two of them are compared."""

import math
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.evaluation import run
from bot.evaluation.report import dollars, percent
from bot.evaluation.results import Attempt, Evaluation, EvaluationFileError, Prices, Result, figures, pass_hat

PRICES = Prices(prompt=1, completion=10, cached=0.1)


def attempt(*, passed: bool = True, seconds: float = 1.0) -> Attempt:
    """Make an attempt of 1,000 tokens read, half of them cached, and 100 written."""
    return Attempt(
        status="passed" if passed else "failed",
        findings=(),
        soft_checks=2,
        soft_passed=1,
        model_error=None,
        answer_seconds=(seconds,),
        model_calls=2,
        prompt_tokens=1_000,
        cached_tokens=500,
        completion_tokens=100,
        seconds=seconds,
        transcript=(),
    )


def result(name: str, passed: str) -> Result:
    """Make a conversation's result, with an attempt that passed for each plus, and one that failed for each minus."""
    made = tuple(attempt(passed=one == "+") for one in passed)
    return Result(name=name, group="g", about="x", tags=(), attempts=made)


def write(path: Path, model: str, *results: Result) -> Path:
    """Write a run as the command does."""
    evaluation = Evaluation(
        version="0", model=model, server="s", started_at=datetime.now(UTC), repeat=1, prices=None, results=results
    )
    path.write_text(evaluation.model_dump_json())
    return path


@given(st.text("+-", min_size=1, max_size=6), st.data())
def test_pass_hat(passed: str, data: st.DataObject) -> None:
    """Pass^k is the share of all choices of k attempts in which each one passed."""
    k = data.draw(st.integers(1, len(passed)))
    choices = ["-" not in choice for choice in combinations(passed, k)]
    assert math.isclose(pass_hat([result("a", passed)], k), sum(choices) / len(choices))


def test_costs() -> None:
    """A cached token costs its own price, and the figures are those of a conversation."""
    total = figures([result("a", "++"), result("b", "+-")], PRICES)
    assert total.cost == pytest.approx((500 * 1 + 500 * 0.1 + 100 * 10) / 1_000_000)
    assert (total.tokens, total.passed, total.always, total.soft) == (1_100, 0.75, 0.5, 0.5)


def test_slow_answers() -> None:
    """The 95th percentile is a time that an answer really took."""
    made = tuple(attempt(seconds=float(seconds)) for seconds in range(1, 21))
    total = figures([Result(name="a", group="g", about="x", tags=(), attempts=made)], None)
    assert (total.median_seconds, total.slow_seconds) == (10.5, 19.0)


@pytest.mark.parametrize(
    ("share", "shown"), [(1.0, "100 %"), (0.999, "99 %"), (0.001, "1 %"), (0.0, "0 %"), (0.5, "50 %"), (None, "-")]
)
def test_shares(share: float | None, shown: str) -> None:
    """All is only what is all, and none only what is none."""
    assert percent(share) == shown


AMOUNTS = [(0.0, "$0.00"), (0.000123, "$0.00012"), (0.042, "$0.042"), (3.456, "$3.46"), (1234.5, "$1,234.50")]


@pytest.mark.parametrize(("amount", "shown"), AMOUNTS)
def test_amounts(amount: float, shown: str) -> None:
    """Small amounts keep two digits that matter."""
    assert dollars(amount) == shown


def test_compared(tmp_path: Path) -> None:
    """Of two runs it is told who is ahead, by how many conversations, and what only one of them played."""
    names = "abcdefgh"
    one = write(tmp_path / "a.json", "one", *(result(name, "-") for name in names), result("x", "+"))
    other = write(tmp_path / "b.json", "other", *(result(name, "+") for name in names))
    text, passed = run.compare(one, other)
    assert passed
    assert "other is ahead by 8 of 8 conversations." in text
    assert "or more, by chance in fewer than 1 % of such runs." in text
    assert "1 conversations that only one of them played are left out." in text
    text, passed = run.compare(other, one)
    assert not passed
    assert "Only other always passes:\n  g/a\n" in text


def test_compared_with_itself(tmp_path: Path) -> None:
    """Two runs of one model are told apart by their files, and no difference is none."""
    one = write(tmp_path / "a.json", "one", result("a", "+"))
    other = write(tmp_path / "b.json", "one", result("a", "+"))
    text, passed = run.compare(one, other)
    assert (passed, "Both always pass the same of 1 conversations." in text) == (True, True)
    assert f"{tmp_path}/a.json" in text


def test_nothing_to_compare(tmp_path: Path) -> None:
    """Runs without a conversation in common, and files that are no runs, are refused by name."""
    one = write(tmp_path / "a.json", "one", result("a", "+"))
    other = write(tmp_path / "b.json", "one", result("b", "+"))
    with pytest.raises(EvaluationFileError, match="no conversation in common"):
        run.compare(one, other)
    (tmp_path / "c.json").write_text('{"format": 2}')
    with pytest.raises(EvaluationFileError, match=r"c\.json was not written by `support-bot eval --json`: format: "):
        run.compare(one, tmp_path / "c.json")
    with pytest.raises(EvaluationFileError, match=r"d\.json cannot be read"):
        run.compare(one, tmp_path / "d.json")
