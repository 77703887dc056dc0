"""What the bot is made of: settings become store, shop, model, agent and Slack app, each part given what it needs."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from slack_bolt.async_app import AsyncApp

from bot.agent.agent import Agent
from bot.agent.audience import Audience
from bot.agent.bounds import Bounds
from bot.agent.form_requests import FormRequests
from bot.agent.instructions import INSTRUCTIONS, with_policy
from bot.agent.intents import Intents
from bot.agent.model_calls import ModelCalls
from bot.agent.people import People
from bot.agent.reading import Reading, SlackSources
from bot.agent.replies import Replies
from bot.agent.run_ends import RunEnds
from bot.agent.runs import Runs
from bot.agent.steps import Progress
from bot.agent.stopping import Stops
from bot.agent.tool_calls import ToolCalls
from bot.agent.tool_loop import ToolLoop
from bot.agent.turns import Turns
from bot.agent.worker import Worker
from bot.approvals.next_group import NextGroup
from bot.approvals.sweeper import ApprovalSweeper
from bot.deciding import Deciding, decision_forms, make_deciding
from bot.desk.choices import Choices
from bot.desk.forms import Forms
from bot.desk.home import Home
from bot.desk.links import OrderLinks
from bot.desk.orders import Orders
from bot.ground import Ground, open_ground
from bot.model.chat_completions import OpenAIModel
from bot.model.health import ModelHealth
from bot.model.model import Model
from bot.model.pictures import Pictures
from bot.policy import read_policy
from bot.settings import Settings
from bot.shop.shop import Shop
from bot.slack.bolt import bolt_app
from bot.slack.decisions import DecisionForms
from bot.slack.delivery import Delivery
from bot.slack.desk import Desk
from bot.slack.feedback import Feedback
from bot.slack.files import FileReader
from bot.slack.home import HomeTabs
from bot.slack.intake import Intake
from bot.slack.links import Links
from bot.slack.listeners import Buttons
from bot.slack.menus import Menus
from bot.slack.threads import ThreadReader
from bot.slack.timelines import Timelines
from bot.store.hints import Hints
from bot.store.sqlite.database import DatabaseThread
from bot.store.store import Store
from bot.store.tables.leases import Leases

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bot:
    """The parts that are started and stopped."""

    app: AsyncApp
    store: Store
    shop: Shop
    leases: Leases
    hints: Hints
    delivery: Delivery
    sweeper: ApprovalSweeper
    worker: Worker
    stops: Stops
    timelines: Timelines
    buttons: Buttons
    forms: DecisionForms
    below: Feedback
    desk: Desk
    menus: Menus
    home: Home
    tabs: HomeTabs
    links: Links
    clock_ahead: float
    models: Sequence[ModelHealth]


async def assemble(settings: Settings, open_shop: Callable[[DatabaseThread], Shop], stack: AsyncExitStack) -> Bot:
    """Make the parts of a bot that joins the others on its database; the stack closes what was opened for them.

    Raises SettingsError, StartError and DatabaseError with what keeps it from starting.
    """
    ground = await open_ground(settings, open_shop, stack)
    bounds = Bounds(ground.store.usage, settings)
    worker: Worker
    # It is made below: a request that is done wakes its thread, and the thread's run makes requests.
    deciding = make_deciding(settings, ground, bounds, wake=lambda thread, user: worker.wake(thread, user))  # noqa: PLW0108
    pictures = Pictures()
    models = [OpenAIModel(one, pictures) for one in settings.models]
    for model in models:
        stack.push_async_callback(model.close)
    intents = Intents(
        model=models[0],
        store=ground.store,
        escalation=deciding.escalation,
        order_number=ground.shop.order_number,
        sorts=settings.sorts,
    )
    stack.push_async_callback(intents.stop)
    worker = Worker(
        ground.store.inbox,
        _agent(settings, ground, deciding, models, intents=intents, pictures=pictures),
        bounds,
        settings,
    )
    return _slack_side(settings, ground, deciding, worker, [model.health for model in models])


def _agent(
    settings: Settings,
    ground: Ground,
    deciding: Deciding,
    models: Sequence[Model],
    *,
    intents: Intents,
    pictures: Pictures,
) -> Agent:
    conversations = ground.store.conversations
    model_calls = ModelCalls(
        models=models,
        definitions=[tool.definition() for tool in ground.offered.values()],
        instructions=with_policy(read_policy(settings.policy)) if settings.policy else INSTRUCTIONS,
        calls=ground.store.calls,
        settings=settings,
        show_status=deciding.statuses.show,
    )
    tool_calls = ToolCalls(
        tools=ground.offered,
        calls=ground.store.calls,
        conversations=conversations,
        shop=ground.shop,
        approvals=deciding.approvals,
        escalation=deciding.escalation,
        settings=settings,
    )
    files = FileReader(ground.client, ground.session)
    sources = SlackSources(ThreadReader(ground.client, ground.ourselves).above, files.describe, files.fetch)
    reading = Reading(ground.store, sources, pictures, settings)
    replies = Replies(conversations, pictures, settings)
    loop = ToolLoop(
        turns=Turns(model_calls, reading, deciding.stops, settings),
        tool_calls=tool_calls,
        intents=intents,
        replies=replies,
        conversations=conversations,
    )
    return Agent(
        runs=Runs(
            audience=Audience(ground.identity, settings),
            reading=reading,
            loop=loop,
            forms=FormRequests(tool_calls, intents, replies, conversations),
            replies=replies,
        ),
        ends=RunEnds(conversations, replies, deciding.escalation, intents),
        reading=reading,
        progress=Progress(
            deciding.statuses.show, deciding.sessions.show, deciding.timelines.show, deciding.timelines.end
        ),
        max_seconds=settings.run_seconds,
    )


def _slack_side(
    settings: Settings, ground: Ground, deciding: Deciding, worker: Worker, models: Sequence[ModelHealth]
) -> Bot:
    """Make what listens to Slack, and what it is handed to."""
    store, ourselves, delivery = ground.store, ground.ourselves, deciding.delivery
    tabs = HomeTabs(ourselves=ourselves, client=ground.client)
    links = Links(ourselves=ourselves, client=ground.client)
    intake = Intake(
        ourselves=ourselves,
        inbox=store.inbox,
        wake=worker.wake,
        changed=deciding.executor.supersede,
        stopped=deciding.stops.look_now,
        home_opened=tabs.opened,
        messages_opened=tabs.messages_opened,
        on_link=links.take,
        goes_on_for=timedelta(minutes=settings.direct_message_minutes),
    )
    app = bolt_app(client=ground.client, ourselves=ourselves, intake=intake)
    home = Home(
        store=store,
        shop=ground.shop,
        identity=ground.identity,
        publish=tabs.publish,
        url=ourselves.url,
        team=ourselves.team,
        settings=settings,
    )
    buttons = Buttons(
        ourselves=ourselves,
        approvals=deciding.approvals,
        delivery=delivery,
        home=home,
        trusted_teams=settings.trusted_teams,
    )
    forms = decision_forms(settings, ground, deciding, home)
    below = Feedback(
        ourselves=ourselves,
        client=ground.client,
        people=People(store.conversations, deciding.escalation, settings),
        delivery=delivery,
        team_channel=settings.escalation_channel,
    )
    orders = _orders(settings, ground, deciding)
    desk = _desk(ground, deciding, worker, orders)
    choices = Choices(orders=orders, store=store, wake=worker.wake)
    menus = Menus(ourselves=ourselves, choices=choices, delivery=delivery)
    tabs.register(app, home)
    links.register(OrderLinks(orders=orders, identity=ground.identity, pattern=settings.order_links))
    for listener in (buttons, forms, below, desk, menus):
        listener.register(app)
    return Bot(
        app=app,
        store=store,
        shop=ground.shop,
        leases=ground.leases,
        hints=ground.hints,
        delivery=delivery,
        sweeper=ApprovalSweeper(
            store=store,
            executor=deciding.executor,
            cards=deciding.cards,
            next_group=NextGroup(store, deciding.cards, settings),
            settings=settings,
        ),
        worker=worker,
        stops=deciding.stops,
        timelines=deciding.timelines,
        buttons=buttons,
        forms=forms,
        below=below,
        desk=desk,
        menus=menus,
        home=home,
        tabs=tabs,
        links=links,
        clock_ahead=ourselves.clock_ahead,
        models=models,
    )


def _orders(settings: Settings, ground: Ground, deciding: Deciding) -> Orders:
    return Orders(
        store=ground.store,
        shop=ground.shop,
        identity=ground.identity,
        requests=deciding.approvals,
        tools=ground.offered,
        settings=settings,
    )


def _desk(ground: Ground, deciding: Deciding, worker: Worker, orders: Orders) -> Desk:
    forms = Forms(
        orders=orders,
        inbox=ground.store.inbox,
        identity=ground.identity,
        tools=ground.offered,
        post_now=deciding.delivery.post_now,
        wake=worker.wake,
    )
    return Desk(
        ourselves=ground.ourselves, client=ground.client, orders=orders, forms=forms, delivery=deciding.delivery
    )
