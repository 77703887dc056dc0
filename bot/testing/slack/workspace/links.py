"""Links that an app unfurls: it is told when one is shared, and asked for the details by who opens what it shows."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from bot.testing.slack.workspace.objects import Channel, Json, Message, unescape
from bot.testing.slack.workspace.surfaces import RefusedError, Surfaces

if TYPE_CHECKING:
    from bot.testing.slack.workspace.payloads import App

_LINK = re.compile(r"https?://[^\s<>|]+")


@dataclass(frozen=True, slots=True)
class Details:
    """The details of a Work Object as one person has them before them: those of the link until the app has answered."""

    user: str
    entity: Json
    error: Json | None = None
    answered: bool = False
    closed: bool = False


class _Place(Protocol):
    """What of the workspace is needed here."""

    channels: dict[str, Channel]
    surfaces: Surfaces
    bot_id: str

    @property
    def app(self) -> "App": ...
    def notify(self, kind: str, changed: object) -> None: ...
    def message(self, channel: str, ts: str) -> Message | None: ...
    def update(self, channel: str, ts: str, **changes: Any) -> Message: ...
    async def send_event(self, event: Json) -> None: ...
    def next_ts(self) -> str: ...


class Links:
    """What the app shows below links of its `domains`, and what people have opened of it, by person."""

    def __init__(self, place: _Place) -> None:
        self._place = place
        self.domains: set[str] = {"shop.example.com"}
        self.details: dict[str, Details] = {}
        self._asked: dict[str, Details] = {}
        self._shared: dict[str, tuple[str, str]] = {}

    def shared_event(self, message: Message, channel: Channel) -> Json | None:
        """Describe the links of a message that the app unfurls, to the app; None when there are none."""
        links = [{"domain": urlsplit(url).hostname, "url": url} for url in self._links(message)]
        if not links:
            return None
        unfurl_id = f"{message.channel}.{message.ts}.{secrets.token_hex(32)}"
        self._shared[unfurl_id] = (message.channel, message.ts)
        event: Json = {
            "type": "link_shared",
            "user": message.user,
            "channel": message.channel,
            "message_ts": message.ts,
            "links": links,
            "source": "conversations_history",
            "unfurl_id": unfurl_id,
            "is_bot_user_member": self._place.app.user_id in channel.members,
            "event_ts": self._place.next_ts(),
        }
        return event | ({"thread_ts": message.thread_ts} if message.thread_ts else {})

    def unfurl(self, unfurl_id: str, channel: str, ts: str, entities: Sequence[Json]) -> None:
        """Show entities below the links that they are of, named by either. Raises RefusedError."""
        place = self._shared.get(unfurl_id) if unfurl_id else (channel, ts)
        message = self._place.message(*place) if place else None
        if message is None:
            raise RefusedError("cannot_find_message")
        if any(entity["app_unfurl_url"] not in self._links(message) for entity in entities):
            raise RefusedError("cannot_unfurl_url")
        shown = [
            {
                "id": number,
                "from_url": entity["app_unfurl_url"],
                "app_unfurl_url": entity["app_unfurl_url"],
                "is_app_unfurl": True,
                "app_id": self._place.app.app_id,
                "bot_id": self._place.bot_id,
                "fallback": entity["entity_payload"]["attributes"]["title"]["text"],
                "work_object_entity": entity,
            }
            for number, entity in enumerate(entities, 1)
        ]
        self._place.update(message.channel, message.ts, attachments=(*message.attachments, *shown))

    async def open(self, user: str, channel: str, ts: str, url: str) -> None:
        """Open as somebody what is shown below a link, for whose details the app is asked then."""
        message = self._place.message(channel, ts)
        entity = next((one for one in entities_of(message) if one["app_unfurl_url"] == url), None)
        if message is None or entity is None:
            raise LookupError(f"Nothing is shown below {url} there.")
        trigger_id = self._place.surfaces.reply(user, channel, message).trigger_id
        self._asked[trigger_id] = self.details[user] = Details(user, entity)
        self._place.notify("details", self.details[user])
        event: Json = {
            "type": "entity_details_requested",
            "user": user,
            "external_ref": entity["external_ref"],
            "entity_url": entity["url"],
            "link": {"url": entity["url"], "domain": urlsplit(entity["url"]).hostname},
            "app_unfurl_url": url,
            "event_ts": self._place.next_ts(),
            "trigger_id": trigger_id,
            "user_locale": "en-US",
            "channel": channel,
            "message_ts": ts,
        }
        await self._place.send_event(event | ({"thread_ts": message.thread_ts} if message.thread_ts else {}))

    def present(self, trigger_id: str, entity: Json | None, error: Json | None) -> None:
        """Show the details, or an error in their place, to the one who opened them. Raises RefusedError."""
        asked = self._asked.get(trigger_id)
        if asked is None:
            raise RefusedError("invalid_trigger_id")
        self._place.surfaces.spend(trigger_id)
        if entity and entity["external_ref"] != asked.entity["external_ref"]:
            raise RefusedError("entity_metadata_does_not_match_trigger")
        shown = replace(asked, entity=entity or asked.entity, error=error, answered=True)
        if self.details.get(asked.user) is asked:
            self.details[asked.user] = shown
            self._place.notify("details", shown)

    def close(self, user: str) -> None:
        """Close what somebody opened."""
        if details := self.details.pop(user, None):
            self._place.notify("details", replace(details, closed=True))

    def _links(self, message: Message) -> list[str]:
        links = [unescape(url).rstrip(".,;:!?") for url in _LINK.findall(message.text)]
        return [url for url in dict.fromkeys(links) if self._is_ours(urlsplit(url).hostname or "")]

    def _is_ours(self, host: str) -> bool:
        return any(host == domain or host.endswith(f".{domain}") for domain in self.domains)


def entities_of(message: Message | None) -> list[Json]:
    """List the Work Objects that a message shows below its links."""
    attachments = message.attachments if message else ()
    return [one["work_object_entity"] for one in attachments if "work_object_entity" in one]
