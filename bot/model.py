"""The only code that knows the openai SDK: a history and tools go in, one turn of the model comes out."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import openai
from aiohttp import ClientConnectorError
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionMessage, ChatCompletionMessageFunctionToolCall
from pydantic import BaseModel

from bot.settings import Settings
from bot.store.records import Item, new_id

T = TypeVar("T", bound=BaseModel)
_MOST_REPLAYED_CHARACTERS = 4_000
_MOST_TEXT_CHARACTERS = 20_000  # far more than anybody reads in Slack
_WRONG_SHAPE = (AttributeError, TypeError, KeyError, IndexError)  # the SDK takes what a server sends for what it says
_CALL_ID = re.compile(r"[!-~]{1,40}")  # as OpenAI takes it back


class ModelError(Exception):
    """The model did not answer in a way that can be used. `words` are for the user, the text is for the operator.

    `retry_after` are the seconds after which asking again may help; None when it would not. `too_long` says that the
    history did not fit.
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
        super().__init__(text)
        self.words = words
        self.request_id = request_id
        self.retry_after = retry_after
        self.too_long = too_long


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
    finish_reason: str
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of the model: words, or calls, or both, and what it cost."""

    item: Item
    text: str
    calls: tuple[RequestedCall, ...]
    usage: Usage


class Model(Protocol):
    """What the loop asks of a language model."""

    name: str

    async def respond(self, history: Sequence[Item], tools: Sequence[Mapping[str, Any]]) -> Turn:
        """Ask for the next turn. Raises ModelError."""

    async def classify(self, history: Sequence[Item], into: type[T]) -> tuple[T, Usage]:
        """Ask for a value of this class, by structured output. Raises ModelError."""

    async def close(self) -> None:
        """Let go of connections."""


class OpenAIModel:
    """Chat Completions, of OpenAI or of any server that speaks it with tools."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        key = settings.openai_api_key
        self._client = openai.AsyncOpenAI(
            api_key=key.get_secret_value() if key else "none",
            base_url=settings.openai_base_url,
            timeout=settings.model_timeout_seconds,
            http_client=openai.DefaultAioHttpClient(timeout=settings.model_timeout_seconds),
            max_retries=0,  # whoever asks retries, so that each try is logged and the thread's status stays fresh
        )

    async def respond(self, history: Sequence[Item], tools: Sequence[Mapping[str, Any]]) -> Turn:
        """Ask for the next turn with `create`: `parse` would throw a whole turn away for one malformed call."""
        try:
            # What goes by extra_body is sent as it is; as arguments, the SDK would walk through each part of every
            # schema and item at each request, which costs more than all the rest of it.
            body = {"messages": list(history), "tools": list(tools), "parallel_tool_calls": True}
            completion = await self._client.chat.completions.create(model=self.name, messages=(), extra_body=body)
        except openai.APIError as error:
            raise _model_error(error) from error
        except ValueError as error:
            raise ModelError(f"the answer is not JSON: {error}", _UNUSABLE, retry_after=0) from error
        try:
            return _turn(completion, self.name)
        except _WRONG_SHAPE as error:
            raise ModelError(f"the answer has another shape: {error}", _UNUSABLE, retry_after=0) from error

    async def classify(self, history: Sequence[Item], into: type[T]) -> tuple[T, Usage]:
        """Ask for a value of this class with `parse`: here the whole answer is worth nothing if a part is wrong."""
        try:
            completion = await self._client.chat.completions.parse(
                model=self.name, messages=(), response_format=into, extra_body={"messages": list(history)}
            )
            parsed = completion.choices[0].message.parsed if completion.choices else None
            usage = _usage(completion, self.name) if parsed else None
        except (openai.OpenAIError, ValueError, *_WRONG_SHAPE) as error:
            raise ModelError(f"{type(error).__name__}: {error}"[:500], _UNUSABLE) from error
        if parsed is None or usage is None:
            raise ModelError("the answer holds no value", _UNUSABLE)
        return parsed, usage

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()


_UNREACHABLE = "I can't reach my language model right now."
_BUSY = "My language model is busy right now."
_MISCONFIGURED = "I am not set up correctly, so I can't answer right now. Somebody has to look at my settings."
_UNUSABLE = "My language model gave an answer that I can't use."


def _model_error(error: openai.APIError) -> ModelError:
    words, retry_after, too_long = _UNREACHABLE, None, False
    match error:
        case openai.RateLimitError() if error.code != "insufficient_quota":
            words, retry_after = _BUSY, _retry_after(error)
        case (
            openai.RateLimitError()
            | openai.AuthenticationError()
            | openai.PermissionDeniedError()
            | openai.NotFoundError()
        ):
            words = _MISCONFIGURED
        case openai.APITimeoutError() if not _nobody_was_there(error):
            pass  # to wait as long again would be too long for a person
        case openai.InternalServerError() | openai.ConflictError():
            retry_after = _retry_after(error)
        case openai.APIStatusError():
            words, too_long = _UNUSABLE, error.code == "context_length_exceeded"
        case _:
            retry_after = 0.0
    text = f"{type(error).__name__}: {error.message}"[:500]
    request_id = getattr(error, "request_id", None)
    return ModelError(text, words, request_id, retry_after=retry_after, too_long=too_long)


def _nobody_was_there(error: BaseException | None) -> bool:
    """Tell whether the connection was refused, which the SDK's transport over aiohttp calls a time-out too."""
    while error is not None and not isinstance(error, ClientConnectorError):
        error = error.__cause__ or error.__context__
    return error is not None


def _retry_after(error: openai.APIStatusError) -> float:
    try:
        return max(0.0, float(error.response.headers.get("retry-after", 0)))
    except ValueError:
        return 0.0


def _turn(completion: ChatCompletion, asked: str) -> Turn:
    request_id = completion._request_id  # noqa: SLF001 - documented by the SDK in spite of its underscore
    if not completion.choices:
        raise ModelError("the answer has no choice", _UNUSABLE, request_id, retry_after=0)
    choice = completion.choices[0]
    message: ChatCompletionMessage = choice.message
    # Calls of a turn that was cut off may be half-written: none of them is run.
    calls = _calls(message) if choice.finish_reason not in ("length", "content_filter") else ()
    text = _clean(message.content or message.refusal or "").strip()[:_MOST_TEXT_CHARACTERS]
    if not text and not calls:
        raise ModelError(f"an empty answer, finish reason {choice.finish_reason}", _UNUSABLE, request_id, retry_after=0)
    return Turn(_item(text, calls), text, calls, _usage(completion, asked))


def _usage(completion: ChatCompletion, asked: str) -> Usage:
    usage: CompletionUsage | None = completion.usage
    details = usage.prompt_tokens_details if usage else None
    return Usage(
        model=str(completion.model or asked),
        finish_reason=completion.choices[0].finish_reason,
        prompt_tokens=_count(usage.prompt_tokens if usage else None),
        completion_tokens=_count(usage.completion_tokens if usage else None),
        cached_tokens=_count(details.cached_tokens if details else None),
        request_id=completion._request_id,  # noqa: SLF001 - as above
    )


def _count(number: Any) -> int | None:
    return number if isinstance(number, int) and 0 <= number < 2**31 else None


def _calls(message: ChatCompletionMessage) -> tuple[RequestedCall, ...]:
    calls: dict[str, RequestedCall] = {}
    for call in message.tool_calls or ():
        if not isinstance(call, ChatCompletionMessageFunctionToolCall):
            continue
        # An id that stands twice could not be answered; one out of the ordinary, or a name with a dot, not sent back.
        ordinary = _CALL_ID.fullmatch(call.id or "") and call.id not in calls
        call_id = call.id if ordinary else f"call_{new_id()}"
        name = re.sub(r"[^a-zA-Z0-9_-]", "_", call.function.name or "")[:64] or "unnamed"
        calls[call_id] = RequestedCall(call_id, name, _clean(call.function.arguments or ""))
    return tuple(calls.values())


def _clean(text: str) -> str:
    """Take out what is no character: halves of surrogate pairs, and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _item(text: str, calls: Sequence[RequestedCall]) -> Item:
    item: dict[str, Any] = {"role": "assistant", "content": text or None}
    if calls:
        item["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _replayable(call)}}
            for call in calls
        ]
    return item


def _replayable(call: RequestedCall) -> str:
    """Give the arguments back as they were, unless a server could not read them: some parse what they are sent."""
    try:
        readable = len(call.arguments) <= _MOST_REPLAYED_CHARACTERS and isinstance(json.loads(call.arguments), dict)
    except (ValueError, RecursionError):
        readable = False
    return call.arguments if readable else "{}"
