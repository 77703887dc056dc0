"""How rows become lines on a terminal: nothing in them can move the cursor, and what is too long is cut."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_SMALLEST_SHOWN = 0.0001
_FORMULA = re.compile(r"\s*[=+@\t\r-]")


def printable(value: object) -> str:
    """Return the value as one line in which nothing is a control character, such as the beginning of an escape."""
    text = "" if value is None else str(value)
    return "".join(
        " " if letter in "\n\r\t" else letter if unicodedata.category(letter) not in ("Cc", "Cf", "Cs") else "\ufffd"
        for letter in text
    )


def cut(text: str, width: int) -> str:
    """Return no more of the text than fits, with a mark where something is missing."""
    return text if width_of(text) <= width else f"{_beginning(text, width - 1)}\u2026"


def width_of(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], width: int) -> list[str]:
    """Lay rows out under the titles of `columns`, each a key with its title; the last column takes what is left."""
    cells = [[printable(row.get(key)) for key in columns] for row in rows]
    titles = list(columns.values())
    widths = [max(width_of(line[i]) for line in [titles, *cells]) for i in range(len(titles))]
    left = max(12, width - sum(widths[:-1]) - 2 * (len(widths) - 1))
    widths[-1] = min(widths[-1], left)
    return [
        "  ".join(_pad(cut(text, size), size) for text, size in zip(line, widths, strict=True)).rstrip()
        for line in [titles, *cells]
    ]


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows as CSV with a line of titles; what a spreadsheet would take for a formula begins with ' in it."""
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows({key: _harmless(value) for key, value in row.items()} for row in rows)
    return out.getvalue().rstrip("\n")


def stamp(at: str | None) -> str:
    """Return a row's time as date and time of day in UTC."""
    return datetime.fromisoformat(at).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if at else ""


def seconds_between(start: str | None, end: str | None) -> float | None:
    """Return the seconds between two times of rows."""
    if not start or not end:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def lasting(seconds: float | None) -> str:
    """Say a duration in its two largest units."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:  # noqa: PLR2004 - as a clock counts
        return f"{seconds:.1f} s"
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    rest = round(seconds)
    parts: list[str] = []
    for name, size in units:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count} {name}" if count else "")
    return " ".join(filter(None, parts[:2]))


def dollars(amount: float | None) -> str:
    """Write what something cost, however little."""
    if amount is None:
        return ""
    return f"${amount:.2f}" if amount >= 1 else f"${amount:.4f}" if amount >= _SMALLEST_SHOWN else "under $0.0001"


def counted(number: int, one: str, many: str | None = None) -> str:
    """Say how many of something."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Iterable[str]) -> str:
    """Join words with commas."""
    return ", ".join(words)


def _beginning(text: str, width: int) -> str:
    taken, size = [], 0
    for letter in text:
        size += width_of(letter)
        if size > width:
            break
        taken.append(letter)
    return "".join(taken)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - width_of(text))


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
