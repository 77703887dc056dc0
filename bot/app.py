"""The order in which a bot is started and stopped, and the reason for it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from bot.ground import cancel
from bot.settings import Settings
from bot.shop.shop import Shop
from bot.shop.sqlite import SqliteShop
from bot.slack.connection import Connection, HttpConnection, socket_mode
from bot.slack.health import Health
from bot.slack.http import EVERYWHERE, SlackRoute, serving
from bot.store.errors import DatabaseError
from bot.store.sqlite.database import DatabaseThread
from bot.wiring import Bot, assemble

logger = logging.getLogger(__name__)

ERASURE_INTERVAL_SECONDS = 60.0
STOP_INTERVAL_SECONDS = 1.0


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    http_port: int | None = None,
    host: str = EVERYWHERE,
    open_shop: Callable[[DatabaseThread], Shop] = SqliteShop,
) -> AsyncIterator[Connection]:
    """Run the bot while the context is open: over Socket Mode, or over HTTP when a port is given.

    On leaving, it takes nothing more, lets what runs finish within the settings' time, says what is to be said, and
    leaves the rest to the next start.

    What is started last is stopped first. The order, and its reason:

    1. The database is opened and this process registered in it: all that follows writes rows under its lease.
    2. Delivery, before anything that has something to say; so it is stopped after all work, and posts its last words.
    3. What is repeated: leases are renewed for as long as work goes on.
    4. What an earlier process left: requests, then posts, then threads, which may depend on a request's outcome.
    5. The connection to Slack, when all that a message or a click needs is there; so it is closed first.
    """
    async with AsyncExitStack() as stack:
        bot = await assemble(settings, open_shop, stack)
        stack.push_async_callback(cancel, asyncio.create_task(bot.delivery.run(), name="delivery"))
        stack.push_async_callback(bot.delivery.stop, settings.stop_seconds * 0.3)
        stack.push_async_callback(cancel, asyncio.create_task(_follow(bot), name="hints"))
        for seconds, task in _repeated(bot, settings):
            stack.push_async_callback(cancel, asyncio.create_task(_every(seconds, task), name=task.__name__))
        stack.push_async_callback(_stop_work, bot, settings.stop_seconds * 0.6)
        await bot.sweeper.recover(alone=bot.membership.leases.alone)
        await bot.delivery.resume()
        await bot.worker.resume()
        yield await _connect(bot, settings, http_port, host, stack)


def _repeated(bot: Bot, settings: Settings) -> list[tuple[float, Callable[[], Awaitable[None]]]]:
    """List what is done again and again, with the seconds between."""

    async def renew() -> None:
        await bot.membership.leases.renew()
        await _look(bot)

    async def give_back() -> None:
        if settings.hours is not None:
            await bot.store.conversations.give_back_older_than(settings.hours)

    async def erase() -> None:
        await bot.shop.erase_due()
        await bot.store.inbox.drop_unclaimed()
        await bot.store.usage.drop_old()
        if settings.retention_days is not None:
            erased = await bot.store.admin.erase_older_than(settings.retention_days)
            if erased.left_in:
                logger.warning("erased words may still be in %s; this is tried again", erased.left_in)

    return [
        (settings.lease_seconds / 3, renew),
        (STOP_INTERVAL_SECONDS, bot.stops.look),
        (settings.sweep_seconds, bot.sweeper.sweep),
        (settings.sweep_seconds, bot.refund_watch.look),
        (settings.sweep_seconds, give_back),
        (settings.sweep_seconds, bot.listening.home.keep_current),
        (ERASURE_INTERVAL_SECONDS, erase),
    ]


async def _connect(bot: Bot, settings: Settings, http_port: int | None, host: str, stack: AsyncExitStack) -> Connection:
    silence = settings.silence_seconds
    web_app, health_app = web.Application(), web.Application()
    connection: Connection
    if http_port is None:
        token = settings.slack_app_token
        app_token = token.get_secret_value() if token else ""
        connection = await stack.enter_async_context(socket_mode(bot.listening.app, app_token, silence_seconds=silence))
    else:
        connection = HttpConnection()
        secret = settings.slack_signing_secret
        signed_with = secret.get_secret_value() if secret else ""
        SlackRoute(bot.listening.app, signed_with, clock_ahead=bot.clock_ahead).add_to(web_app)
    health = Health(
        store=bot.store,
        shop=bot.shop,
        models=bot.models,
        membership=bot.membership,
        connection=connection,
        silence_seconds=silence,
    )
    health.add_routes(health_app if settings.health_port else web_app)
    for app, port in ((health_app, settings.health_port), (web_app, http_port)):
        if port is not None:
            await stack.enter_async_context(serving(app, host, port, stop_seconds=settings.stop_seconds * 0.1))
    return connection


async def _look(bot: Bot) -> None:
    """Go on with whatever waits and nobody is at, and leave off what was stopped."""
    await bot.stops.look()
    await bot.delivery.resume()
    await bot.worker.resume()


async def _follow(bot: Bot) -> None:
    """Look whenever another process hints that something waits."""
    while True:
        await bot.membership.hints.wait()
        try:
            await _look(bot)
        except DatabaseError as error:
            logger.warning("looking for what waits failed, and is tried again: %s", error)


async def _every(seconds: float, task: Callable[[], Awaitable[None]]) -> None:
    """Do it again and again. What fails is done the next time."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await task()
        except DatabaseError as error:
            logger.warning("%s failed, and is tried again: %s", task.__name__, error)
        except Exception:
            logger.exception("%s failed, and is tried again", task.__name__)


async def _stop_work(bot: Bot, seconds: float) -> None:
    parts = (bot.worker, bot.listening, bot.timelines, bot.drafts, bot.sweeper)
    await asyncio.gather(*(part.stop(seconds) for part in parts))
