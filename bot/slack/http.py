"""Slack's requests over HTTP: who sent them is known from the bytes before anything in them is read."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic, time
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.signature import Clock, SignatureVerifier

from bot.slack.bolt import bolt_request
from bot.slack.client import StartError

logger = logging.getLogger(__name__)

EVENTS_PATH = "/slack/events"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - Slack and supervisors come from outside
MAX_BODY_BYTES = 1_000_000
MAX_CONNECTIONS = 200
READ_SECONDS = 3.0  # Slack itself waits no longer
KEEP_ALIVE_SECONDS = 75.0
SLACKS = web.AppKey("slacks", set[web.RequestHandler])  # connections on which Slack has signed something


class SlackRoute:
    """Serves the one path that Slack posts to. A clock of the host that is wrong, as it was at the start, is borne."""

    def __init__(self, app: AsyncApp, signing_secret: str, *, clock_ahead: float = 0.0) -> None:
        self._app = app
        clocks = [Clock(), *([_SlackClock(clock_ahead)] if clock_ahead else [])]
        self._verifiers = [SignatureVerifier(signing_secret, clock) for clock in clocks]

    def add_to(self, web_app: web.Application) -> None:
        """Serve Slack's requests in an application."""
        web_app.router.add_post(EVENTS_PATH, self._receive)

    async def _receive(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(READ_SECONDS):
                raw = await _read(request)
        except TimeoutError:
            return _refuse(request, 408, f"its body did not come within {READ_SECONDS:.0f} s")
        except (OSError, web.RequestPayloadError):
            return _refuse(request, 400, "its body broke off")
        if raw is None:
            return _refuse(request, 413, f"it is longer than {MAX_BODY_BYTES} bytes")
        if not self._is_signed(request, raw):
            return _refuse(request, 401, "it is not signed by Slack, or too old")
        request.app[SLACKS].add(request.protocol)
        bolt_request = _parse(request, raw)
        if bolt_request is None:
            return _refuse(request, 400, "its body cannot be read")
        return await to_aiohttp_response(await self._app.async_dispatch(bolt_request))

    def _is_signed(self, request: web.Request, raw: bytes) -> bool:
        """Return whether Slack signed these bytes within the last five minutes, by its clock or the host's."""
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= len("1000000000000")):
            return False
        try:
            return signature.isascii() and any(one.is_valid(raw, timestamp, signature) for one in self._verifiers)
        except UnicodeDecodeError:
            return False


class _SlackClock(Clock):
    """Slack's clock, which goes on as it was at the start, whatever is done to that of the host."""

    def __init__(self, ahead: float) -> None:
        self._ahead = time() + ahead - monotonic()

    def now(self) -> float:
        """Tell the time."""
        return monotonic() + self._ahead


@asynccontextmanager
async def serving(web_app: web.Application, host: str, port: int, *, stop_seconds: float) -> AsyncIterator[None]:
    """Serve on the port while the context is open; requests that are half sent then have `stop_seconds` left.

    No more than MAX_CONNECTIONS are open at once. One that asks for nothing within READ_SECONDS is closed, one on which
    Slack has signed nothing after its answer, or when there is no room for a newer one.
    """
    connections = _Connections()
    connections.watch(web_app)
    runner = web.AppRunner(
        web_app,
        access_log=None,
        auto_decompress=False,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        lingering_time=1.0,
        logger=_ServerLog(logger),
        shutdown_timeout=stop_seconds,
    )
    await runner.setup()
    accept = partial(connections.accept, runner)
    try:
        try:
            listening = await asyncio.get_running_loop().create_server(accept, host, port)
        except OSError as error:
            raise StartError(f"Port {port} cannot be used on {host}: {error.strerror or error}.") from error
        async with listening:
            yield
    finally:
        await runner.cleanup()


class _ServerLog(logging.LoggerAdapter[logging.Logger]):
    """Tells in one line of what is no HTTP; of all else that aiohttp's server runs into, with its traceback."""

    def exception(self, msg: object, *args: object, exc_info: Any = True, **how: Any) -> None:
        """Log what a request ended in."""
        if isinstance(exc_info, HttpProcessingError):
            self.warning("refused a request of %s: it is no HTTP (%s)", *args, type(exc_info).__name__)
        else:
            super().exception(msg, *args, exc_info=exc_info, **how)


class _Connections:
    """Bounds how many connections are open, and what those may take on which Slack has signed nothing."""

    def __init__(self) -> None:
        self._silent: set[web.RequestHandler] = set()
        self._slacks: set[web.RequestHandler] = set()

    def watch(self, web_app: web.Application) -> None:
        """Know by its requests which connection has asked for something, and which is Slack's."""
        web_app[SLACKS] = self._slacks

        @web.middleware
        async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._silent.discard(request.protocol)
            try:
                response = await handler(request)
            except web.HTTPException as refusal:
                refusal.force_close()
                raise
            if request.protocol not in self._slacks:
                response.force_close()
            return response

        web_app.middlewares.append(note)

    def accept(self, runner: web.AppRunner) -> asyncio.Protocol:
        """Return what serves a new connection, or what hangs up when too many are open or all are to end."""
        server = runner.server
        opened = server.connections if server else []
        self._slacks.intersection_update(opened)
        if server is None or (len(opened) >= MAX_CONNECTIONS and not self._makes_room(opened)):
            logger.warning("refused a connection: there may be %s", MAX_CONNECTIONS)
            return _HangUp()
        connection = server()
        self._silent.add(connection)
        asyncio.get_running_loop().call_later(READ_SECONDS, self._close_silent, connection)
        return connection

    def _makes_room(self, opened: Sequence[web.RequestHandler]) -> bool:
        """Close the oldest connection on which Slack has signed nothing, so that nobody else keeps Slack out."""
        oldest = next((one for one in opened if one.transport and one not in self._slacks), None)
        if oldest is None or len(opened) >= 2 * MAX_CONNECTIONS:  # of those that are closed, some still end
            return False
        self._silent.discard(oldest)
        oldest.force_close()
        return True

    def _close_silent(self, connection: web.RequestHandler) -> None:
        if connection in self._silent:
            self._silent.discard(connection)
            connection.force_close()


class _HangUp(asyncio.Protocol):
    """Closes its connection at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up at once."""
        transport.close()


async def _read(request: web.Request) -> bytes | None:
    """Read the body; None when it is too long, which is known without having all of it."""
    if (request.content_length or 0) > MAX_BODY_BYTES:
        return None
    raw = bytearray()
    async for chunk in request.content.iter_any():
        raw += chunk
        if len(raw) > MAX_BODY_BYTES:
            return None
    return bytes(raw)


def _parse(request: web.Request, raw: bytes) -> AsyncBoltRequest | None:
    """Make Bolt's request of a body that is a JSON object, or a form with one; None when it is neither."""
    try:
        text = raw.decode()
        is_form = request.content_type == "application/x-www-form-urlencoded"
        return bolt_request(_of_form(text) if is_form else json.loads(text))
    except (ValueError, KeyError, RecursionError):
        return None


def _of_form(text: str) -> object:
    """Read a form: JSON in one field, or a slash command, which is its fields."""
    fields = parse_qs(text, keep_blank_values=True, max_num_fields=30)
    return (
        {name: values[0] for name, values in fields.items()}
        if "command" in fields
        else json.loads(fields["payload"][0])
    )


def _refuse(request: web.Request, status: int, reason: str) -> web.Response:
    logger.warning("refused a request of %s: %s", request.remote, reason)
    return web.Response(status=status, headers={"Connection": "close"} if status in (408, 413) else None)
