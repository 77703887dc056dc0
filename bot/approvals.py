"""The gate: who may decide a parked call, that it is decided once, and what is done and said then."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot import blocks
from bot.identity import Identity, IdentityError, Person
from bot.intent import CustomerIntent
from bot.settings import Settings
from bot.shop.orders import Shop
from bot.store.calls import SubjectTakenError
from bot.store.records import CallStatus, Post, ThreadId, ToolCall, new_id, reference
from bot.store.store import Store
from bot.tool import Context, GatedTool, Output, Preview, Tool, ToolCrashError, ToolError, within

logger = logging.getLogger(__name__)

MOST_DIRECT_CARDS = 5
NOT_FOUND = "This card does not belong to an open request, so nothing was done."
UNSURE = "I could not check with Slack whether you may do this, so nothing was done. Please try again."


@dataclass(frozen=True, slots=True)
class Click:
    """A press of a button as Slack's envelope tells it; only `call_id` is what the button carried."""

    call_id: str
    user: str
    user_team: str
    team: str
    channel: str
    message_ts: str


class Approvals:
    """Decides over parked calls. Every method that takes a click answers in words for the clicker alone, or nothing."""

    def __init__(
        self, *, store: Store, tools: Mapping[str, type[Tool]], shop: Shop, identity: Identity, settings: Settings
    ) -> None:
        self._store = store
        self._tools = tools
        self._shop = shop
        self._identity = identity
        self._settings = settings

    async def park(
        self, call: ToolCall, preview: Preview, requester: Person, intent: CustomerIntent | None = None
    ) -> None:
        """Make a previewed call wait for a decision, with a card wherever somebody may take it.

        Raises ToolError when another request for the same thing waits, or when nobody could be asked.
        """
        expires_at = datetime.now(UTC) + timedelta(hours=self._settings.approval_hours)
        parked = replace(
            call,
            arguments=preview.call.model_dump_json(),
            subject=preview.subject,
            summary=preview.summary,
            card=blocks.approval_card(preview, requester.id, expires_at, intent),
            expires_at=expires_at,
            output=json.dumps(
                {
                    "status": "waiting_for_approval",
                    "not_executed": True,
                    "request": reference(call.id),
                    "message": f"{preview.summary} waits until a person approves it. Nothing has happened yet.",
                }
            ),
        )
        try:
            cards = await self._cards(parked, preview, requester)
            await self._store.calls.park(parked, cards)
        except SubjectTakenError as error:
            raise ToolError(
                "A request about this order is waiting already; there can be only one at a time.",
                "Tell the customer that it waits for approval, and that Cancel on its card takes it back.",
            ) from error
        except IdentityError as error:
            raise ToolError("Nobody could be asked for approval right now, so nothing was requested.") from error

    async def approve(self, click: Click) -> str | None:
        """Run the call that the click is about, if this person may and nobody was faster."""
        found = await self._find(click)
        if isinstance(found, str):
            return found
        try:
            if not await self._identity.may_approve(click.user):
                return f"Only {self._who_may_approve()} can approve this. The request stays open."
            if click.user == found.requester and not self._settings.allow_self_approval:
                return "You asked for this yourself, so somebody else has to approve it. The request stays open."
            requester = await self._identity.person(found.requester)
        except IdentityError:
            logger.warning("could not check who may approve call %s", found.id, exc_info=True)
            return UNSURE
        claimed = await self._store.calls.claim(found.id, click.user)
        if claimed is None:
            return await self._too_late(found.id)
        await self._execute(claimed, requester)
        return None

    async def cancel(self, click: Click) -> str | None:
        """Take the request back, if the person asked for it or may approve it, and nobody was faster."""
        found = await self._find(click)
        if isinstance(found, str):
            return found
        try:
            if click.user != found.requester and not await self._identity.may_approve(click.user):
                return f"Only {blocks.mention(found.requester)} or {self._who_may_approve()} can cancel this."
        except IdentityError:
            return UNSURE
        line = f"✕ {_escaped_summary(found)}: cancelled by {blocks.mention(click.user)}. Nothing was done."
        summary = f"{found.summary}: cancelled by a person, nothing was done."
        settled = await self._settle(found, CallStatus.CANCELLED, summary, line, by=click.user)
        return None if settled else await self._too_late(found.id)

    async def withdraw(self, request: str, person: Person) -> str:
        """Take back a waiting request for the person who made it, by the reference that the model was given."""
        mine = [call for call in await self._store.calls.open() if call.requester == person.id]
        found = next(
            (call for call in mine if reference(call.id) == request and call.status == CallStatus.PENDING), None
        )
        line = (
            f"✕ {_escaped_summary(found)}: taken back by {blocks.mention(person.id)}. Nothing was done."
            if found
            else ""
        )
        summary = f"{found.summary}: taken back by the customer, nothing was done." if found else ""
        if found is None or not await self._settle(found, CallStatus.CANCELLED, summary, line, by=person.id):
            raise ToolError(
                f"There is no waiting request {request} of this person.", "Only one's own can be taken back."
            )
        return summary

    async def sweep(self) -> None:
        """Expire what waited too long, and find out what came of calls whose outcome is not known."""
        now = datetime.now(UTC)
        for call in await self._store.calls.open():
            if call.status == CallStatus.PENDING and call.expires_at and call.expires_at <= now:
                await self._expire(call)
            elif call.status == CallStatus.UNKNOWN or self._ran_too_long(call, now):
                await self._reconcile(call)

    async def recover(self, *, alone: bool) -> None:
        """After a start: a call that no living process runs has an outcome that nobody knows."""
        for call in await self._store.calls.open():
            if call.status == CallStatus.RUNNING and alone:
                await self._reconcile(call)
        await self.sweep()

    def _ran_too_long(self, call: ToolCall, now: datetime) -> bool:
        """Tell whether nobody can be at it any more: a run, and asking what came of it, are over after that time."""
        most = timedelta(seconds=3 * self._settings.tool_timeout_seconds)
        return call.status == CallStatus.RUNNING and now - (call.decided_at or call.created_at) > most

    async def undeliverable(self, call_id: str, error: str) -> None:
        """Close a request whose card could not be posted anywhere: nobody could ever decide it."""
        call = await self._store.calls.get(call_id)
        if call is None or call.status != CallStatus.PENDING:
            return
        summary = f"{call.summary}: the request could not be shown to anybody, so it was closed; nothing was done."
        line = f"✕ {_escaped_summary(call)}: closed, because its card could not be posted. Nothing was done."
        await self._settle(call, CallStatus.CANCELLED, summary, line, error=error)

    async def _find(self, click: Click) -> ToolCall | str:
        call = await self._store.calls.get(click.call_id)
        trusted = {click.team, *self._settings.trusted_teams}
        if call is None or not call.gated or click.user_team not in trusted:
            return NOT_FOUND
        cards = await self._store.calls.cards(call.id)
        if (click.team, click.channel, click.message_ts) not in {(card.team, card.channel, card.ts) for card in cards}:
            return NOT_FOUND
        if call.status != CallStatus.PENDING:
            return await self._too_late(call.id)
        if call.expires_at and call.expires_at <= datetime.now(UTC):
            await self._expire(call)
            return await self._too_late(call.id)
        return call

    async def _too_late(self, call_id: str) -> str:
        call = await self._store.calls.get(call_id)
        if call is None:
            return NOT_FOUND
        by = f" by {blocks.mention(call.decided_by)}" if call.decided_by else ""
        return {
            CallStatus.RUNNING: f"This was approved{by} a moment ago and is being done.",
            CallStatus.SUCCEEDED: f"This was already approved{by} and done. Nothing was done twice.",
            CallStatus.FAILED: f"This was already approved{by}, but it could not be done. The thread says why.",
            CallStatus.CANCELLED: f"This was already cancelled{by}. Nothing was done.",
            CallStatus.EXPIRED: "This request has expired, so nothing was done. Ask again if it is still wanted.",
            CallStatus.UNKNOWN: f"This was approved{by} and is being checked with the shop. It will not be done twice.",
        }.get(call.status, "This could not be decided, so nothing was done. Please try again.")

    async def _execute(self, call: ToolCall, requester: Person) -> None:
        tool, context = self._frozen(call), self._context(call, requester)
        try:
            output = await within(self._settings.tool_timeout_seconds, tool.run(context))
        except ToolError as error:
            await self._fail(call, str(error))
        except ToolCrashError as error:
            logger.warning("call %s ended without an outcome: %s", call.id, error)
            await self._reconcile(call)
        else:
            await self._succeed(call, output)

    async def _reconcile(self, call: ToolCall) -> None:
        """Ask what came of a call, and only if nothing did run it again under the same key."""
        tool = self._frozen(call)
        try:
            requester = await self._identity.person(call.requester)
            context = self._context(call, requester)
            output = await within(self._settings.tool_timeout_seconds, tool.outcome(context))
            if output is None:
                output = await within(self._settings.tool_timeout_seconds, tool.run(context))
        except ToolError as error:
            await self._fail(call, str(error))
        except (ToolCrashError, IdentityError) as error:
            logger.warning("the outcome of call %s is not known: %s", call.id, error)
            if call.status != CallStatus.UNKNOWN:
                await self._lose_sight(call, str(error))
        else:
            await self._succeed(call, output)

    def _context(self, call: ToolCall, requester: Person) -> Context:
        return Context(call.id, call.thread, requester, self._shop, self, self._settings)

    def _frozen(self, call: ToolCall) -> GatedTool:
        """Rebuild the tool from the row: exactly what was shown, whatever the model or a payload says now."""
        tool = self._tools[call.tool].parse(call.arguments or "")
        if not isinstance(tool, GatedTool):
            raise TypeError(f"{call.tool} is not gated")
        return tool

    async def _succeed(self, call: ToolCall, output: Output) -> None:
        by = blocks.mention(call.decided_by or "")
        line = f"✓ Approved by {by}: {blocks.escape(output.summary)}."
        summary = f"{call.summary}: approved by a person and done. {output.summary}."
        content = json.dumps(output.content, ensure_ascii=False, default=str)
        await self._settle(call, CallStatus.SUCCEEDED, summary, line, output=content)

    async def _fail(self, call: ToolCall, why: str) -> None:
        by = blocks.mention(call.decided_by or "")
        line = f"✕ {_escaped_summary(call)}: approved by {by}, but not done. {blocks.escape(why)}"
        await self._settle(call, CallStatus.FAILED, f"{call.summary}: approved, but not done. {why}", line, error=why)

    async def _lose_sight(self, call: ToolCall, error: str) -> None:
        by = blocks.mention(call.decided_by or "")
        line = (
            f"… {_escaped_summary(call)}: approved by {by}. The shop has not confirmed it yet, so I am checking; "
            f"it will not be done twice. Reference: {reference(call.id)}"
        )
        await self._settle(call, CallStatus.UNKNOWN, call.summary or "", line, error=error)

    async def _expire(self, call: ToolCall) -> None:
        line = f"✕ {_escaped_summary(call)}: expired without a decision. Nothing was done."
        await self._settle(
            call, CallStatus.EXPIRED, f"{call.summary}: expired without a decision, nothing was done.", line
        )

    async def _settle(
        self,
        call: ToolCall,
        status: CallStatus,
        summary: str,
        line: str,
        *,
        by: str | None = None,
        error: str | None = None,
        output: str | None = None,
    ) -> bool:
        shown = blocks.Mrkdwn(line)
        thread = call.thread
        told = blocks.Mrkdwn(f"{blocks.mention(call.requester)} {line}")
        return await self._store.calls.settle(
            call,
            status,
            summary,
            redrawn=Post(new_id(), thread.team, thread.channel, None, shown, blocks.settled_card(call, shown), call.id),
            said=Post(new_id(), thread.team, thread.channel, thread.ts, told, (blocks.section(told),)),
            by=by,
            error=error,
            output=output,
        )

    async def _cards(self, call: ToolCall, preview: Preview, requester: Person) -> list[Post]:
        """Build the card in the thread, and those for approvers who cannot see that thread."""
        direct = call.thread.channel.startswith("D")
        self_approval = self._settings.allow_self_approval and await self._identity.may_approve(requester.id)
        cards = [self._card(call, preview, call.thread.channel, call.thread.ts, approvable=self_approval or not direct)]
        if self._settings.approval_channel:
            cards.append(self._card(call, preview, self._settings.approval_channel, None, approvable=True))
        elif direct and not self_approval:
            approvers = [one for one in await self._identity.approvers() if one != requester.id]
            for approver in approvers[:MOST_DIRECT_CARDS]:
                channel = await self._identity.direct_channel(approver)
                cards.append(self._card(call, preview, channel, None, approvable=True))
            if len(cards) == 1:
                raise IdentityError("there is no approver to write to")
        return cards

    def _card(self, call: ToolCall, preview: Preview, channel: str, thread_ts: str | None, *, approvable: bool) -> Post:
        buttons = blocks.decision_buttons(call.id, preview, self._settings.approvers, approvable=approvable)
        text = blocks.Mrkdwn(f"{blocks.escape(preview.summary)}, asked by {blocks.mention(call.requester)}")
        thread: ThreadId = call.thread
        return Post(new_id(), thread.team, channel, thread_ts, text, (*call.card, *buttons), call.id)

    def _who_may_approve(self) -> str:
        return ", ".join(map(blocks.mention, self._settings.approvers)) or "an admin of this workspace"


def _escaped_summary(call: ToolCall) -> blocks.Mrkdwn:
    return blocks.escape(call.summary or "This request")
