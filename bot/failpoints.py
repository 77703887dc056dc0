"""Places at which a test has the process die: nothing happens there unless BOT_FAILPOINT names one of them."""

import os
import signal
from collections import Counter
from functools import cache

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
def _wanted() -> tuple[str, int]:
    """Read the setting once: every message passes a dozen of these places."""
    name, _, times = os.environ.get("BOT_FAILPOINT", "").partition(":")
    return name, int(times or 1)


def reach(name: str) -> None:
    """Die here, as at a power cut, when BOT_FAILPOINT is this name; with `name:3` at the third time."""
    wanted, times = _wanted()
    if wanted == name:
        _reached[name] += 1
        if _reached[name] == times:
            os.kill(os.getpid(), signal.SIGKILL)
