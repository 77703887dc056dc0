"""A machine whose clock is wrong, to a Python that finds this file before any other."""

import datetime as dt
import os
import time
from typing import Self

AHEAD = float(os.environ["CLOCK_AHEAD_SECONDS"])
_right = time.time


class WrongDatetime(dt.datetime):
    """What the machine takes for the time."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Self:
        """Be wrong."""
        return super().now(tz) + dt.timedelta(seconds=AHEAD)


dt.datetime = WrongDatetime  # type: ignore[misc]
time.time = lambda: _right() + AHEAD
