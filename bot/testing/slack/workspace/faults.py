"""What can go wrong with a call of Slack's Web API, told in advance by a test and consumed in order."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal

Moment = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Answer 429 and do nothing."""

    retry_after: int


@dataclass(frozen=True, slots=True)
class ServerError:
    """Answer 500, before or after the call was done, in words that are not Slack's JSON."""

    moment: Moment
    content_type: str = field(default="text/html", compare=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """Answer with one of Slack's own errors, and do nothing."""

    error: str


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """Drop the connection without an answer, before or after the call was done."""

    moment: Moment


@dataclass(frozen=True, slots=True)
class Hang:
    """Hold the call back until a test releases it; then it is done as usual, and answered unless the answer is lost."""

    answers: bool = True
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Release the call, and those held back with it."""
        self.released.set()


Fault = RateLimited | ServerError | Refused | ConnectionLost | Hang


@dataclass(frozen=True, slots=True)
class _Planned:
    fault: Fault
    method: str
    channel: str | None
    text: str | None = None


class Faults:
    """The faults to come; each method here plans one for the next `times` calls of a method.

    With a channel, only calls that name this channel count.
    """

    def __init__(self) -> None:
        self._planned: list[_Planned] = []

    def rate_limit(self, method: str, *, retry_after: int = 1, times: int = 1, channel: str | None = None) -> None:
        """Answer 429 with `Retry-After` in seconds."""
        self._plan(RateLimited(retry_after), method, times, channel)

    def server_error(
        self,
        method: str,
        *,
        moment: Moment = "before",
        times: int = 1,
        channel: str | None = None,
        content_type: str = "text/html",
    ) -> None:
        """Answer 500, before or after doing what was asked."""
        self._plan(ServerError(moment, content_type), method, times, channel)

    def refuse(
        self, method: str, error: str, *, times: int = 1, channel: str | None = None, text: str | None = None
    ) -> None:
        """Answer with an error of Slack's, such as `edit_window_closed`; with a text only calls whose text has it."""
        self._planned += [_Planned(Refused(error), method, channel, text)] * times

    def lose_connection(
        self, method: str, *, moment: Moment = "before", times: int = 1, channel: str | None = None
    ) -> None:
        """Hang up instead of answering, before or after doing what was asked."""
        self._plan(ConnectionLost(moment), method, times, channel)

    def hang(self, method: str, *, times: int = 1, channel: str | None = None, answers: bool = True) -> Hang:
        """Hold calls back until the returned `Hang` is released; its `reached` is set when the first has come."""
        hang = Hang(answers)
        self._plan(hang, method, times, channel)
        return hang

    def clear(self) -> None:
        """Forget what was planned."""
        self._planned.clear()

    def take(self, method: str, channel: str | None, text: str = "") -> Fault | None:
        """Use up the next fault that is planned for such a call."""
        for position, planned in enumerate(self._planned):
            is_meant = planned.method == method and planned.channel in (None, channel)
            if is_meant and (planned.text is None or planned.text in text):
                return self._planned.pop(position).fault
        return None

    def _plan(self, fault: Fault, method: str, times: int, channel: str | None) -> None:
        self._planned += [_Planned(fault, method, channel)] * times
