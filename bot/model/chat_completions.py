"""The only code that knows the openai SDK: a conversation and tools go in, one turn of the model comes out."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx2
import openai
from aiohttp import ClientConnectorError
from openai import AsyncAPIResponse
from pydantic import BaseModel

from bot.model.completion import read_turn, read_usage
from bot.model.model import ModelError, Turn, Usage
from bot.settings import Settings
from bot.store.records import ChatMessage

T = TypeVar("T", bound=BaseModel)
_WRONG_SHAPE = (AttributeError, TypeError, KeyError, IndexError)  # the SDK takes what a server sends for what it says

_MAX_BODY_BYTES = 4_000_000  # far more than any turn
_MIN_KEY_CHARACTERS = 6
_UNREACHABLE = "I can't reach my language model right now."
_BUSY = "My language model is busy right now."
_MISCONFIGURED = "I am not set up correctly, so I can't answer right now. Somebody has to look at my settings."
_UNUSABLE = "My language model gave an answer that I can't use."


class OpenAIModel:
    """Chat Completions, of OpenAI or of any server that speaks it with tools."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self._key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else "none"
        self._seconds = settings.model_timeout_seconds
        self._client = openai.AsyncOpenAI(
            api_key=self._key,
            base_url=settings.openai_base_url,
            timeout=settings.model_timeout_seconds,
            http_client=openai.DefaultAioHttpClient(timeout=settings.model_timeout_seconds),
            max_retries=0,  # the caller retries, so that each try is logged and the thread's status stays fresh
        )

    async def respond(self, messages: Sequence[ChatMessage], tools: Sequence[Mapping[str, Any]]) -> Turn:
        """Ask for the next turn with `create`: `parse` would throw a whole turn away for one malformed call."""
        # What goes by extra_body is sent as it is; as arguments, the SDK would walk through each part of every
        # schema and item at each request, which costs more than all the rest of it.
        body: dict[str, Any] = {"messages": list(messages)}
        if tools:  # an empty list is refused
            body |= {"tools": list(tools), "parallel_tool_calls": True}
        request = self._client.chat.completions.with_streaming_response.create(
            model=self.name, messages=(), extra_body=body
        )
        try:
            async with self._deadline(), request as response:
                content = await _read_body(response)
        except openai.APIError as error:
            raise self._model_error(error) from error
        except httpx2.HTTPError as error:  # the SDK names the errors of a request, but not those of reading its body
            text = self._without_key(f"{type(error).__name__}: {error}")
            raise ModelError(text, _UNREACHABLE, retry_after=0) from error
        try:
            return read_turn(content, asked=self.name, request_id=response.request_id)
        except ValueError as error:
            text = self._without_key(f"the answer cannot be used: {error}")
            raise ModelError(text, _UNUSABLE, response.request_id, retry_after=0) from error

    async def classify(self, messages: Sequence[ChatMessage], into: type[T]) -> tuple[T, Usage]:
        """Ask for a value of this class with `parse`: here the whole answer is worth nothing if a part is wrong."""
        try:
            async with self._deadline():
                completion = await self._client.chat.completions.parse(
                    model=self.name, messages=(), response_format=into, extra_body={"messages": list(messages)}
                )
            parsed = completion.choices[0].message.parsed if completion.choices else None
            request_id = completion._request_id  # noqa: SLF001 - documented by the SDK in spite of its underscore
            usage = read_usage(completion, asked=self.name, request_id=request_id)
        except (openai.OpenAIError, ValueError, RecursionError, *_WRONG_SHAPE) as error:
            raise ModelError(self._without_key(f"{type(error).__name__}: {error}"), _UNUSABLE) from error
        if parsed is None:
            raise ModelError("the answer holds no value", _UNUSABLE)
        return parsed, usage

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    @asynccontextmanager
    async def _deadline(self) -> AsyncIterator[None]:
        """End a request after its seconds: the SDK's time-out begins again with each piece of a body that trickles."""
        try:
            async with asyncio.timeout(self._seconds):
                yield
        except TimeoutError as error:
            raise ModelError(f"no whole answer within {self._seconds:g} s", _UNREACHABLE) from error

    def _without_key(self, text: str) -> str:
        """Return a server's text cut for the log; some repeat the key that they refuse."""
        return text.replace(self._key, "[key removed]")[:500] if len(self._key) >= _MIN_KEY_CHARACTERS else text[:500]

    def _model_error(self, error: openai.APIError) -> ModelError:
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
            case openai.APITimeoutError() if not _is_connection_refused(error):
                pass  # to wait as long again would be too long for a person
            case openai.InternalServerError() | openai.ConflictError():
                retry_after = _retry_after(error)
            case openai.APIStatusError():
                words, too_long = _UNUSABLE, error.code == "context_length_exceeded"
            case _:
                retry_after = 0.0
        text = self._without_key(f"{type(error).__name__}: {error.message}")
        request_id = getattr(error, "request_id", None)
        return ModelError(text, words, request_id, retry_after=retry_after, too_long=too_long)


async def _read_body(response: AsyncAPIResponse[Any]) -> bytes:
    """Return the body, of no more than the bytes that are read; what is cut off is no JSON and so no answer."""
    body = bytearray()
    async for piece in response.iter_bytes():
        body += piece
        if len(body) > _MAX_BODY_BYTES:
            break
    return bytes(body[:_MAX_BODY_BYTES])


def _is_connection_refused(error: BaseException | None) -> bool:
    """Return whether the connection was refused, which the SDK's transport over aiohttp calls a time-out too."""
    while error is not None and not isinstance(error, ClientConnectorError):
        error = error.__cause__ or error.__context__
    return error is not None


def _retry_after(error: openai.APIStatusError) -> float:
    try:
        return max(0.0, float(error.response.headers.get("retry-after", 0)))
    except ValueError:
        return 0.0
