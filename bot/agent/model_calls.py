"""How the model is asked: each try a row, again where that may help, another model before giving up."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot import clock
from bot.agent import conversation
from bot.agent.errors import RunError
from bot.callbacks import ShowStatus
from bot.logs import tell
from bot.model.model import Hear, Model, ModelError, Reason, Turn, Usage
from bot.settings import Settings
from bot.store.calls import CallStatus, ModelCall
from bot.store.records import ChatMessage, ThreadId, new_id, reference
from bot.store.store import CallLog
from bot.tracing import tracing

logger = logging.getLogger(__name__)

MAX_TRIES = 3
MAX_LOGGED_CHARACTERS = 200  # the first line: those below it may quote what the model said
MAX_WAIT_SECONDS = 20.0
FIRST_WAIT_SECONDS = 0.4
PROGRESS_SECONDS = 30.0
MAX_ADAPTATIONS = 12
_OF_WHAT_WAS_SENT = (Reason.FILTERED, Reason.REFUSED)


@dataclass(frozen=True, slots=True)
class StaticPrompt:
    """What every request to a model begins with, so that its server can keep it: the instructions, and the tools."""

    instructions: str
    definitions: Sequence[Mapping[str, Any]]


class ModelCalls:
    """Asks the models, the first one first, with no more of the conversation than fits."""

    def __init__(
        self,
        *,
        models: Sequence[Model],
        prompt: StaticPrompt,
        calls: CallLog,
        settings: Settings,
        show_status: ShowStatus,
    ) -> None:
        self._models = models
        self._definitions = prompt.definitions
        self._instructions: ChatMessage = {"role": "system", "content": prompt.instructions}
        self._calls = calls
        self._settings = settings
        self._show_status = show_status
        self._budgets: dict[str, int] = {}  # tokens of a conversation that fit into each model, where less does

    async def ask(
        self,
        thread: ThreadId,
        requester: str,
        messages: Sequence[ChatMessage],
        hear: Hear | None = None,
        *,
        last: bool = False,
    ) -> Turn:
        """Ask for the next turn of a thread, for the one who wrote. Raises RunError when no model gave one.

        The last turn that a run may take is without tools, so that the customer hears what was found. An answer can be
        heard while it is written, but not another that is asked for because that one was none.
        """
        failure: RunError | None = None
        for model in self._models:
            try:
                definitions = () if last else self._definitions
                return await self._ask(model, thread, requester, messages, definitions, hear=hear)
            except RunError as error:
                failure, hear = error, None
        raise failure or RunError("I have no language model to ask.", new_id(), "no model is configured")

    async def _ask(
        self,
        model: Model,
        thread: ThreadId,
        requester: str,
        messages: Sequence[ChatMessage],
        definitions: Sequence[Mapping[str, Any]],
        *,
        hear: Hear | None,
    ) -> Turn:
        """Ask one model, again in passing trouble and with less where it is too much. Raises RunError."""
        budget = self._budgets.get(model.name, self._settings.history_tokens)
        sent = conversation.cut(messages, budget)
        tries, adaptations = 0, 0
        while True:
            row = ModelCall(new_id(), thread, model.name, CallStatus.RUNNING, clock.now(), requester)
            try:
                turn = await self._try(model, row, sent, definitions, hear)
            except ModelError as error:
                failure = _run_error(error, row)
                hear = hear if error.reason is Reason.ADAPTED else None
                if error.reason is Reason.ADAPTED and adaptations < MAX_ADAPTATIONS:
                    adaptations += 1
                elif error.reason is Reason.TOO_LONG:
                    budget = min(budget, conversation.size(sent)) // 2
                    sent, before = conversation.shortened(messages, budget), sent
                    if sent == before:
                        raise failure from error
                elif error.reason in _OF_WHAT_WAS_SENT and len(last := conversation.cut(messages, 0)) < len(sent):
                    sent = last  # what was said before may be what the server does not like, whatever it says of it
                else:
                    tries += 1
                    await self._wait(thread, error, tries, failure)
            else:
                if budget < self._settings.history_tokens:
                    self._budgets[model.name] = budget
                return turn

    async def _wait(self, thread: ThreadId, error: ModelError, tries: int, failure: RunError) -> None:
        """Wait until asking again may help. Raises the failure where it would not."""
        wait = max(error.retry_after or 0.0, FIRST_WAIT_SECONDS * 2 ** (tries - 1))
        if error.retry_after is None or wait > MAX_WAIT_SECONDS or tries == MAX_TRIES:
            raise failure from error
        self._show_status(thread, "is waiting for the language model…")
        await asyncio.sleep(wait)

    async def _try(
        self,
        model: Model,
        row: ModelCall,
        messages: Sequence[ChatMessage],
        definitions: Sequence[Mapping[str, Any]],
        hear: Hear | None,
    ) -> Turn:
        conversation.check(messages)
        self._calls.log_model_call(row)
        try:
            async with self._progress(row.thread):
                with traced(row, model) as answered:
                    turn = await model.respond([self._instructions, *messages], definitions, hear)
                    answered(turn.usage)
        except ModelError as error:
            failed = replace(row, status=CallStatus.FAILED, error=str(error), request_id=error.request_id)
            self._calls.log_model_call(failed)
            log_failed_call(failed, model.health.address)
            raise
        except asyncio.CancelledError:
            self._calls.log_model_call(replace(row, status=CallStatus.FAILED, error="cut off"))
            raise
        self._calls.log_model_call(replace(row, status=CallStatus.SUCCEEDED, **asdict(turn.usage)))
        log_answer(row, turn.usage)
        return turn

    @asynccontextmanager
    async def _progress(self, thread: ThreadId) -> AsyncIterator[None]:
        """Keep the thread's status fresh while the model thinks: Slack drops it after two minutes."""

        async def show() -> None:
            while True:
                await asyncio.sleep(min(PROGRESS_SECONDS, self._settings.model_timeout_seconds / 4))
                self._show_status(thread, "is still thinking…")

        task = asyncio.create_task(show(), name=f"progress of {thread.ts}")
        try:
            yield
        finally:
            task.cancel()


def _run_error(error: ModelError, row: ModelCall) -> RunError:
    return RunError(
        error.reason.words,
        row.id,
        str(error),
        again=error.reason.helps,
        again_in=error.busy_seconds,
        empty=error.reason in (Reason.EMPTY, Reason.UNUSABLE),
        filtered=error.reason is Reason.FILTERED,
    )


@contextmanager
def traced(call: ModelCall, model: Model) -> Iterator[Callable[[Usage], None]]:
    """Trace a request to a model; what the context gives is to be told what the answer was."""

    def answered(usage: Usage) -> None:
        read, written = usage.prompt_tokens, usage.completion_tokens
        tracing.answered(usage.model, usage.finish_reason, read, written, cached=usage.cached_tokens)

    with tracing.model_call(call.model, model.health.address, call.purpose):
        try:
            yield answered
        except ModelError as error:
            tracing.ended(error.reason.name.lower(), well=False)
            raise


def log_answer(call: ModelCall, usage: Usage) -> None:
    """Tell an operator who wants to know more that the model has answered."""
    tell(
        logger,
        "model answered",
        level=logging.DEBUG,
        model=call.model,
        purpose=call.purpose,
        seconds=round((clock.now() - call.created_at).total_seconds(), 3),
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        call=call.id,
        thread=f"{call.thread.channel}/{call.thread.ts}",
    )


def log_failed_call(call: ModelCall, address: str) -> None:
    """Tell the operator of a call that failed of the model at an address."""
    tell(
        logger,
        "model call failed",
        level=logging.WARNING,
        model=call.model,
        address=address,
        purpose=call.purpose,
        error=(call.error or "").partition("\n")[0][:MAX_LOGGED_CHARACTERS],
        reference=reference(call.id),
        call=call.id,
        thread=f"{call.thread.channel}/{call.thread.ts}",
    )
