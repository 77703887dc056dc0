"""What some server somewhere refuses, or drops in silence: a request without any of it is taken by all."""

from collections.abc import Iterator

from bot.testing.openai.turn import Json

_OF_MESSAGE = {"role", "content", "tool_calls", "tool_call_id"}


def portability_faults(body: Json) -> Iterator[str]:
    """Name what in a request not every server takes. Signatures and thoughts of the server's own may stand in it."""
    messages = body["messages"]
    if not isinstance(body.get("stream"), bool):
        yield "it does not say whether it wants a stream"
    if messages[0]["role"] != "system" or any(message["role"] == "system" for message in messages[1:]):
        yield "not its first message, and only that, is a system message"
    turns = [
        message["role"] for message in messages[1:] if not (message["role"] == "tool" or message.get("tool_calls"))
    ]
    if turns != [("user", "assistant")[number % 2] for number in range(len(turns))]:
        yield f"people and model do not take turns: {', '.join(turns)}"
    for number, message in enumerate(messages):
        yield from (f"message {number}: {fault}" for fault in _message_faults(message, messages[number + 1 :]))


def _is_pictured(message: Json) -> bool:
    """Return whether these are a person's words and pictures, which go to a model of which a setting says it sees."""
    parts = message.get("content")
    if message["role"] != "user" or not isinstance(parts, list):
        return False
    return [part["type"] for part in parts] == ["text", *["image_url"] * (len(parts) - 1)]


def _message_faults(message: Json, after: list[Json]) -> Iterator[str]:
    if not (isinstance(message.get("content"), str) or _is_pictured(message)):
        yield f"its content is {message.get('content')!r}"
    kept = {name for name in message if any(part in name for part in ("reason", "think", "signature", "extra"))}
    if unknown := message.keys() - _OF_MESSAGE - kept:
        yield f"it has {', '.join(sorted(unknown))}"
    calls = message.get("tool_calls") or []
    if len(calls) > 1 and not any(call.keys() - {"id", "type", "function"} for call in calls):
        yield "it is a turn of several calls"
    answered = [one.get("tool_call_id") for one in after[: len(calls)] if one["role"] == "tool"]
    if [call["id"] for call in calls] != answered:
        yield "its calls are not answered right behind it"
