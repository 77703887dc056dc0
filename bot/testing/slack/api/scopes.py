"""The scopes of a bot token: which ones each method needs, and how Slack refuses a token that lacks them."""

from collections.abc import Set as AbstractSet

from bot.testing.slack.api.arguments import SlackError
from bot.testing.slack.workspace.objects import Channel

DEFAULT_SCOPES = frozenset(
    {
        "app_mentions:read",
        "assistant:write",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "links:read",
        "links:write",
        "mpim:history",
        "mpim:read",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
)
_FAMILIES = {"channel": "channels:", "group": "groups:", "im": "im:", "mpim": "mpim:"}
_READ = ("channels:read", "groups:read", "mpim:read", "im:read")
_HISTORY = ("channels:history", "groups:history", "mpim:history", "im:history")
_WRITE = ("channels:manage", "groups:write", "im:write", "mpim:write")
NEEDED: dict[str, tuple[str, ...]] = {
    "files.info": ("files:read",),
    "bots.info": ("users:read",),
    "users.info": ("users:read",),
    "users.list": ("users:read",),
    "usergroups.users.list": ("usergroups:read",),
    "conversations.open": _WRITE,
    "conversations.info": _READ,
    "conversations.members": _READ,
    "conversations.history": _HISTORY,
    "conversations.replies": _HISTORY,
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.unfurl": ("links:write",),
    "chat.delete": ("chat:write",),
    "chat.startStream": ("chat:write",),
    "chat.appendStream": ("chat:write",),
    "chat.stopStream": ("chat:write",),
    "agents.sessions.setStatus": ("chat:write",),
    "assistant.threads.setStatus": ("assistant:write", "chat:write"),
    "assistant.threads.setSuggestedPrompts": ("assistant:write", "chat:write"),
}


def check_scopes(method: str, scopes: AbstractSet[str], channel: Channel | None = None) -> None:
    """Raise missing_scope unless the token has one of the scopes that the method accepts.

    What reads a conversation needs the scope of that kind of conversation.
    """
    needed = NEEDED.get(method, ())
    if channel and needed in (_READ, _HISTORY):
        needed = tuple(scope for scope in needed if scope.startswith(_FAMILIES[channel.kind]))
    if needed and scopes.isdisjoint(needed):
        raise SlackError("missing_scope", needed=",".join(needed), provided=",".join(sorted(scopes)))
