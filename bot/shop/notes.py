"""What is written beside a change at a shop that keeps no keys, so that it is found again: our key, and which lines."""

import re
from collections.abc import Sequence

from bot.shop.shop import ShopRefusedError

MAX_CHARACTERS = 200  # shops cut longer ones, and the key stands at the end
MAX_LINE = 10_000
_LINES = re.compile(r", lines ([\d -]+) \[support-bot:")
_ROOM_FOR_KEY = "0" * 44


def note(why: str, key: str, lines: Sequence[int] = ()) -> str:
    """Write why a change is made, for which lines, and under which key. Raises ShopRefusedError for too many lines."""
    of_lines = f", lines {_in_ranges(lines)}" if lines else ""
    written = f"{why.replace('_', ' ')}{of_lines} {_mark(key)}"
    if len(written) > MAX_CHARACTERS:
        raise ShopRefusedError(
            "These are too many single lines for one refund.", "Ask for fewer at once, or for the whole order."
        )
    return written


def check_note(why: str, lines: Sequence[int]) -> None:
    """Raise ShopRefusedError when there will be no room for so many lines."""
    note(why, _ROOM_FOR_KEY, lines)


def is_under(text: object, key: str) -> bool:
    """Return whether the note was written under this key."""
    return bool(key) and str(text or "").endswith(_mark(key))


def lines_in(text: object) -> set[int]:
    """Return for which lines the note was written."""
    found = _LINES.search(str(text or ""))
    parts = (part.partition("-") for part in found[1].split()) if found else ()
    ranges = ((int(first), int(last or first)) for first, _, last in parts if f"{first}{last}".isdecimal() and first)
    return {line for first, last in ranges for line in range(first, min(last, MAX_LINE) + 1)}


def _in_ranges(lines: Sequence[int]) -> str:
    runs: list[list[int]] = []
    for line in sorted(lines):
        if runs and line == runs[-1][-1] + 1:
            runs[-1].append(line)
        else:
            runs.append([line])
    return " ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _mark(key: str) -> str:
    return f"[support-bot:{key}]"
