"""The only code that knows the openai SDK: a conversation and tools go in, one turn of the model comes out."""

import asyncio
import json
import logging
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
import openai
from aiohttp import ClientConnectorError
from pydantic import BaseModel

from bot.model.bodies import beginning, cut
from bot.model.completion import (
    EmptyAnswerError,
    ReportedError,
    read_completion,
    read_text,
    read_turn,
    read_usage,
)
from bot.model.dialect import Dialect
from bot.model.events import Listener
from bot.model.health import ModelHealth
from bot.model.model import Hear, ModelError, Reason, Turn, Usage
from bot.model.pictures import Pictures
from bot.model.refusals import Refusal, read_refusal
from bot.model.wire import render
from bot.model_settings import ModelSettings
from bot.store.records import ChatMessage

logger = logging.getLogger(__name__)

T = TypeVar("T", bound=BaseModel)
V = TypeVar("V")

_MIN_KEY_CHARACTERS = 6
_MAX_WAIT_SECONDS = 20.0  # a server that wants us to wait longer is not asked again
_OF_THE_FORM = (Reason.REFUSED, Reason.SETTINGS, Reason.UNREACHABLE)
_STREAMED: Mapping[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
_BADLY_STREAMED = (Reason.UNUSABLE, Reason.EMPTY)
_LASTING = (Reason.SETTINGS, Reason.SPENT, Reason.REFUSED)


@dataclass(frozen=True, slots=True)
class _Answer:
    body: bytes
    request_id: str | None
    is_page: bool


@cache
def _authorities() -> ssl.SSLContext:
    """Return the certificates of this machine, which take a while to read, for all models."""
    return httpx2.create_ssl_context()


class _BoundedClient(openai.DefaultAioHttpClient):
    """The SDK's client, which by itself reads the body of a refusal to its end, however long that is."""

    async def send(self, request: httpx2.Request, **how: Any) -> httpx2.Response:
        """Send it, and return a refusal with the beginning of its body alone."""
        response = await super().send(request, **how)
        return await cut(response) if response.is_error and not response.is_stream_consumed else response


class OpenAIModel:
    """Chat Completions, of OpenAI or of any server that speaks it with tools.

    What a server refuses by name is learnt, and not sent again while the process lives.
    """

    def __init__(self, settings: ModelSettings, pictures: Pictures | None = None) -> None:
        self.name = settings.name
        self._settings = settings
        self._pictures = pictures or Pictures()
        self._secrets = tuple(_secrets(settings))
        self._client = openai.AsyncOpenAI(
            api_key=settings.key or "none",
            base_url=settings.base_url,
            default_headers=dict(settings.headers),
            timeout=settings.timeout_seconds,
            http_client=_BoundedClient(timeout=settings.timeout_seconds, verify=_authorities()),
            max_retries=0,  # the caller retries, so that each try is logged and the thread's status stays fresh
        )
        self.health = ModelHealth(settings.name, _without_password(str(self._client.base_url)))
        self._dialect = Dialect()
        self._streams = True
        self._is_plain: bool | None = None  # until it has said something

    async def respond(
        self, messages: Sequence[ChatMessage], tools: Sequence[Mapping[str, Any]], hear: Hear | None = None
    ) -> Turn:
        """Ask for the next turn; one malformed call of several costs itself alone.

        It is streamed only for who wants to `hear` it, and never again once such an answer was none: there are servers
        that lose calls, or their ends, when they stream. Nor is a model heard that may think aloud: thoughts that began
        in the prompt are known for such at their end alone.
        """
        names = frozenset(tool["function"]["name"] for tool in tools)
        body: dict[str, Any] = {"tools": list(tools), "parallel_tool_calls": True} if tools else {}
        if not (self._streams and self._is_plain) or self._dialect.left_out.intersection(_STREAMED):
            hear = None
        if hear is not None:
            body |= _STREAMED

        def read(answer: _Answer) -> Turn:
            return read_turn(answer.body, asked=self.name, request_id=answer.request_id, tools=names)

        try:
            turn = await self._ask(messages, body, read, hear)
            self._is_plain = self._is_plain is not False and not turn.thinks_aloud
        except ModelError as error:
            self._streams = self._streams and (hear is None or error.reason not in _BADLY_STREAMED)
            # What was too much or filtered says nothing of the model, and after ADAPTED it is asked again at once.
            if error.reason not in (Reason.TOO_LONG, Reason.FILTERED, Reason.ADAPTED):
                self.health.failed(str(error).partition(":")[0], lasting=error.reason in _LASTING)
            raise
        self.health.answered()
        return turn

    async def classify(self, messages: Sequence[ChatMessage], into: type[T]) -> tuple[T, Usage]:
        """Ask for a value of this class: the whole answer is worth nothing if a part is wrong."""
        schema = into.model_json_schema()
        form = {"type": "json_schema", "json_schema": {"name": into.__name__, "strict": True, "schema": schema}}

        def read(answer: _Answer) -> tuple[T, Usage]:
            completion = read_completion(answer.body)
            usage = read_usage(completion, asked=self.name, request_id=answer.request_id)
            return into.model_validate_json(read_text(completion)), usage

        while True:
            asked = messages
            if "response_format" in self._dialect.left_out:
                wanted = f"{messages[0]['content']}\nAnswer with one JSON object of this schema: {json.dumps(schema)}"
                asked = [{**messages[0], "content": wanted}, *messages[1:]]
            try:
                return await self._ask(asked, {"response_format": form}, read)
            except ModelError as error:
                if error.reason is not Reason.ADAPTED:
                    raise

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _ask(
        self,
        messages: Sequence[ChatMessage],
        more: Mapping[str, Any],
        read: Callable[[_Answer], V],
        hear: Hear | None = None,
    ) -> V:
        dialect = self._dialect
        whole = {
            "messages": self._pictures.shown(render(messages, dialect, self.name)),
            "stream": False,  # some proxies stream unless they are told not to
            **self._settings.parameters,
            **more,
        }
        try:
            value = self._read(await self._send(dialect.without(whole), hear), read)
        except _RefusedError as refused:
            if (learnt := self._learn(refused.refusal, dialect, whole)) is not None:
                self._dialect = learnt
                text = self._text_of(refused)
                logger.warning("%s at %s is asked in another way from now on: %s", self.name, self.health.address, text)
                raise ModelError(text, Reason.ADAPTED, refused.request_id, retry_after=0.0) from refused
            if refused.refusal.is_about_pictures and self._pictures.refuse(whole["messages"]):
                raise ModelError(self._text_of(refused), Reason.ADAPTED, refused.request_id, retry_after=0) from refused
            value = await self._try_plainly(refused, dialect, messages, whole, read)
        return value

    def _learn(self, refusal: Refusal, dialect: Dialect, body: Mapping[str, Any]) -> Dialect | None:
        """Return how to ask from now on, when the refusal tells; None when it does not."""
        # A parameter that is named is the reason, whatever else the words could mean.
        if refusal.reason not in _OF_THE_FORM or refusal.status < HTTPStatus.BAD_REQUEST:
            return None
        learnt = dialect.learn(refusal.said, refusal.param, dialect.without(body))
        return learnt if learnt != dialect else None

    async def _try_plainly(
        self,
        refused: "_RefusedError",
        dialect: Dialect,
        messages: Sequence[ChatMessage],
        body: Mapping[str, Any],
        read: Callable[[_Answer], V],
    ) -> V:
        """Ask once more in the form that the most servers take, where nobody can tell what was wrong with the other."""
        refusal, plainest = refused.refusal, dialect.plainest
        if refusal.reason is Reason.REFUSED and plainest != dialect:
            try:
                plainly = {key: value for key, value in body.items() if key not in _STREAMED} | {"stream": False}
                plainly["messages"] = self._pictures.shown(render(messages, plainest, self.name))
                value = self._read(await self._send(plainest.without(plainly)), read)
            except (_RefusedError, ModelError):
                pass
            else:
                self._dialect, self._streams = plainest, False
                return value
        meant = refusal.error(refused.request_id, max_wait=_MAX_WAIT_SECONDS)
        raise ModelError(
            self._text_of(refused),
            meant.reason,
            refused.request_id,
            retry_after=meant.retry_after,
            busy_seconds=meant.busy_seconds,
        ) from refused

    async def _send(self, body: Mapping[str, Any], hear: Hear | None = None) -> _Answer:
        # What goes by extra_body is sent as it is; as arguments, the SDK would walk through each part of every
        # schema and message at each request, which costs more than all the rest of it.
        request = self._client.chat.completions.with_streaming_response.create(
            model=self.name, messages=(), extra_body=body
        )
        try:
            async with self._deadline(), request as response:
                page = "html" in response.headers.get("content-type", "")
                taken = Listener(hear).take if hear else None
                return _Answer(await beginning(response, taken), response.request_id, page)
        except openai.APIStatusError as error:
            body_ = error.body if error.body is not None else error.response.text
            raise _RefusedError(
                read_refusal(error.status_code, body_, error.response.headers), error.request_id
            ) from error
        except (openai.APIError, httpx2.HTTPError) as error:
            # To wait once more as long as for a time-out would be too long for a person.
            unconnected = _unconnected(error)
            slow = isinstance(error, openai.APITimeoutError) and unconnected is None
            text = self._without_key(f"{type(error).__name__}: {unconnected or error}")
            raise ModelError(text, Reason.UNREACHABLE, retry_after=None if slow else 0.0) from error
        except ModelError:
            raise
        except Exception as error:  # whatever it is, it may hold the request's headers, so its text is not kept
            raise ModelError(f"{type(error).__name__} in a request", Reason.UNREACHABLE, retry_after=0.0) from error

    def _read(self, answer: _Answer, read: Callable[[_Answer], V]) -> V:
        try:
            return read(answer)
        except ReportedError as error:
            raise _RefusedError(read_refusal(200, error.body, {}), answer.request_id) from error
        except EmptyAnswerError as error:
            reason = Reason.FILTERED if error.filtered else Reason.EMPTY
            raise ModelError(f"the answer is none: {error}", reason, answer.request_id, retry_after=0.0) from error
        except ValueError as error:
            reason = Reason.SETTINGS if answer.is_page else Reason.UNUSABLE
            hint = "; it is a web page: is the base URL right?" if answer.is_page else ""
            text = self._without_key(f"the answer cannot be used: {error}{hint}")
            raise ModelError(text, reason, answer.request_id, retry_after=0.0) from error

    @asynccontextmanager
    async def _deadline(self) -> AsyncIterator[None]:
        """End a request after its seconds: the SDK's time-out begins again with each piece of a body that trickles."""
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                yield
        except TimeoutError as error:
            text = f"no whole answer within {self._settings.timeout_seconds:g} s"
            raise ModelError(text, Reason.UNREACHABLE) from error

    def _text_of(self, refused: "_RefusedError") -> str:
        return self._without_key(f"status {refused.refusal.status}: {refused.refusal.said}")

    def _without_key(self, text: str) -> str:
        """Return a server's text cut for the log; some repeat the key that they refuse."""
        for secret in self._secrets:
            text = text.replace(secret, "[key removed]")
        return text[:500]


class _RefusedError(Exception):
    def __init__(self, refusal: Refusal, request_id: str | None) -> None:
        super().__init__(refusal.said)
        self.refusal = refusal
        self.request_id = request_id


def _secrets(settings: ModelSettings) -> Iterator[str]:
    """Yield what must not be told of the settings; what is too short to be a key stands in other words too."""
    headers = (value for name, value in settings.headers if re.search(r"key|auth|token|secret|cookie", name.lower()))
    words = (word for value in (settings.key or "", *headers) for word in value.split())
    yield from (word for word in words if len(word) >= _MIN_KEY_CHARACTERS)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _unconnected(error: BaseException | None) -> ClientConnectorError | None:
    """Return why there was no connection, if that was it: the SDK's transport over aiohttp calls it a time-out too."""
    while error is not None and not isinstance(error, ClientConnectorError):
        error = error.__cause__ or error.__context__
    return error
