"""What is done with an approved request, what is found out about it later, and how each is settled."""

import json
import logging
from collections import Counter
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import TypeVar

from bot.approvals.cards import Cards
from bot.approvals.endings import Ending
from bot.failpoints import reach
from bot.identity import Identity, IdentityError, Person, plain_address
from bot.settings import Settings
from bot.shop.shop import Shop
from bot.store.records import CallStatus, ToolCall, reference
from bot.store.store import Store
from bot.tools import rules
from bot.tools.tool import OUTDATED, Context, GatedTool, Tool, ToolCrashError, ToolError, ToolResult, within

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Executor:
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
        self._calls = store.approval_requests
        self._switches = store.admin
        self._cards = cards
        self._tools = tools
        self._shop = shop
        self._identity = identity
        self._settings = settings
        self._rules = rules(settings)

    async def is_paused(self) -> bool:
        """Return whether nothing may be done now, approved or not."""
        return self._settings.paused or await self._switches.is_paused()

    async def is_about(self, call: ToolCall, person: Person) -> bool:
        """Return whether the call is about an order or the account of this person, by account or by e-mail address.

        Raises ToolCrashError when in doubt.
        """
        if person.email is None:
            return False
        arguments: dict[str, object] = json.loads(call.arguments or "{}")
        kind, _, subject = (call.subject or "").partition(":")
        theirs = {plain_address(value) for value in arguments.values() if isinstance(value, str) and "@" in value}
        theirs |= {subject if kind == "customer" else "", str(arguments.get("customer_id") or "")}
        for order_id in {subject if kind == "order" else "", str(arguments.get("order_id") or "")} - {""}:
            if order := await self._ask_shop(self._shop.order(order_id)):
                theirs |= {order.customer.id, plain_address(order.customer.email)}
        account = await self._ask_shop(self._shop.customer(person.email))
        return bool(theirs & {person.email, account.id if account else person.email})

    async def _ask_shop(self, asked: Awaitable[T]) -> T:
        return await within(self._settings.tool_timeout_seconds, asked)

    async def changed_since_shown(self, call: ToolCall, requester: Person) -> str | None:
        """Look at the world again, and tell what is not as the card shows it. Raises ToolCrashError when in doubt."""
        context = replace(self._context(call, requester), user_text=call.arguments or "")
        try:
            preview = await within(self._settings.tool_timeout_seconds, self._frozen(call).preview(context))
        except ToolError as error:
            return str(error)
        # By what identifies the effect and by the figures, never by looks: a deploy may have laid the card out again.
        same = preview.subject == call.subject and preview.call == self._frozen(call)
        if same and not Counter(call.figures) - Counter(preview.figures):
            return None
        return "Something about it is not as it was shown any more, so it has to be asked for again."

    async def execute(self, call: ToolCall, requester: Person) -> None:
        """Run a call that was just claimed, exactly as it was shown."""
        try:
            tool = self._frozen(call)
            result = await within(self._settings.tool_timeout_seconds, tool.run(self._context(call, requester)))
            reach("shop answered")
        except ToolError as error:
            await self.close(call, Ending.NOT_DONE, why=str(error))
        except ToolCrashError as error:
            logger.warning("call %s ended without an outcome: %s", call.id, error)
            await self.reconcile(call, again=False)
        else:
            await self._succeed(call, result)

    async def reconcile(self, call: ToolCall, *, again: bool) -> None:
        """Ask for the outcome of a call; only later, and if there is still none, run it again under the same key."""
        try:
            result = await self._find_out(call, again=again)
        except ToolError as error:
            await self.close(call, Ending.NOT_DONE, why=str(error))
        except (ToolCrashError, IdentityError) as error:
            logger.warning("the outcome of call %s is not known: %s", call.id, error)
            if call.status != CallStatus.UNKNOWN:
                await self.close(call, Ending.UNKNOWN, why=str(error))
        else:
            await self._succeed(call, result)

    async def _find_out(self, call: ToolCall, *, again: bool) -> ToolResult:
        """Ask, and run if need be. Only a ToolError means that nothing has moved; others leave the outcome unknown."""
        try:
            tool = self._frozen(call)
        except ToolError as error:
            raise ToolCrashError(f"this version of the bot cannot read the call: {error}") from error
        seconds = self._settings.tool_timeout_seconds
        requester = await self._identity.person(call.requester)
        context = self._context(call, requester)
        if (result := await within(seconds, tool.outcome(context))) is not None:
            return result
        if not again:
            raise ToolCrashError("nothing came of it so far")
        if await self.is_paused():
            raise ToolCrashError("nothing came of it before effects were paused")
        try:
            result = await self._run_again(call, tool, context)
        except ToolError:
            # What is refused now may be refused because the first attempt got through in the meantime.
            if (result := await within(seconds, tool.outcome(context))) is not None:
                return result
            raise
        return result

    async def _run_again(self, call: ToolCall, tool: GatedTool, context: Context) -> ToolResult:
        """Run the call under its key after an outage, if it is still as it was shown. Raises ToolError if it is not."""
        if (why := await self.changed_since_shown(call, context.requester)) is not None:
            raise ToolError(why)
        result = await within(self._settings.tool_timeout_seconds, tool.run(context))
        reach("shop answered")
        return result

    async def close(self, call: ToolCall, ending: Ending, *, by: str | None = None, why: str = "") -> bool:
        """Close a request in one of the ways of the table, and return whether it was still in the status of `call`.

        What `why` says is kept as the call's error.
        """
        return await self._settle(call, ending, by=by, why=why, error=why or None)

    async def supersede(self, team: str, channel: str, ts: str, text: str | None) -> None:
        """Close what was asked for with a message that says something else now, or shown with one that is gone.

        Who was answered already is told that the answer is to the words before.
        """
        for call in await self._calls.mark_message_edited(team, channel, ts, text, self._cards.answered_before):
            await self.close(call, Ending.SUPERSEDED, by=call.requester)
        for call in await self._calls.mark_card_deleted(team, channel, ts) if text is None else ():
            await self.close(call, Ending.CARD_DELETED)

    async def withdraw(self, request: str, person: Person) -> str:
        """Take back a pending request for the person who made it, by the reference that the model was given."""
        for call in await self._calls.open():
            theirs = call.requester == person.id and reference(call.id) == request
            if theirs and call.status == CallStatus.PENDING and await self.close(call, Ending.WITHDRAWN, by=person.id):
                return Ending.WITHDRAWN.for_model(call, "")
        raise ToolError(f"You have no waiting request {request}.", "Only one's own can be taken back.")

    def _context(self, call: ToolCall, requester: Person) -> Context:
        return Context(call.id, call.thread, requester, self._shop, self, self._rules)

    def _frozen(self, call: ToolCall) -> GatedTool:
        """Rebuild the tool from the row: exactly what was shown, whatever the model or a payload says now."""
        kind = self._tools.get(call.tool)
        if kind is None or not issubclass(kind, GatedTool):
            raise ToolError("I can't do this any more since I was changed.")
        try:
            return kind.rebuild(call.arguments or "")
        except ToolError as error:
            raise ToolError(OUTDATED) from error

    async def _succeed(self, call: ToolCall, result: ToolResult) -> None:
        content = json.dumps(result.content, ensure_ascii=False, default=str)
        await self._settle(call, Ending.DONE, why=result.summary, result=content)

    async def _settle(
        self,
        call: ToolCall,
        ending: Ending,
        *,
        by: str | None = None,
        why: str = "",
        error: str | None = None,
        result: str | None = None,
    ) -> bool:
        redrawn, announcement = self._cards.settled(call, ending.on_card(call, by or call.decided_by, why))
        settled = await self._calls.settle(
            call,
            ending.value.status,
            ending.for_model(call, why),
            redrawn=redrawn,
            announcement=announcement,
            by=by,
            error=error,
            result=result,
        )
        reach("outcome written")
        return settled
