"""What was said in a thread before we were called into it."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import SLACK_ERRORS, BotIdentity, failure
from bot.slack.content import dicts, mapping, read, text
from bot.store.records import QUOTED, ThreadId

logger = logging.getLogger(__name__)

MAX_MESSAGES = 20  # besides the first one
MAX_CHARACTERS = 6_000
MAX_MESSAGE_CHARACTERS = 1_500
_PAGE = 100
_MAX_PAGES = 3
_PASSED_ON = re.compile(r"<@\w{1,40}>: ")  # what we said for somebody else: see bot.agent.escalation


class ThreadReader:
    """Reads threads in Slack."""

    def __init__(self, client: AsyncWebClient, ourselves: BotIdentity) -> None:
        self._client = client
        self._ourselves = ourselves

    async def above(self, thread: ThreadId, before: str, since: str, known: frozenset[str]) -> str:
        """Return what the thread's first message and the latest before this one say, each with who wrote it.

        In a thread in which we were before, only what was said `since` and is not known: not our own answers either.
        """
        try:
            messages = await self._messages(thread, before, since)
        except SLACK_ERRORS as error:
            why = failure(error)
            logger.warning("what was said in thread %s of %s could not be read: %s", thread.ts, thread.channel, why)
            return f"{QUOTED}What was said above in this thread could not be read."
        lines = [line for one in messages if text(one["ts"]) not in known and (line := self._line(one, since=since))]
        if len(lines) > MAX_MESSAGES + 1:
            lines = [lines[0], "…", *lines[-MAX_MESSAGES:]]
        while len(lines) > 1 and sum(map(len, lines)) > MAX_CHARACTERS:
            del lines[1]
        return f"{QUOTED}Said above in this thread, by whom:\n" + "\n".join(lines) if lines else ""

    async def _messages(self, thread: ThreadId, before: str, since: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        pages = await self._client.conversations_replies(
            channel=thread.channel, ts=thread.ts, oldest=since or None, latest=before, inclusive=False, limit=_PAGE
        )
        read_pages = 0
        async for page in pages:
            found += [one for one in dicts(page["messages"]) if since < text(one.get("ts")) < before]
            read_pages += 1
            if read_pages == _MAX_PAGES:
                break
        return found

    def _line(self, message: Mapping[str, Any], *, since: str) -> str:
        said = read(message, self._ourselves.user).text.replace(QUOTED, " ").strip()[:MAX_MESSAGE_CHARACTERS]
        if not said:
            return ""
        if text(message.get("user")) == self._ourselves.user:
            if since and not _PASSED_ON.match(said):
                return ""
            author = "you"
        elif message.get("bot_id"):
            author = f"the app {text(mapping(message.get('bot_profile')).get('name'))[:80] or message['bot_id']}"
        else:
            author = text(message.get("user"))
        return f"{author}: {said}"
