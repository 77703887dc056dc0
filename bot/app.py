"""The composition root: settings become store, shop, model, agent and Slack app, started and stopped in order."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web
from slack_bolt.async_app import AsyncApp

from bot import tools
from bot.agent.agent import Agent
from bot.agent.bounds import Bounds
from bot.agent.escalation import Escalation
from bot.agent.instructions import INSTRUCTIONS, with_policy
from bot.agent.intents import Intents
from bot.agent.model_calls import ModelCalls
from bot.agent.people import People
from bot.agent.tool_calls import ToolCalls
from bot.agent.worker import Worker
from bot.approvals.cards import Cards
from bot.approvals.decide import Approvals
from bot.approvals.execute import Executor
from bot.approvals.sweeper import ApprovalSweeper
from bot.callbacks import ReadAbove, ShowSession, ShowStatus
from bot.desk.forms import Forms
from bot.desk.home import Home
from bot.desk.orders import Orders
from bot.help import articles
from bot.identity import Identity
from bot.mcp.extra import open_servers
from bot.model.chat_completions import OpenAIModel
from bot.model.health import ModelHealth
from bot.model.model import Model
from bot.model.pictures import Pictures
from bot.policy import read_policy
from bot.settings import Settings, SettingsError, variable
from bot.shop.factory import BUILT_IN, own_shop
from bot.shop.shop import Shop, ShopCheckError, ShopUnavailableError
from bot.shop.sqlite import SqliteShop, shop_migrations
from bot.slack.bolt import bolt_app
from bot.slack.client import check_channel, fetch_bot_identity, posting_client, web_client, web_session
from bot.slack.connection import Connection, HttpConnection, socket_mode
from bot.slack.delivery import Delivery
from bot.slack.desk import Desk
from bot.slack.feedback import Feedback
from bot.slack.files import FileReader
from bot.slack.health import Health
from bot.slack.home import HomeTabs
from bot.slack.http import EVERYWHERE, SlackRoute, serving
from bot.slack.intake import Intake
from bot.slack.listeners import Buttons
from bot.slack.sessions import Sessions
from bot.slack.statuses import Statuses
from bot.slack.threads import ThreadReader
from bot.slack.users import SlackIdentity
from bot.store.errors import DatabaseError
from bot.store.hints import Hints
from bot.store.opening import joined, open_database
from bot.store.sqlite.database import DatabaseThread
from bot.store.store import Store
from bot.store.tables.leases import Leases
from bot.store.tables.store import open_store
from bot.tools.tool import Tool

logger = logging.getLogger(__name__)

ERASURE_INTERVAL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Bot:
    """The parts that are started and stopped."""

    app: AsyncApp
    store: Store
    shop: Shop
    leases: Leases
    hints: Hints
    delivery: Delivery
    sweeper: ApprovalSweeper
    worker: Worker
    buttons: Buttons
    below: Feedback
    desk: Desk
    home: Home
    tabs: HomeTabs
    clock_ahead: float
    models: Sequence[ModelHealth]


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
        bot = await _assemble(settings, open_shop, stack)
        stack.push_async_callback(_cancel, asyncio.create_task(bot.delivery.run(), name="delivery"))
        stack.push_async_callback(bot.delivery.stop, settings.stop_seconds * 0.3)
        stack.push_async_callback(_cancel, asyncio.create_task(_follow(bot), name="hints"))
        for seconds, task in _repeated(bot, settings):
            stack.push_async_callback(_cancel, asyncio.create_task(_every(seconds, task), name=task.__name__))
        stack.push_async_callback(_stop_work, bot, settings.stop_seconds * 0.6)
        await bot.sweeper.recover(alone=bot.leases.alone)
        await bot.delivery.resume()
        await bot.worker.resume()
        yield await _connect(bot, settings, http_port, host, stack)


async def _assemble(settings: Settings, open_shop: Callable[[DatabaseThread], Shop], stack: AsyncExitStack) -> _Bot:
    known_tools = tools.load(settings, await _mcp_tools(settings, stack))
    database = await stack.enter_async_context(open_database(settings.database, shop_migrations))
    session = await stack.enter_async_context(web_session())
    token = settings.slack_bot_token.get_secret_value()
    client = web_client(token, settings.slack_api_url, session)
    ourselves = await fetch_bot_identity(client)
    for channel in filter(None, (settings.approval_channel, settings.escalation_channel)):
        await check_channel(client, channel)
    leases, hints = await stack.enter_async_context(joined(database, settings.lease_seconds))
    store = open_store(database.tables, leases)
    shop = await _open_shop(settings, open_shop, database.file, stack)
    people = SlackIdentity(client, settings, team=ourselves.team, enterprise=ourselves.enterprise)
    stack.push_async_callback(_cancel, asyncio.create_task(people.learn_approvers(), name="approvers"))
    identity: Identity = people
    for fault in articles(settings.help_folder).faults if settings.help_folder else ():
        logger.warning("%s", fault)
    cards = Cards(identity, settings)
    executor = Executor(store=store, cards=cards, tools=known_tools, shop=shop, identity=identity, settings=settings)
    worker: Worker
    approvals = Approvals(
        store=store,
        executor=executor,
        cards=cards,
        identity=identity,
        settings=settings,
        wake=lambda thread, user: worker.wake(thread, user),  # noqa: PLW0108 - it is made below
    )
    poster = posting_client(token, settings.slack_api_url, session)
    statuses, sessions = Statuses(poster), Sessions(poster)
    delivery = Delivery(
        poster, store.outbox, statuses=statuses, sessions=sessions, on_lost_card=approvals.undeliverable
    )
    pictures = Pictures()
    models = [OpenAIModel(one, pictures.shown) for one in settings.models]
    for model in models:
        stack.push_async_callback(model.close)
    bounds = Bounds(store.usage, settings)
    escalation = Escalation(settings, ourselves.url, bounds)
    offered = tools.offered(known_tools, shop)
    agent = _agent(
        settings,
        stack,
        models=models,
        store=store,
        identity=identity,
        known_tools=offered,
        shop=shop,
        approvals=approvals,
        escalation=escalation,
        show_status=statuses.show,
        show_session=sessions.show,
        read_above=ThreadReader(client, ourselves).above,
        files=FileReader(client, session),
        pictures=pictures,
    )
    worker = Worker(store.inbox, agent, bounds, settings)
    tabs = HomeTabs(ourselves=ourselves, client=client)
    intake = Intake(
        ourselves=ourselves,
        inbox=store.inbox,
        wake=worker.wake,
        changed=executor.supersede,
        home_opened=tabs.opened,
        messages_opened=tabs.messages_opened,
        goes_on_for=timedelta(minutes=settings.direct_message_minutes),
    )
    app = bolt_app(client=client, ourselves=ourselves, intake=intake)
    home = Home(
        store=store,
        shop=shop,
        identity=identity,
        publish=tabs.publish,
        url=ourselves.url,
        team=ourselves.team,
        settings=settings,
    )
    tabs.register(app, home)
    buttons = Buttons(
        ourselves=ourselves,
        approvals=approvals,
        delivery=delivery,
        home=home,
        trusted_teams=settings.trusted_teams,
    )
    buttons.register(app)
    below = Feedback(
        ourselves=ourselves,
        client=client,
        people=People(store.conversations, escalation, settings),
        delivery=delivery,
        team_channel=settings.escalation_channel,
    )
    below.register(app)
    orders = Orders(store=store, shop=shop, identity=identity, requests=approvals, tools=offered, settings=settings)
    forms = Forms(
        orders=orders,
        inbox=store.inbox,
        identity=identity,
        tools=offered,
        post_now=delivery.post_now,
        wake=worker.wake,
    )
    desk = Desk(ourselves=ourselves, client=client, orders=orders, forms=forms, delivery=delivery)
    desk.register(app)
    sweeper = ApprovalSweeper(store=store, executor=executor, cards=cards, settings=settings)
    health = [model.health for model in models]
    return _Bot(
        app=app,
        store=store,
        shop=shop,
        leases=leases,
        hints=hints,
        delivery=delivery,
        sweeper=sweeper,
        worker=worker,
        buttons=buttons,
        below=below,
        desk=desk,
        home=home,
        tabs=tabs,
        clock_ahead=ourselves.clock_ahead,
        models=health,
    )


async def _mcp_tools(settings: Settings, stack: AsyncExitStack) -> list[type[Tool]]:
    if settings.mcp is None:
        return []
    return await stack.enter_async_context(open_servers(settings.mcp, seconds=settings.tool_timeout_seconds))


async def _open_shop(
    settings: Settings, built_in: Callable[[DatabaseThread], Shop], file: DatabaseThread | None, stack: AsyncExitStack
) -> Shop:
    if settings.shop == BUILT_IN:
        if file is None or file.path != settings.shop_file:
            file = DatabaseThread(settings.shop_file, shop_migrations)
            await file.open()
            stack.push_async_callback(file.close)
        return built_in(file)
    shop = await stack.enter_async_context(own_shop(variable("shop"), settings.shop))
    try:
        await shop.check()
    except ShopUnavailableError as error:
        logger.warning("shop: %s", error)  # it may be back before anybody asks
    except ShopCheckError as error:
        raise SettingsError(f"{variable('shop')}: {error}") from error
    return shop


def _agent(
    settings: Settings,
    stack: AsyncExitStack,
    *,
    models: Sequence[Model],
    store: Store,
    identity: Identity,
    known_tools: Mapping[str, type[Tool]],
    shop: Shop,
    approvals: Approvals,
    escalation: Escalation,
    show_status: ShowStatus,
    show_session: ShowSession,
    read_above: ReadAbove,
    files: FileReader,
    pictures: Pictures,
) -> Agent:
    intents = Intents(
        model=models[0],
        store=store,
        escalation=escalation,
        order_number=shop.order_number,
        sorts=settings.sorts,
    )
    stack.push_async_callback(intents.stop)
    model_calls = ModelCalls(
        models=models,
        definitions=[tool.definition() for tool in known_tools.values()],
        instructions=with_policy(read_policy(settings.policy)) if settings.policy else INSTRUCTIONS,
        calls=store.calls,
        settings=settings,
        show_status=show_status,
    )
    tool_calls = ToolCalls(
        tools=known_tools,
        calls=store.calls,
        conversations=store.conversations,
        shop=shop,
        approvals=approvals,
        escalation=escalation,
        settings=settings,
    )
    return Agent(
        model_calls=model_calls,
        tool_calls=tool_calls,
        intents=intents,
        escalation=escalation,
        store=store,
        identity=identity,
        settings=settings,
        show_status=show_status,
        show_session=show_session,
        read_above=read_above,
        describe_files=files.describe,
        fetch_file=files.fetch,
        pictures=pictures,
    )


def _repeated(bot: _Bot, settings: Settings) -> list[tuple[float, Callable[[], Awaitable[None]]]]:
    """List what is done again and again, with the seconds between."""

    async def renew() -> None:
        await bot.leases.renew()
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
        (settings.sweep_seconds, bot.sweeper.sweep),
        (settings.sweep_seconds, give_back),
        (settings.sweep_seconds, bot.home.keep_current),
        (ERASURE_INTERVAL_SECONDS, erase),
    ]


async def _connect(
    bot: _Bot, settings: Settings, http_port: int | None, host: str, stack: AsyncExitStack
) -> Connection:
    silence = settings.silence_seconds
    web_app, health_app = web.Application(), web.Application()
    connection: Connection
    if http_port is None:
        token = settings.slack_app_token
        app_token = token.get_secret_value() if token else ""
        connection = await stack.enter_async_context(socket_mode(bot.app, app_token, silence_seconds=silence))
    else:
        connection = HttpConnection()
        secret = settings.slack_signing_secret
        SlackRoute(bot.app, secret.get_secret_value() if secret else "", clock_ahead=bot.clock_ahead).add_to(web_app)
    health = Health(
        store=bot.store,
        shop=bot.shop,
        models=bot.models,
        leases=bot.leases,
        hints=bot.hints,
        connection=connection,
        silence_seconds=silence,
    )
    health.add_routes(health_app if settings.health_port else web_app)
    for app, port in ((health_app, settings.health_port), (web_app, http_port)):
        if port is not None:
            await stack.enter_async_context(serving(app, host, port, stop_seconds=settings.stop_seconds * 0.1))
    return connection


async def _look(bot: _Bot) -> None:
    """Go on with whatever waits and nobody is at."""
    await bot.delivery.resume()
    await bot.worker.resume()


async def _follow(bot: _Bot) -> None:
    """Look whenever another process hints that something waits."""
    while True:
        await bot.hints.wait()
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


async def _stop_work(bot: _Bot, seconds: float) -> None:
    stopping = (part.stop(seconds) for part in (bot.worker, bot.buttons, bot.below, bot.desk, bot.tabs, bot.sweeper))
    await asyncio.gather(*stopping)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
