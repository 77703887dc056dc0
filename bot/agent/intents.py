"""When a thread is sorted by what its customer wants: beside the first model call, and when the topic turns."""

import asyncio
import logging
from dataclasses import asdict, replace
from datetime import UTC, datetime

from pydantic import ValidationError

from bot.agent.escalation import HandOver
from bot.intent import INSTRUCTIONS, CustomerIntent, topic_turned
from bot.model.model import Model, ModelError
from bot.store.errors import DatabaseError
from bot.store.records import CallStatus, InboxMessage, ModelCall, ThreadId, new_id
from bot.store.store import Store
from bot.tasks import finish

logger = logging.getLogger(__name__)

INTENT_TIMEOUT_SECONDS = 1.0
HEAD_START_SECONDS = 0.02  # for the thread's own request, which somebody waits for


class Intents:
    """Sorts threads in the background. Nothing waits for it but a card, and that for a second at most."""

    def __init__(self, *, model: Model, store: Store, hand_over: HandOver) -> None:
        self._model = model
        self._store = store
        self._hand_over = hand_over
        self._tasks: set[asyncio.Task[CustomerIntent | None]] = set()

    def start(self, message: InboxMessage, stored: str | None) -> "IntentNow":
        """Begin to sort the thread if that is due, and return how to ask for what is known by then."""
        known = _read(stored)
        if known is not None and not topic_turned(known, message.text):
            return IntentNow(known, None)
        task = asyncio.create_task(self._sort(message), name=f"intent of {message.thread.ts}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return IntentNow(known, task)

    async def stored(self, thread: ThreadId) -> CustomerIntent | None:
        """Read what the thread was sorted as last."""
        return _read(await self._store.history.intent(thread))

    async def stop(self) -> None:
        """Let what is being sorted come to its end for a second, and give up the rest."""
        await finish(self._tasks, INTENT_TIMEOUT_SECONDS)

    async def _sort(self, message: InboxMessage) -> CustomerIntent | None:
        await asyncio.sleep(HEAD_START_SECONDS)
        row = ModelCall(
            new_id(), message.thread, self._model.name, CallStatus.RUNNING, datetime.now(UTC), purpose="intent"
        )
        items = [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": message.text or "(no text)"}]
        self._store.calls.log_model_call(row)
        try:
            intent, usage = await self._model.classify(items, CustomerIntent)
        except ModelError as error:
            self._store.calls.log_model_call(replace(row, status=CallStatus.FAILED, error=str(error)))
            return None
        except asyncio.CancelledError:
            self._store.calls.log_model_call(replace(row, status=CallStatus.FAILED, error="cut off"))
            raise
        self._store.calls.log_model_call(replace(row, status=CallStatus.SUCCEEDED, **asdict(usage)))
        urgent = [self._hand_over.urgent(message.thread, message.user, intent)] if intent.urgency == "high" else []
        posts = [post for post in urgent if post is not None]
        try:
            await self._store.history.set_intent(message.thread, intent.model_dump_json(), posts)
        except DatabaseError as error:
            logger.warning("what a thread was sorted as was not kept: %s", error)
        return intent


class IntentNow:
    """What a thread was sorted as, as far as that is known when somebody asks."""

    def __init__(self, known: CustomerIntent | None, task: asyncio.Task[CustomerIntent | None] | None) -> None:
        self._known = known
        self._task = task

    async def __call__(self) -> CustomerIntent | None:
        """Give the newest intent; one that is under way gets a second to arrive."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=INTENT_TIMEOUT_SECONDS)
            if self._task.done() and not self._task.cancelled() and self._task.exception() is None:
                return self._task.result() or self._known
        return self._known


def _read(stored: str | None) -> CustomerIntent | None:
    try:
        return CustomerIntent.model_validate_json(stored) if stored else None
    except ValidationError:
        return None
