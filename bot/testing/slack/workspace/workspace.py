"""The Slack workspace itself, in memory: who is there, what was said, and what the app is told of it."""

import asyncio
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from bot.testing.slack.workspace.assistant import Assistant
from bot.testing.slack.workspace.deliveries import Deliveries
from bot.testing.slack.workspace.faults import Faults
from bot.testing.slack.workspace.links import Links
from bot.testing.slack.workspace.objects import (
    ApiCall,
    Channel,
    Json,
    Message,
    Person,
    choice_in,
    find_action,
    typed,
    with_block_ids,
)
from bot.testing.slack.workspace.payloads import (
    App,
    block_actions,
    changed_event,
    deleted_event,
    event_callback,
    mention_event,
    merged,
    message_event,
)
from bot.testing.slack.workspace.people import CHANNELS, PEOPLE
from bot.testing.slack.workspace.surfaces import Surfaces

Order = Sequence[Literal["app_mention", "message"]]
MENTION_FIRST: Order = ("app_mention", "message")


class Workspace(Assistant):
    """A workspace with its people, its channels and one app, the bot.

    Its changes are ("message", Message), new or changed, ("deleted", Message), ("status", Status), ("channel",
    Channel), ("view", View), ("details", Details), ("api_call", ApiCall), ("delivery", Delivery) once acked or given
    up, and ("connection", None).
    """

    name = "Acme Shop (demo)"
    team_id = "T0ACME"
    app_id = "A0BOT"
    bot_user_id = "U0BOT"
    bot_id = "B0BOT"

    def __init__(self, people: Iterable[Person] = PEOPLE, channels: Iterable[Channel] = CHANNELS) -> None:
        """Fill the workspace; the bot itself has to be among the people, as `bot_user_id`."""
        super().__init__()
        self.people = {person.id: person for person in people}
        self.channels = {channel.id: channel for channel in channels}
        self.usergroups: dict[str, list[str]] = {}
        self.described: dict[str, list[Json]] = {}  # what is said of files when it is asked for, by id
        self.contents: dict[str, tuple[str, bytes]] = {}  # of files, by id, with their types
        self.calls: list[ApiCall] = []
        self.faults = Faults()
        self.deliveries = Deliveries(lambda delivery: self.notify("delivery", delivery))
        self.surfaces = Surfaces(self)
        self.links = Links(self)
        self.enterprise_id: str | None = None
        self.clock_offset_seconds = 0.0  # by which Slack's clock is ahead of the host's
        self._messages: dict[tuple[str, str], Message] = {}
        self._former: dict[tuple[str, str], list[Message]] = {}
        self._last_ts = 0
        for person in tuple(self.people.values()):
            if not person.is_bot:
                self.open_im(person.id)

    # What is there

    @property
    def app(self) -> App:
        """The one app that is installed here, as its envelopes name it."""
        return App(self.team_id, self.app_id, self.bot_user_id, self.enterprise_id)

    @property
    def messages(self) -> list[Message]:
        """List every message in the order of posting, ephemeral ones included."""
        return list(self._messages.values())

    def message(self, channel: str, ts: str) -> Message | None:
        """Find a message, as it stands now."""
        return self._messages.get((channel, ts))

    def thread(self, channel: str, ts: str) -> list[Message]:
        """List the root and the replies of a thread, in order, without ephemeral messages."""
        return [m for m in self.messages if m.channel == channel and m.root_ts == ts and m.ephemeral_for is None]

    def replies_of_bot(self, message: Message) -> list[Message]:
        """List what the bot posted in the thread of a message."""
        return [m for m in self.thread(message.channel, message.root_ts) if m.user == self.bot_user_id]

    def as_typed(self, raw: str) -> str:
        """Write what somebody typed as Slack stores it: escaped, with `@Real Name` as a mention."""
        return typed(raw, self.people.values())

    def describe(self) -> str:
        """List the messages, the statuses, the calls and what was not acked."""
        lines = [
            f"{m.channel} {m.thread_ts or ''}/{m.ts} {m.user}: {m.text!r}, {len(m.blocks)} blocks"
            for m in self.messages
        ]
        lines += [f"status in {s.channel} {s.thread_ts}: {s.status}" for s in self.statuses.values()]
        lines += [f"not acked: {d.kind} {d.payload.get('event', d.payload)}" for d in self.deliveries if not d.acked]
        lines += [f"last calls: {', '.join(call.method for call in self.calls[-10:])}"]
        return "The workspace holds:\n" + "\n".join(lines)

    # What changes it

    def add(self, *things: Person | Channel) -> None:
        """Add people and channels, in place of those with the same id."""
        for thing in things:
            if isinstance(thing, Person):
                self.people[thing.id] = thing
            else:
                self.channels[thing.id] = thing
                self.notify("channel", thing)

    def open_im(self, user: str) -> Channel:
        """Find or open the direct message of a person and the bot."""
        channel = f"D{user[1:]}"
        if channel not in self.channels:
            self.add(Channel(channel, self.people[user].name, "im", frozenset({user, self.bot_user_id})))
        return self.channels[channel]

    def post(
        self,
        user: str,
        channel: str,
        text: str,
        *,
        thread_ts: str | None = None,
        blocks: Iterable[Json] = (),
        ephemeral_for: str | None = None,
        metadata: Json | None = None,
        subtype: str | None = None,
        files: Iterable[Json] = (),
        attachments: Iterable[Json] = (),
        streaming: str | None = None,
    ) -> Message:
        """Store a new message, with a `ts` above all others; `announce` tells the app of it."""
        author = self.people[user]
        message = Message(
            channel=channel,
            ts=self.next_ts(),
            user=user,
            text=text,
            team=author.team,
            thread_ts=thread_ts,
            blocks=with_block_ids(blocks),
            ephemeral_for=ephemeral_for,
            metadata=metadata,
            subtype=subtype,
            files=tuple(files),
            attachments=tuple(attachments),
            streaming=streaming,
            bot_id=f"B{user[1:]}" if author.is_bot else None,
            app_id=f"A{user[1:]}" if author.is_bot else None,
        )
        self._messages[channel, message.ts] = message
        if user == self.bot_user_id and ephemeral_for is None:
            self.clear_status(channel, message.root_ts)
        self.notify("message", message)
        return message

    def update(self, channel: str, ts: str, **changes: Any) -> Message:
        """Replace fields of a message in its place, and tell the app that it was changed."""
        before = self._messages[channel, ts]
        if "blocks" in changes:
            changes["blocks"] = with_block_ids(changes["blocks"])
        message = replace(before, **changes)
        self._former.setdefault((channel, ts), []).append(before)
        self._messages[channel, ts] = message
        self.notify("message", message)
        if message.ephemeral_for is None:
            self._tell_app(changed_event(message, before, self.channels[channel], self.next_ts()), channel)
        return message

    def delete(self, channel: str, ts: str) -> None:
        """Take a message away, and tell the app that it was deleted."""
        message = self._messages.pop((channel, ts))
        self.notify("deleted", message)
        if message.ephemeral_for is None:
            self._tell_app(deleted_event(message, self.channels[channel], self.next_ts()), channel)

    def record_call(self, method: str, arguments: Json) -> None:
        """Remember a call of the Web API."""
        call = ApiCall(method, arguments)
        self.calls.append(call)
        self.notify("api_call", call)

    # What people do

    async def say(
        self,
        user: str,
        channel: str,
        text: str,
        thread_ts: str | None = None,
        *,
        order: Order = MENTION_FIRST,
        copies: int = 1,
        subtype: str | None = None,
        files: Iterable[Json] = (),
        attachments: Iterable[Json] = (),
        forged: Mapping[str, Any] | None = None,
    ) -> Message:
        """Write a message as somebody, and return when its events are on their way; see `announce`."""
        sent = tuple(files)
        subtype = subtype or ("file_share" if sent else None)
        message = self.post(
            user, channel, text, thread_ts=thread_ts, subtype=subtype, files=sent, attachments=attachments
        )
        self.announce(message, order=order, copies=copies, forged=forged)
        await asyncio.sleep(0)
        return message

    def announce(
        self,
        message: Message,
        *,
        order: Order = MENTION_FIRST,
        copies: int = 1,
        forged: Mapping[str, Any] | None = None,
    ) -> None:
        """Send the app the events of a message: `message`, and `app_mention` when it mentions the bot in a channel.

        They go in the given order, each as many times as there are copies; copies share their `event_id`, the two
        events do not. What is forged replaces parts of both envelopes.
        """
        channel = self.channels[message.channel]
        events = {"message": message_event(message, channel, self.people[message.user])}
        if channel.kind != "im" and re.search(rf"<@{self.bot_user_id}[|>]", message.text):
            events["app_mention"] = mention_event(events["message"])
        for kind in order:
            if kind in events:
                self._tell_app(events[kind], message.channel, copies, forged)
        if message.user != self.bot_user_id and (event := self.links.shared_event(message, channel)):
            self.deliveries.send("events_api", merged(event_callback(event, self.app, channel), forged or {}))

    async def send_event(self, event: Json, *, copies: int = 1, forged: Mapping[str, Any] | None = None) -> None:
        """Send the app an event of any kind, and return when it is on its way."""
        self._tell_app(event, None, copies, forged)
        await asyncio.sleep(0)

    async def click(
        self,
        user: str,
        channel: str,
        message_ts: str,
        action_id: str,
        *,
        block_id: str | None = None,
        value: str | None = None,
        forged: Mapping[str, Any] | None = None,
    ) -> bool:
        """Click as somebody an action of a message, and return whether the app acked in time.

        Of a menu the value names the option that is chosen; one that it has not got is a LookupError.
        What the message showed before an update can still be clicked, as by a person whose screen is behind. Another
        value, or what is forged, replaces parts of what Slack would send.
        """
        message = self._messages[channel, message_ts]
        action = self._find_action(message, action_id, block_id)
        if action["type"] == "static_select":
            action = self._chosen(message, action, value or "")
        elif value is not None:
            action["value"] = value
        reply = self.surfaces.reply(user, channel, message)
        payload = block_actions(action, message, self.channels[channel], self.people[user], reply)
        return bool(await self.deliveries.send("interactive", merged(payload, forged or {})).outcome)

    # How it is done

    def next_ts(self) -> str:
        """Make a `ts` above all others, by Slack's clock."""
        self._last_ts = max(self._last_ts + 1, time.time_ns() // 1000 + int(self.clock_offset_seconds * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def _tell_app(
        self, event: Json, channel: str | None, copies: int = 1, forged: Mapping[str, Any] | None = None
    ) -> None:
        place = self.channels[channel] if channel else None
        if place and self.bot_user_id not in place.members:
            return
        payload = merged(event_callback(event, self.app, place), forged or {})
        for _ in range(copies):
            self.deliveries.send("events_api", payload)

    def _chosen(self, message: Message, action: Json, value: str) -> Json:
        versions = [message, *reversed(self._former.get((message.channel, message.ts), []))]
        return choice_in(action, [block for version in versions for block in version.blocks], value)

    def _find_action(self, message: Message, action_id: str, block_id: str | None) -> Json:
        versions = [message, *reversed(self._former.get((message.channel, message.ts), []))]
        return find_action([version.blocks for version in versions], action_id, block_id)
