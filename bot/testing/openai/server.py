"""The HTTP side: which routes there are, and how an answer is worded as JSON, as a stream or as an error."""

import asyncio
import inspect
import json
import re
import time
import uuid
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.testing.openai.refusals import refusal
from bot.testing.openai.turn import Answer, Failure, Json, Model, Request, ToolCall
from bot.testing.serving import serving


def add_routes(app: web.Application, answer: Model, model_name: str) -> None:
    """Serve `answer` under `/v1`, for clients whose base URL ends in `/v1`."""

    async def completions(http: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await http.read())
        except ValueError:
            body = None
        if refused := refusal(body):
            return _error(refused)
        outcome = answer(_request(body))
        if inspect.isawaitable(outcome):
            outcome = await outcome
        if isinstance(outcome, Failure):
            return _error(outcome)
        await asyncio.sleep(outcome.delay)
        reply = _Reply(_with_ids(outcome), body, model_name)
        if body.get("stream"):
            return await _stream(http, reply.chunks(), outcome.pace)
        await asyncio.sleep(outcome.pace * len((outcome.text or "").split()))
        return web.json_response(reply.completion(), headers=_request_id())

    async def models(_: web.Request) -> web.Response:
        model = {"id": model_name, "object": "model", "created": 0, "owned_by": "support-bot"}
        return web.json_response({"object": "list", "data": [model]}, headers=_request_id())

    app.router.add_post("/v1/chat/completions", completions)
    app.router.add_get("/v1/models", models)


class CompletionsServer:
    """A server on a free port of localhost for as long as the `async with` lasts; keeps every valid request."""

    def __init__(self, answer: Model, model_name: str = "scripted-model") -> None:
        self.requests: list[Request] = []
        self.url = ""
        self._model = answer
        app = web.Application(client_max_size=2**24)
        add_routes(app, self._answer, model_name)
        # A client that gives up ends its request here too, so that closing never waits for a slow answer.
        self._serving = serving(app, cancels=True)

    async def __aenter__(self) -> Self:
        self.url = f"{await self._serving.__aenter__()}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._serving.__aexit__(kind, error, trace)

    def _answer(self, request: Request) -> Answer | Failure | Awaitable[Answer | Failure]:
        self.requests.append(request)
        return self._model(request)


def _request(body: Json) -> Request:
    return Request(
        model=body["model"],
        messages=tuple(body["messages"]),
        tools=tuple(body.get("tools") or ()),
        response_format=body.get("response_format"),
        raw=body,
    )


def _request_id() -> dict[str, str]:
    return {"x-request-id": f"req_{uuid.uuid4().hex}"}


def _error(failure: Failure) -> web.Response:
    error = {
        "message": failure.message or failure.code or HTTPStatus(failure.status).phrase,
        "type": _kind(failure),
        "param": failure.param,
        "code": failure.code,
    }
    return web.json_response({"error": error}, status=failure.status, headers={**_request_id(), **failure.headers})


def _kind(failure: Failure) -> str:
    if failure.code == "insufficient_quota":
        return failure.code
    if failure.status == HTTPStatus.TOO_MANY_REQUESTS:
        return "requests"
    return "server_error" if failure.status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"


def _with_ids(answer: Answer) -> Answer:
    calls = tuple(
        ToolCall(call.id or f"call_{uuid.uuid4().hex[:24]}", call.name, call.arguments) for call in answer.tool_calls
    )
    reason = answer.finish_reason or ("tool_calls" if calls else "stop")
    return Answer(answer.text, calls, reason, answer.refusal)


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer in OpenAI's shapes; its usage counts words, since there is no tokenizer here."""

    answer: Answer
    body: Json
    model_name: str
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def completion(self) -> Json:
        message: Json = {"role": "assistant", "content": self.answer.text, "refusal": self.answer.refusal}
        if self.answer.tool_calls:
            message["tool_calls"] = [_call(call) for call in self.answer.tool_calls]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.answer.finish_reason}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self._usage()}

    def chunks(self) -> Iterator[Json]:
        head = self._head("chat.completion.chunk")
        wants_usage = (self.body.get("stream_options") or {}).get("include_usage")
        if wants_usage:
            head["usage"] = None
        for delta in self._deltas():
            yield {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]}
        last = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": self.answer.finish_reason}
        yield {**head, "choices": [last]}
        if wants_usage:
            yield {**head, "choices": [], "usage": self._usage()}

    def _deltas(self) -> Iterator[Json]:
        yield {"role": "assistant", "content": None if self.answer.tool_calls else "", "refusal": None}
        yield from ({"content": piece} for piece in re.findall(r"\s*\S+|\s+$", self.answer.text or ""))
        yield from ({"refusal": piece} for piece in re.findall(r"\s*\S+|\s+$", self.answer.refusal or ""))
        for index, call in enumerate(self.answer.tool_calls):
            yield {"tool_calls": [{"index": index, **_call(ToolCall(call.id, call.name, ""))}]}
            for piece in re.findall(r"(?s).{1,12}", call.arguments):
                yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}

    def _head(self, kind: str) -> Json:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model_name}

    def _usage(self) -> Json:
        said = [self.answer.text or "", self.answer.refusal or "", *(call.arguments for call in self.answer.tool_calls)]
        read = len(json.dumps([self.body["messages"], self.body.get("tools")]).split())
        written = max(1, sum(len(text.split()) for text in said))
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _call(call: ToolCall) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


async def _stream(http: web.Request, chunks: Iterator[Json], pace: float) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **_request_id()})
    await response.prepare(http)
    for chunk in chunks:
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await asyncio.sleep(pace)
    await response.write(b"data: [DONE]\n\n")
    return response
