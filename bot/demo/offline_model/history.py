"""What a thread's messages tell: what was just said, what was said before, what the tools answered, what was noted."""

import json
from dataclasses import dataclass
from typing import Any

from bot.demo.offline_model.reading import orders_in, plain, words_in
from bot.testing.openai import Json, Request, text_of

_NOTES = ("system", "developer")


@dataclass(frozen=True, slots=True)
class Output:
    """What came of one tool call; plain text, which some tools answer, is taken for its `message`."""

    tool: str
    arguments: Json
    content: Json
    notes: tuple[str, ...]
    """The system notes that came after it."""


@dataclass(frozen=True, slots=True)
class History:
    """A thread, seen from its last message."""

    said: str
    """What the user wrote since our last turn."""
    asked: str
    """What the user wrote since our last text, which is what calls in between are for."""
    earlier: tuple[str, ...]
    """What the user wrote before, newest first."""
    since_refund: tuple[str, ...]
    """Those of the earlier texts that came after the last refund request that was not refused."""
    we_said: str
    """Our last text."""
    new_outputs: tuple[Output, ...]
    """What the tools answered to our last turn, when nobody has spoken since."""
    outputs: tuple[Output, ...]
    """Everything that the tools ever answered, oldest first."""
    notes: tuple[str, ...]
    """The system notes, oldest first."""
    new_notes: tuple[str, ...]
    """Those of them that came since our last turn."""
    request: Request

    @property
    def gist(self) -> str:
        """What was just said, on one line of readable length."""
        return " ".join(self.said.split())[:200]

    @property
    def orders(self) -> tuple[str, ...]:
        """The orders of the newest message that names any, by number or by a thing that only one order has."""
        bought = self._bought()
        for text in (self.said, *self.earlier):
            if named := orders_in(text):
                return named
            fitting = [order for order, things in bought.items() if things & words_in(text)]
            if len(fitting) == 1:
                return (fitting[0],)
        return tuple(bought) if len(bought) == 1 else ()

    @property
    def waiting(self) -> tuple[Output, ...]:
        """The requests for approval that this thread made."""
        return tuple(output for output in self.outputs if output.content.get("status") == "waiting_for_approval")

    def _bought(self) -> dict[str, frozenset[str]]:
        """Read the words for what is in each order from the newest list of orders."""
        lists = [output.content.get("orders") for output in self.outputs if output.tool == "find_orders"]
        found = lists[-1] if lists and isinstance(lists[-1], list) else []
        return {
            str(order["order_id"]): words_in(str(order.get("items") or ""))
            for order in found
            if isinstance(order, dict) and order.get("order_id")
        }


def read(request: Request) -> History:
    """Read the messages of a request; the first system message is the instructions and no note."""
    messages = list(request.messages)
    if messages and messages[0]["role"] in _NOTES:
        messages = messages[1:]
    spoken = [index for index, message in enumerate(messages) if message["role"] not in _NOTES]
    ours = [index for index in spoken if messages[index]["role"] == "assistant"]
    last_turn = ours[-1] if ours else -1
    texts = {index: text for index in ours if (text := text_of(messages[index]))}
    last_text = max(texts, default=-1)
    refund = max((index for index in ours if _asked_for_refund(messages, index)), default=-1)
    answered = bool(spoken) and messages[spoken[-1]]["role"] == "tool"
    return History(
        said="\n".join(reversed(_user_texts(messages[last_turn + 1 :]))),
        asked="\n".join(reversed(_user_texts(messages[last_text + 1 :]))),
        earlier=_user_texts(messages[: last_turn + 1]),
        since_refund=_user_texts(messages[refund + 1 : last_turn + 1]),
        we_said=texts.get(last_text, ""),
        new_outputs=_outputs(messages, last_turn) if answered else (),
        outputs=_outputs(messages, 0),
        notes=_note_texts(messages),
        new_notes=_note_texts(messages[last_turn + 1 :]),
        request=request,
    )


def _user_texts(messages: list[Json]) -> tuple[str, ...]:
    return tuple(plain(text_of(message)) for message in reversed(messages) if message["role"] == "user")


def _note_texts(messages: list[Json]) -> tuple[str, ...]:
    return tuple(plain(text_of(message)) for message in messages if message["role"] in _NOTES)


def _outputs(messages: list[Json], start: int) -> tuple[Output, ...]:
    calls = {call["id"]: call["function"] for message in messages for call in message.get("tool_calls") or ()}
    found = []
    for index, message in enumerate(messages[start:], start):
        if message["role"] == "tool":
            call = calls.get(message.get("tool_call_id"), {"name": "", "arguments": ""})
            content = _object(text_of(message))
            arguments = _object(call["arguments"])
            notes = _note_texts(messages[index:])
            found.append(Output(call["name"], arguments, content, notes))
    return tuple(found)


def _asked_for_refund(messages: list[Json], turn: int) -> bool:
    """Return whether a turn asked for a refund without being refused."""
    ids = {
        call["id"] for call in messages[turn].get("tool_calls") or () if call["function"]["name"] == "initiate_refund"
    }
    answers = (
        message for message in messages[turn:] if message["role"] == "tool" and message.get("tool_call_id") in ids
    )
    return any("error" not in _object(text_of(message)) for message in answers)


def _object(text: str) -> Json:
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    if isinstance(value, dict):
        return value
    return {"message": value if isinstance(value, str) else text}
