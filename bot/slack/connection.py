"""How Slack reaches us: over a watched Socket Mode connection, or over HTTP."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from typing import Any, Protocol

from aiohttp import ClientWebSocketResponse
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.failpoints import reach
from bot.slack.bolt import bolt_request
from bot.slack.client import SLACK_ERRORS, StartError, ask_to_start, failure

logger = logging.getLogger(__name__)

_PINGS_IN_A_SILENCE = 4
_SILENCES_TO_GIVE_UP = 3
_CUT_POLL_SECONDS = 0.5
_ACKED = {"events_api": "message acked", "interactive": "click acked"}


class ConnectionLostError(Exception):
    """Slack does not reach us any more, and reconnecting did not help; the text is for the operator."""


class Connection(Protocol):
    """What is known of how Slack reaches us."""

    def seconds_silent(self) -> float:
        """Count the seconds since we last knew that Slack reaches us."""

    async def lost(self) -> None:
        """Wait for as long as Slack reaches us. Raises ConnectionLostError when it does so no more."""


class SocketConnection:
    """Socket Mode with a watch over it: what the SDK takes for connected may have been silent for hours.

    A connection that was cut it would replace only when its next ping is due.
    """

    def __init__(self, handler: AsyncSocketModeHandler, silence_seconds: float) -> None:
        self._client = handler.client
        self._silence = silence_seconds
        self._heard_at = monotonic()
        self._last_pong: float | None = None
        self._cut: ClientWebSocketResponse | None = None
        self._client.on_message_listeners.append(self._hear)

    def seconds_silent(self) -> float:
        """Count the seconds since the last pong, hello or envelope."""
        pong = self._client.last_ping_pong_time
        # The SDK makes a first pong up when a connection is new; only one that follows another is Slack's.
        if pong is not None and self._last_pong is not None and pong != self._last_pong:
            self._heard_at = monotonic()
        self._last_pong = pong
        return monotonic() - self._heard_at

    async def lost(self) -> None:
        """Reconnect whenever the connection is cut or silent. Raises ConnectionLostError when it stays silent."""
        while (silent := self.seconds_silent()) < _SILENCES_TO_GIVE_UP * self._silence:
            pause = self._silence / _PINGS_IN_A_SILENCE
            if silent > self._silence:
                logger.warning("Slack has been silent for %.0f s; connecting again", silent)
                await self._reconnect(force=True)
            else:
                if self._was_cut():
                    await self._reconnect(force=False)
                pause = min(pause, _CUT_POLL_SECONDS)
            await asyncio.sleep(pause)
        raise ConnectionLostError(f"Slack has been silent for {silent:.0f} s, and connecting again did not help.")

    def _was_cut(self) -> bool:
        """Return once for each connection that it is closed; when reconnecting fails, the SDK goes on at its pace."""
        session = self._client.current_session
        if session is None or not session.closed or session is self._cut:
            return False
        self._cut = session
        return True

    async def _reconnect(self, *, force: bool) -> None:
        try:
            async with asyncio.timeout(self._silence):
                await self._client.connect_to_new_endpoint(force=force)
        except Exception as error:  # noqa: BLE001 - whatever the SDK runs into, it goes on until it is time to give up
            logger.warning("could not connect to Slack: %s", failure(error))  # its text may hold the ticket

    async def _hear(self, _message: Any) -> None:
        self._heard_at = monotonic()


class HttpConnection:
    """Slack comes to us: that it does not is for Slack to notice."""

    def seconds_silent(self) -> float:
        """Count nothing: there is no connection between two requests."""
        return 0.0

    async def lost(self) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


@asynccontextmanager
async def socket_mode(app: AsyncApp, app_token: str, *, silence_seconds: float) -> AsyncIterator[SocketConnection]:
    """Be connected over Socket Mode while the context is open."""
    handler = AsyncSocketModeHandler(app, app_token, ping_interval=silence_seconds / _PINGS_IN_A_SILENCE)
    handler.client.socket_mode_request_listeners[:] = [partial(_handle, handler)]
    connection = SocketConnection(handler, silence_seconds)
    try:
        handler.client.wss_uri = await _open(app, app_token)
        await _connect(handler)
        yield connection
    finally:
        await handler.close_async()


async def _handle(handler: AsyncSocketModeHandler, client: SocketModeClient, request: SocketModeRequest) -> None:
    """Pass on to Bolt and ack what Slack sends; what is not as Slack sends it is acked and left."""
    if request.type in _ACKED and bolt_request(request.payload) is None:
        logger.warning("ignored an envelope of type %.40s whose payload cannot be read", request.type)
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        return
    try:
        await handler.handle(client, request)
    except ConnectionError:
        logger.info("the connection to Slack was lost before the ack; Slack sends it again")
        return
    if request.type in _ACKED:
        reach(_ACKED[request.type])


async def _connect(handler: AsyncSocketModeHandler) -> None:
    try:
        await handler.connect_async()
    except SLACK_ERRORS as error:
        raise StartError(f"Slack's Socket Mode cannot be reached: {failure(error)}.") from error


async def _open(app: AsyncApp, app_token: str) -> str:
    silent = f"Slack cannot be reached at {app.client.base_url}"
    answer = await ask_to_start(
        lambda: app.client.apps_connections_open(app_token=app_token),
        "SLACK_APP_TOKEN",
        "It needs the scope connections:write.",
        silent,
    )
    url: str = answer["url"]
    return url
