"""What a thread's messages tell: what was just said, what it goes on with, what the tools answered, what was noted."""

import json
from dataclasses import dataclass
from typing import Any

from bot.demo.offline_model.wire import apart
from bot.demo.offline_model.words import WISH, orders_in, plain
from bot.testing.openai import Json, Request, text_of

_NOTES = ("system", "developer")


@dataclass(frozen=True)
class ToolResult:
    """The answer to one tool call; plain text, which some tools answer, is taken for its `message`."""

    tool: str
    arguments: Json
    content: Json
    notes: list[str]
    """The system notes that came after it."""

    @property
    def summary(self) -> str:
        """What a request for approval asks for, such as `Refund of $42.00 for ORD-10234`."""
        return str(self.content.get("message") or "").partition(" waits until")[0]


@dataclass(frozen=True)
class Thread:
    """A thread, seen from its last message."""

    request: Request
    said: str
    """What the user wrote since our last turn."""
    earlier: list[str]
    """What the user wrote before, newest first."""
    wish: list[str]
    """What was said, newest first, with what it answers: it goes back over our questions to the last wish."""
    orders: tuple[str, ...]
    """The orders of the newest message that names any."""
    we_said: str
    """Our last text."""
    new_notes: list[str]
    """The system notes since our last turn."""
    new_outputs: list[ToolResult]
    """What the tools answered to our last turn, when nobody has spoken since."""
    waiting: list[ToolResult]
    """The requests for approval that this thread made, decided or not."""


def read(request: Request) -> Thread:
    """Read the messages of a request; the first system message is the instructions and no note."""
    messages = list(request.messages)
    if messages and messages[0]["role"] in _NOTES:
        messages = messages[1:]
    messages = apart(messages)
    ours = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
    new = ours[-1] + 1 if ours else 0
    said = "\n".join(_texts(messages[new:], "user"))
    earlier = _texts(messages[:new], "user")[::-1]
    spoken = [message["role"] for message in messages if message["role"] not in _NOTES]
    return Thread(
        request=request,
        said=said,
        earlier=earlier,
        wish=_wish(said, messages[:new]),
        orders=next(filter(None, map(orders_in, (said, *earlier))), ()),
        we_said=next(filter(None, reversed(_texts(messages, "assistant"))), ""),
        new_notes=_texts(messages[new:], *_NOTES),
        new_outputs=_outputs(messages, new) if spoken[-1:] == ["tool"] else [],
        waiting=[one for one in _outputs(messages, 0) if one.content.get("status") == "waiting_for_approval"],
    )


def _wish(said: str, before: list[Json]) -> list[str]:
    wish = [said]
    for message in reversed(before):
        text = plain(text_of(message))
        ended = message["role"] == "assistant" and text and "?" not in text
        if ended or "?" in said or WISH.search(wish[-1]):
            break
        if message["role"] == "user":
            wish.append(text)
    return wish


def _outputs(messages: list[Json], start: int) -> list[ToolResult]:
    calls = {call["id"]: call["function"] for message in messages for call in message.get("tool_calls") or ()}
    found = []
    for index, message in enumerate(messages[start:], start):
        if message["role"] == "tool":
            call = calls.get(message.get("tool_call_id"), {"name": "", "arguments": ""})
            content, notes = _object(text_of(message)), _texts(messages[index:], *_NOTES)
            found.append(ToolResult(call["name"], _object(call["arguments"]), content, notes))
    return found


def _texts(messages: list[Json], *roles: str) -> list[str]:
    return [plain(text_of(message)) for message in messages if message["role"] in roles]


def _object(text: str) -> Json:
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    return value if isinstance(value, dict) else {"message": value if isinstance(value, str) else text}
