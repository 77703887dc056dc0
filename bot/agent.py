"""The tool loop of one thread: the model says what it wants done, our code decides what is."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.approvals import Approvals
from bot.blocks import answer_messages, escape
from bot.identity import Identity, IdentityError, Person
from bot.model import Model, ModelError, RequestedCall, Turn
from bot.settings import Settings
from bot.shop.orders import Shop
from bot.store.history import Conversation
from bot.store.records import (
    CallStatus,
    InboxMessage,
    Item,
    ModelCall,
    Post,
    ThreadId,
    ToolCall,
    new_id,
    reference,
)
from bot.store.store import Store
from bot.tool import Context, GatedTool, Output, Tool, ToolCrashError, ToolError, within

TRY_AGAIN = "Please try again in a minute."


class RunError(Exception):
    """A run cannot go on. `words` are for the user; `row_id` is where the operator finds more."""

    def __init__(self, words: str, row_id: str, text: str) -> None:
        super().__init__(text)
        self.words = words
        self.row_id = row_id


class Agent:
    """Answers one message at a time of a thread. All state is rows, so a run that was cut off goes on from them."""

    def __init__(
        self,
        *,
        model: Model,
        tools: Mapping[str, type[Tool]],
        store: Store,
        shop: Shop,
        identity: Identity,
        approvals: Approvals,
        settings: Settings,
        instructions: str,
        show_status: Callable[[ThreadId, str], None],
    ) -> None:
        self._model = model
        self._tools = tools
        self._definitions = [tool.definition() for tool in tools.values()]
        self._store = store
        self._shop = shop
        self._identity = identity
        self._approvals = approvals
        self._settings = settings
        self._instructions: Item = {"role": "system", "content": instructions}
        self._show_status = show_status

    async def answer(self, message: InboxMessage) -> None:
        """Answer the message in its thread, whatever happens: with the model's words or with plain ones of ours."""
        try:
            async with asyncio.timeout(self._settings.run_timeout_seconds):
                await self._run(message)
        except RunError as error:
            await self.apologise(message, error.words, error.row_id, str(error))
        except IdentityError as error:
            await self.apologise(
                message, "Slack did not tell me who you are, so I can't look anything up.", error=str(error)
            )
        except TimeoutError:
            await self.apologise(message, "This took too long, so I stopped.", error="the run took too long")

    async def apologise(self, message: InboxMessage, words: str, row_id: str | None = None, error: str = "") -> None:
        """End a run that failed: plain words, a reference for the user, and the same reference in the inbox row."""
        mark = reference(row_id or new_id())
        text = f"{words} {TRY_AGAIN} If it goes on, tell the team this reference: {mark}"
        item = {"role": "assistant", "content": words}
        await self._store.history.finish(message, item, self._posts(message, text), error=f"{mark}: {error}")

    async def ask_whether_needed(self, message: InboxMessage, age: timedelta) -> None:
        """Do nothing about a message that was found late, but ask; what the person says next goes on from there."""
        minutes = int(age.total_seconds() // 60)
        late = f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"  # noqa: PLR2004 - two hours
        words = (
            f"I was away and found this only now, {late} later, so I have not done anything yet. Is it still needed?"
        )
        await self._store.history.begin(message)
        item = {"role": "assistant", "content": words}
        await self._store.history.finish(message, item, self._posts(message, words))

    async def _run(self, message: InboxMessage) -> None:
        self._show_status(message.thread, "is thinking…")
        requester = await self._identity.person(message.user)
        if refusal := self._refusal(message, requester):
            await self._store.history.finish(message, None, self._posts(message, refusal))
            return
        conversation = await self._store.history.begin(message)
        for _ in range(self._settings.max_steps):
            if not conversation.unanswered:
                turn = await self._ask(message, conversation)
                if not turn.calls:
                    posts = self._posts(message, turn.text, conversation)
                    await self._store.history.finish(message, turn.item, posts)
                    return
                calls = [self._row(message, position, call) for position, call in enumerate(turn.calls)]
                conversation = await self._store.history.add_turn(message.thread, turn.item, calls)
            await self._run_calls(conversation.unanswered, requester)
            conversation = await self._store.history.add_outputs(message.thread)
        words = "I could not finish this within the number of steps that I may take."
        raise RunError(words, new_id(), f"no answer after {self._settings.max_steps} steps")

    def _refusal(self, message: InboxMessage, requester: Person) -> str | None:
        trusted = self._settings.trusted_teams
        if requester.team != message.thread.team and requester.team not in trusted:
            return "I can only help people of this workspace."
        if message.shared and not trusted:
            return (
                "This channel is shared with another company, so I don't talk about orders here. "
                "Write me a direct message."
            )
        return None

    async def _ask(self, message: InboxMessage, conversation: Conversation) -> Turn:
        row = ModelCall(new_id(), message.thread, self._model.name, CallStatus.RUNNING, datetime.now(UTC))
        await self._store.calls.log_model_call(row)
        try:
            turn = await self._model.respond([self._instructions, *conversation.items], self._definitions)
        except ModelError as error:
            await self._store.calls.log_model_call(
                replace(row, status=CallStatus.FAILED, error=str(error), request_id=error.request_id)
            )
            raise RunError(error.words, row.id, str(error)) from error
        except asyncio.CancelledError:
            await self._store.calls.log_model_call(replace(row, status=CallStatus.FAILED, error="cut off"))
            raise
        await self._store.calls.log_model_call(
            replace(
                row,
                status=CallStatus.SUCCEEDED,
                model=turn.model,
                finish_reason=turn.finish_reason,
                prompt_tokens=turn.prompt_tokens,
                completion_tokens=turn.completion_tokens,
                cached_tokens=turn.cached_tokens,
                request_id=turn.request_id,
            )
        )
        return turn

    def _row(self, message: InboxMessage, position: int, call: RequestedCall) -> ToolCall:
        gated = issubclass(self._tools.get(call.name, Tool), GatedTool)
        return ToolCall(
            id=new_id(),
            thread=message.thread,
            message_id=0,
            position=position,
            tool_call_id=call.id,
            tool=call.name,
            gated=gated,
            arguments_sent=call.arguments,
            status=CallStatus.PROPOSED if gated else CallStatus.RUNNING,
            requester=message.user,
            created_at=datetime.now(UTC),
        )

    async def _run_calls(self, calls: Sequence[ToolCall], requester: Person) -> None:
        """Run what is unfinished of a turn: reads side by side, gated calls one after the other."""
        unfinished = [call for call in calls if call.output is None]

        async def gated() -> None:
            for call in unfinished:
                if call.gated:
                    await self._run_call(call, requester)

        await asyncio.gather(gated(), *(self._run_call(call, requester) for call in unfinished if not call.gated))

    async def _run_call(self, call: ToolCall, requester: Person) -> None:
        """Run one call to its end; whatever goes wrong is this call's output and nobody else's."""
        context = Context(call.id, call.thread, requester, self._shop)
        try:
            tool = self._parse(call)
            call = replace(call, arguments=tool.model_dump_json())
            self._show_status(call.thread, tool.progress())
            if isinstance(tool, GatedTool):
                preview = await within(self._settings.tool_timeout_seconds, tool.preview(context))
                await self._approvals.park(call, preview, requester)
                return
            output = await within(self._settings.tool_timeout_seconds, tool.run(context))
        except ToolError as error:
            await self._finish(call, CallStatus.REJECTED, error.content, error=str(error))
        except ToolCrashError as error:
            content = {"error": "This did not work because of a fault on our side.", "reference": reference(call.id)}
            await self._finish(call, CallStatus.FAILED, content, error=str(error))
        else:
            await self._finish(call, CallStatus.SUCCEEDED, output.content, output)

    def _parse(self, call: ToolCall) -> Tool:
        tool = self._tools.get(call.tool)
        if tool is None:
            raise ToolError(f"There is no tool {call.tool}.", f"The tools are: {', '.join(self._tools)}.")
        if call.position >= self._settings.max_calls:
            raise ToolError(
                "Too many calls in one turn.",
                f"Make at most {self._settings.max_calls} calls at once, then the others.",
            )
        return tool.parse(call.arguments_sent)

    async def _finish(
        self,
        call: ToolCall,
        status: CallStatus,
        content: Mapping[str, Any],
        output: Output | None = None,
        *,
        error: str | None = None,
    ) -> None:
        text = json.dumps(content, ensure_ascii=False, default=str)
        await self._store.calls.finish(call, status, text, error=error, card=output.card if output else ())

    def _posts(self, message: InboxMessage, text: str, conversation: Conversation | None = None) -> list[Post]:
        thread = message.thread
        return [
            Post(new_id(), thread.team, thread.channel, thread.ts, escape(fallback), blocks)
            for fallback, blocks in answer_messages(text, conversation.cards if conversation else ())
        ]
