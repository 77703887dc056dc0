"""What a run has done and is doing, step by step, for a person who waits: never the results."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from bot.blocks.text import one_line
from bot.callbacks import EndDraft, EndSteps, ShowDraft, ShowSession, ShowStatus, ShowSteps
from bot.store.calls import CallStatus, Step, StepState, ToolCall
from bot.store.records import Block, InboxMessage

MAX_STEPS = 40  # of the fifty that one message of Slack's takes
MAX_TITLE_CHARACTERS = 120
_PAST = {
    "asking": "Asked",
    "calling": "Called",
    "checking": "Checked",
    "finding": "Found",
    "looking": "Looked",
    "reading": "Read",
    "searching": "Searched",
    "taking": "Took",
}
_STATES = {
    CallStatus.PROPOSED: StepState.IN_PROGRESS,
    CallStatus.RUNNING: StepState.IN_PROGRESS,
    CallStatus.REJECTED: StepState.ERROR,
    CallStatus.FAILED: StepState.ERROR,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How people see that the bot is at work.

    There are a line, the state of a session, a timeline for several steps, and a draft of an answer that takes long.
    """

    status: ShowStatus
    session: ShowSession
    steps: ShowSteps
    end_steps: EndSteps
    draft: ShowDraft
    end_draft: EndDraft


class RunProgress:
    """How people see that one message is worked on."""

    def __init__(self, progress: Progress, message: InboxMessage) -> None:
        self._progress = progress
        self._message = message
        self.status: Callable[[str], None] = partial(progress.status, message.shown_in)
        self.has_draft = False

    def steps(self, calls: Iterable[ToolCall], doing: Callable[[ToolCall], str]) -> None:
        """Show the calls of a run, of which there were several turns; where a timeline cannot be, the line is."""
        of_run = (call for call in calls if call.created_at >= self._message.received_at)
        self._progress.steps(self._message.shown_in, self._message.user, tuple(_steps(of_run, doing))[:MAX_STEPS])

    def draft(self, blocks: Sequence[Block]) -> None:
        """Show how the answer goes on that is being written."""
        self.has_draft = True
        self._progress.draft(self._message.shown_in, self._message.user, blocks)

    async def end(self) -> None:
        """End timeline and draft, before what is said at the end."""
        await self._progress.end_steps(self._message.shown_in, resumed=self._message.attempts > 1)
        await self._progress.end_draft(self._message.shown_in)


def _steps(calls: Iterable[ToolCall], doing: Callable[[ToolCall], str]) -> Iterator[Step]:
    seen = set[tuple[int | None, str]]()
    for call in calls:
        state = _STATES.get(call.status, StepState.COMPLETE)
        words = doing(call)
        title = _title(call, words, done=state is StepState.COMPLETE)
        if words and (call.message_id, title) not in seen:
            seen.add((call.message_id, title))
            yield Step(call.id, title, state)


def _title(call: ToolCall, doing: str, *, done: bool) -> str:
    """Say what a call does, or what was done: "Looked up ORD-10188"."""
    first, _, rest = doing.partition(" ")
    if first == "working" or not rest:
        words = call.tool.replace("_", " ")
    else:
        words = f"{_PAST.get(first, first) if done else first} {rest}"
    return one_line(words[:1].upper() + words[1:], MAX_TITLE_CHARACTERS)
