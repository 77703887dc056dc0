"""What Slack shows of a direct message as a session: that the bot works on it, that it waits for somebody, neither."""

import asyncio
import logging
from collections import OrderedDict
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.callbacks import SessionState
from bot.slack.client import SLACK_ERRORS, failure, slack_error
from bot.store.records import ThreadId
from bot.store.store import Conversations
from bot.tasks import finish

logger = logging.getLogger(__name__)

MAX_SUSPENDED = 1_000
MAX_TITLE_CHARACTERS = 60  # Slack takes 200, and shows one line
TIMEOUT_SECONDS = 5.0
# What says that there are no sessions here; the status line, which is set by the older call, is all there is then.
_NO_SESSIONS = ("feature_disabled", "unknown_method", "method_deprecated", "not_authorized", "missing_scope")


class Sessions:
    """Sets the state of sessions, best effort: whatever Slack says, nothing waits for it."""

    def __init__(self, client: AsyncWebClient, conversations: Conversations) -> None:
        self._client = client
        self._conversations = conversations
        self._has_sessions = True
        self._setting: dict[ThreadId, asyncio.Task[None]] = {}
        self._suspended: OrderedDict[ThreadId, None] = OrderedDict()

    def show(self, thread: ThreadId, state: SessionState, user: str = "", title: str = "") -> None:
        """Set the state of a thread's session; a title names it when it begins."""
        if not self._has_sessions or not thread.channel.startswith("D"):
            return
        self._suspended.pop(thread, None)
        if state == "suspended":
            self._suspended[thread] = None
            while len(self._suspended) > MAX_SUSPENDED:
                self._suspended.popitem(last=False)
        arguments: dict[str, Any] = {"channel_id": thread.channel, "thread_ts": thread.ts, "status": state}
        arguments |= {"initiator_user_id": user} if user else {}
        named = " ".join(title.split())[:MAX_TITLE_CHARACTERS]
        arguments |= {"title": f"{named[:1].upper()}{named[1:]}"} if named else {}
        before = self._setting.get(thread)
        self._setting[thread] = asyncio.create_task(self._set(thread, arguments, before))

    async def decided(self, thread: ThreadId) -> None:
        """End the wait of a session, unless another yes or another request is still waited for there."""
        if thread in self._suspended and not await self._conversations.is_undecided(thread):
            self.show(thread, "active")

    async def stop(self) -> None:
        """Leave what is not set by now."""
        await finish(self._setting.values(), 0)

    async def _set(self, thread: ThreadId, arguments: dict[str, Any], before: asyncio.Task[None] | None) -> None:
        try:
            if before is not None:
                await asyncio.wait([before])
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self._client.agents_sessions_setStatus(**arguments)
        except SLACK_ERRORS as error:
            if isinstance(error, SlackApiError) and slack_error(error) in _NO_SESSIONS:
                self._has_sessions = False
            logger.info("no session in %s: %s", thread.channel, failure(error))
        finally:
            if self._setting.get(thread) is asyncio.current_task():
                del self._setting[thread]
