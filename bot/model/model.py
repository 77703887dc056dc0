"""The port to a language model: a conversation and tools go in, one turn comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from bot.store.records import ChatMessage, writable

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class RequestedCall:
    """A tool call as the model wrote it: nothing of it is checked yet."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost, and how it ended: columns of `model_calls`."""

    model: str
    finish_reason: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of the model: words, or calls, or both, and what it cost."""

    message: ChatMessage
    text: str
    calls: tuple[RequestedCall, ...]
    usage: Usage


class ModelError(Exception):
    """The model did not answer in a way that can be used. `words` are for the user, the text is for the operator.

    `retry_after` are the seconds after which asking again may help; None when it would not. `too_long` says that the
    conversation did not fit.
    """

    def __init__(
        self,
        text: str,
        words: str,
        request_id: str | None = None,
        *,
        retry_after: float | None = None,
        too_long: bool = False,
    ) -> None:
        super().__init__(writable(text))
        self.words = words
        self.request_id = request_id
        self.retry_after = retry_after
        self.too_long = too_long


class Model(Protocol):
    """What the loop asks of a language model."""

    name: str

    async def respond(self, messages: Sequence[ChatMessage], tools: Sequence[Mapping[str, Any]]) -> Turn:
        """Ask for the next turn. Raises ModelError."""

    async def classify(self, messages: Sequence[ChatMessage], into: type[T]) -> tuple[T, Usage]:
        """Ask for a value of this class, by structured output. Raises ModelError."""

    async def close(self) -> None:
        """Let go of connections."""
