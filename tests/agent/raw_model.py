"""A model server that sends whatever bytes a test wants, and people who ask it side by side."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.testing.serving import serving
from bot.testing.slack.workspace import Channel, Message
from tests.world import ANA, BOT, World, words_in

GOOD = "Here it is."


@dataclass(frozen=True, slots=True)
class Raw:
    """What is sent in place of a completion; with `cut` the connection ends in the middle of it.

    With `trickle` it never comes to its end: a space is sent after the other, which JSON would allow.
    """

    body: str
    content_type: str = "application/json"
    cut: bool = False
    trickle: bool = False
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def completion(message: Any, **changes: Any) -> Raw:
    """Word a completion around a message, with parts of it changed or, where they are None, left out."""
    choice = {"index": 0, "message": message, "finish_reason": changes.pop("finish_reason", "stop")}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "raw-model", "choices": [choice]}
    return Raw(json.dumps({key: value for key, value in (body | changes).items() if value is not None}))


class _ModelServer:
    """A server on a free port of localhost for as long as the `async with` lasts."""

    def __init__(self) -> None:
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/v1/chat/completions", self._serve)
        self._serving = serving(app)
        self.url = ""

    async def __aenter__(self) -> Self:
        self.url = f"{await self._serving.__aenter__()}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._serving.__aexit__(kind, error, trace)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raise NotImplementedError


class RawModel(_ModelServer):
    """Sends the raw answer that is filed under the last thing somebody wrote, and from then on a good one."""

    def __init__(self, answers: Mapping[str, Raw]) -> None:
        self._answers = dict(answers)
        super().__init__()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        said = words_in([message for message in body["messages"] if message["role"] == "user"][-1])[-1]
        raw = completion({"role": "assistant", "content": GOOD})
        if said in self._answers and ("response_format" in body) == said.startswith("intent"):
            raw = self._answers.pop(said)
        if raw.trickle:
            return await _trickle(request)
        sent = raw.body.encode()
        response = web.StreamResponse(headers={"Content-Type": raw.content_type, "Content-Length": str(len(sent))})
        await response.prepare(request)
        await response.write(sent[: len(sent) // 2] if raw.cut else sent)
        if raw.cut and request.transport:
            request.transport.abort()
        return response


class AnyServer(_ModelServer):
    """Answers each request by a function of its body, and keeps the bodies of those for a turn."""

    def __init__(
        self, answer: Callable[[dict[str, Any]], Raw], seen: Callable[[web.Request], None] = lambda _: None
    ) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answer = answer
        self._seen = seen
        super().__init__()

    async def _serve(self, request: web.Request) -> web.Response:
        self._seen(request)
        body = await request.json()
        if "Sort the customer" not in body["messages"][0]["content"]:
            self.asked.append(body)
        raw = self._answer(body)
        return web.Response(
            body=raw.body.encode(), status=raw.status, headers={"Content-Type": raw.content_type, **raw.headers}
        )


def refusal(status: int, body: Any, **headers: str) -> Raw:
    """Word an error, as JSON or, where it is a string, as plain text."""
    plain = isinstance(body, str)
    kind = "text/plain" if plain else "application/json"
    return Raw(body if plain else json.dumps(body), kind, status=status, headers=headers)


async def _trickle(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with suppress(ConnectionError):
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)
    return response


async def ask_side_by_side(world: World, questions: Iterable[str]) -> dict[str, Message]:
    """Ask each question as Ana in a channel of its own, and wait until each has its first answer."""
    asked: dict[str, Message] = {}
    for number, question in enumerate(questions):
        channel = Channel(f"C0ROOM{number}", f"room-{number}", "channel", frozenset({ANA, BOT}))
        world.workspace.add(channel)
        asked[question] = await world.says(ANA, f"@bot {question}", channel.id)
    replies = await asyncio.gather(*(world.replies(message) for message in asked.values()))
    return {question: reply[0] for question, reply in zip(asked, replies, strict=True)}
