"""Slack and a model at their leanest: they answer at once or after a set time, and note when what happened."""

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from bot.testing.serving import serving

STATUS = json.dumps({"order_id": "ORD-10234", "include_tracking": False})
INTENT = json.dumps({"category": "order_status", "urgency": "low", "order_id": "ORD-10234", "summary": "Where it is."})


def completion(message: dict[str, Any], finish_reason: str) -> bytes:
    """Word a completion as OpenAI does."""
    choice = {"index": 0, "message": {"role": "assistant", "refusal": None, **message}, "finish_reason": finish_reason}
    usage = {"prompt_tokens": 900, "completion_tokens": 30, "total_tokens": 930}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "bench", "choices": [choice]}
    return json.dumps({**body, "usage": usage}).encode()


CALL = {"id": "call_1", "type": "function", "function": {"name": "get_order_status", "arguments": STATUS}}
LOOK_UP = completion({"content": None, "tool_calls": [CALL]}, "tool_calls")
SORTED = completion({"content": INTENT}, "stop")
WORDS = completion({"content": "It is on its way and comes on Wednesday."}, "stop")
ANSWERS: dict[str, dict[str, Any]] = {
    "auth.test": {"team_id": "T0ACME", "user_id": "U0BOT", "bot_id": "B0BOT", "url": "https://acme.slack.com/"},
    "bots.info": {"bot": {"app_id": "A0BOT"}},
}


@dataclass
class Times:
    """When an event was sent, acked, and answered, on one clock, in seconds."""

    sent: float
    acked: asyncio.Future[float] = field(default_factory=asyncio.Future)
    answered: asyncio.Future[float] = field(default_factory=asyncio.Future)


class BenchWorld:
    """One server for the Web API, Socket Mode and the model. A turn is two model calls with a look-up between them."""

    def __init__(self) -> None:
        self.model_seconds = 0.0
        self.connected = asyncio.Event()
        self._events: dict[str, Times] = {}
        self._sockets: list[web.WebSocketResponse] = []  # one a replica, in turn
        self._numbers = itertools.count(1)
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/link", self._link)
        app.router.add_post("/v1/chat/completions", self._model)
        self._serving = serving(app)
        self.url = ""

    async def __aenter__(self) -> Self:
        self.url = (await self._serving.__aenter__()).removeprefix("http://")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._serving.__aexit__(None, None, None)

    async def say(self) -> Times:
        """Send the event of a new direct message, of somebody who has not written before."""
        number = next(self._numbers)
        ts = f"{int(time.time())}.{number:06d}"
        event = {
            "type": "message",
            "channel_type": "im",
            "channel": f"D{number:08d}",
            "user": f"U{number:08d}",
            "team": "T0ACME",
            "text": "Where is ORD-10234?",
            "ts": ts,
        }
        payload = {
            "type": "event_callback",
            "team_id": "T0ACME",
            "api_app_id": "A0BOT",
            "event_id": f"Ev{number}",
            "event": event,
        }
        frame = {"envelope_id": ts, "type": "events_api", "payload": payload, "accepts_response_payload": False}
        times = self._events[ts] = Times(time.perf_counter())
        if not self._sockets:
            raise RuntimeError("nobody is connected")
        await self._sockets[number % len(self._sockets)].send_str(json.dumps(frame))
        return times

    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        ts = str(time.time())
        if method == "users.info":
            return web.json_response({"ok": True, "user": await _person(request)})
        if method == "apps.connections.open":
            return web.json_response({"ok": True, "url": f"ws://{self.url}/link"})
        if method == "chat.postMessage":
            body = await (request.json() if request.content_type == "application/json" else request.post())
            answered = self._events[str(body["thread_ts"])].answered
            if not answered.done():
                answered.set_result(time.perf_counter())
        return web.json_response({"ok": True, "ts": ts, "channel": "D1", **ANSWERS.get(method, {})})

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0BOT"}})
        self.connected.set()
        async for frame in socket:
            acked = self._events[json.loads(frame.data)["envelope_id"]].acked
            if not acked.done():
                acked.set_result(time.perf_counter())
        self._sockets.remove(socket)
        return socket

    async def _model(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        if self.model_seconds:
            await asyncio.sleep(self.model_seconds)
        answer = LOOK_UP if body["messages"][-1]["role"] == "user" else WORDS
        return web.Response(
            body=SORTED if "response_format" in body else answer,
            content_type="application/json",
            headers={"x-request-id": "req_1"},
        )


async def _person(request: web.Request) -> dict[str, Any]:
    """Describe anyone who is asked for: each is a person of their own, with the one customer's address."""
    body = await (request.json() if request.content_type == "application/json" else request.post())
    user = body.get("user") or request.query["user"]
    return {"id": user, "team_id": "T0ACME", "profile": {"email": "ana@example.com"}}
