"""An evaluation, and two side by side, as text for a terminal."""

import math
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from bot.evaluation.results import Attempt, Evaluation, Figures, Result, by_group, figures, pass_hat

MAX_CHANCE = 0.05  # that a difference may have come by, to be told as one
_LEGEND = {
    "passed": "attempts that pass every gate",
    "always": "conversations that pass all their attempts",
    "soft": "checks that fail nothing",
    "missing": "calls that were not made",
    "wrong": "calls without need",
    "breaches": "of policy",
    "errors": "attempts without an answer",
    "tokens": "of a conversation",
    "cost": "of a conversation",
    "p50 s": "seconds until an answer",
    "p95 s": "",
}


def progress(result: Result, number: int, of: int) -> str:
    """Return the line of a conversation that has been played, as so many have been."""
    mark = "✓" if result.passed == len(result.attempts) else "✗"
    tries = f" {result.passed} of {len(result.attempts)}" if len(result.attempts) > 1 else ""
    seconds = sum(attempt.seconds for attempt in result.attempts) / len(result.attempts)
    return f"{str(number).rjust(len(str(of)))}/{of} {mark} {result.full_name}{tries}  {seconds:.1f} s"


def report(evaluation: Evaluation, *, most_findings: int = 6) -> str:
    """Return what failed, with what was said, and the figures."""
    results = evaluation.results
    parts = [block for result in results if (block := _failure(result, most_findings))]
    groups = by_group(results)
    rows = [(name, figures(members, evaluation.prices)) for name, members in groups.items()]
    total = figures(results, evaluation.prices)
    left_out = {"always"} if evaluation.repeat == 1 else set()
    left_out |= set() if evaluation.prices else {"cost"}
    left_out |= set() if total.errors else {"errors"}
    shown = [name for name in _cells(total) if name not in left_out]
    cells = [(name, _cells(one)) for name, one in (*rows, ("all", total))]
    parts.append(table(("", *shown), [(name, *(row[column] for column in shown)) for name, row in cells]))
    parts.append(_wrap(f"{name}: {_LEGEND[name]}" for name in shown if _LEGEND.get(name)))
    parts.append("\n".join(_verdict(evaluation, total)))
    return "\n\n".join(parts)


def compare(first: Evaluation, second: Evaluation, names: tuple[str, str]) -> str:
    """Return two evaluations side by side, as far as they played the same conversations."""
    shared = {result.full_name for result in first.results} & {result.full_name for result in second.results}
    ours = [result for result in first.results if result.full_name in shared]
    others = {result.full_name: result for result in second.results}
    theirs = [others[result.full_name] for result in ours]
    one, other = _cells(figures(ours, first.prices)), _cells(figures(theirs, second.prices))
    rows = [(label, one[name], other[name]) for name, label in _labels(first, second).items()]
    parts = ["\n".join(map(_about, (first, second))), table(("", *names), rows)]
    groups = zip(by_group(ours).items(), by_group(theirs).values(), strict=True)
    shares = [(group, percent(pass_hat(mine, 1)), percent(pass_hat(yours, 1))) for (group, mine), yours in groups]
    parts.append(table(("attempts that pass", *names), shares))
    better, worse = _differing(ours, theirs)
    for name, some in ((names[0], worse), (names[1], better)):
        if some:
            parts.append("\n".join([f"Only {name} always passes:", *(f"  {one}" for one in some)]))
    parts.append(_difference(names, better, worse, len(shared)))
    left = len(first.results) + len(second.results) - 2 * len(shared)
    if left:
        parts.append(f"{left} conversations that only one of them played are left out.")
    return "\n\n".join(parts)


def regressions(first: Evaluation, second: Evaluation) -> list[str]:
    """Name what the first always passes and the second does not."""
    names = {result.full_name for result in second.results}
    ours = [result for result in first.results if result.full_name in names]
    return _differing(ours, second.results)[1]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Align columns: the first to the left, the others to the right."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join([first.ljust(widths[0]), *map(str.rjust, others, widths[1:])]) for first, *others in lines
    )


def _cells(one: Figures) -> dict[str, str]:
    return {
        "played": str(one.conversations),
        "passed": percent(one.passed),
        "always": percent(one.always),
        "soft": percent(one.soft),
        "missing": str(one.missing),
        "wrong": str(one.wrong),
        "breaches": str(one.breaches),
        "errors": str(one.errors),
        "tokens": f"{one.tokens:,}",
        "cost": dollars(one.cost),
        "p50 s": _seconds(one.median_seconds),
        "p95 s": _seconds(one.slow_seconds),
    }


def _labels(first: Evaluation, second: Evaluation) -> dict[str, str]:
    tries = f"{first.repeat}" if first.repeat == second.repeat else f"{first.repeat} and {second.repeat}"
    labels = {
        "played": "conversations that both played",
        "passed": "attempts that pass",
        "always": f"conversations that pass always, of {tries} attempts",
        "soft": "soft checks that pass",
        "missing": "missing calls",
        "wrong": "calls without need",
        "breaches": "policy breaches",
        "errors": "attempts without an answer",
        "tokens": "tokens of a conversation",
        "cost": "cost of a conversation",
        "p50 s": "seconds until an answer, median",
        "p95 s": "seconds until an answer, 95 %",
    }
    if first.repeat == second.repeat == 1:
        del labels["always"]
    return labels


def _failure(result: Result, most: int) -> str:
    failed = [(number, one) for number, one in enumerate(result.attempts, 1) if one.status != "passed"]
    if not failed:
        return ""
    several = len(result.attempts) > 1
    lines = [f"✗ {result.full_name}: {result.about}"]
    if several:
        lines[0] += f" (passed {result.passed} of {len(result.attempts)})"
    number, attempt = failed[0]
    run = f"run {number}, " if several else ""
    gates = [finding for finding in attempt.findings if finding.gate]
    lines += [
        f"  {run}{f'step {one.step}' if one.step else 'at the end'}, {one.kind}: {one.text}" for one in gates[:most]
    ]
    lines += _said(attempt)
    return "\n".join(lines)


def _said(attempt: Attempt) -> Iterator[str]:
    for line in attempt.transcript:
        text = textwrap.shorten(line.text, 140, placeholder=" …")
        yield f"    {line.by:>5} │ {text}"
    if attempt.model_error and attempt.status == "failed":
        yield f"    the model's last error: {textwrap.shorten(attempt.model_error, 140, placeholder=' …')}"


def _verdict(evaluation: Evaluation, total: Figures) -> Iterator[str]:
    always = sum(result.passed == len(result.attempts) for result in evaluation.results)
    often = {1: "", 2: " both times"}.get(evaluation.repeat, f" all {evaluation.repeat} times")
    yield (
        f"{evaluation.model} at {evaluation.server}: {always} of {total.conversations} conversations passed{often}"
        f"{_counted(', {} policy breach', total.breaches)}."
    )
    if total.cost is not None:
        yield f"1,000 conversations cost {dollars(total.cost * 1000)}."
    if evaluation.not_played:
        yield f"{evaluation.not_played} more need a language model; their files are in order."


def _about(evaluation: Evaluation) -> str:
    when = evaluation.started_at.strftime("%Y-%m-%d %H:%M UTC")
    often = "once" if evaluation.repeat == 1 else f"{evaluation.repeat} times"
    return f"{evaluation.model} at {evaluation.server}, {when}, each conversation {often}"


def _counted(text: str, number: int) -> str:
    return "" if number == 0 else text.format(number) + ("es" if number > 1 else "")


def _differing(ours: Iterable[Result], theirs: Iterable[Result]) -> tuple[list[str], list[str]]:
    """Return what only the second always passes, and what only the first does."""
    first = {result.full_name: result.passed == len(result.attempts) for result in ours}
    second = {result.full_name: result.passed == len(result.attempts) for result in theirs}
    better = [name for name, passed in first.items() if second.get(name) and not passed]
    worse = [name for name, passed in first.items() if passed and not second.get(name)]
    return better, worse


def _difference(names: tuple[str, str], better: Sequence[str], worse: Sequence[str], shared: int) -> str:
    if not better and not worse:
        return f"Both always pass the same of {shared} conversations."
    ahead = names[1] if len(better) > len(worse) else names[0]
    chance = _chance(len(better), len(worse))
    if len(better) == len(worse):
        return f"Each always passes {len(better)} of {shared} conversations that the other one does not."
    often = percent(chance) if chance >= 0.01 else "fewer than 1 %"  # noqa: PLR2004 - which it would be rounded to
    return (
        f"{ahead} is ahead by {abs(len(better) - len(worse))} of {shared} conversations.\n"
        f"Two models that are equally good would differ so, or more, by chance in {often} of such runs"
        f"{'.' if chance <= MAX_CHANCE else ': too often to rely on.'}"
    )


def _chance(one: int, other: int) -> float:
    """Return the two-sided p-value of a sign test (McNemar's, exact)."""
    number = one + other
    tail = sum(math.comb(number, k) for k in range(min(one, other) + 1))
    return min(1.0, tail / (1 << (number - 1)))


def percent(share: float | None) -> str:
    """Write a share, never rounded up to all or down to none."""
    if share is None:
        return "-"
    whole = round(share * 100)
    whole = min(whole, 99) if share < 1 else whole
    return f"{max(whole, 1) if share > 0 else whole} %"


def dollars(amount: float | None) -> str:
    """Write an amount with two digits that matter."""
    if amount is None:
        return "-"
    decimals = 2 if amount >= 1 or amount == 0 else min(6, 1 - math.floor(math.log10(amount)))
    return f"${amount:,.{max(2, decimals)}f}"


def _wrap(notes: Iterable[str]) -> str:
    return textwrap.fill(". ".join(notes) + ".", 110)


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f}"
