"""The timeline of what the bot does in a thread: a message that Slack streams, and that is ended before the answer."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.failpoints import reach
from bot.slack.client import SLACK_ERRORS, slack_error
from bot.slack.streams import ENDED, NO_STREAMS, TIMEOUT_SECONDS, begin_stream
from bot.store.calls import Step, StepState
from bot.store.errors import DatabaseError
from bot.store.records import ThreadId
from bot.store.store import Conversations
from bot.tasks import finish

logger = logging.getLogger(__name__)

MARKS = {StepState.COMPLETE: "✓", StepState.ERROR: "✕", StepState.IN_PROGRESS: "○"}


@dataclass(slots=True)
class _Timeline:
    thread: ThreadId
    user: str
    ts: str | None = None
    wanted: tuple[Step, ...] = ()
    shown: dict[str, Step] = field(default_factory=dict)
    sending: asyncio.Task[None] | None = None
    is_ended: bool = False
    is_refused: bool = False

    def news(self) -> list[Step]:
        return [step for step in self.wanted if self.shown.get(step.id) != step]


class Timelines:
    """Shows steps, best effort: one writer for a thread, in order, and several steps at once where Slack is slower.

    Where a process was killed in the middle, the next one goes on in the same message.
    """

    def __init__(self, client: AsyncWebClient, conversations: Conversations, *, on: bool) -> None:
        self._client = client
        self._conversations = conversations
        self._on = on
        self._timelines: dict[ThreadId, _Timeline] = {}

    def show(self, thread: ThreadId, user: str, steps: Sequence[Step]) -> None:
        """Show these steps of what is done for a person, with their states as they are now."""
        if not self._on:
            return
        line = self._timelines.setdefault(thread, _Timeline(thread, user))
        line.wanted = tuple(steps)
        line.sending = asyncio.create_task(self._send(line, line.sending))

    async def end(self, thread: ThreadId, *, resumed: bool) -> None:
        """End what is streamed in the thread; of a run that was resumed, also what another process had begun."""
        line = self._timelines.pop(thread, None)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                if line is None and resumed and self._on and (ts := await self._conversations.timeline(thread)):
                    line = _Timeline(thread, "", ts)
                if line is not None and line.sending is not None:
                    await asyncio.wait([line.sending])
                if line is not None and line.ts is not None:
                    await self._end(line, line.ts)
        except (*SLACK_ERRORS, DatabaseError) as error:
            logger.info("a timeline in %s was not ended: %s", thread.channel, error)

    async def stop(self, seconds: float) -> None:
        """Let what is being shown be shown."""
        await finish([line.sending for line in self._timelines.values() if line.sending], seconds)

    async def _send(self, line: _Timeline, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        news = line.news()
        if not news or line.is_ended or line.is_refused:
            return
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                if line.ts is None:
                    line.ts = await self._conversations.timeline(line.thread)
                if line.ts is None:
                    line.ts = await begin_stream(self._client, line.thread, line.user, _chunks(news))
                    await self._conversations.keep_timeline(line.thread, line.ts, before=None)
                    reach("timeline begun")
                else:
                    await self._client.chat_appendStream(channel=line.thread.channel, ts=line.ts, chunks=_chunks(news))
        except SlackApiError as error:
            self._refused(line, slack_error(error))
        except (*SLACK_ERRORS, DatabaseError) as error:
            logger.info("a timeline in %s was not drawn: %s", line.thread.channel, error)
        else:
            line.shown |= {step.id: step for step in news}

    def _refused(self, line: _Timeline, error: str) -> None:
        line.is_ended = error in ENDED
        line.is_refused = line.ts is None
        if error in NO_STREAMS:
            self._on = False
        logger.info("no timeline in %s: %s", line.thread.channel, error)

    async def _end(self, line: _Timeline, ts: str) -> None:
        """End it with the states as they are; what was not done by now is not done any more."""
        line.wanted = tuple(
            replace(step, state=StepState.ERROR) if step.state is StepState.IN_PROGRESS else step
            for step in line.wanted
        )
        where: dict[str, Any] = {"channel": line.thread.channel, "ts": ts}
        try:
            if not line.is_ended:
                await self._client.chat_stopStream(**where, chunks=_chunks(line.news()) or None)
        except SlackApiError as error:
            line.is_ended = slack_error(error) in ENDED
            if not line.is_ended:
                raise
        if line.is_ended and line.wanted:
            text = "\n".join(f"{MARKS[step.state]} {step.title}" for step in line.wanted)
            await self._client.chat_update(**where, text=text, blocks=[_card(step) for step in line.wanted])
        await self._conversations.keep_timeline(line.thread, None, before=ts)


def _chunks(steps: Iterable[Step]) -> list[dict[str, Any]]:
    return [{"type": "task_update", "id": step.id, "title": step.title, "status": step.state.value} for step in steps]


def _card(step: Step) -> dict[str, Any]:
    return {"type": "task_card", "task_id": step.id, "title": step.title, "status": step.state.value}
