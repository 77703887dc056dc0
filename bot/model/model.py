"""The port to a language model: a conversation and tools go in, one turn comes out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from bot.model.health import ModelHealth
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
    """One answer of the model: words, or calls, or both, and what it cost; and whether thoughts stood in its words."""

    message: ChatMessage
    text: str
    calls: tuple[RequestedCall, ...]
    usage: Usage
    thinks_aloud: bool = False


class Reason(Enum):
    """Why a model gave no answer, in the words for the customer; `helps` tells whether they should try again."""

    def __init__(self, words: str, helps: bool = True) -> None:  # noqa: FBT001, FBT002 - rows of a table
        self.words = words
        self.helps = helps

    UNREACHABLE = ("I can't reach my language model right now.",)
    BUSY = ("My language model is busy right now.",)
    SETTINGS = (
        "I am not set up correctly, so I can't answer right now. Somebody of the team has to look at my settings.",
        False,
    )
    SPENT = (
        "My language model's allowance is used up, so I can't answer now. Somebody of the team has to look at it.",
        False,
    )
    REFUSED = ("My language model did not take what I asked it. Somebody of the team has to look at it.", False)
    UNUSABLE = ("My language model gave an answer that I can't use.",)
    EMPTY = ("My language model gave no answer.",)
    TOO_LONG = ("This is too long for my language model to read. Please write it more shortly.", False)
    FILTERED = (
        "My language model's content filter refused this message, so I have left it out. Please put it in other words.",
        False,
    )
    ADAPTED = ("My language model did not take what I asked it, so I asked differently.",)


class ModelError(Exception):
    """The model did not answer in a way that can be used. `reason` has the words for the user, the text is for the log.

    `retry_after` are the seconds after which asking again may help; None when it would not. After ADAPTED asking again
    is another question, and helps at once; after TOO_LONG less of the conversation may. `busy_seconds` are those for
    which the server wants to be left alone, where they are too many to be waited for here.
    """

    def __init__(
        self,
        text: str,
        reason: Reason,
        request_id: str | None = None,
        *,
        retry_after: float | None = None,
        busy_seconds: float | None = None,
    ) -> None:
        super().__init__(writable(text))
        self.reason = reason
        self.request_id = request_id
        self.retry_after = retry_after
        self.busy_seconds = busy_seconds


Hear = Callable[[str], None]
"""Is told the words of an answer so far, again and again while it is being written."""


class Model(Protocol):
    """What the loop asks of a language model."""

    name: str
    health: ModelHealth

    async def respond(
        self, messages: Sequence[ChatMessage], tools: Sequence[Mapping[str, Any]], hear: Hear | None = None
    ) -> Turn:
        """Ask for the next turn. Raises ModelError.

        Where the server streams, its words can be heard meanwhile: the raw text, of which nobody knows how it goes on.
        """

    async def classify(self, messages: Sequence[ChatMessage], into: type[T]) -> tuple[T, Usage]:
        """Ask for a value of this class, by structured output. Raises ModelError."""

    async def close(self) -> None:
        """Close the connections."""
