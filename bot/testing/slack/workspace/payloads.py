"""What Slack sends to an app when something happens: the JSON of events and of clicks."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.testing.slack.workspace.objects import Channel, Json, Message, Person

TOKEN = "verification-token-of-the-demo"  # noqa: S105 - Slack's old verification token, which proves nothing


@dataclass(frozen=True, slots=True)
class App:
    """The one app that is installed in the workspace, as its envelopes name it."""

    team_id: str
    app_id: str
    user_id: str
    enterprise_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """With what an app may answer what somebody did: a modal, for three seconds, and an address to post to."""

    app: App
    trigger_id: str
    url: str


def message_event(message: Message, channel: Channel, author: Person) -> Json:
    """Describe a new message, as everybody in the conversation is told."""
    event = message.as_json(with_metadata=True) | _place(message, channel)
    if not author.is_bot:
        event["client_msg_id"] = secrets.token_hex(16)
    if author.is_stranger:
        event |= {"user_team": author.team, "source_team": author.team}
    return event


def mention_event(event: Json) -> Json:
    """Describe the same message a second time, to the app that it mentions: without its files, as Slack does."""
    left_out = ("channel_type", "files") + (("subtype",) if event.get("subtype") == "file_share" else ())
    return {key: value for key, value in event.items() if key not in left_out} | {"type": "app_mention"}


def changed_event(message: Message, before: Message, channel: Channel, now: str) -> Json:
    """Describe an edit, by a person or by `chat.update`."""
    shown = {"message": message.as_json(with_metadata=True), "previous_message": before.as_json(with_metadata=True)}
    return _hidden("message_changed", message, channel, now) | shown


def deleted_event(message: Message, channel: Channel, now: str) -> Json:
    """Describe a deletion."""
    shown = {"deleted_ts": message.ts, "previous_message": message.as_json(with_metadata=True)}
    return _hidden("message_deleted", message, channel, now) | shown


def _place(message: Message, channel: Channel) -> Json:
    return {"channel": channel.id, "channel_type": channel.kind, "event_ts": message.ts}


def _hidden(subtype: str, message: Message, channel: Channel, now: str) -> Json:
    return {"type": "message", "subtype": subtype, "hidden": True, "ts": now} | _place(message, channel)


def event_callback(event: Json, app: App, channel: Channel | None = None) -> Json:
    """Wrap an event for the app; every call is another event with another `event_id`.

    The envelope's team is that which delivers; for whom it is delivered stands in the authorization.
    """
    authorization = {
        "enterprise_id": app.enterprise_id,
        "team_id": app.team_id,
        "user_id": app.user_id,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": TOKEN,
        "team_id": (channel and channel.delivered_by) or app.team_id,
        "context_team_id": app.team_id,
        "context_enterprise_id": app.enterprise_id,
        "api_app_id": app.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(5).upper()}",
        "event_time": int(time.time()),
        "authorizations": [authorization],
        "is_ext_shared_channel": channel is not None and channel.shared_externally,
        "event_context": f"4-{secrets.token_urlsafe(24)}",
    }


def block_actions(action: Json, message: Message, channel: Channel, clicker: Person, reply: Reply) -> Json:
    """Describe a click on an action of a message."""
    ephemeral = message.ephemeral_for is not None
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload: Json = _interaction("block_actions", clicker, reply) | {
        "container": container,
        "channel": _channel(channel),
        "state": {"values": {}},
        "response_url": reply.url,
        "actions": [action | {"action_ts": f"{time.time():.6f}"}],
    }
    return payload if ephemeral else payload | {"message": message.as_json()}


def view_actions(action: Json, view: Json, clicker: Person, reply: Reply) -> Json:
    """Describe a click on an action of a modal or a Home tab, which is in no channel."""
    return _interaction("block_actions", clicker, reply) | {
        "container": {"type": "view", "view_id": view["id"]},
        "view": view,
        "actions": [action | {"action_ts": f"{time.time():.6f}"}],
    }


def view_submission(view: Json, person: Person, reply: Reply) -> Json:
    """Describe a modal that was filled in."""
    return _interaction("view_submission", person, reply) | {"view": view, "response_urls": []}


def message_action(callback_id: str, message: Message, channel: Channel, person: Person, reply: Reply) -> Json:
    """Describe a shortcut that was chosen in a message's menu."""
    return _interaction("message_action", person, reply) | {
        "callback_id": callback_id,
        "action_ts": f"{time.time():.6f}",
        "channel": _channel(channel),
        "message_ts": message.ts,
        "message": message.as_json(),
        "response_url": reply.url,
    }


def slash_command(command: str, text: str, channel: Channel, person: Person, reply: Reply) -> Json:
    """Describe a slash command: all of it is text, as a form has it."""
    return {
        "token": TOKEN,
        "team_id": person.team,
        "team_domain": "acme-shop",
        "channel_id": channel.id,
        "channel_name": _channel(channel)["name"],
        "user_id": person.id,
        "user_name": person.name,
        "command": command,
        "text": text,
        "api_app_id": reply.app.app_id,
        "is_enterprise_install": "false",
        "response_url": reply.url,
        "trigger_id": reply.trigger_id,
    }


def _interaction(kind: str, person: Person, reply: Reply) -> Json:
    return {
        "type": kind,
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team},
        "api_app_id": reply.app.app_id,
        "token": TOKEN,
        "trigger_id": reply.trigger_id,
        # In an organisation a click may come without a workspace.
        "team": None if reply.app.enterprise_id else {"id": reply.app.team_id, "domain": "acme-shop"},
        "enterprise": {"id": reply.app.enterprise_id, "name": "Acme Group"} if reply.app.enterprise_id else None,
        "is_enterprise_install": False,
    }


def _channel(channel: Channel) -> Json:
    return {"id": channel.id, "name": "directmessage" if channel.kind in ("im", "mpim") else channel.name}


def merged(payload: Mapping[str, Any], forged: Mapping[str, Any]) -> Json:
    """Replace parts of a payload, key by key and at any depth, to send what Slack itself would not."""
    result = dict(payload)
    for key, value in forged.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result
