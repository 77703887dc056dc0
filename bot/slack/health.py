"""What a supervisor asks: does the process live, and can it do its work."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from bot.model.health import ModelHealth
from bot.slack.connection import Connection
from bot.store.errors import DatabaseError
from bot.store.sqlite.leases import Leases
from bot.store.store import Inbox

_DATABASE_TIMEOUT_SECONDS = 2.0


class Health:
    """Answers `/healthz`, which is 200 while the process runs, and `/readyz`, which is 503 when something is wrong."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        leases: Leases,
        connection: Connection,
        models: Sequence[ModelHealth],
        silence_seconds: float,
    ) -> None:
        self._inbox = inbox
        self._leases = leases
        self._connection = connection
        self._models = models
        self._silence = silence_seconds

    def add_routes(self, app: web.Application) -> None:
        """Serve both."""
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/readyz", self._ready)

    async def _alive(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "seconds_since_slack_was_heard": round(self._connection.seconds_silent(), 1),
                "seconds_oldest_message_waits": await self._oldest(),
                "models": [model.report() for model in self._models],
            }
        )

    async def _ready(self, _: web.Request) -> web.Response:
        faults = []
        if (silent := self._connection.seconds_silent()) > self._silence:
            faults.append(f"Slack has been silent for {silent:.0f} s")
        try:
            async with asyncio.timeout(_DATABASE_TIMEOUT_SECONDS):
                await self._leases.ensure_alive()
        except (DatabaseError, TimeoutError) as error:
            faults.append(f"the database cannot be written ({type(error).__name__}): {error}")
        if all(of_models := [model.fault for model in self._models]):  # one that answers is enough
            faults += [fault for fault in of_models if fault]
        return web.json_response({"ready": not faults, "faults": faults}, status=503 if faults else 200)

    async def _oldest(self) -> float | None:
        try:
            async with asyncio.timeout(_DATABASE_TIMEOUT_SECONDS):
                return await self._inbox.oldest_waiting_seconds()
        except (DatabaseError, TimeoutError):
            return None
