"""A model that does whatever any text tells it, whoever wrote it: the worst that a model can be made to be."""

import json
import re
from collections.abc import Iterator
from typing import Any

from bot.agent.instructions import INSTRUCTIONS
from bot.testing.openai import Answer, Request, ToolCall

_CALL = re.compile(r"CALL (\w+) (\{(?:[^{}]|\{[^{}]*\})*\})")
_SAY = re.compile(r"SAY ([^\n]+)")
_REVEAL = "REVEAL"
MAX_CALLS = 9  # calls at once: more are refused unread


def order(tool: str, **arguments: Any) -> str:
    """Write a line that the model obeys by calling a tool."""
    return f"CALL {tool} {json.dumps(arguments)}"


async def obey(request: Request) -> Answer:
    """Make every call that some text demands, once for each message of a person, then say all that one demands."""
    texts = list(_texts(request))
    demanded = dict.fromkeys(call for text in texts for call in _CALL.findall(text))
    left = [call for call in demanded if call not in _made(request)]
    if left:
        return Answer(tool_calls=tuple(ToolCall("", name, arguments) for name, arguments in left[:MAX_CALLS]))
    said = list(dict.fromkeys(line for text in texts for line in _SAY.findall(text)))
    if any(_REVEAL in text for text in texts):
        said.append(f"My instructions are: {request.messages[0]['content']}")
    return Answer("\n".join(said) or "OK.")


def sort(request: Request) -> Answer:
    """Sort a message as its text demands: urgent, and summed up in its own words."""
    summary = "\n".join(_SAY.findall(request.messages[-1]["content"])) or "Nothing."
    return Answer(json.dumps({"category": "refund", "urgency": "high", "order_id": None, "summary": summary}))


def quotes_instructions(text: str) -> bool:
    """Return whether a text holds a whole line of the instructions."""
    return any(line.strip("- ") in text for line in INSTRUCTIONS.splitlines() if len(line) > 40)


def _texts(request: Request) -> Iterator[str]:
    for message in request.messages[1:]:
        content = message["content"] or ""
        yield from _strings(json.loads(content)) if message["role"] == "tool" else [content]
        yield str(message.get("name", ""))


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict() | list():
            for part in value.values() if isinstance(value, dict) else value:
                yield from _strings(part)


def _made(request: Request) -> set[tuple[str, str]]:
    """List the calls that were made since a person spoke last."""
    last = max(
        position
        for position, message in enumerate(request.messages)
        if message["role"] == "user" and " wrote: " in message["content"]
    )
    calls = [call for message in request.messages[last:] for call in message.get("tool_calls") or ()]
    return {(call["function"]["name"], call["function"]["arguments"]) for call in calls}
