"""The objects of a Slack workspace (user, conversation, message) and how Slack writes each of them as JSON."""

import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Json = dict[str, Any]


class ApiCall(NamedTuple):
    """One call of a Web API method, as it came in."""

    method: str
    arguments: Json


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a workspace, or a stranger in a shared channel."""

    id: str
    name: str
    real_name: str
    title: str = ""
    email: str | None = None
    team: str = "T0ACME"
    is_bot: bool = False
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    is_stranger: bool = False
    deleted: bool = False
    can_act: bool = False
    enterprise: str | None = None
    is_email_confirmed: bool | None = True
    is_invited_user: bool = False

    def as_json(self) -> Json:
        """Write the user object that `users.info` answers with; what a person does not have has no key."""
        profile: Json = {
            "title": self.title,
            "real_name": self.real_name,
            "real_name_normalized": self.real_name,
            "display_name": self.name,
            "display_name_normalized": self.name,
            "team": self.team,
        }
        if self.email is not None:
            profile["email"] = self.email
        marks: Json = {} if self.is_email_confirmed is None else {"is_email_confirmed": self.is_email_confirmed}
        if self.is_invited_user:
            marks["is_invited_user"] = True
        if self.enterprise:
            marks["enterprise_user"] = {
                "id": self.id,
                "enterprise_id": self.enterprise,
                "enterprise_name": "Acme Group",
                "is_admin": self.is_admin,
                "is_owner": self.is_owner,
                "teams": [self.team] if self.team.startswith("T") else [],
            }
        return marks | {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": self.deleted,
            "tz": "Etc/UTC",
            "tz_label": "Coordinated Universal Time",
            "tz_offset": 0,
            "profile": profile,
            "is_admin": self.is_admin,
            "is_owner": self.is_owner,
            "is_primary_owner": self.is_owner,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": False,
            "is_stranger": self.is_stranger,
            "is_bot": self.is_bot,
            "is_app_user": False,
        }


@dataclass(frozen=True, slots=True)
class Channel:
    """A conversation: a public channel, a private one ("group"), a direct message ("im"), or one of several ("mpim").

    Of a shared channel, events come from the workspace `delivered_by`, which may be a partner's or another of the
    organisation.
    """

    id: str
    name: str
    kind: Literal["channel", "group", "im", "mpim"]
    members: frozenset[str]
    topic: str = ""
    shared_externally: bool = False
    shared_with: tuple[str, ...] = ()
    delivered_by: str | None = None

    def as_json(self, bot_user: str) -> Json:
        """Write the conversation object as the bot sees it."""
        if self.kind == "im":
            (person,) = self.members - {bot_user}
            return {"id": self.id, "is_im": True, "user": person, "is_open": True, "is_ext_shared": False}
        return {
            "id": self.id,
            "name": self.name,
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "group",
            "is_im": False,
            "is_mpim": self.kind == "mpim",
            "is_private": self.kind != "channel",
            "is_archived": False,
            "is_member": bot_user in self.members,
            "is_shared": self.shared_externally,
            "is_ext_shared": self.shared_externally,
            "shared_team_ids": list(self.shared_with),
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "num_members": len(self.members),
        }


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it stands now; `thread_ts` is None for the root of a thread."""

    channel: str
    ts: str
    user: str
    text: str
    team: str
    thread_ts: str | None = None
    blocks: tuple[Json, ...] = ()
    edited: bool = False
    ephemeral_for: str | None = None
    metadata: Json | None = None
    subtype: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    files: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    streaming: str | None = None
    """How its tasks are shown, while the app streams it."""

    @property
    def root_ts(self) -> str:
        """Name the thread that the message is in, or would start."""
        return self.thread_ts or self.ts

    def as_json(self, *, with_metadata: bool = False) -> Json:
        """Write the message object; what a person typed comes with the rich text that Slack makes of it."""
        written: Json = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text, "team": self.team}
        blocks = self.blocks if self.bot_id or self.blocks else rich_text(self.text)
        optional = {
            "blocks": list(blocks),
            "thread_ts": self.thread_ts,
            "subtype": self.subtype,
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "edited": {"user": self.user, "ts": self.ts} if self.edited else None,
            "metadata": self.metadata if with_metadata else None,
            "files": list(self.files),
            "attachments": list(self.attachments),
        }
        return written | {key: value for key, value in optional.items() if value}


@dataclass(frozen=True, slots=True)
class Status:
    """What the bot says that it is doing in a thread; an empty text means nothing."""

    channel: str
    thread_ts: str
    status: str


@dataclass(frozen=True, slots=True)
class Session:
    """How a thread of a direct message stands: active, processing, suspended or closed."""

    channel: str
    thread_ts: str
    state: str
    title: str


def actions_of(blocks: Iterable[Json]) -> Iterator[Json]:
    """Write every action that can be taken in these blocks as a click on it reports it."""
    for block in blocks:
        for element in [*block.get("elements", []), block.get("accessory", {})]:
            if "action_id" in element:
                pressed = element | element.get("positive_button", {})  # a click with another value presses the other
                reported = {key: pressed[key] for key in ("type", "text", "value", "style") if key in pressed}
                yield {"action_id": element["action_id"], "block_id": block["block_id"]} | reported


def choice_in(action: Json, blocks: Iterable[Json], value: str) -> Json:
    """Write the choice of an option of a menu as Slack reports it. Raises LookupError when the menu has no such one."""
    for block in blocks:
        for element in [*block.get("elements", []), block.get("accessory", {})]:
            if (element.get("action_id"), block["block_id"]) == (action["action_id"], action["block_id"]):
                for option in element.get("options", []):
                    if option["value"] == value:
                        return action | {"selected_option": option, "placeholder": element.get("placeholder")}
    raise LookupError(f"The menu {action['action_id']} has no option {value}.")


def with_block_ids(blocks: Iterable[Json]) -> tuple[Json, ...]:
    """Give each block the id that Slack gives it, unless it has one."""
    return tuple({"block_id": secrets.token_urlsafe(4)} | block for block in blocks)


def find_action(versions: Iterable[Iterable[Json]], action_id: str, block_id: str | None) -> Json:
    """Find an action in the newest version of a message that has it. Raises LookupError."""
    for blocks in versions:
        for action in actions_of(blocks):
            if action["action_id"] == action_id and block_id in (None, action["block_id"]):
                return action
    raise LookupError(f"The message has no action {action_id}.")


def typed(raw: str, people: Iterable[Person]) -> str:
    """Write what somebody typed as Slack stores it: escaped, with links marked and `@Real Name` as a mention."""
    text = re.sub(r"https?://[^\s<>|]*[^\s<>|.,;:!?)]", r"<\g<0>>", escape(raw))
    for person in sorted(people, key=lambda person: -len(person.real_name)):
        text = re.sub(rf"@{re.escape(escape(person.real_name))}\b", f"<@{person.id}>", text, flags=re.IGNORECASE)
    return text


def rich_text(text: str) -> tuple[Json, ...]:
    """Turn a message as typed into the rich_text block that Slack adds to it."""
    parts: list[Json] = []
    for piece in re.split(r"(<[^<>]+>)", text):
        if piece.startswith("<@"):
            parts.append({"type": "user", "user_id": piece[2:-1].partition("|")[0]})
        elif piece.startswith("<"):
            url, _, label = piece[1:-1].partition("|")
            parts.append({"type": "link", "url": url} | ({"text": label} if label else {}))
        elif piece:
            parts.append({"type": "text", "text": unescape(piece)})
    section = {"type": "rich_text_section", "elements": parts}
    return ({"type": "rich_text", "block_id": "typed", "elements": [section]},)


def escape(text: str) -> str:
    """Write the three characters that mean something to Slack as entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Undo `escape`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
