"""A proxy before a shop's server, that fails as it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from aiohttp import ClientSession, web

from bot.testing.serving import serving

Fault = Literal[
    "request lost",
    "answer lost",
    "500 before",
    "500 after",
    "HTML",
    "no end of brackets",
    "nobody's error",
    "rate limited",
    "rate limited for ever",
    "rate limited somehow",
    "slow",
    "in pieces",
]
_PATIENCE = {"rate limited": {"Retry-After": "7"}, "rate limited for ever": {"Retry-After": "1e400"}}
_PIECE_BYTES = 1_000


@dataclass(frozen=True, slots=True)
class _Armed:
    """How the next request that contains `about` fails, or what it is answered instead.

    If it waits, not before all that was armed earlier.
    """

    fault: Fault | None
    about: str
    seconds: float = 0
    waits: bool = False
    answer: object = None


class FaultProxy:
    """Passes requests on to a server, but for the next ones, which fail as they are told to.

    Only requests whose body contains `about` count, so that a fault hits a change and not a look.
    """

    def __init__(self, target: str) -> None:
        self.url = ""
        self._target = target
        self._faults: list[_Armed] = []
        self._under_way = 0
        self._changed = asyncio.Condition()

    def next(self, fault: Fault, about: str = "", *, seconds: float = 1.0) -> None:
        """Fail the next request about this in this way; one that is slow takes so many seconds."""
        self._faults.append(_Armed(fault, about, seconds))

    def then(self, fault: Fault, about: str = "", *, seconds: float = 1.0) -> None:
        """Fail in this way, too, but only after what was to fail until now has."""
        self._faults.append(_Armed(fault, about, seconds, waits=True))

    def answer(self, answer: object, about: str) -> None:
        """Answer the next request about this with these words, as JSON, and pass nothing on."""
        self._faults.append(_Armed(None, about, answer=answer))

    def stop(self) -> None:
        """Fail no more."""
        self._faults.clear()

    async def idle(self) -> None:
        """Wait until no request is on its way, those included that an adapter has given up."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._under_way)

    async def all_met(self) -> None:
        """Wait until all that was armed has met its request, which may be under way still."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._faults)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["FaultProxy"]:
        """Serve on a port of localhost while the context is open."""
        async with ClientSession() as self._session:
            app = web.Application(client_max_size=10_000_000)
            app.router.add_route("*", "/{path:.*}", self._handle)
            async with serving(app) as self.url:
                yield self

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self._under_way += 1
        try:
            return await self._pass_on(request)
        finally:
            async with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        armed = self._take(body.decode(errors="replace"))
        async with self._changed:
            self._changed.notify_all()
        fault = armed.fault
        if (instead := _instead(armed)) is not None:
            return instead
        if fault == "request lost":
            return self._cut(request)
        if fault == "slow":
            await asyncio.sleep(armed.seconds)  # the adapter gives up meanwhile; what it sent still arrives
        response = await self._send(request, body)
        if fault == "500 after":
            return web.Response(status=500, text="Internal error")
        if fault == "nobody's error":
            return web.json_response({"error": "blocked"}, status=400)
        if fault == "in pieces":
            return await _in_pieces(request, response)
        return self._cut(request) if fault == "answer lost" else response

    async def _send(self, request: web.Request, body: bytes) -> web.Response:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "content-length")}
        url = f"{self._target}{request.rel_url}"
        async with self._session.request(request.method, url, data=body, headers=headers) as answer:
            kept = {k: v for k, v in answer.headers.items() if k.lower() in ("content-type", "retry-after")}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    def _take(self, body: str) -> _Armed:
        for position, armed in enumerate(self._faults):
            if armed.about in body and not (armed.waits and position):
                del self._faults[position]
                return armed
        return _Armed(None, "")

    @staticmethod
    def _cut(request: web.Request) -> web.Response:
        if request.transport:
            request.transport.abort()
        return web.Response()


def _instead(armed: _Armed) -> web.Response | None:
    """Return what the server's answer is replaced by, which it is not even asked for; None where it is."""
    fault = armed.fault
    if armed.answer is not None:
        return web.json_response(armed.answer)
    if fault and fault.startswith("rate limited"):
        return web.Response(status=429, headers=_PATIENCE.get(fault), text="Too many requests")
    if fault == "HTML":
        return web.Response(text="<html><body>Bad gateway</body></html>", content_type="text/html")
    if fault == "no end of brackets":
        return web.Response(text="[" * 100_000, content_type="application/json")
    return web.Response(status=500, text="Internal error") if fault == "500 before" else None


async def _in_pieces(request: web.Request, whole: web.Response) -> web.StreamResponse:
    """Send an answer piece by piece, as a large one comes."""
    response = web.StreamResponse(status=whole.status, headers={"Content-Type": "application/json"})
    await response.prepare(request)
    body = whole.body if isinstance(whole.body, bytes) else b""
    for start in range(0, len(body), _PIECE_BYTES):
        await response.write(body[start : start + _PIECE_BYTES])
        await asyncio.sleep(0.001)
    return response
