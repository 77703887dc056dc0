"""How the model is asked: each try a row, again where that may help, another model before giving up."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from bot.agent import conversation
from bot.agent.errors import RunError
from bot.callbacks import ShowStatus
from bot.logs import tell
from bot.model.model import Model, ModelError, Turn, Usage
from bot.settings import Settings
from bot.store.records import CallStatus, ChatMessage, ModelCall, ThreadId, new_id, reference
from bot.store.store import CallLog

logger = logging.getLogger(__name__)

MAX_TRIES = 3
MAX_LOGGED_CHARACTERS = 200  # the first line: those below it may quote what the model said
MAX_WAIT_SECONDS = 20.0
FIRST_WAIT_SECONDS = 0.4
LAST_TURN: ChatMessage = {
    "role": "system",
    "content": "You can look up and ask for nothing more now. Tell the customer what was found and what was asked for, "
    "and what is still open, so that they can write on.",
}


class ModelCalls:
    """Asks the models, the first one first, with no more of the conversation than fits."""

    def __init__(
        self,
        *,
        models: Sequence[Model],
        definitions: Sequence[Mapping[str, Any]],
        instructions: str,
        calls: CallLog,
        settings: Settings,
        show_status: ShowStatus,
    ) -> None:
        self._models = models
        self._definitions = definitions
        self._instructions: ChatMessage = {"role": "system", "content": instructions}
        self._calls = calls
        self._settings = settings
        self._show_status = show_status

    async def ask(
        self, thread: ThreadId, requester: str, messages: Sequence[ChatMessage], *, last: bool = False
    ) -> Turn:
        """Ask for the next turn of a thread, for the one who wrote. Raises RunError when no model gave one.

        The last turn that a run may take is without tools, so that the customer hears what was found.
        """
        failure: RunError | None = None
        budget = self._settings.history_tokens
        for model in self._models:
            for attempt in range(MAX_TRIES):
                row = ModelCall(new_id(), thread, model.name, CallStatus.RUNNING, datetime.now(UTC), requester)
                try:
                    return await self._try(model, row, conversation.cut(messages, budget), last=last)
                except ModelError as error:
                    failure = RunError(error.words, row.id, str(error))
                    wait = max(error.retry_after or 0.0, FIRST_WAIT_SECONDS * 2**attempt)
                    if error.too_long:
                        budget = min(budget, conversation.size(messages)) // 2
                    elif error.retry_after is None or wait > MAX_WAIT_SECONDS or attempt + 1 == MAX_TRIES:
                        break
                    else:
                        self._show_status(thread, "is waiting for the language model…")
                        await asyncio.sleep(wait)
        raise failure or RunError("I have no language model to ask.", new_id(), "no model is configured")

    async def _try(self, model: Model, row: ModelCall, messages: Sequence[ChatMessage], *, last: bool) -> Turn:
        conversation.check(messages)
        self._calls.log_model_call(row)
        try:
            if last:
                turn = await model.respond([self._instructions, *messages, LAST_TURN], ())
            else:
                turn = await model.respond([self._instructions, *messages], self._definitions)
        except ModelError as error:
            failed = replace(row, status=CallStatus.FAILED, error=str(error), request_id=error.request_id)
            self._calls.log_model_call(failed)
            log_failed_call(failed)
            raise
        except asyncio.CancelledError:
            self._calls.log_model_call(replace(row, status=CallStatus.FAILED, error="cut off"))
            raise
        self._calls.log_model_call(replace(row, status=CallStatus.SUCCEEDED, **asdict(turn.usage)))
        log_answer(row, turn.usage)
        return turn


def log_answer(call: ModelCall, usage: Usage) -> None:
    """Tell an operator who wants to know more that the model has answered."""
    tell(
        logger,
        "model answered",
        level=logging.DEBUG,
        model=call.model,
        purpose=call.purpose,
        seconds=round((datetime.now(UTC) - call.created_at).total_seconds(), 3),
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        call=call.id,
        thread=f"{call.thread.channel}/{call.thread.ts}",
    )


def log_failed_call(call: ModelCall) -> None:
    """Tell the operator of a model call that failed."""
    tell(
        logger,
        "model call failed",
        level=logging.WARNING,
        model=call.model,
        purpose=call.purpose,
        error=(call.error or "").partition("\n")[0][:MAX_LOGGED_CHARACTERS],
        reference=reference(call.id),
        call=call.id,
        thread=f"{call.thread.channel}/{call.thread.ts}",
    )
