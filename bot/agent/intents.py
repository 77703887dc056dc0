"""When a thread is sorted by what its customer wants: beside the first model call, and when the topic turns."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial

from bot.agent.escalation import Escalation
from bot.agent.model_calls import log_answer, log_failed_call, traced
from bot.intent import INSTRUCTIONS, CustomerIntent, answered_with, read_intent, topic_turned
from bot.model.model import Model, ModelError
from bot.store.calls import CallStatus, ModelCall
from bot.store.errors import DatabaseError
from bot.store.records import InboxMessage, Post, ThreadId, new_id
from bot.store.store import Store
from bot.tasks import finish

logger = logging.getLogger(__name__)

INTENT_TIMEOUT_SECONDS = 1.0
HEAD_START_SECONDS = 0.02  # for the thread's own request, which somebody waits for


class Intents:
    """Sorts threads in the background, if at all. Nothing waits for it but a card, and that for a second at most."""

    def __init__(
        self,
        *,
        model: Model,
        store: Store,
        escalation: Escalation,
        order_number: Callable[[str], str | None],
        sorts: bool,
    ) -> None:
        self._model = model
        self._order_number = order_number
        self._store = store
        self._escalation = escalation
        self._sorts = sorts
        self._tasks: set[asyncio.Task[CustomerIntent | None]] = set()

    def start(self, message: InboxMessage, stored: str | None) -> Callable[[], Awaitable[CustomerIntent | None]]:
        """Begin to sort the thread if that is due, and return how to ask for what is known by then."""
        known = read_intent(stored)
        if not self._sorts:
            return partial(_newest, known, None)
        number = answered_with(message.text, self._order_number)
        if known is not None and known.order_id is None and number is not None:
            sorting = self._keep(message.thread, known.model_copy(update={"order_id": number}), [])
        elif known is not None and not topic_turned(known, message.text, self._order_number):
            return partial(_newest, known, None)
        else:
            sorting = self._sort(message)
        task = asyncio.create_task(sorting, name=f"intent of {message.thread.ts}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return partial(_newest, known, task)

    async def stored(self, thread: ThreadId) -> CustomerIntent | None:
        """Read what the thread was sorted as last."""
        return read_intent(await self._store.conversations.intent(thread))

    async def stop(self) -> None:
        """Wait a second for what is being sorted, and cancel the rest."""
        await finish(self._tasks, INTENT_TIMEOUT_SECONDS)

    async def _sort(self, message: InboxMessage) -> CustomerIntent | None:
        await asyncio.sleep(HEAD_START_SECONDS)
        row = ModelCall(
            *(new_id(), message.thread, self._model.name, CallStatus.RUNNING, datetime.now(UTC), message.user),
            purpose="intent",
        )
        messages = [
            {"role": "system", "content": INSTRUCTIONS},
            {"role": "user", "content": message.text or "(no text)"},
        ]
        self._store.calls.log_model_call(row)
        try:
            with traced(row, self._model) as answered:
                intent, usage = await self._model.classify(messages, CustomerIntent)
                answered(usage)
        except ModelError as error:
            failed = replace(row, status=CallStatus.FAILED, error=str(error))
            self._store.calls.log_model_call(failed)
            log_failed_call(failed, self._model.health.address)
            return None
        except asyncio.CancelledError:
            self._store.calls.log_model_call(replace(row, status=CallStatus.FAILED, error="cut off"))
            raise
        self._store.calls.log_model_call(replace(row, status=CallStatus.SUCCEEDED, **asdict(usage)))
        log_answer(row, usage)
        urgent = await self._escalation.urgent(message, intent) if intent.urgency == "high" else None
        return await self._keep(message.thread, intent, [urgent] if urgent else [])

    async def _keep(self, thread: ThreadId, intent: CustomerIntent, posts: Sequence[Post]) -> CustomerIntent | None:
        try:
            await self._store.conversations.set_intent(thread, intent.model_dump_json(), posts)
        except DatabaseError as error:
            logger.warning("what a thread was sorted as was not kept: %s", error)
        return intent


async def _newest(
    known: CustomerIntent | None, task: asyncio.Task[CustomerIntent | None] | None
) -> CustomerIntent | None:
    """Return the newest intent; one that is under way gets a second to arrive."""
    if task is not None:
        await asyncio.wait([task], timeout=INTENT_TIMEOUT_SECONDS)
        if task.done() and not task.cancelled() and task.exception() is None:
            return task.result() or known
    return known
