"""What happened in a conversation that was played: values, without any judgement."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.evaluation.conversation import written
from bot.testing.slack.workspace import Message
from bot.testing.slack.workspace.objects import actions_of


@dataclass(frozen=True, slots=True)
class Call:
    """A row of `tool_calls`; what was sent is empty when it is no JSON object."""

    id: str
    tool: str
    status: str
    gated: bool
    gate: str
    sent: dict[str, Any]
    arguments: dict[str, Any]
    error: str | None
    decided_by: str | None

    @classmethod
    def of(cls, row: sqlite3.Row) -> "Call":
        """Make a call of its row in the log."""
        return cls(
            id=row["id"],
            tool=row["tool"],
            status=row["status"],
            gated=bool(row["gated"]),
            gate=row["gate"],
            sent=_object(row["arguments_sent"]),
            arguments=_object(row["arguments"]),
            error=row["error"],
            decided_by=row["decided_by"],
        )

    def __str__(self) -> str:
        shown = self.sent or self.arguments
        return written(self.tool, {name: value for name, value in shown.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Played:
    """One step: what the bot did between it and the next one."""

    calls: tuple[Call, ...] = ()
    posts: tuple[str, ...] = ()
    """What the bot posted in the thread, cards included."""
    words: tuple[str, ...] = ()
    """What the model itself wrote."""
    seen: dict[str, frozenset[str]] = field(default_factory=dict)
    """By tool: who sees a card with buttons of a request that waits."""
    done: tuple[Call, ...] = ()
    """Every gated call that has been done by the end of the step."""
    refused: bool = False
    seconds: float | None = None
    """Until the bot's first post."""
    problem: str | None = None
    """Why the conversation could not go on from here."""

    @property
    def answer(self) -> str:
        """Return all that the thread was shown."""
        return "\n".join(self.posts)


@dataclass(frozen=True, slots=True)
class Usage:
    """What the model was asked for, and what it took."""

    calls: int = 0
    turns: int = 0
    """Calls for the next turn of a conversation; the others sort what it is about."""
    failed: int = 0
    """Turns that the model did not give."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    error: str | None = None
    """The last error of a turn that failed."""

    @property
    def unanswered(self) -> bool:
        """Return whether the model was asked, and never gave a turn."""
        return self.turns > 0 and self.failed == self.turns


@dataclass(frozen=True, slots=True)
class Record:
    """A conversation that was played, as far as it got."""

    steps: tuple[Played, ...]
    usage: Usage
    refunded: dict[str, int] = field(default_factory=dict)
    """What has gone back, in cents by order."""
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the shop has of each order in the end, by the names of `OrderInTheEnd`; money in cents."""
    balances: dict[str, int] = field(default_factory=dict)


_BUTTONS = ("button", "feedback_buttons")


def shown(message: Message) -> str:
    """Read all the text that a message shows, without what is on its buttons: that is no answer."""
    return "\n".join(_texts(message.blocks)) or message.text


def buttons(message: Message) -> dict[str, str]:
    """Return the values of a message's buttons by `action_id`."""
    return {action["action_id"]: action.get("value", "") for action in actions_of(message.blocks)}


def _texts(part: Any) -> Iterable[str]:
    if isinstance(part, dict) and part.get("type") not in _BUTTONS:
        if isinstance(part.get("text"), str):
            yield part["text"]
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, list | tuple):
        for one in part:
            yield from _texts(one)


def _object(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
