"""What a model is asked and what it may answer, as values."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked for: the parts that a model looks at, and the whole body as `raw`."""

    model: str
    messages: tuple[Json, ...]
    tools: tuple[Json, ...]
    response_format: Json | None
    raw: Json

    @property
    def tool_names(self) -> frozenset[str]:
        """Name the tools that may be called in this turn."""
        choice = self.raw.get("tool_choice")
        if choice == "none":
            return frozenset()
        allowed = (
            choice["allowed_tools"]["tools"] if isinstance(choice, dict) and "allowed_tools" in choice else self.tools
        )
        return frozenset(tool["function"]["name"] for tool in allowed)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool; an empty id is replaced by a unique one when it is sent."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One turn of the model, sent after `delay` seconds; without a finish reason it is `tool_calls` or `stop`.

    The model takes `pace` seconds to write each word, which shows where it is streamed.
    """

    text: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason | None = None
    refusal: str | None = None
    delay: float = 0
    pace: float = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """An error in OpenAI's words, such as `Failure(429, "rate_limit_exceeded", headers={"Retry-After": "2"})`."""

    status: int
    code: str | None = None
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    param: str | None = None


Model = Callable[[Request], Answer | Failure | Awaitable[Answer | Failure]]


def text_of(message: Json) -> str:
    """Read the text of a message, whether it is a string, a list of parts or missing."""
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
