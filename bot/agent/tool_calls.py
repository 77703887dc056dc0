"""What the model's calls may do: each parsed, limited and run by itself, whatever the others do."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot import clock
from bot.agent.escalation import Escalation
from bot.agent.stopping import NOT_DONE, STOPPED
from bot.approvals.requests import Requests
from bot.blocks.text import bare
from bot.failpoints import reach
from bot.identity import Person
from bot.intent import CustomerIntent
from bot.logs import tell
from bot.model.model import RequestedCall
from bot.settings import Settings
from bot.shop.shop import ShopUnavailableError
from bot.store.calls import CallStatus, ToolCall
from bot.store.errors import DatabaseError, LostLeaseError
from bot.store.records import NOTE, ChatMessage, InboxMessage, SharedFile, fault, new_id, reference, writable
from bot.store.store import Store
from bot.tools.discretion import public_words
from bot.tools.tool import WORKING, GatedTool, Tool, ToolCrashError, ToolError, ToolResult, is_gated
from bot.tools.toolset import Toolset
from bot.tracing import tracing

logger = logging.getLogger(__name__)

MAX_LOGGED_CHARACTERS = 20_000
CALLED_TOO_OFTEN = {
    "error": "Nobody was called: people were called for this person as often as they may be within an hour.",
    "hint": "Say that nobody was called again, and that they can ask for a person once more in an hour.",
}
HIDDEN = {
    "hidden": "Everybody reads this channel, so you are not told what came of it.",
    "hint": "Say that this is nothing for a public channel, and that they can write you a direct message.",
}


@dataclass(frozen=True, slots=True)
class ToolRunContext:
    """For whom calls are run, what the thread was sorted as, what they wrote and showed there, and whether all read it.

    A `note` is what they wrote to ask for it, for the one who decides.
    """

    person: Person
    intent: Callable[[], Awaitable[CustomerIntent | None]]
    user_text: str
    pictures: tuple[SharedFile, ...] = ()
    conversation: tuple[ChatMessage, ...] = ()
    public: bool = False
    note: str = ""


class ToolCalls:
    """Runs the calls of a turn: reads side by side, the same call once, gated ones in the model's order."""

    def __init__(
        self,
        *,
        toolset: Toolset,
        store: Store,
        requests: Requests,
        escalation: Escalation,
        settings: Settings,
    ) -> None:
        self._toolset = toolset
        self._tools = toolset.tools
        self._calls = store.calls
        self._conversations = store.conversations
        self._requests = requests
        self._escalation = escalation
        self._settings = settings

    def has_request(self, messages: Sequence[ChatMessage]) -> bool:
        """Return whether in a conversation a change was asked for, or the shop has told of one."""
        called = (call["function"]["name"] for one in messages for call in one.get("tool_calls") or ())
        noted = (str(one.get("content")).startswith(NOTE) for one in messages if one["role"] == "system")
        return any(is_gated(self._tools, name) for name in called) or any(noted)

    def names(self) -> Collection[str]:
        """Name the tools that there are."""
        return self._tools.keys()

    def rows(self, message: InboxMessage, requested: Sequence[RequestedCall]) -> list[ToolCall]:
        """Make the rows of a turn's calls, as they are written before anything is looked at."""
        return [self._row(message, position, call) for position, call in enumerate(requested)]

    async def run(self, calls: Sequence[ToolCall], run_context: ToolRunContext, show: Callable[[str], None]) -> None:
        """Bring each call of a turn to its end, or to where it waits for a person."""
        unfinished = [call for call in calls if call.result is None]
        firsts: dict[tuple[str, str], ToolCall] = {}
        for call in unfinished:
            firsts.setdefault(_same(call), call)
        originals = list(firsts.values())

        async def gated() -> None:
            for call in originals:
                if call.gated:
                    await self._run(call, run_context, show)

        await asyncio.gather(gated(), *(self._run(call, run_context, show) for call in originals if not call.gated))
        for call in unfinished:
            original = firsts[_same(call)]
            if call is not original:
                await self._repeat(call, original)

    def _row(self, message: InboxMessage, position: int, call: RequestedCall) -> ToolCall:
        gated = is_gated(self._tools, call.name)
        return ToolCall(
            id=new_id(),
            thread=message.thread,
            message_id=0,
            position=position,
            tool_call_id=call.id,
            tool=call.name,
            gated=gated,
            arguments_sent=call.arguments[:MAX_LOGGED_CHARACTERS],
            status=CallStatus.PROPOSED if gated else CallStatus.RUNNING,
            requester=message.user,
            created_at=clock.now(),
            traceparent=tracing.current(),
        )

    async def _run(self, call: ToolCall, run_context: ToolRunContext, show: Callable[[str], None]) -> None:
        with tracing.tool_call(self._known(call), call.id):
            await self._bring_to_end(call, run_context, show)

    async def _bring_to_end(self, call: ToolCall, run_context: ToolRunContext, show: Callable[[str], None]) -> None:
        """Run one call to its end; whatever goes wrong is this call's result and nobody else's."""
        person = run_context.person
        public, said, within = run_context.public, run_context.user_text, self._toolset.within
        context = self._toolset.context(call.id, call.thread, person, said, public=public)
        tool: Tool | None = None
        try:
            if await self._conversations.is_stopped(call.thread):
                self._finish(call, CallStatus.REJECTED, NOT_DONE, error=STOPPED)
                return
            tool = self._parse(call)
            call = replace(call, arguments=tool.model_dump_json())
            show(self._progress(tool))
            if isinstance(tool, GatedTool):
                await self._enforce_limits(call)
                preview = await within(tool.preview(context))
                intent, pictures, note = await run_context.intent(), run_context.pictures, run_context.note
                await self._requests.park(call, preview, run_context.person, intent, pictures, note=note)
                tracing.ended(CallStatus.PENDING, well=True)
                reach("request parked")
                return
            result = await within(tool.run(context))
            text = _written(HIDDEN if public and not tool.public else result.content)
            reach("call run")
        except ToolError as error:
            content: Mapping[str, str] = error.content
            if public:
                content = await public_words(content, tool, context, self._toolset.seconds)
            self._finish(call, CallStatus.REJECTED, content, error=" ".join(error.content.values()))
        except (DatabaseError, LostLeaseError):
            raise
        except ShopUnavailableError as error:
            content = {"error": "The shop can't be asked right now.", "hint": "Say so, and offer to try again later."}
            self._finish(call, CallStatus.FAILED, content, error=str(error))
        except Exception as error:  # a tool may be anybody's code, and one that breaks must not break its siblings
            logger.exception("call %s of %s broke", call.id, call.tool)
            content = {"error": "This did not work because of a fault on our side.", "reference": reference(call.id)}
            text = str(error) if isinstance(error, ToolCrashError) else fault(error)
            self._finish(call, CallStatus.FAILED, content, error=text)
        else:
            await self._succeed(call, result, text, run_context)

    def doing(self, call: ToolCall) -> str:
        """Say what a call does, as its status line does: "looking up order 1001"; nothing of one to no tool of ours.

        What a model has made up is never shown as a step of the bot's.
        """
        if call.tool not in self._tools:
            return ""
        try:
            words = self._progress(self._parse(call))
        except ToolError:
            words = WORKING
        return words.removeprefix("is ").rstrip("….")

    def _progress(self, tool: Tool) -> str:
        order_id = getattr(tool, "order_id", None)
        is_made_up = order_id is not None and self._toolset.shop.order_number(order_id) is None
        return WORKING if is_made_up else bare(tool.progress())

    def _parse(self, call: ToolCall) -> Tool:
        tool = self._tools.get(call.tool)
        if tool is None:
            raise ToolError("I can't do that.", f"There is no such tool. The tools are: {', '.join(self._tools)}.")
        if call.position >= self._settings.max_calls:
            most = self._settings.max_calls
            raise ToolError(
                "That is more than I can do at once.", f"Make at most {most} calls at once, then the others."
            )
        return tool.parse(call.arguments_sent)

    async def _enforce_limits(self, call: ToolCall) -> None:
        of_thread, of_person = await self._calls.requests_today(call)
        if of_thread > self._settings.requests_per_thread_day or of_person > self._settings.requests_per_user_day:
            raise ToolError(
                "No more requests of this kind today: the limit for this person or thread is reached.",
                "Tell the customer that the limit for today is reached, and that a person of the team can help.",
            )

    async def _succeed(self, call: ToolCall, result: ToolResult, text: str, run_context: ToolRunContext) -> None:
        post = None
        if result.escalate is not None:
            post = await self._escalation.post(
                call.thread,
                run_context.person.id,
                result.escalate,
                await run_context.intent(),
                key=call.id,
                conversation=run_context.conversation if result.share_conversation else (),
            )
            if post is None:
                self._finish(call, CallStatus.REJECTED, CALLED_TOO_OFTEN, error="nobody was called")
                return
        hidden = run_context.public and not self._tools[call.tool].public
        card = () if hidden else result.card
        private_card = result.card if hidden else result.private_card
        self._calls.finish(call, CallStatus.SUCCEEDED, text, card=card, private_card=private_card, escalation=post)
        self._tell(call, CallStatus.SUCCEEDED)

    def _finish(
        self, call: ToolCall, status: CallStatus, content: Mapping[str, Any], *, error: str | None = None
    ) -> None:
        self._calls.finish(call, status, _written(content), error=error and writable(error))
        self._tell(call, status)

    def _tell(self, call: ToolCall, status: CallStatus) -> None:
        tracing.ended(status, well=status == CallStatus.SUCCEEDED)
        thread = f"{call.thread.channel}/{call.thread.ts}"
        tell(
            logger,
            "tool call ended",
            level=logging.DEBUG,
            tool=self._known(call),
            status=status,
            reference=reference(call.id),
            call=call.id,
            thread=thread,
        )

    def _known(self, call: ToolCall) -> str:
        """Name the tool, if it is one: a model may ask for what does not exist, under any number of names."""
        return call.tool if call.tool in self._tools else "no tool of ours"

    async def _repeat(self, call: ToolCall, original: ToolCall) -> None:
        """Answer a call that stands twice in a turn with the result of the first."""
        first = await self._calls.get(original.id)
        if first is None or first.result is None:
            raise RuntimeError(f"call {original.id} was not brought to its end")
        done = first.status == CallStatus.SUCCEEDED and not call.gated
        status = CallStatus.SUCCEEDED if done else CallStatus.REJECTED
        error = None if done else f"the same as call {original.id}"
        self._calls.finish(replace(call, arguments=first.arguments), status, first.result, error=error)


def _same(call: ToolCall) -> tuple[str, str]:
    """Return what makes two calls of a turn the same: the tool, and its arguments however they are spelt."""
    try:
        return call.tool, json.dumps(json.loads(call.arguments_sent), sort_keys=True)
    except (ValueError, RecursionError):
        return call.tool, call.arguments_sent


def _written(content: Mapping[str, Any]) -> str:
    """Put a tool's result as the row can keep it: nobody waits for the row, so it must not be refused later."""
    return writable(json.dumps(content, ensure_ascii=False, default=str, allow_nan=False))
