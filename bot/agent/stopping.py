"""What a thread hears when a person has stopped the bot there: what was done, what was not, and what still waits."""

from collections.abc import Callable, Sequence

from bot.shop.money import without_amounts
from bot.store.records import CallStatus, ToolCall

STOPPED = "stopped by the person"
NOT_DONE = {"error": "The person stopped you before this was done.", "hint": "Do not do it unless you are asked again."}
_OPEN = (CallStatus.PENDING, CallStatus.RUNNING, CallStatus.UNKNOWN)


class StoppedError(Exception):
    """A person has stopped the run; what it has not begun by now is not done any more."""


def words_of_stop(calls: Sequence[ToolCall], doing: Callable[[ToolCall], str], *, public: bool) -> str:
    """Say how things stand with these calls of the stopped run, and with the requests that wait in its thread."""
    done = [doing(call) for call in calls if not call.gated and call.status == CallStatus.SUCCEEDED]
    missed = [doing(call) for call in calls if call.status == CallStatus.REJECTED and call.error == STOPPED]
    waits = [call.summary or call.tool for call in calls if call.gated and call.status in _OPEN]
    words = ["I have stopped, as you asked."]
    words += [f"Done before that: {_listed(done)}."] if done else []
    words += [f"Not done: {_listed(missed)}."] if missed else []
    if waits:
        listed = _listed([without_amounts(one) if public else one for one in waits])
        words.append(f"Stopping me does not withdraw what waits for a decision: {listed}. A button on its card does.")
    else:
        words.append("Nothing was changed, and nothing waits for a decision.")
    return " ".join(words)


def _listed(phrases: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(phrases))
