"""What the bot asks of a store, by use case. Each method is one transaction; what it writes is durable when it returns.

Where a method says "ahead", it returns before that; where it is not awaited, its row is there before any later one.
Each raises DatabaseError when the store does not take it.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.store.bounds import Bound, BoundReached
from bot.store.calls import CallStatus, Conversation, ModelCall, ToolCall
from bot.store.overviews import Erased, OpenThread, Page, Today
from bot.store.records import Block, ChatMessage, InboxMessage, PassOn, Post, ThreadId
from bot.store.requests import ApprovalRequests, OpenRequests, RefundChecks, Yeses


class Inbox(Protocol):
    """Messages that are for us, each once, in the order of Slack's ts within their thread."""

    async def receive(
        self,
        message: InboxMessage,
        *,
        addressed: bool,
        mentioned: bool,
        goes_on_for: timedelta = ...,
        pass_on: PassOn | None = None,
        only_known: bool = False,
    ) -> ThreadId | None:
        """Keep the message if it is for us, once, and return its conversation while it is still to be answered."""

    async def submit(self, message: InboxMessage) -> None:
        """Keep what somebody asked for by a form, for its run, in a thread that is ours from now on."""

    async def choose(self, call: ToolCall, words: str, redrawn: Sequence[Post]) -> bool:
        """Keep what was chosen from a call's menu as its requester's words; False when they have answered before."""

    async def waiting_threads(self) -> dict[ThreadId, str]:
        """Return threads with unprocessed or interrupted messages that no live process has leased, and who wrote."""

    async def next(self, thread: ThreadId) -> InboxMessage | None:
        """Lease the thread and return its next message; None when none is left or another process has the thread."""

    async def stop(self, thread: ThreadId, ts: str) -> None:
        """Stop the run that answers messages older than this, in whichever process it is."""

    async def describe(self, message: InboxMessage, *, instead_of: str) -> None:
        """Keep what a message's files say, unless the person has corrected the words meanwhile."""

    async def read_by_model(self, thread: ThreadId) -> tuple[str, frozenset[str]]:
        """Return the ts up to which a thread was read in Slack, and those of its messages that the model has read."""

    async def lateness(self, message: InboxMessage) -> timedelta:
        """Return for how long a message has waited, on its way and here, however wrong the clock of this host is."""

    async def drop_unclaimed(self) -> None:
        """Delete messages that were for nobody after all."""

    async def oldest_waiting_seconds(self) -> float:
        """Return the age of the oldest message that is not answered; 0 when there is none."""


class Conversations(Protocol):
    """What a thread's one run writes. Raises LostLeaseError when another process has taken the thread."""

    async def begin(self, message: InboxMessage, context: str = "") -> Conversation:
        """Add the message, once, with what it answers to and notes on what was decided since. Ahead."""

    async def add_turn(self, thread: ThreadId, turn: ChatMessage, calls: Sequence[ToolCall]) -> tuple[ToolCall, ...]:
        """Add the model's turn and return its calls with the message that they belong to."""

    async def add_results(self, thread: ThreadId) -> Conversation:
        """Add every result of the last turn, and what the person wrote meanwhile; return the thread. Ahead."""

    async def finish(
        self,
        message: InboxMessage,
        reply: ChatMessage | None,
        posts: Sequence[Post],
        *,
        error: str | None = None,
        escalation: Post | None = None,
        left_out: bool = False,
    ) -> bool:
        """End the run with all that is said, and return whether another message waits in the thread.

        Raises MessageChangedError when a person has corrected what is answered; `begin` then tells the new words.
        With `left_out` its messages carry that mark from then on.
        """

    async def is_stopped(self, thread: ThreadId) -> bool:
        """Return whether a person has stopped the thread's run."""

    async def stopped(self) -> list[ThreadId]:
        """Return the threads whose runs a person has stopped and that have not ended yet."""

    async def is_with_people(self, thread: ThreadId, user: str) -> bool:
        """Return whether people have the thread, so that this person is not answered there."""

    async def hand_over(self, thread: ThreadId, user: str, told: Post, said: Post) -> bool:
        """Leave the thread to people for this person, outside of a run; False when there is no such thread."""

    async def give_back(self, thread: ThreadId, said: Post) -> bool:
        """Answer in the thread again, and return whether people had it."""

    async def give_back_older_than(self, hours: float) -> None:
        """Answer again in threads that people have had for so long."""

    async def rate(self, thread: ThreadId, post_id: str, user: str, worth: str, reason: str | None = None) -> bool:
        """Keep what somebody says that an answer was worth; False when it is none of that thread."""

    async def is_undecided(self, thread: ThreadId) -> bool:
        """Return whether a request waits in the thread for somebody's decision."""

    async def calls_of_run(self, thread: ThreadId) -> list[ToolCall]:
        """Return the calls of the thread's run, and all requests that wait in the thread."""

    async def timeline(self, thread: ThreadId) -> str | None:
        """Return which message of ours shows what is done in the thread, while something is."""

    async def keep_timeline(self, thread: ThreadId, ts: str | None, *, before: str | None) -> None:
        """Keep which message shows it, or that none does any more, unless it is another than the one before."""

    async def keep_draft(self, thread: ThreadId, ts: str) -> bool:
        """Keep which message shows the answer while it is being written: what ends the run is drawn over it.

        Return False when there is such a message already.
        """

    async def intent(self, thread: ThreadId) -> str | None:
        """Return what the thread's customer wants, as it was stored last."""

    async def set_intent(self, message: InboxMessage, intent: str, posts: Sequence[Post]) -> None:
        """Store what the thread's customer wants by this message, with what is said because of it."""


class CallLog(Protocol):
    """The log of tool calls and model calls. What is final never changes."""

    async def get(self, call_id: str) -> ToolCall | None:
        """Return one tool call."""

    def finish(
        self,
        call: ToolCall,
        status: CallStatus,
        result: str,
        *,
        error: str | None = None,
        card: Sequence[Block] = (),
        private_card: Sequence[Block] = (),
        escalation: Post | None = None,
    ) -> None:
        """End a call that needed no approval. Not awaited."""

    async def log_look_up(self, call: ToolCall) -> None:
        """Keep what a person has looked up without the model, before they see it."""

    async def requests_today(self, call: ToolCall) -> tuple[int, int]:
        """Return how often the person asked for this tool within a day, in this thread and in all, up to this call."""

    def log_model_call(self, call: ModelCall) -> None:
        """Write a model call's row before it is asked, and again when it has ended. Not awaited."""


class Outbox(Protocol):
    """What is to be said, in order within its channel; `news` names the channel of each post that is queued."""

    news: asyncio.Queue[str]

    async def waiting_posts(self) -> int:
        """Return how many posts are not in Slack yet."""

    async def waiting_channels(self) -> list[str]:
        """Return channels with posts that no live process is sending."""

    async def next(self, channel: str, *, besides: Collection[str] = ()) -> Post | None:
        """Take the channel's oldest post: `in_doubt` when it was taken before and its outcome is not known."""

    def is_ours(self) -> bool:
        """Return whether our lease on what was taken still holds; if not, it is to be taken again."""

    def lapses(self) -> int:
        """Return how often our lease has ended: what was taken at another number may be another process's since."""

    async def stands_at(self, post: Post) -> str | None:
        """Return the ts under which a post was posted, by whom ever; None while it waits, and "" when it never was."""

    async def sent(self, post: Post, ts: str, *, besides: Collection[str] = ()) -> Post | None:
        """Keep where the post is in Slack, and return the channel's next one as `next` does."""

    async def refused(self, post: Post, error: str) -> None:
        """Leave the post waiting, known not to be in Slack."""

    async def add(self, post: Post, about: ThreadId) -> None:
        """Queue a post that belongs to nothing else that is written, once for its id."""

    async def posted(self, team: str, channel: str, ts: str) -> Post | None:
        """Return a post of ours that stands there, as it was drawn last."""

    async def about(self, thread: ThreadId, part: str) -> list[Post]:
        """Return our posts about a thread in whose blocks this text stands, as they were drawn last."""

    async def failed(self, post: Post, error: str, unreached: Callable[[ThreadId, str], Post]) -> None:
        """Give the post up; when it was to call people into a thread, say there that they were not reached."""

    async def simplify(self, post: Post, text: str, error: str, blocks: Sequence[Block] = ()) -> None:
        """Replace the waiting post by a simpler one: plain text, or fewer blocks, on which it can still be decided."""


class Usage(Protocol):
    """What each person has used within the last hour, over restarts and processes; tokens come with the log."""

    async def take(self, user: str, key: str, *bounds: Bound) -> BoundReached | None:
        """Count a use, once a key, and return None; or the bound that is reached, and then count nothing. Ahead."""

    async def drop_old(self) -> None:
        """Forget what was used more than an hour ago."""


class Admin(Protocol):
    """What the operator does."""

    async def is_paused(self) -> bool:
        """Return whether nothing may be approved for now."""

    async def pause(self, *, by: str | None = None) -> None:
        """Make every claim fail from now on. Here as below, `by` is who does it, for the audit."""

    async def resume(self, *, by: str | None = None) -> None:
        """Allow claims again."""

    async def forget(self, user: str, *, by: str | None = None) -> Erased:
        """Erase the threads in which the person wrote.

        Raises StillOpenError, and UnknownPersonError when nothing of theirs is there.
        """

    async def erase_older_than(self, days: float) -> Erased:
        """Erase the threads that were quiet for so long and have nothing open or unsaid."""


class Overview(Protocol):
    """What people see of all threads at a glance, page by page."""

    async def waiting(self, start: int, most: int, *, escalated: bool = False) -> Page[ToolCall]:
        """Return what waits for a decision, or what of it the next group was asked about, the oldest first."""

    async def requests_of(self, user: str, start: int, most: int) -> Page[ToolCall]:
        """Return what a person has asked for, the latest first."""

    async def open_threads(self, start: int, most: int) -> Page[OpenThread]:
        """Return the threads that need somebody, what is urgent first, then the oldest."""

    async def refunds_of(self, customer: str, since: datetime) -> dict[str, tuple[int, int]]:
        """Return by currency how often money went back to a customer through requests, and how much in minor units."""

    async def today(self) -> Today:
        """Return what has happened since midnight, in UTC."""

    async def version(self) -> str:
        """Return what is another text when a request or a thread that people have is not what it was."""


@dataclass(frozen=True, slots=True)
class Store:
    """All that the bot remembers."""

    inbox: Inbox
    outbox: Outbox
    calls: CallLog
    approval_requests: ApprovalRequests
    open_requests: OpenRequests
    refund_checks: RefundChecks
    yeses: Yeses
    conversations: Conversations
    usage: Usage
    admin: Admin
    overview: Overview
