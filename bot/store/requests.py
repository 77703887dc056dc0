"""What is asked of a store about requests: the decisions on them, what is open, and whose yes there is.

As with all of the store's ports, each method is one transaction, and durable when it returns.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from bot.store.calls import NO_CLICKS, CallStatus, DayLimits, ToolCall
from bot.store.records import Post, ThreadId


class ApprovalRequests(Protocol):
    """Tool calls that need a person. Every step is taken once, by one process."""

    async def park(self, call: ToolCall, cards: Sequence[Post], limits: DayLimits = NO_CLICKS) -> None:
        """Make a proposed call pending, its cards queued.

        Raises SubjectTakenError, MessageChangedError, and AboveDayLimitError when more people have to agree.
        """

    async def claim(self, call: ToolCall, by: str, limits: DayLimits | None = None) -> ToolCall | None:
        """Return the call, running, when this is its last approval; None when it is decided, expired or paused.

        None as well when it is not as in `call` any more, for it was asked again. Raises AboveDayLimitError.
        """

    async def confirm(self, call: ToolCall, cards: Sequence[Post], redrawn: Post) -> bool:
        """Take the first of two yeses, of who asked; queue the approvers' cards, and return whether this was it."""

    async def ask_again(
        self, call: ToolCall, before: str, cards: Sequence[Post], redrawn: Post, limits: DayLimits = NO_CLICKS
    ) -> bool:
        """Show a pending request with the quote of `call` in place of `before`, and return whether that was done.

        Raises AboveDayLimitError.
        """

    async def settle(
        self,
        call: ToolCall,
        status: CallStatus,
        summary: str,
        *,
        redrawn: Post,
        announcement: Post | None,
        by: str | None = None,
        error: str | None = None,
        reason: str | None = None,
        result: str | None = None,
        money_pending: bool = False,
        goes_on: str | None = None,
        look_again_at: datetime | None = None,
    ) -> bool:
        """Move the call on from its status in `call`, cards redrawn, and return whether this caller did it.

        The model learns the `reason` of who decided. With `goes_on` the thread goes on, as if who asked had written
        that; with `look_again_at` money that went back is looked at then.
        """

    async def supersede(
        self,
        call: ToolCall,
        instead: ToolCall,
        *,
        summary: str,
        by: str,
        redrawn: Post,
        announcement: Post,
        cards: Sequence[Post],
        limits: DayLimits = ...,
    ) -> bool:
        """Park `instead` in place of a pending call, which ends; return whether that was still as it was shown.

        Every card of the call is redrawn like `redrawn`; the thread hears the announcement, and then the new cards.
        Raises AboveDayLimitError.
        """

    def log_refused_click(self, call_id: str, user: str, team: str, decision: str, told: str) -> None:
        """Keep a click that did nothing. Not awaited."""


class OpenRequests(Protocol):
    """The requests that wait for a decision, or for their outcome."""

    async def begin(self, call: ToolCall) -> ToolCall | None:
        """Note that a change may reach the shop from now on; None when it is settled, or somebody else has begun it."""

    async def not_begun(self, call: ToolCall) -> None:
        """Note that the change has not reached the shop after all, unless it was begun once more since."""

    async def look_later(self, call: ToolCall, at: datetime) -> None:
        """Note when the shop is asked next."""

    async def report(self, call: ToolCall, posts: Sequence[Post]) -> None:
        """Queue, once, what tells people that a call's outcome is unknown."""

    async def find(self, reference: str) -> list[ToolCall]:
        """Return the gated calls whose outcome is not known and whose id begins so."""

    async def cards(self, call_id: str) -> list[Post]:
        """Return the call's cards, as they were first posted."""

    async def open(self) -> list[ToolCall]:
        """Return the gated calls that are pending, running or unknown."""

    async def remind(self, call: ToolCall, posts: Sequence[Post]) -> None:
        """Queue the reminder of a pending call, once."""

    async def show_paused(self, call: ToolCall, draw: Callable[[Post], Post], *, paused: bool) -> None:
        """Queue what `draw` makes of each card of a pending call, unless it shows that already."""

    async def mark_card_deleted(self, team: str, channel: str, ts: str) -> list[ToolCall]:
        """Note that a message of ours is gone, and return the pending call that cannot be decided without it."""

    async def mark_message_edited(
        self,
        team: str,
        channel: str,
        ts: str,
        text: str | None = None,
        tell: Callable[[ThreadId, str], Post] | None = None,
    ) -> list[ToolCall]:
        """Note a message's new words, or that it is gone, and return the pending calls that this invalidates."""


class RefundChecks(Protocol):
    """The refunds that were made and are looked at for a while longer."""

    async def due(self) -> list[ToolCall]:
        """Return the requests whose refund is to be looked at now."""

    async def look_later(self, call: ToolCall, at: datetime | None) -> None:
        """Note when the refund is looked at next; without a time, never again."""

    async def fail(self, call: ToolCall, why: str, note: str, *, redrawn: Post, posts: list[Post]) -> bool:
        """Note that the refund has failed since, and queue what tells it, once; return whether this was it."""


class Yeses(Protocol):
    """Who has approved what needs two, and the approvers that are asked next. Every step is taken once.

    What `draw` makes of each card on which it is decided, of the call as it is then, is drawn over it.
    """

    async def first(self, call: ToolCall, by: str, draw: Callable[[ToolCall, Post], Post]) -> bool:
        """Take the first of two yeses, in place of the one in `call`, and return whether this was it."""

    async def take_back(self, call: ToolCall, by: str, draw: Callable[[ToolCall, Post], Post]) -> bool:
        """Take the person's first yes back, and return whether it was still the only one."""

    async def escalate(self, call: ToolCall, posts: Sequence[Post], draw: Callable[[ToolCall, Post], Post]) -> bool:
        """Queue what asks the next group of approvers, once, and return whether this was it."""

    async def ask_elsewhere(self, call: ToolCall, cards: Sequence[Post]) -> bool:
        """Queue cards of a pending call that is left with none to decide on, and return whether there are any now."""
