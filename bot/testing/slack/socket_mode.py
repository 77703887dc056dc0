"""Socket Mode as Slack runs it: WebSocket connections, envelopes, acks, and events sent again until acked."""

import asyncio
import json
import secrets
from collections import deque

from aiohttp import WSMsgType, web

from bot.testing.slack.workspace import Workspace
from bot.testing.slack.workspace.deliveries import Ack
from bot.testing.slack.workspace.objects import Json

RETRY_DELAYS = (0.0, 60.0, 300.0)  # seconds before the first, second and third time that Slack sends an event again
DEBUG_INFO = {"host": "applink-demo", "approximate_connection_time": 18060}


class SocketMode:
    """The open connections of the app, and what waits for an ack on them.

    Each envelope goes to one connection, in turn. Events wait while none is open; a click does not.
    `sent_again` counts how often an event was not acked and came once more.
    """

    def __init__(
        self, workspace: Workspace, *, ack_timeout: float = 3.0, retry_delays: tuple[float, ...] = RETRY_DELAYS
    ) -> None:
        self._workspace = workspace
        self.ack_timeout = ack_timeout
        self.sent_again = 0
        self.retry_delays = retry_delays
        self._tickets: set[str] = set()
        self._open: dict[web.WebSocketResponse, web.Request] = {}
        self._in_turn: deque[web.WebSocketResponse] = deque()
        self._mute: set[web.WebSocketResponse] = set()
        self._acks: dict[str, asyncio.Future[Json]] = {}

    @property
    def connections(self) -> int:
        """Count the open connections that envelopes may go to."""
        return len(self._in_turn)

    def issue_ticket(self) -> str:
        """Allow one connection, once."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return ticket

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until either side closes it."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            raise web.HTTPForbidden(text="The ticket is unknown or used.")
        self._tickets.remove(ticket)
        # Pings are answered by hand, for one that is mute; a dead client may hold up the end for one second.
        socket = web.WebSocketResponse(timeout=1.0, autoping=False)
        await socket.prepare(request)
        self._open[socket] = request
        try:
            await socket.send_json(self._hello())
            self._in_turn.append(socket)
            self._workspace.notify("connection", None)
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._receive(frame.json())
                elif frame.type is WSMsgType.PING and socket not in self._mute:
                    await socket.pong(frame.data)
        finally:
            self._mute.discard(socket)
            del self._open[socket]
            self._retire(socket)
        return socket

    async def deliver(self, kind: str, payload: Json) -> Ack:
        """Bring a payload to the app, and return how it was acked; an event is sent again before it is given up."""
        if kind != "events_api":
            return self.connections > 0 and await self._attempt(kind, payload, 0)
        for attempt, delay in enumerate((0.0, *self.retry_delays)):
            if delay:
                await asyncio.sleep(delay)
            await self._workspace.until(lambda: self.connections > 0, within=None)
            self.sent_again += attempt > 0
            if await self._attempt(kind, payload, attempt):
                return True
        return False

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask the app to reconnect, as Slack does every few hours; envelopes wait for the new connection."""
        for socket in tuple(self._in_turn):
            self._retire(socket)
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": DEBUG_INFO})

    def close_abruptly(self) -> None:
        """Cut every connection without a word."""
        for socket, request in tuple(self._open.items()):
            self._retire(socket)
            if request.transport:
                request.transport.abort()

    def mute(self) -> None:
        """Leave every connection open, but never say a word on it again, as when the network swallows all."""
        for socket in tuple(self._open):
            self._mute.add(socket)
            self._retire(socket)

    async def close(self) -> None:
        """Close every connection in good order."""
        for socket in tuple(self._open):
            self._retire(socket)
            await socket.close()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "debug_info": DEBUG_INFO,
            "connection_info": {"app_id": self._workspace.app_id},
        }

    def _retire(self, socket: web.WebSocketResponse) -> None:
        if socket in self._in_turn:
            self._in_turn.remove(socket)
            self._workspace.notify("connection", None)

    def _receive(self, frame: Json) -> None:
        ack = self._acks.get(frame.get("envelope_id", ""))
        if ack and not ack.done():
            ack.set_result(frame.get("payload") or {})

    async def _attempt(self, kind: str, payload: Json, attempt: int) -> Ack:
        envelope_id = secrets.token_hex(16)
        envelope = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": "timeout" if attempt else ""}
        ack = self._acks[envelope_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self.ack_timeout):
                await self._send(json.dumps(envelope))
                answer = await ack
        except (TimeoutError, ConnectionError):
            return False
        else:
            return answer or True
        finally:
            del self._acks[envelope_id]

    async def _send(self, frame: str) -> None:
        socket = self._in_turn[0]
        self._in_turn.rotate(-1)
        await socket.send_str(frame)
