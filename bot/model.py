"""The only code that knows the openai SDK: a history and tools go in, one turn of the model comes out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionMessage, ChatCompletionMessageFunctionToolCall

from bot.settings import Settings
from bot.store.records import Item, new_id


class ModelError(Exception):
    """The model did not answer in a way that can be used. `words` are for the user, the text is for the operator."""

    def __init__(self, text: str, words: str, request_id: str | None = None) -> None:
        super().__init__(text)
        self.words = words
        self.request_id = request_id


@dataclass(frozen=True, slots=True)
class RequestedCall:
    """A tool call as the model wrote it: nothing of it is checked yet."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of the model: words, or calls, or both, and what it cost."""

    item: Item
    text: str
    calls: tuple[RequestedCall, ...]
    finish_reason: str
    model: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    request_id: str | None = None


class Model(Protocol):
    """What the loop asks of a language model."""

    name: str

    async def respond(self, history: Sequence[Item], tools: Sequence[Mapping[str, Any]]) -> Turn:
        """Ask for the next turn. Raises ModelError."""

    async def close(self) -> None:
        """Let go of connections."""


class OpenAIModel:
    """Chat Completions, of OpenAI or of any server that speaks it with tools."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.openai_model
        key = settings.openai_api_key
        self._client = openai.AsyncOpenAI(
            api_key=key.get_secret_value() if key else "none",
            base_url=settings.openai_base_url,
            timeout=settings.model_timeout_seconds,
        )

    async def respond(self, history: Sequence[Item], tools: Sequence[Mapping[str, Any]]) -> Turn:
        """Ask for the next turn with `create`: `parse` would throw a whole turn away for one malformed call."""
        try:
            completion = await self._client.chat.completions.create(
                model=self.name,
                messages=cast("Any", list(history)),
                tools=cast("Any", list(tools)),
                parallel_tool_calls=True,
            )
        except openai.APIError as error:
            raise _model_error(error) from error
        except ValueError as error:
            raise ModelError(f"the answer is not JSON: {error}", _UNUSABLE) from error
        return _turn(completion)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()


_UNREACHABLE = "I can't reach my language model right now."
_BUSY = "My language model is busy right now."
_MISCONFIGURED = "I am not set up correctly, so I can't answer right now. Somebody has to look at my settings."
_UNUSABLE = "My language model gave an answer that I can't use."


def _model_error(error: openai.APIError) -> ModelError:
    request_id = getattr(error, "request_id", None)
    text = f"{type(error).__name__}: {error.message}"[:500]
    match error:
        case openai.RateLimitError():
            quota = error.code == "insufficient_quota"
            return ModelError(text, _MISCONFIGURED if quota else _BUSY, request_id)
        case openai.AuthenticationError() | openai.PermissionDeniedError() | openai.NotFoundError():
            return ModelError(text, _MISCONFIGURED, request_id)
        case openai.BadRequestError():
            return ModelError(text, _UNUSABLE, request_id)
        case _:
            return ModelError(text, _UNREACHABLE, request_id)


def _turn(completion: ChatCompletion) -> Turn:
    request_id = completion._request_id  # noqa: SLF001 - documented by the SDK in spite of its underscore
    if not completion.choices:
        raise ModelError("the answer has no choice", _UNUSABLE, request_id)
    choice = completion.choices[0]
    message: ChatCompletionMessage = choice.message
    # Calls of a turn that was cut off may be half-written: none of them is run.
    calls = _calls(message) if choice.finish_reason not in ("length", "content_filter") else ()
    text = (message.content or message.refusal or "").strip()
    if not text and not calls:
        raise ModelError(f"an empty answer, finish reason {choice.finish_reason}", _UNUSABLE, request_id)
    usage: CompletionUsage | None = completion.usage
    details = usage.prompt_tokens_details if usage else None
    return Turn(
        item=_item(text, calls),
        text=text,
        calls=calls,
        finish_reason=choice.finish_reason,
        model=completion.model,
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
        cached_tokens=details.cached_tokens if details else None,
        request_id=request_id,
    )


def _calls(message: ChatCompletionMessage) -> tuple[RequestedCall, ...]:
    calls: dict[str, RequestedCall] = {}
    for call in message.tool_calls or ():
        if not isinstance(call, ChatCompletionMessageFunctionToolCall):
            continue
        # An id that is empty or stands twice could not be answered; a name with a dot could not be sent back.
        call_id = call.id if call.id and call.id not in calls else f"call_{new_id()}"
        name = re.sub(r"[^a-zA-Z0-9_-]", "_", call.function.name or "")[:64] or "unnamed"
        calls[call_id] = RequestedCall(call_id, name, call.function.arguments or "")
    return tuple(calls.values())


def _item(text: str, calls: Sequence[RequestedCall]) -> Item:
    item: dict[str, Any] = {"role": "assistant", "content": text or None}
    if calls:
        item["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ]
    return item
