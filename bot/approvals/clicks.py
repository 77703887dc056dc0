"""A press of a button: which open request it is about, how often one person may press, and what they hear too late."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot import clock
from bot.approvals.endings import Ending
from bot.approvals.execute import Executor
from bot.approvals.permission import Permission
from bot.approvals.presses import Presses
from bot.blocks.text import mention
from bot.logs import tell
from bot.settings import Settings
from bot.store.calls import CallStatus, ToolCall
from bot.store.store import Store
from bot.tracing import tracing

logger = logging.getLogger(__name__)

NOT_FOUND = "This card does not belong to an open request, so nothing was done."
TOO_MANY_CLICKS = (
    "You have pressed buttons as often as I look at within an hour, so nothing was done, and I leave out the next. "
    "The request stays open; somebody else can decide it, or you in an hour."
)
TRIES_FOR_A_CARD, CARD_INTERVAL_SECONDS = 20, 0.1
CHANGED = "Something has changed since this was shown, so nothing was done. The new card has it as it is now."


@dataclass(frozen=True, slots=True)
class Click:
    """A press of a button as Slack's envelope tells it; only `call_id` is what the button carried.

    On a Home tab, which is no message, `shown_as` is what it showed of the request.
    """

    call_id: str
    user: str
    user_team: str
    team: str
    channel: str
    message_ts: str
    shown_as: str | None = None

    @property
    def place(self) -> str:
        """What a form that it opens carries, so that what is filled in is checked as the click was."""
        return json.dumps(
            {"call_id": self.call_id, "channel": self.channel, "message_ts": self.message_ts, "shown_as": self.shown_as}
        )


class Clicks:
    """Finds the request of a press, and says for anyone who presses why nothing is done."""

    def __init__(self, store: Store, executor: Executor, permission: Permission, settings: Settings) -> None:
        self._store = store
        self._executor = executor
        self._permission = permission
        self._trusted_teams = settings.trusted_teams
        self._presses = Presses(store.usage, settings)

    async def find(self, click: Click) -> ToolCall | str:
        """Return the pending request that a click is about, or words for the clicker that say why there is none."""
        call = await self._store.calls.get(click.call_id)
        trusted = {click.team, *self._trusted_teams}
        if call is None or not call.gated or click.user_team not in trusted:
            return NOT_FOUND
        tracing.link(call.traceparent)
        if click.shown_as is not None and click.shown_as != call.shown_as:
            return CHANGED
        if click.shown_as is None and not await self._is_its_card(click, call):
            return NOT_FOUND
        if call.status != CallStatus.PENDING:
            return await self.too_late(call.id)
        if call.expires_at and call.expires_at <= clock.now():
            await self._executor.close(call, Ending.EXPIRED)
            return await self.too_late(call.id)
        return call

    async def may_be(self, click: Click, other: str | None) -> bool:
        """Return whether who pressed may be the other one, too, with another account. Raises IdentityError."""
        return await self._permission.may_be(click.user, other)

    async def pending(self, call_id: str) -> ToolCall | None:
        """Return the request as it is by now, if it still waits."""
        call = await self._store.calls.get(call_id)
        return call if call and call.status == CallStatus.PENDING else None

    async def refusal(self, click: Click, call: ToolCall) -> str | None:
        """Return why this person cannot say yes to a request now, if they cannot. Raises as the shop and Slack do."""
        return await self._permission.refusal(click.user, call)

    async def may_approve(self, click: Click, call: ToolCall) -> bool:
        """Return whether the person may decide this request, as of now. Raises IdentityError."""
        return await self._permission.may_approve(click.user, call)

    async def bounded(
        self, click: Click, decision: str, decide: Callable[[Click], Awaitable[str | None]]
    ) -> str | None:
        """Decide, unless the person has clicked too often; that they hear once, and then nothing is even written."""
        reached = await self._presses.count(click.user)
        if reached is None:
            with tracing.click(decision):
                return self.logged(click, decision, await decide(click))
        return self.logged(click, decision, TOO_MANY_CLICKS) if reached.is_news else None

    def logged(self, click: Click, decision: str, words: str | None) -> str | None:
        """Keep a press that did nothing, and return the words for who pressed."""
        if words is not None:
            tracing.ended("denied", well=True)
            self._store.approval_requests.log_refused_click(click.call_id, click.user, click.user_team, decision, words)
            tell(
                logger,
                "click denied",
                decision=decision,
                by=click.user,
                call=click.call_id[:64],
                thread=f"{click.channel}/{click.message_ts}",
            )
        return words

    async def too_often(self, click: Click, decision: str) -> str | None:
        """Count a press; return words for who has pressed too often, which are kept once."""
        reached = await self._presses.count(click.user)
        if reached is None:
            return None
        return self.logged(click, decision, TOO_MANY_CLICKS) if reached.is_news else TOO_MANY_CLICKS

    async def too_late(self, call_id: str) -> str:
        """Say how a request has ended that somebody wanted to decide."""
        call = await self._store.calls.get(call_id)
        if call is None:
            return NOT_FOUND
        by = f" by {mention(call.decided_by)}" if call.decided_by else ""
        if call.status == CallStatus.CANCELLED and call.decided_by not in (None, call.requester):
            return f"This was already changed{by}, and nothing was done. What is asked for instead has its own card."
        return {
            CallStatus.RUNNING: f"This was approved{by} a moment ago and is being done.",
            CallStatus.SUCCEEDED: f"This was already approved{by} and done. Nothing was done twice.",
            CallStatus.FAILED: f"This was already approved{by}, but it could not be done. The thread says why.",
            CallStatus.CANCELLED: f"This was already withdrawn{by}. Nothing was done.",
            CallStatus.DECLINED: f"This was already declined{by}. Nothing was done.",
            CallStatus.EXPIRED: "This request has expired, so nothing was done. Ask again if it is still wanted.",
            CallStatus.UNKNOWN: f"This was approved{by} and is being checked with the shop. It will not be done twice.",
        }.get(call.status, "This could not be decided, so nothing was done. Please try again.")

    async def _is_its_card(self, click: Click, call: ToolCall) -> bool:
        """Return whether the click's message is a card of the call.

        People see a card before its row says where it stands, by as long as that takes to be written, maybe by another
        process; who clicks so soon has not to click again.
        """
        for _ in range(TRIES_FOR_A_CARD):
            cards = await self._store.open_requests.cards(call.id)
            if (click.team, click.channel, click.message_ts) in {(card.team, card.channel, card.ts) for card in cards}:
                return True
            if not any(card.ts is None and card.channel == click.channel for card in cards):
                return False
            await asyncio.sleep(CARD_INTERVAL_SECONDS)
        return False
