"""The calls between rooms that no import shows: who calls is named in each; `bot/wiring.py` joins them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from bot.store.calls import Step
from bot.store.records import Block, InboxMessage, SharedFile, ThreadId

SessionState = Literal["processing", "suspended", "active"]


class WakeThread(Protocol):
    """Slack's intake tells the worker that a thread has an unprocessed message, and of whom."""

    def __call__(self, thread: ThreadId, user: str, /) -> None:
        """Return at once; the thread is worked on in the background."""


class MessageChanged(Protocol):
    """Slack's intake tells the approvals that a message was edited or deleted."""

    async def __call__(self, team: str, channel: str, ts: str, text: str | None, /) -> None:
        """Return when the message is kept with its new words (none when it is gone), and what they invalidate ended."""


class RunStopped(Protocol):
    """Slack's intake tells the agent that a person has stopped a run, once that is kept."""

    def __call__(self) -> None:
        """Return at once; what is under way is cut off in the background."""


class ShowStatus(Protocol):
    """The agent tells Slack's delivery what the bot is doing in a thread."""

    def __call__(self, thread: ThreadId, status: str, /) -> None:
        """Return at once; a status that cannot be shown is dropped."""


class ShowSession(Protocol):
    """The agent tells Slack's sessions how a thread stands."""

    def __call__(self, thread: ThreadId, state: SessionState, user: str = "", title: str = "") -> None:
        """Return at once; what cannot be shown is dropped."""


class ShowSteps(Protocol):
    """The agent tells Slack's timelines which steps a run has taken, and how far each is."""

    def __call__(self, thread: ThreadId, user: str, steps: Sequence[Step], /) -> None:
        """Return at once; what cannot be shown is dropped."""


class EndSteps(Protocol):
    """The agent tells Slack's timelines that a run is over."""

    async def __call__(self, thread: ThreadId, /, *, resumed: bool) -> None:
        """Return when nothing of it changes any more, or in a moment."""


class ShowDraft(Protocol):
    """The agent tells Slack's drafts how the answer goes on that is being written."""

    def __call__(self, thread: ThreadId, user: str, blocks: Sequence[Block], /) -> None:
        """Return at once; what cannot be shown is shown with the whole answer."""


class EndDraft(Protocol):
    """The agent tells Slack's drafts that the answer is written, or that there will be none."""

    async def __call__(self, thread: ThreadId, /) -> None:
        """Return when nothing is appended any more, or in a moment."""


class CardLost(Protocol):
    """Slack's delivery tells the approvals that an approval card cannot be posted."""

    async def __call__(self, call_id: str, error: str, /) -> None:
        """Return when the request, which nobody can see, is ended."""


class OutboxNews(Protocol):
    """The outbox tells Slack's delivery which channel has something to post."""

    async def get(self) -> str:
        """Wait for the next channel."""


class PostNow(Protocol):
    """The desk has Slack's delivery post what a thread begins with, when somebody waits for it."""

    async def __call__(self, channel: str, text: str, blocks: Sequence[Block], /) -> str | None:
        """Return the ts of the post, or None when Slack did not take it."""


class HomeOpened(Protocol):
    """Slack's intake tells the desk that somebody has opened their Home tab."""

    def __call__(self, user: str, /) -> None:
        """Return at once; the tab is drawn in the background."""


class MessagesOpened(Protocol):
    """Slack's intake tells the desk that somebody has opened their conversation with the bot."""

    def __call__(self, user: str, channel: str, /) -> None:
        """Return at once; prompts are suggested in the background."""


class LinkEvent(Protocol):
    """Slack's intake passes on what Slack tells of links: one was shared, or somebody wants to see its details."""

    def __call__(self, event: Mapping[str, Any], /, *, shared: bool) -> None:
        """Return at once; it is answered in the background. What is `shared` people of other companies read, too."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Whom Slack's intake tells what it has taken."""

    wake: WakeThread
    changed: MessageChanged
    stopped: RunStopped
    home_opened: HomeOpened
    messages_opened: MessagesOpened
    link_event: LinkEvent


class ReadAbove(Protocol):
    """The agent asks Slack what was said in a thread before it was called there, besides what it knows."""

    async def __call__(self, thread: ThreadId, before: str, since: str, known: frozenset[str], /) -> str:
        """Return it, marked by person and as nobody's own words; empty when nothing was."""


class DescribeFiles(Protocol):
    """The agent asks Slack about files of a message that it had not described when it was sent."""

    async def __call__(self, message: InboxMessage, /) -> InboxMessage:
        """Return the message with what is known by now."""


class FetchFile(Protocol):
    """The agent asks Slack for a picture that the model is to see."""

    async def __call__(self, file: SharedFile, most: int, /) -> bytes | None:
        """Return what is in the file; None when it cannot be had, or is more than `most` bytes."""
