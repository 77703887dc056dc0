"""The composition root: settings become store, shop, model, agent and Slack app, started and stopped in order."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta

from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import tools
from bot.agent.agent import Agent
from bot.agent.intents import Intents
from bot.agent.model_calls import ModelCalls
from bot.agent.tool_calls import ToolCalls
from bot.approvals.cards import Cards
from bot.approvals.gate import Approvals
from bot.approvals.outcomes import Outcomes
from bot.approvals.upkeep import Upkeep
from bot.hand_over import HandOver
from bot.identity import SLACK_ERRORS, Identity
from bot.instructions import INSTRUCTIONS
from bot.model import OpenAIModel
from bot.settings import Settings
from bot.shop.sqlite import SqliteShop, shop_migrations
from bot.slack.delivery import Delivery, posting_client, slack_error, web_client, web_session
from bot.slack.intake import Intake, Ourselves
from bot.slack.listeners import Buttons
from bot.slack.worker import Worker
from bot.store.database import DatabaseThread
from bot.store.leases import Leases
from bot.store.migrations import bot_migrations
from bot.store.store import Store

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_ERASURES = 60.0
EVENTS_PATH = "/slack/events"


class StartError(Exception):
    """The bot cannot start; the text tells the operator why and what to do."""


@asynccontextmanager
async def running(settings: Settings, *, http_port: int | None = None) -> AsyncIterator[None]:
    """Run the bot while the context is open: over Socket Mode, or over HTTP when a port is given."""
    async with AsyncExitStack() as stack:
        database = DatabaseThread(settings.database, bot_migrations, shop_migrations)
        await database.open()
        stack.push_async_callback(database.close)
        session = await stack.enter_async_context(web_session())
        client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
        ourselves = await _who_are_we(client)
        leases = Leases(database, settings.lease_seconds)
        await leases.join()
        stack.push_async_callback(leases.leave)
        store, shop, identity = (
            Store(database, leases),
            SqliteShop(database),
            Identity(client, settings, team=ourselves.team),
        )
        models = [
            OpenAIModel(name, settings) for name in (settings.openai_model, settings.openai_fallback_model) if name
        ]
        for model in models:
            stack.push_async_callback(model.close)
        known_tools = tools.load(settings)
        hand_over = HandOver(settings, ourselves.url)
        cards = Cards(identity, settings)
        outcomes = Outcomes(
            store=store, cards=cards, tools=known_tools, shop=shop, identity=identity, settings=settings
        )
        approvals = Approvals(store=store, outcomes=outcomes, cards=cards, identity=identity, settings=settings)
        upkeep = Upkeep(calls=store.gated_calls, outcomes=outcomes, cards=cards, settings=settings)
        poster = posting_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
        delivery = Delivery(poster, store.outbox, on_lost_card=approvals.undeliverable)
        intents = Intents(model=models[0], store=store, hand_over=hand_over)
        stack.push_async_callback(intents.stop)
        agent = Agent(
            model_calls=ModelCalls(
                models=models,
                definitions=[tool.definition() for tool in known_tools.values()],
                instructions=INSTRUCTIONS,
                calls=store.calls,
                settings=settings,
                show_status=delivery.show_status,
            ),
            tool_calls=ToolCalls(
                tools=known_tools,
                calls=store.calls,
                shop=shop,
                approvals=approvals,
                hand_over=hand_over,
                settings=settings,
            ),
            intents=intents,
            hand_over=hand_over,
            store=store,
            identity=identity,
            settings=settings,
            show_status=delivery.show_status,
        )
        worker = Worker(store.inbox, agent, stale_after=timedelta(minutes=settings.stale_minutes))
        secret = settings.slack_signing_secret
        app = AsyncApp(client=client, signing_secret=secret.get_secret_value() if secret else None)
        app.middleware(
            Intake(
                ourselves=ourselves,
                inbox=store.inbox,
                wake=worker.wake,
                changed=outcomes.supersede,
                trusted_teams=settings.trusted_teams,
            )
        )
        buttons = Buttons(ourselves=ourselves, approvals=approvals, delivery=delivery)
        buttons.register(app)
        await upkeep.recover(alone=leases.alone)

        async def renew() -> None:
            await leases.renew()
            store.outbox.news.set()
            await worker.resume()

        stack.push_async_callback(_cancel, asyncio.create_task(delivery.run(), name="delivery"))
        stack.push_async_callback(delivery.stop, settings.stop_seconds * 0.3)
        repeated = (
            (settings.sweep_seconds, upkeep.sweep),
            (SECONDS_BETWEEN_ERASURES, shop.erase_due),
            (settings.lease_seconds / 3, renew),
        )
        for seconds, task in repeated:
            stack.push_async_callback(_cancel, asyncio.create_task(_every(seconds, task), name=task.__name__))
        stack.push_async_callback(_stop_work, worker, buttons, settings.stop_seconds * 0.7)
        await worker.resume()
        await stack.enter_async_context(_http(app, http_port) if http_port is not None else _socket_mode(app, settings))
        yield


async def _who_are_we(client: AsyncWebClient) -> Ourselves:
    try:
        us = await client.auth_test()
        bot = await client.bots_info(bot=us["bot_id"])
    except SlackApiError as error:
        raise StartError(
            f"Slack refused SLACK_BOT_TOKEN ({slack_error(error)}). Install the app anew and copy its bot token."
        ) from error
    except SLACK_ERRORS as error:
        raise StartError(f"Slack cannot be reached at {client.base_url}: {error}.") from error
    return Ourselves(
        team=us["team_id"], user=us["user_id"], bot_id=us["bot_id"], app_id=bot["bot"]["app_id"], url=us["url"]
    )


@asynccontextmanager
async def _socket_mode(app: AsyncApp, settings: Settings) -> AsyncIterator[None]:
    token = settings.slack_app_token
    handler = AsyncSocketModeHandler(app, token.get_secret_value() if token else "")
    try:
        await app.client.apps_connections_open(app_token=handler.app_token)
    except SlackApiError as error:
        await handler.close_async()
        raise StartError(
            f"Slack refused SLACK_APP_TOKEN ({slack_error(error)}). It needs the scope connections:write."
        ) from error
    try:
        await handler.connect_async()
        yield
    finally:
        await handler.close_async()


@asynccontextmanager
async def _http(app: AsyncApp, port: int) -> AsyncIterator[None]:
    runner = web.AppRunner(app.server(port=port, path=EVENTS_PATH).web_app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "0.0.0.0", port).start()  # noqa: S104 - Slack comes from outside
        yield
    except OSError as error:
        raise StartError(f"Port {port} cannot be used: {error.strerror}.") from error
    finally:
        await runner.cleanup()


async def _every(seconds: float, task: Callable[[], Awaitable[None]]) -> None:
    """Do it again and again. What fails is done the next time: most likely the database did not write."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await task()
        except Exception:
            logger.exception("%s failed, and is tried again", task.__name__)


async def _stop_work(worker: Worker, buttons: Buttons, seconds: float) -> None:
    await asyncio.gather(worker.stop(seconds), buttons.stop(seconds))


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
