"""What is done with an approved request, what is found out about it later, and how each is settled."""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot import clock
from bot.approvals.cards import Cards, settled_posts
from bot.approvals.conflicts import Conflicts
from bot.approvals.effects import NOT_AS_SHOWN, Effects, first_look, quoted_of
from bot.approvals.endings import Ending
from bot.approvals.waiting_words import redraw_waiting
from bot.blocks.cards import without_note
from bot.blocks.text import Mrkdwn
from bot.callbacks import WakeThread
from bot.failpoints import reach
from bot.identity import IdentityError, Person
from bot.logs import tell
from bot.shop.changes import Applied, AppliedStatus, CallTool, Quoted
from bot.shop.shop import LookFirst, ShopUnavailableError
from bot.store.calls import CallStatus, Gate, ToolCall
from bot.store.records import reference
from bot.store.store import Store
from bot.tools.tool import ToolCrashError, ToolError
from bot.tools.wording import outcome_of, quotation_of
from bot.tracing import tracing

logger = logging.getLogger(__name__)

MAX_LOOK_INTERVAL_SECONDS = 300.0
LOOKS_BEFORE_REPORT = 6  # about a minute
CONFIRMED = "(I have pressed Confirm on the card.)"
_EVENTS = {
    CallStatus.SUCCEEDED: "request done",
    CallStatus.UNKNOWN: "outcome unknown",
    CallStatus.RUNNING: "request accepted",
}


class Executor:
    """Makes approved changes and settles all; each method may be called twice, and only the first has an effect."""

    def __init__(
        self,
        *,
        store: Store,
        cards: Cards,
        effects: Effects,
        conflicts: Conflicts,
        wake: WakeThread,
        refund_watch_days: float,
    ) -> None:
        self._calls = store.approval_requests
        self._open = store.open_requests
        self._outbox = store.outbox
        self._cards = cards
        self._effects = effects
        self._conflicts = conflicts
        self._wake = wake
        self._watch_days = refund_watch_days

    async def execute(self, call: ToolCall) -> None:
        """Make the change of a call that was just claimed, as it was shown; a customer's own wakes the thread."""
        with tracing.tool_call(call.tool, call.id, call.traceparent):
            await self._execute(call)
        if call.gate == Gate.REQUESTER:
            self._wake(call.thread, call.requester)

    async def _execute(self, call: ToolCall) -> None:
        try:
            applied = await self._effects.apply(call, quoted_of(call))
        except ToolError as error:
            await self.close(call, Ending.NOT_DONE, why=str(error))
        except ShopUnavailableError as error:
            await self._not_begun(call, error)
        except ToolCrashError as error:
            logger.warning("call %s ended without an outcome: %s", call.id, error)
            await self._reconcile(call, again=False)
        else:
            await self._settle_as(call, applied)

    async def reconcile(self, call: ToolCall, *, again: bool) -> None:
        """Ask for the outcome of a call; only later, where a repeat is safe, and if there is none, make it again."""
        with tracing.tool_call(call.tool, call.id, call.traceparent):
            await self._reconcile(call, again=again)

    async def _reconcile(self, call: ToolCall, *, again: bool) -> None:
        try:
            applied = await self._find_out(call, again=again)
        except ToolError as error:
            await self.close(call, Ending.NOT_DONE, why=str(error))
        except (ToolCrashError, ShopUnavailableError, IdentityError) as error:
            logger.warning("the outcome of call %s is not known: %s", call.id, error)
            await self._still_unknown(call, error)
        else:
            await self._settle_as(call, applied)

    async def close(self, call: ToolCall, ending: Ending, *, by: str | None = None, why: str = "") -> bool:
        """Close a request in one of the ways of the table, and return whether it was still in the status of `call`.

        What `why` says is kept as the call's error.
        """
        return await self._settle(call, ending, by=by, why=why, error=why or None)

    async def decline(self, call: ToolCall, by: str, reason: str) -> bool:
        """Decline a request with what the customer is told, and return whether it was still in the status of `call`."""
        return await self._settle(call, Ending.DECLINED_BECAUSE, by=by, why=reason, reason=reason)

    async def supersede(self, team: str, channel: str, ts: str, text: str | None) -> None:
        """Close what was asked for with a message that says something else now, or shown with one that is gone.

        Who was answered already is told that the answer is to the words before.
        """
        for call in await self._open.mark_message_edited(team, channel, ts, text, self._cards.answered_before):
            await self.close(call, Ending.SUPERSEDED, by=call.requester)
        for call in await self._open.mark_card_deleted(team, channel, ts) if text is None else ():
            await self.close(call, Ending.CARD_DELETED)

    async def withdraw(self, request: str, person: Person) -> str:
        """Take back a pending request for the person who made it, by the reference that the model was given."""
        for call in await self._open.open():
            theirs = call.requester == person.id and reference(call.id) == request
            if theirs and call.status == CallStatus.PENDING and await self.close(call, Ending.WITHDRAWN, by=person.id):
                return Ending.WITHDRAWN.for_model(call, "")
        raise ToolError(f"You have no waiting request {request}.", "Only one's own can be taken back.")

    async def _find_out(self, call: ToolCall, *, again: bool) -> Applied:
        """Look, and make it if need be. Only a ToolError means that nothing has moved; others leave it unknown."""
        try:
            shown = quoted_of(call)
        except ToolError as error:
            raise ToolCrashError(f"this version of the bot cannot read the call: {error}") from error
        if (applied := await self._effects.applied(call, shown)) is not None:
            return applied
        if not again:
            raise ToolCrashError("the shop knows nothing of it so far")
        if not self._effects.may_repeat(call):
            raise ToolCrashError("the shop knows nothing of it, and a repeat would not be safe")
        if not self._effects.offers(call):
            raise ToolCrashError(f"there is no tool {call.tool} any more to make it again")
        if await self._conflicts.is_paused():
            raise ToolCrashError("the shop knew nothing of it before effects were paused")
        if (other := await self._conflicts.open_beside(call)) is not None:
            raise ToolCrashError(f"request {other.id} of the same customer is open")
        try:
            return await self._run_again(call, shown)
        except ToolError:
            # What is refused now may be refused because the first attempt got through in the meantime.
            if (applied := await self._effects.applied(call, shown)) is not None:
                return applied
            raise

    async def _run_again(self, call: ToolCall, shown: Quoted) -> Applied:
        """Make it under its key after an outage, if it is still as it was shown. Raises ToolError if it is not."""
        if not (await self._effects.standing(call)).as_shown:
            raise ToolError(NOT_AS_SHOWN)
        if (begun := await self._open.begin(call)) is None:
            raise ToolCrashError("it was settled meanwhile, or is being made")
        try:
            return await self._effects.apply(call, shown)
        except ShopUnavailableError:
            if call.begun_at is None:
                await self._open.not_begun(begun)
            raise

    async def _not_begun(self, call: ToolCall, error: ShopUnavailableError) -> None:
        logger.warning("call %s was not begun: %s", call.id, error)
        if await self.close(call, Ending.NOT_BEGUN, why=str(error)):
            await self._open.not_begun(call)
            await self._look_in(call, max(error.retry_after, 1.0))

    async def _still_unknown(self, call: ToolCall, error: Exception) -> None:
        """Tell that the outcome is not known, look again later and later, and tell people when that does not help."""
        if call.status == CallStatus.RUNNING and not call.money_pending:
            await self.close(call, Ending.LOST if self._is_hopeless(call) else Ending.UNKNOWN, why=str(error))
        wait = max(_look_interval(call), error.retry_after if isinstance(error, ShopUnavailableError) else 0.0)
        await self._look_in(call, wait)
        if call.reported_at is None and self._is_hopeless(call):
            await self._report(call)

    async def _look_in(self, call: ToolCall, seconds: float) -> None:
        await self._open.look_later(call, clock.now() + timedelta(seconds=seconds))

    async def _report(self, call: ToolCall) -> None:
        try:
            await self._open.report(call, await self._cards.stuck(call, await self._open.cards(call.id)))
        except IdentityError as error:
            logger.warning("nobody could be told yet of call %s: %s", call.id, error)

    def _is_hopeless(self, call: ToolCall) -> bool:
        """Return whether only people can find out the outcome of the call."""
        replay = self._effects.replay(call)
        if call.money_pending:
            return False
        if call.begun_at is not None and isinstance(replay, LookFirst):
            return clock.now() - call.begun_at >= replay.settles_after
        return call.looks >= LOOKS_BEFORE_REPORT or not self._effects.may_repeat(call)

    async def _settle_as(self, call: ToolCall, applied: Applied) -> None:
        """Settle a call by what the shop says of its change; one whose money is on its way is looked at again."""
        if applied.status == AppliedStatus.FAILED:
            if isinstance(quoted_of(call).change, CallTool):
                await self._settle(call, Ending.FAILED_THERE, error=applied.said, quotation=quotation_of(applied))
            else:
                await self.close(call, Ending.NOT_DONE, why=applied.why or "The payment provider did not accept it.")
            return
        outcome = outcome_of(quoted_of(call), applied)
        result = json.dumps(outcome.content, ensure_ascii=False, default=str)
        if applied.status == AppliedStatus.SUCCEEDED:
            await self._settle(call, Ending.DONE, why=outcome.sentence, result=result, quotation=outcome.quotation)
            return
        if not call.money_pending:
            await self._settle(call, Ending.MONEY_PENDING, why=outcome.sentence, result=result)
        await self._look_in(call, _look_interval(call))

    async def _settle(
        self,
        call: ToolCall,
        ending: Ending,
        *,
        by: str | None = None,
        why: str = "",
        error: str | None = None,
        reason: str | None = None,
        result: str | None = None,
        quotation: str = "",
    ) -> bool:
        # Who changes or deletes a message takes its words back, from the card too.
        drawn = replace(call, card=without_note(call.card)) if ending is Ending.SUPERSEDED else call
        line = ending.on_card(call, by or call.decided_by, why + quotation)
        redrawn, announcement = settled_posts(drawn, line)
        settled = await self._calls.settle(
            call,
            ending.value.status,
            ending.for_model(call, why),
            redrawn=redrawn,
            announcement=announcement,
            by=by,
            error=error,
            reason=reason,
            result=result,
            money_pending=ending is Ending.MONEY_PENDING,
            goes_on=CONFIRMED if _lets_go_on(call, ending) else None,
            look_again_at=first_look(call, self._watch_days) if ending is Ending.DONE else None,
        )
        reach("outcome written")
        if settled:
            await redraw_waiting(self._outbox, call, Mrkdwn(line))
            tracing.ended(ending.value.status, well=ending.value.status != CallStatus.FAILED)
            tell(
                logger,
                _EVENTS.get(ending.value.status, "request refused"),
                **fields_of(call),
                status=ending.value.status,
                ending=ending.name.lower(),
                by=by or call.decided_by,
            )
        return settled


def fields_of(call: ToolCall) -> dict[str, Any]:
    """Return what a line of the log says of a call, so that it is found in Slack and in the database."""
    kind, _, order = (call.subject or "").partition(":")
    return {
        "tool": call.tool,
        "order": order if kind == "order" else None,
        "reference": reference(call.id),
        "call": call.id,
        "thread": f"{call.thread.channel}/{call.thread.ts}",
    }


def _lets_go_on(call: ToolCall, ending: Ending) -> bool:
    """Return whether the customer's own change is done with this, for they may want more than one thing."""
    done = ending in (Ending.DONE, Ending.MONEY_PENDING) and not call.money_pending
    return done and call.gate == Gate.REQUESTER


def _look_interval(call: ToolCall) -> float:
    """Return how many seconds pass until the shop is asked again: 1, 2, 4, and so on."""
    return min(2.0 ** min(call.looks, 10), MAX_LOOK_INTERVAL_SECONDS)
