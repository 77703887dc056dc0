"""Which events are for us, and that they are kept before Slack hears "ok"."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from time import time
from typing import Any

from slack_bolt.response import BoltResponse

from bot.agent.escalation import passed_on
from bot.callbacks import Arrivals
from bot.failpoints import reach
from bot.slack.client import BotIdentity
from bot.slack.content import dicts, mapping, quotes, read, readable, same_words, spoken, text
from bot.store.errors import DatabaseError
from bot.store.records import InboxMessage, ThreadId
from bot.store.store import Inbox

logger = logging.getLogger(__name__)

HOME = "app_home_opened"
STOP = "agent_session_stopped"
LINK_SHARED = "link_shared"
DETAILS_REQUESTED = "entity_details_requested"
LINK_EVENTS = (LINK_SHARED, DETAILS_REQUESTED)
EVENTS = (STOP, HOME, *LINK_EVENTS, "app_mention", "message.channels", "message.groups", "message.im", "message.mpim")
_SUBTYPES_OF_PEOPLE = (None, "file_share", "me_message", "thread_broadcast")
_SLACK_ITSELF = ("USLACK", "USLACKBOT")
_TS = re.compile(r"\d{1,12}\.\d{1,6}")
_RECEIVE_TIMEOUT_SECONDS = 2.5  # Slack comes again when it has no ack after 3 s
# In a thread of ours: somebody else is spoken to, by name or all of them at the beginning, or a group anywhere.
_TO_SOMEBODY_ELSE = re.compile(r"^[^\w<]{0,20}(?:\w{1,10}[^\w<]{1,5}){0,2}<(?:@|!here|!channel|!everyone)|<!subteam\^")


class Intake:
    """Bolt middleware that takes every event: for us and new, it is in the inbox before the ack; else it is acked."""

    def __init__(
        self,
        *,
        ourselves: BotIdentity,
        inbox: Inbox,
        tell: Arrivals,
        goes_on_for: timedelta,
    ) -> None:
        self._ourselves = ourselves
        self._inbox = inbox
        self._tell = tell
        self._goes_on_for = goes_on_for

    async def __call__(self, body: dict[str, Any], next_: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        """Ack an event once it is safe. When the database does not take it, do not: then Slack comes again."""
        if body.get("type") != "event_callback":
            return await next_()
        if not self._is_for_our_installation(body):
            logger.warning("ignored an event of app %.40r in team %.40r", body.get("api_app_id"), body.get("team_id"))
            return BoltResponse(status=200)
        try:
            await self._take(mapping(body.get("event")), shared=self._is_shared(body))
        except (DatabaseError, TimeoutError) as error:
            reason = str(error) or f"The database did not answer within {_RECEIVE_TIMEOUT_SECONDS} s."
            logger.warning("an event was not taken and not acked: %s", reason)
            return BoltResponse(status=503)
        return BoltResponse(status=200)

    def _is_for_our_installation(self, body: Mapping[str, Any]) -> bool:
        """Return whether this is for our app as it is installed here: the envelope's own team may be a partner's."""
        if body.get("api_app_id") != self._ourselves.app_id:
            return False
        return any(map(self._is_home, dicts(body.get("authorizations")) or [body]))

    def _is_home(self, installed: Mapping[str, Any]) -> bool:
        where = text(installed.get("team_id")) or text(installed.get("enterprise_id"))
        return where in self._ourselves.homes

    def _is_shared(self, body: Mapping[str, Any]) -> bool:
        """Return whether another company may read along: Slack says so, or it comes by way of one."""
        told = (body, *dicts(body.get("authorizations")))
        of_organisation = any(text(one.get("enterprise_id")) in self._ourselves.homes for one in told)
        by_another = bool(text(body.get("team_id"))) and not (of_organisation or self._is_home(body))
        return by_another or body.get("is_ext_shared_channel") is True

    async def _take(self, event: Mapping[str, Any], *, shared: bool) -> None:
        if event.get("type") == HOME:
            self._opened(event)
        elif event.get("type") == STOP:
            channel, thread_ts = text(event.get("channel")), text(event.get("thread_ts"))
            if channel and thread_ts:
                stop = self._inbox.stop(
                    ThreadId(self._ourselves.team, channel, thread_ts), text(event.get("event_ts")) or f"{time():.6f}"
                )
                await asyncio.wait_for(stop, _RECEIVE_TIMEOUT_SECONDS)
                self._tell.stopped()
        elif event.get("type") in LINK_EVENTS:
            self._tell.link_event(event, shared=shared)
        elif self._is_from_a_person(event):
            await self._keep(event, shared=shared)
        elif (unfolded := _unfolded(event)) and self._is_from_a_person(unfolded):
            await self._keep(unfolded, shared=shared, only_known=True)
        elif change := self._change(event):
            channel, ts, words = change
            changed = self._tell.changed(self._ourselves.team, channel, ts, words)
            await asyncio.wait_for(changed, _RECEIVE_TIMEOUT_SECONDS)

    def _opened(self, event: Mapping[str, Any]) -> None:
        user, channel = text(event.get("user")), text(event.get("channel"))
        if event.get("tab") == "home" and user:
            self._tell.home_opened(user)
        elif event.get("tab") == "messages" and user and channel:
            self._tell.messages_opened(user, channel)

    def _is_from_a_person(self, event: Mapping[str, Any]) -> bool:
        user = text(event.get("user"))
        return (
            event.get("type") in ("message", "app_mention")
            and (event.get("subtype") or None) in _SUBTYPES_OF_PEOPLE
            and not event.get("bot_id")
            and bool(user and text(event.get("channel")) and _is_ts(event.get("ts")))
            and user not in (self._ourselves.user, *_SLACK_ITSELF)
        )

    async def _keep(self, event: Mapping[str, Any], *, shared: bool, only_known: bool = False) -> None:
        channel, said = event["channel"], spoken(event)
        mentions_us = re.search(rf"<@{self._ourselves.user}[|>]", said) is not None or event["type"] == "app_mention"
        addressed = mentions_us or event.get("channel_type") == "im" or channel.startswith("D")
        thread_ts = event["thread_ts"] if _is_ts(event.get("thread_ts")) else event["ts"]
        if not (addressed or only_known) and (thread_ts == event["ts"] or _TO_SOMEBODY_ELSE.search(said)):
            return  # nobody called us, or in a thread of ours somebody else was called
        content = read(event, self._ourselves.user)
        message = InboxMessage(
            thread=ThreadId(self._ourselves.team, channel, thread_ts),
            ts=event["ts"],
            user=event["user"],
            user_team=text(event.get("user_team")) or text(event.get("team")) or self._ourselves.team,
            shared=shared,
            text=content.text,
            files=content.files,
            called_in=mentions_us and thread_ts != event["ts"],
            place=thread_ts,
            private=channel.startswith("D") or event.get("channel_type") in ("im", "mpim", "group"),
        )
        receive = self._inbox.receive(
            message,
            addressed=addressed and not only_known,
            mentioned=mentions_us and not only_known,
            only_known=only_known,
            goes_on_for=self._goes_on_for,
            pass_on=passed_on,
        )
        thread = await asyncio.wait_for(receive, _RECEIVE_TIMEOUT_SECONDS)
        reach("message kept")
        if thread:
            self._tell.wake(thread, message.user)

    def _change(self, event: Mapping[str, Any]) -> tuple[str, str, str | None] | None:
        """Return the channel and ts of a message that was changed, and its new words; none when it was deleted.

        A link that Slack unfolds changes no words, and neither does a mention of us that is added, a comma or a capital
        letter.
        """
        before, after = mapping(event.get("previous_message")), mapping(event.get("message"))
        deleted, channel = event.get("subtype") == "message_deleted", text(event.get("channel"))
        ts = text(before.get("ts")) or text((event if deleted else after).get("deleted_ts" if deleted else "ts"))
        if event.get("type") != "message" or not channel or not _is_ts(ts):
            return None
        if deleted:
            return channel, ts, None
        if event.get("subtype") != "message_changed" or not (before or after.get("edited")):
            return None
        us = self._ourselves.user
        if before and same_words(readable(spoken(before), us), readable(spoken(after), us)):
            return None
        return channel, ts, read(after, us).text


def _unfolded(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the message in which Slack has unfolded a link to another one, which comes after the message itself."""
    before, after = mapping(event.get("previous_message")), mapping(event.get("message"))
    if event.get("subtype") != "message_changed" or spoken(before) != spoken(after) or not before:
        return None
    if len(quotes(after)) <= len(quotes(before)):
        return None
    return {**after, "type": "message", "channel": event.get("channel"), "channel_type": event.get("channel_type")}


def _is_ts(value: object) -> bool:
    return isinstance(value, str) and _TS.fullmatch(value) is not None
