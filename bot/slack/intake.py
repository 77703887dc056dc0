"""Which events are for us, and that they are kept before Slack hears "ok"."""

import asyncio
import html
import logging
import re
from collections.abc import Awaitable, Callable
from time import time
from typing import Any

from slack_bolt.response import BoltResponse

from bot.callbacks import HomeOpened, MessageChanged, MessagesOpened, WakeThread
from bot.failpoints import reach
from bot.slack.client import BotIdentity
from bot.slack.masking import mask
from bot.store.errors import DatabaseError
from bot.store.records import InboxMessage, ThreadId, writable
from bot.store.store import Inbox

logger = logging.getLogger(__name__)

HOME = "app_home_opened"
STOP = "agent_session_stopped"
EVENTS = (STOP, HOME, "app_mention", "message.channels", "message.groups", "message.im")
_SUBTYPES_OF_PEOPLE = (None, "file_share", "thread_broadcast")
MAX_TEXT_CHARACTERS = 12_000  # more than Slack lets a person type in one message
_RECEIVE_TIMEOUT_SECONDS = 2.5  # Slack comes again when it has no ack after 3 s


class Intake:
    """Bolt middleware that takes every event: for us and new, it is in the inbox before the ack; else it is acked."""

    def __init__(
        self,
        *,
        ourselves: BotIdentity,
        inbox: Inbox,
        wake: WakeThread,
        changed: MessageChanged,
        home_opened: HomeOpened,
        messages_opened: MessagesOpened,
        trusted_teams: tuple[str, ...] = (),
    ) -> None:
        self._ourselves = ourselves
        self._inbox = inbox
        self._wake = wake
        self._changed = changed
        self._home_opened = home_opened
        self._messages_opened = messages_opened
        self._teams = frozenset((ourselves.team, *trusted_teams))

    async def __call__(self, body: dict[str, Any], next_: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        """Ack an event once it is safe. When the database does not take it, do not: then Slack comes again."""
        if body.get("type") != "event_callback":
            return await next_()
        if body.get("api_app_id") != self._ourselves.app_id or body.get("team_id") not in self._teams:
            logger.warning("ignored an event of app %s in team %s", body.get("api_app_id"), body.get("team_id"))
            return BoltResponse(status=200)
        try:
            await self._take(body.get("event", {}), body)
        except (DatabaseError, TimeoutError) as error:
            reason = str(error) or f"The database did not answer within {_RECEIVE_TIMEOUT_SECONDS} s."
            logger.warning("an event was not taken and not acked: %s", reason)
            return BoltResponse(status=503)
        return BoltResponse(status=200)

    async def _take(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        if event.get("type") == HOME:
            self._opened(event)
        elif event.get("type") == STOP:
            if (channel := event.get("channel")) and (thread_ts := event.get("thread_ts")):
                thread = ThreadId(body["team_id"], str(channel), str(thread_ts))
                stop = self._inbox.stop(thread, str(event.get("event_ts") or f"{time():.6f}"))
                await asyncio.wait_for(stop, _RECEIVE_TIMEOUT_SECONDS)
        elif self._is_from_a_person(event):
            await self._keep(event, shared=bool(body.get("is_ext_shared_channel")), team=body["team_id"])
        elif (ts := _changed_ts(event, self._ourselves.user)) and (channel := event.get("channel")):
            deleted = event["subtype"] == "message_deleted"
            change = self._changed(body["team_id"], str(channel), ts, deleted=deleted)
            await asyncio.wait_for(change, _RECEIVE_TIMEOUT_SECONDS)

    def _opened(self, event: dict[str, Any]) -> None:
        if event.get("tab") == "home" and event.get("user"):
            self._home_opened(str(event["user"]))
        elif event.get("tab") == "messages" and event.get("user") and event.get("channel"):
            self._messages_opened(str(event["user"]), str(event["channel"]))

    def _is_from_a_person(self, event: dict[str, Any]) -> bool:
        return (
            event.get("type") in ("message", "app_mention")
            and event.get("subtype") in _SUBTYPES_OF_PEOPLE
            and not event.get("bot_id")
            and bool(event.get("user") and event.get("channel") and event.get("ts"))
            and event["user"] != self._ourselves.user
        )

    async def _keep(self, event: dict[str, Any], *, shared: bool, team: str) -> None:
        raw = str(event.get("text") or "")[:MAX_TEXT_CHARACTERS]  # before any pattern looks at it
        mentions_us = f"<@{self._ourselves.user}>" in raw or event["type"] == "app_mention"
        addressed = mentions_us or event.get("channel_type") == "im" or event["channel"].startswith("D")
        if not addressed and ("thread_ts" not in event or re.match(r"\s*<@", raw)):
            return  # nobody called us, or in a thread of ours somebody else was called
        message = InboxMessage(
            thread=ThreadId(team, event["channel"], event.get("thread_ts") or event["ts"]),
            ts=event["ts"],
            user=event["user"],
            user_team=event.get("user_team") or event.get("team") or team,
            shared=shared,
            text=kept_text(raw, self._ourselves.user),
        )
        receive = self._inbox.receive(message, addressed=addressed, mentioned=mentions_us)
        kept = await asyncio.wait_for(receive, _RECEIVE_TIMEOUT_SECONDS)
        reach("message kept")
        if kept:
            self._wake(message.thread, message.user)


def kept_text(text: str, us: str) -> str:
    """Return what is kept of a message's text: what the person typed, cut, and without cards and secrets."""
    return mask(_readable(text[:MAX_TEXT_CHARACTERS], us))


def _changed_ts(event: dict[str, Any], us: str) -> str | None:
    """Return the ts of the message whose words somebody changed or deleted, or of which nobody says how it was before.

    A link that Slack unfolds changes no words, and neither does a mention of us that is added.
    """
    before, after = event.get("previous_message") or {}, event.get("message") or {}
    if event.get("subtype") == "message_deleted":
        return before.get("ts") or event.get("deleted_ts")
    if event.get("subtype") != "message_changed":
        return None
    if not before:
        return after.get("ts") if after.get("edited") else None
    words = (_readable(str(one.get("text") or "")[:MAX_TEXT_CHARACTERS], us) for one in (before, after))
    return before.get("ts") if len(set(words)) > 1 else None


def _readable(text: str, us: str) -> str:
    """Turn Slack's message markup into the text that the person typed, without the mention of ourselves."""
    text = text.replace(f"<@{us}>", " ")
    text = re.sub(r"<((?:https?|mailto|tel):[^|<>]*)(?:\|[^<>]*)?>", r"\1", text)
    text = re.sub(r"<#\w{1,40}\|([^<>]*)>", r"#\1", text)
    return writable(html.unescape(re.sub(r"[ \t]+", " ", text)).strip())
