"""How a request ends: what is done with an approved one, what is found out, and what is said of each."""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace

from bot.approvals.cards import Cards
from bot.blocks.cards import approval_card
from bot.blocks.text import Mrkdwn, mention, one_line
from bot.failpoints import reach
from bot.identity import Identity, IdentityError, Person
from bot.settings import Settings
from bot.shop.shop import Shop
from bot.store.records import CallStatus, ToolCall, reference
from bot.store.store import Store
from bot.tools.tool import Context, GatedTool, Output, Tool, ToolCrashError, ToolError, within

logger = logging.getLogger(__name__)

_NOTHING = "Nothing was done."


class Outcomes:
    """Runs approved calls and settles all; each method may be called twice, and only the first has an effect."""

    def __init__(
        self,
        *,
        store: Store,
        cards: Cards,
        tools: Mapping[str, type[Tool]],
        shop: Shop,
        identity: Identity,
        settings: Settings,
    ) -> None:
        self._calls = store.gated_calls
        self._switches = store.admin
        self._cards = cards
        self._tools = tools
        self._shop = shop
        self._identity = identity
        self._settings = settings

    async def is_paused(self) -> bool:
        """Return whether nothing may be done now, approved or not."""
        return self._settings.paused or await self._switches.is_paused()

    async def changed_since_shown(self, call: ToolCall, requester: Person) -> str | None:
        """Look at the world again, and tell what is not as the card shows it. Raises ToolCrashError when in doubt."""
        context = replace(self._context(call, requester), said=call.arguments or "")
        try:
            preview = await within(self._settings.tool_timeout_seconds, self._frozen(call).preview(context))
        except ToolError as error:
            return str(error)
        now = approval_card(preview, requester.id, call.expires_at or call.created_at)
        same = json.dumps(now) == json.dumps(call.card[: len(now)])
        return None if same else "Something about it is not as it was shown any more, so it has to be asked for anew."

    async def execute(self, call: ToolCall, requester: Person) -> None:
        """Run a call that was just claimed, exactly as it was shown."""
        try:
            tool = self._frozen(call)
            output = await within(self._settings.tool_timeout_seconds, tool.run(self._context(call, requester)))
            reach("shop answered")
        except ToolError as error:
            await self._fail(call, str(error))
        except ToolCrashError as error:
            logger.warning("call %s ended without an outcome: %s", call.id, error)
            await self.reconcile(call, again=False)
        else:
            await self._succeed(call, output)

    async def reconcile(self, call: ToolCall, *, again: bool) -> None:
        """Ask what came of a call; only later, and if still nothing did, run it again under the same key."""
        try:
            output = await self._find_out(call, again=again)
        except ToolError as error:
            await self._fail(call, str(error))
        except (ToolCrashError, IdentityError) as error:
            logger.warning("the outcome of call %s is not known: %s", call.id, error)
            if call.status != CallStatus.UNKNOWN:
                await self._mark_unknown(call, str(error))
        else:
            await self._succeed(call, output)

    async def _find_out(self, call: ToolCall, *, again: bool) -> Output:
        """Ask, and run if need be. Only a ToolError means that nothing has moved; others leave the outcome unknown."""
        try:
            tool = self._frozen(call)
        except ToolError as error:
            raise ToolCrashError(f"this version of the bot cannot read the call: {error}") from error
        seconds = self._settings.tool_timeout_seconds
        context = self._context(call, await self._identity.person(call.requester))
        if (output := await within(seconds, tool.outcome(context))) is not None:
            return output
        if not again:
            raise ToolCrashError("nothing came of it so far")
        if await self.is_paused():
            raise ToolCrashError("nothing came of it before effects were paused")
        try:
            output = await within(seconds, tool.run(context))
            reach("shop answered")
        except ToolError:
            # What is refused now may be refused because the first attempt got through in the meantime.
            if (output := await within(seconds, tool.outcome(context))) is not None:
                return output
            raise
        return output

    async def close_changed(self, call: ToolCall, by: str, why: str) -> None:
        """Close a request that cannot be done as it was shown."""
        line = f"✕ {_summary(call)}: approved by {mention(by)}, but not done. {one_line(why, 500)}"
        summary = f"{call.summary}: approved, but not done. {why}"
        await self._settle(call, CallStatus.FAILED, summary, line, by=by, error=why)

    async def expire(self, call: ToolCall) -> None:
        """Close a request that nobody decided in time."""
        summary = f"{call.summary}: expired without a decision, nothing was done."
        line = f"✕ {_summary(call)}: expired without a decision. {_NOTHING}"
        await self._settle(call, CallStatus.EXPIRED, summary, line)

    async def cancel(self, call: ToolCall, by: str) -> bool:
        """Close a request for a person who may, and return whether it was still open."""
        line = f"✕ {_summary(call)}: cancelled by {mention(by)}. {_NOTHING}"
        summary = f"{call.summary}: cancelled by a person, nothing was done."
        return await self._settle(call, CallStatus.CANCELLED, summary, line, by=by)

    async def supersede(self, team: str, channel: str, ts: str) -> None:
        """Close what was asked for with a message that the person has changed or deleted since."""
        for call in await self._calls.mark_message_edited(team, channel, ts):
            line = f"✕ {_summary(call)}: the message was changed after it was asked for, so it is closed. {_NOTHING}"
            summary = f"{call.summary}: closed, because the customer changed the message; nothing was done."
            await self._settle(call, CallStatus.CANCELLED, summary, line, by=call.requester)

    async def close_unseen(self, call: ToolCall, error: str) -> None:
        """Close a request whose card could not be posted."""
        summary = f"{call.summary}: the request could not be shown to anybody, so it was closed; nothing was done."
        line = f"✕ {_summary(call)}: closed, because its card could not be posted. {_NOTHING}"
        await self._settle(call, CallStatus.CANCELLED, summary, line, error=error)

    async def withdraw(self, request: str, person: Person) -> str:
        """Take back a waiting request for the person who made it, by the reference that the model was given."""
        for call in await self._calls.open():
            if call.requester == person.id and reference(call.id) == request and call.status == CallStatus.PENDING:
                line = f"✕ {_summary(call)}: taken back by {mention(person.id)}. {_NOTHING}"
                summary = f"{call.summary}: taken back by the customer, nothing was done."
                if await self._settle(call, CallStatus.CANCELLED, summary, line, by=person.id):
                    return summary
        raise ToolError(f"There is no waiting request {request} of this person.", "Only one's own can be taken back.")

    def _context(self, call: ToolCall, requester: Person) -> Context:
        return Context(call.id, call.thread, requester, self._shop, self, self._settings)

    def _frozen(self, call: ToolCall) -> GatedTool:
        """Rebuild the tool from the row: exactly what was shown, whatever the model or a payload says now."""
        kind = self._tools.get(call.tool)
        if kind is None or not issubclass(kind, GatedTool):
            raise ToolError("I can't do this any more since I was changed.")
        try:
            return kind.parse(call.arguments or "")
        except ToolError as error:
            raise ToolError("I was changed since this was asked for, so it has to be asked for anew.") from error

    async def _succeed(self, call: ToolCall, output: Output) -> None:
        by = mention(call.decided_by or "")
        line = f"✓ Approved by {by}: {one_line(output.summary)}."
        summary = f"{call.summary}: approved by a person and done. {output.summary}."
        content = json.dumps(output.content, ensure_ascii=False, default=str)
        await self._settle(call, CallStatus.SUCCEEDED, summary, line, output=content)

    async def _fail(self, call: ToolCall, why: str) -> None:
        by = mention(call.decided_by or "")
        line = f"✕ {_summary(call)}: approved by {by}, but not done. {one_line(why, 500)}"
        await self._settle(call, CallStatus.FAILED, f"{call.summary}: approved, but not done. {why}", line, error=why)

    async def _mark_unknown(self, call: ToolCall, error: str) -> None:
        by = mention(call.decided_by or "")
        line = (
            f"… {_summary(call)}: approved by {by}. The shop has not confirmed it yet, so I am checking; "
            f"it will not be done twice. Reference: {reference(call.id)}"
        )
        await self._settle(call, CallStatus.UNKNOWN, call.summary or "", line, error=error)

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
        redrawn, said = self._cards.settled(call, line)
        settled = await self._calls.settle(
            call, status, summary, redrawn=redrawn, said=said, by=by, error=error, output=output
        )
        reach("outcome written")
        return settled


def _summary(call: ToolCall) -> Mrkdwn:
    return one_line(call.summary or "This request")
