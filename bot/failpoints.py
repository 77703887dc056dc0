"""Places at which a test has the process die or stand still: nothing happens there unless BOT_FAILPOINT names one."""

import os
import signal
from collections import Counter
from functools import cache
from pathlib import Path

NAMES = (
    "message kept",
    "message acked",
    "message taken",
    "model answered",
    "turn written",
    "call run",
    "call written",
    "request parked",
    "answer written",
    "post taken",
    "post made",
    "post written",
    "click acked",
    "call claimed",
    "shop answered",
    "outcome written",
)
_reached: Counter[str] = Counter()


@cache
def _wanted() -> tuple[str, int, str]:
    """Read the setting once: every message passes a dozen of these places."""
    place, _, pipe = os.environ.get("BOT_FAILPOINT", "").partition("@")
    name, _, times = place.partition(":")
    return name, int(times or 1), pipe


def reach(name: str) -> None:
    """Die here, as at a power cut, when BOT_FAILPOINT is this name; with `name:3` at the third time.

    With `name@PATH`, stand still instead until the test that holds the other end of that named pipe lets go of it.
    """
    wanted, times, pipe = _wanted()
    if wanted == name:
        _reached[name] += 1
        if _reached[name] == times and pipe:
            Path(pipe).read_bytes()
        elif _reached[name] == times:
            os.kill(os.getpid(), signal.SIGKILL)
