"""Who may decide a parked call, and that it is decided once."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.approvals.cards import Cards
from bot.approvals.endings import Ending
from bot.approvals.execute import Executor, fields_of, quoted_of
from bot.approvals.policy import PolicyError
from bot.approvals.requests import Requests
from bot.approvals.two_approvers import YOURS_COUNTS, TwoApprovers
from bot.blocks.text import mention, one_line
from bot.callbacks import WakeThread
from bot.failpoints import reach
from bot.identity import Identity, IdentityError, Person
from bot.intent import CustomerIntent
from bot.logs import tell
from bot.settings import Settings
from bot.shop.shop import ShopUnavailableError
from bot.store.bounds import Bound, BoundReached, Resource
from bot.store.errors import AboveDayLimitError
from bot.store.records import CallStatus, Gate, SharedFile, ToolCall, new_id
from bot.store.store import Store
from bot.tools.tool import ToolCrashError, ToolError
from bot.tools.wording import Preview
from bot.tracing import tracing

logger = logging.getLogger(__name__)

NOT_FOUND = "This card does not belong to an open request, so nothing was done."
UNSURE = "I could not check with Slack whether you may do this, so nothing was done. Please try again."
SHOP_SILENT = "The shop does not answer right now, so nothing was done. The request stays open; please try again."
TOO_MANY_CLICKS = (
    "You have pressed buttons as often as I look at within an hour, so nothing was done, and I leave out the next. "
    "The request stays open; somebody else can decide it, or you in an hour."
)
TRIES_FOR_A_CARD, CARD_INTERVAL_SECONDS = 20, 0.1
CHANGED = "Something has changed since this was shown, so nothing was done. The new card has it as it is now."
ABOVE_DAY_LIMIT = (
    "So much has come back to this person within a day that more people have to agree, so nothing was done. The new "
    "card says who."
)
YOU_ASKED = "You asked for this yourself, so somebody else has to approve it. The request stays open."
NEEDS_MORE = (
    "More people have to agree to this by now than when it was asked for, so nothing was done. The new card says who."
)
POLICY_SILENT = (
    "The shop's own rule for this could not be asked, so nothing was done. The request stays open; the operator's log "
    "says why."
)
PAUSED = "The operator has paused approvals, so nothing was done. The request stays open."


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


class Approvals:
    """Decides over parked calls. Every method that takes a click answers in words for the clicker alone, or nothing."""

    def __init__(
        self,
        *,
        store: Store,
        executor: Executor,
        cards: Cards,
        requests: Requests,
        identity: Identity,
        settings: Settings,
        wake: WakeThread,
    ) -> None:
        self._wake = wake
        self._executor = executor
        self._store = store
        self._cards = cards
        self._requests = requests
        self._two = TwoApprovers(store, cards, identity)
        self._identity = identity
        self._settings = settings

    async def park(
        self,
        call: ToolCall,
        preview: Preview,
        requester: Person,
        intent: CustomerIntent | None = None,
        pictures: Sequence[SharedFile] = (),
        *,
        note: str = "",
    ) -> None:
        """Make a previewed call wait for a decision, with a card wherever somebody may take it. Raises ToolError."""
        await self._requests.park(call, preview, requester, intent, pictures, note=note)

    async def approve(self, click: Click) -> str | None:
        """Run the call that the click is about, if this person may, it stands as shown, and nobody was faster."""
        return await self._bounded(click, "approve", self._approve)

    async def cancel(self, click: Click) -> str | None:
        """Withdraw the request for who asked, or decline it for who may approve it, if nobody was faster."""
        return await self._bounded(click, "cancel", self._cancel)

    async def take_back(self, click: Click) -> str | None:
        """Take back the yes of who was the first of two to approve."""
        return await self._bounded(click, "cancel", self._take_back)

    async def withdraw(self, request: str, person: Person) -> str:
        """Take back the person's own pending request and return a sentence that says what it was. Raises ToolError."""
        return await self._executor.withdraw(request, person)

    async def undeliverable(self, call_id: str, error: str) -> None:
        """Ask elsewhere for a request with no card left on which it could be approved, or close it."""
        call = await self._store.calls.get(call_id)
        cards = await self._store.approval_requests.cards(call_id)
        if call is None or call.status != CallStatus.PENDING:
            return
        if not any(card.decidable for card in cards) and not await self._asked_elsewhere(call):
            await self._executor.close(call, Ending.UNSEEN, why=error)

    async def _asked_elsewhere(self, call: ToolCall) -> bool:
        try:
            return await self._requests.ask_elsewhere(call)
        except (IdentityError, ToolError) as error:
            logger.warning("nobody could be asked about call %s: %s", call.id, error)
            return False

    async def _bounded(
        self, click: Click, decision: str, decide: Callable[[Click], Awaitable[str | None]]
    ) -> str | None:
        """Decide, unless the person has clicked too often; that they hear once, and then nothing is even written."""
        reached = await self.count(click)
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
        reached = await self.count(click)
        if reached is None:
            return None
        return self.logged(click, decision, TOO_MANY_CLICKS) if reached.is_news else TOO_MANY_CLICKS

    async def count(self, click: Click) -> BoundReached | None:
        """Count a press; return the bound when the person has pressed as often as they may."""
        bound = Bound(Resource.CLICKS, self._settings.clicks_per_user_hour)
        return await self._store.usage.take(click.user, new_id(), bound)

    async def _approve(self, click: Click) -> str | None:
        found = await self.find(click)
        if isinstance(found, str):
            return found
        try:
            return await self.refusal(click, found) or await self._checked(click, found)
        except ToolError as error:
            await self._executor.close(found, Ending.NOT_DONE, by=click.user, why=str(error))
        except (ToolCrashError, ShopUnavailableError, IdentityError) as error:
            logger.warning("could not check call %s: %s", found.id, error, exc_info=isinstance(error, ToolCrashError))
            return UNSURE if isinstance(error, IdentityError) else SHOP_SILENT
        except PolicyError:
            return POLICY_SILENT
        return None

    async def _checked(self, click: Click, call: ToolCall) -> str | None:
        """Look at the world again; then do it, have the next one asked, or ask again if it is not as it was shown."""
        requester = await self._identity.person(call.requester)
        now = await self._executor.quoted_now(call, requester)
        changed = now != quoted_of(call)
        if changed or await self._requests.needs_more(call, now, requester):
            asked = await self._requests.ask_again(call, now, requester)
            return (CHANGED if changed else NEEDS_MORE) if asked else await self.too_late(call.id)
        if call.gate == Gate.BOTH and call.waits_for_requester:
            passed = await self._requests.pass_on(call, now, requester)
            if passed:
                tell(logger, "request confirmed", **fields_of(call), by=click.user)
            return None if passed else await self.too_late(call.id)
        if call.approvals_needed > 1 and not await self._two.has_first(call):
            return None if await self._two.take_first(call, click.user) else await self._after_another(click, call)
        if call.approvals_needed > 1 and await self._may_be(click.user, call.first_approved_by):
            return YOURS_COUNTS
        try:
            return await self._claim(click, call)
        except AboveDayLimitError as above:
            asked = await self._requests.ask_again(call, now, requester, above.needs)
            return ABOVE_DAY_LIMIT if asked else await self.too_late(call.id)

    async def _after_another(self, click: Click, call: ToolCall) -> str | None:
        """Decide on the call as it is since somebody else's yes was taken as the first."""
        now = await self._store.calls.get(call.id)
        if now and now.status == CallStatus.PENDING and now.first_approved_by not in (None, call.first_approved_by):
            return await self._checked(click, now)
        return await self.too_late(call.id)

    async def _claim(self, click: Click, call: ToolCall) -> str | None:
        claimed = await self._requests.claim(call, click.user)
        if claimed is None:
            return await self.too_late(call.id)
        reach("call claimed")
        said = "request confirmed" if claimed.gate == Gate.REQUESTER else "request approved"
        tell(logger, said, **fields_of(claimed), by=click.user, waited_seconds=_waited(claimed))
        await self._executor.execute(claimed)
        if claimed.gate == Gate.REQUESTER:
            self._wake(claimed.thread, claimed.requester)
        return None

    async def _cancel(self, click: Click) -> str | None:
        found = await self.find(click)
        if isinstance(found, str):
            return found
        try:
            if click.user != found.requester and not await self.may_approve(click, found):
                return f"Only {mention(found.requester)} or {self._cards.approvers(found)} can end this."
        except IdentityError:
            return UNSURE
        ending = Ending.WITHDRAWN if click.user == found.requester else Ending.DECLINED
        ended = await self._executor.close(found, ending, by=click.user)
        return None if ended else await self.too_late(found.id)

    async def _take_back(self, click: Click) -> str | None:
        found = await self.find(click)
        return found if isinstance(found, str) else await self._two.take_back(found, click.user)

    async def may_approve(self, click: Click, call: ToolCall) -> bool:
        """Return whether the person may decide this request, as of now. Raises IdentityError."""
        return await self._identity.may_approve(click.user, next_group=call.escalated_at is not None)

    async def find(self, click: Click) -> ToolCall | str:
        """Return the pending request that a click is about, or words for the clicker that say why there is none."""
        call = await self._store.calls.get(click.call_id)
        trusted = {click.team, *self._settings.trusted_teams}
        if call is None or not call.gated or click.user_team not in trusted:
            return NOT_FOUND
        tracing.link(call.traceparent)
        if click.shown_as is not None and click.shown_as != call.shown_as:
            return CHANGED
        if click.shown_as is None and not await self._is_its_card(click, call):
            return NOT_FOUND
        if call.status != CallStatus.PENDING:
            return await self.too_late(call.id)
        if call.expires_at and call.expires_at <= datetime.now(UTC):
            await self._executor.close(call, Ending.EXPIRED)
            return await self.too_late(call.id)
        return call

    async def _is_its_card(self, click: Click, call: ToolCall) -> bool:
        """Return whether the click's message is a card of the call.

        People see a card before its row says where it stands, by as long as that takes to be written, maybe by another
        process; who clicks so soon has not to click again.
        """
        for _ in range(TRIES_FOR_A_CARD):
            cards = await self._store.approval_requests.cards(call.id)
            if (click.team, click.channel, click.message_ts) in {(card.team, card.channel, card.ts) for card in cards}:
                return True
            if not any(card.ts is None and card.channel == click.channel for card in cards):
                return False
            await asyncio.sleep(CARD_INTERVAL_SECONDS)
        return False

    async def refusal(self, click: Click, call: ToolCall) -> str | None:
        """Return why this person cannot say yes to a request now, if they cannot. Raises as the shop and Slack do."""
        if call.waits_for_requester:
            if click.user != call.requester:
                return f"Only {mention(call.requester)} can confirm this. The request stays open."
        elif refusal := await self._refusal_to_approve(click, call):
            return refusal
        if await self._executor.is_paused():
            return PAUSED
        if (other := await self._executor.open_beside(call)) is not None:
            return f"Another request of this customer is open: {one_line(other.summary or '')}. Decide that first."
        if (other := await self._executor.under_way(call)) is not None:
            return f"Something else is being done there: {one_line(other.summary or '')}. Please try again in a moment."
        return None

    async def _refusal_to_approve(self, click: Click, call: ToolCall) -> str | None:
        if not await self.may_approve(click, call):
            return f"Only {self._cards.approvers(call)} can approve this. The request stays open."
        allows_own = self._settings.allow_self_approval and call.approvals_needed <= 1
        if allows_own:
            return None
        if click.user == call.requester:
            return YOU_ASKED
        clicker = await self._identity.person(click.user)
        if await self._executor.is_about(call, clicker):
            return "This is about your own order or account, so somebody else has to approve it. It stays open."
        if await self._may_be(click.user, call.requester):
            return YOU_ASKED
        return None

    async def _may_be(self, user: str, other: str | None) -> bool:
        """Return whether this may be the other one, too, with another account. Raises IdentityError."""
        if other is None or user == other:
            return user == other
        return (await self._identity.person(user)).may_be(await self._identity.person(other))

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


def _waited(call: ToolCall) -> float | None:
    return round((call.decided_at - call.created_at).total_seconds(), 3) if call.decided_at else None
