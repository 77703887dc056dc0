"""What a supervisor asks: does the process live, can it do its work, and what has it counted."""

import asyncio
from collections.abc import Sequence
from time import monotonic

from aiohttp import web

from bot.metrics import CONTENT_TYPE, exposition
from bot.model.health import ModelHealth
from bot.shop.shop import Shop
from bot.slack.connection import Connection
from bot.store.errors import DatabaseError
from bot.store.opening import Membership
from bot.store.store import Store

_DATABASE_TIMEOUT_SECONDS = 2.0
_SHOP_TIMEOUT_SECONDS = 2.0
_SHOP_INTERVAL_SECONDS = 30.0
_NO_ORDER = "ORD-0"


class Health:
    """Answers `/healthz`, `/readyz` and `/metrics`.

    `/healthz` is 200 while the process runs. `/readyz` is 503 when messages cannot be taken; that the model or the shop
    is in trouble it says too, and stays 200: people still get an answer, and their message must reach us.
    """

    def __init__(
        self,
        *,
        store: Store,
        shop: Shop,
        models: Sequence[ModelHealth],
        membership: Membership,
        connection: Connection,
        silence_seconds: float,
    ) -> None:
        self._store = store
        self._shop = shop
        self._leases = membership.leases
        self._hints = membership.hints
        self._connection = connection
        self._models = models
        self._silence = silence_seconds
        self._shop_known: tuple[float, str | None] = (float("-inf"), None)

    def add_routes(self, app: web.Application) -> None:
        """Serve all three."""
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._metrics)

    async def _alive(self, _: web.Request) -> web.Response:
        told: dict[str, object] = {
            "seconds_since_slack_was_heard": round(self._connection.seconds_silent(), 1),
            "seconds_oldest_message_waits": await self._oldest(),
            "models": [model.report() for model in self._models],
        }
        if self._hints.heard is not None:
            told["hints_of_other_processes_are_heard"] = self._hints.heard
        return web.json_response(told)

    async def _ready(self, _: web.Request) -> web.Response:
        faults, trouble = [], []
        if (silent := self._connection.seconds_silent()) > self._silence:
            faults.append(f"Slack has been silent for {silent:.0f} s")
        try:
            async with asyncio.timeout(_DATABASE_TIMEOUT_SECONDS):
                await self._leases.ensure_alive()
        except (DatabaseError, TimeoutError) as error:
            faults.append(f"the database cannot be written ({type(error).__name__}): {error}")
        trouble += [fault for model in self._models if (fault := model.fault)]
        if not faults and (error_of_shop := await self._shop_trouble()) is not None:
            trouble.append(f"the shop does not answer ({error_of_shop})")
        told = {"ready": not faults, "faults": faults, "trouble": trouble}
        return web.json_response(told, status=503 if faults else 200)

    async def _metrics(self, _: web.Request) -> web.Response:
        states = {"slack_silent_seconds": self._connection.seconds_silent()}
        try:
            async with asyncio.timeout(_DATABASE_TIMEOUT_SECONDS):
                states["oldest_message_seconds"] = await self._store.inbox.oldest_waiting_seconds()
                states["open_requests"] = len(await self._store.open_requests.open())
                states["waiting_posts"] = await self._store.outbox.waiting_posts()
        except (DatabaseError, TimeoutError):
            pass  # `/readyz` tells; what is counted in this process is told all the same
        return web.Response(body=exposition(states), headers={"Content-Type": CONTENT_TYPE})

    async def _shop_trouble(self) -> str | None:
        """Return what the shop failed with, asked for an order that no shop has, and not more often than need be."""
        known_at, error = self._shop_known
        if monotonic() - known_at < _SHOP_INTERVAL_SECONDS:
            return error
        try:
            async with asyncio.timeout(_SHOP_TIMEOUT_SECONDS):
                await self._shop.order(_NO_ORDER)
            error = None
        except Exception as failure:  # noqa: BLE001 - a shop may be anybody's code
            error = type(failure).__name__
        self._shop_known = (monotonic(), error)
        return error

    async def _oldest(self) -> float | None:
        try:
            async with asyncio.timeout(_DATABASE_TIMEOUT_SECONDS):
                return await self._store.inbox.oldest_waiting_seconds()
        except (DatabaseError, TimeoutError):
            return None
