"""What listens to Slack, and what it is handed to: each part given what it needs, below `wiring`."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from slack_bolt.async_app import AsyncApp

from bot.agent.people import People
from bot.approvals.presses import Presses
from bot.callbacks import Arrivals, WakeThread
from bot.deciding import Deciding
from bot.desk.choices import Choices
from bot.desk.forms import Forms
from bot.desk.home import Home
from bot.desk.links import OrderLinks
from bot.desk.orders import Orders
from bot.desk.own_orders import OwnOrders
from bot.desk.threads import Threads
from bot.ground import Ground
from bot.settings import Settings
from bot.slack.bolt import bolt_app
from bot.slack.decisions import DecisionForms
from bot.slack.desk import Desk
from bot.slack.feedback import Feedback
from bot.slack.home import HomeTabs
from bot.slack.intake import Intake
from bot.slack.links import Links
from bot.slack.listeners import Buttons
from bot.slack.menus import Menus
from bot.tools.toolset import Toolset


class Stoppable(Protocol):
    """What works in the background."""

    async def stop(self, seconds: float) -> None:
        """Take nothing more, and return when what was begun is over, or after so many seconds."""


@dataclass(frozen=True, slots=True)
class Listening:
    """The Bolt app, the Home tabs that are kept current, and all that works on what people press."""

    app: AsyncApp
    home: Home
    parts: tuple[Stoppable, ...]

    async def stop(self, seconds: float) -> None:
        """Wait so long for what people have pressed."""
        await asyncio.gather(*(part.stop(seconds) for part in self.parts))


def make_listening(
    settings: Settings, ground: Ground, deciding: Deciding, toolset: Toolset, wake: WakeThread
) -> Listening:
    """Make the parts, and register them with a Bolt app; `wake` is told of threads in which somebody has written."""
    tabs = HomeTabs(ourselves=ground.ourselves, client=ground.client)
    links = Links(ourselves=ground.ourselves, client=ground.client)
    intake = Intake(
        ourselves=ground.ourselves,
        inbox=ground.store.inbox,
        tell=Arrivals(
            wake=wake,
            changed=deciding.executor.supersede,
            stopped=deciding.stops.look_now,
            home_opened=tabs.opened,
            messages_opened=tabs.messages_opened,
            link_event=links.take,
        ),
        goes_on_for=timedelta(minutes=settings.direct_message_minutes),
    )
    app = bolt_app(client=ground.client, ourselves=ground.ourselves, intake=intake)
    home = Home(
        store=ground.store,
        own_orders=OwnOrders(ground.shop, settings.tool_timeout_seconds),
        identity=ground.identity,
        tabs=tabs,
        settings=settings,
    )
    orders = Orders(store=ground.store, toolset=toolset, identity=ground.identity, settings=settings)
    parts = (*_of_requests(settings, ground, deciding, home), *_of_orders(ground, deciding, toolset, orders, wake))
    tabs.register(app, home)
    links.register(OrderLinks(orders=orders, identity=ground.identity, pattern=settings.order_links))
    for part in parts:
        part.register(app)
    return Listening(app, home, (*parts, tabs, links))


def _of_requests(
    settings: Settings, ground: Ground, deciding: Deciding, home: Home
) -> tuple[Buttons, DecisionForms, Feedback]:
    """Make what takes decisions, and what people say of an answer."""
    ourselves, trusted = ground.ourselves, settings.trusted_teams
    presses = Presses(ground.store.usage, settings)
    return (
        Buttons(
            ourselves=ourselves,
            approvals=deciding.approvals,
            delivery=deciding.delivery,
            home=home,
            trusted_teams=trusted,
        ),
        DecisionForms(
            ourselves=ourselves,
            client=ground.client,
            declining=deciding.declining,
            amending=deciding.amending,
            home=home,
            trusted_teams=trusted,
        ),
        Feedback(
            ourselves=ourselves,
            client=ground.client,
            people=People(ground.store.conversations, deciding.escalation, presses, settings),
            delivery=deciding.delivery,
            team_channel=settings.escalation_channel,
        ),
    )


def _of_orders(
    ground: Ground, deciding: Deciding, toolset: Toolset, orders: Orders, wake: WakeThread
) -> tuple[Desk, Menus]:
    """Make what takes commands, forms and choices."""
    ourselves, delivery = ground.ourselves, deciding.delivery
    threads = Threads(inbox=ground.store.inbox, identity=ground.identity, post_now=delivery.post_now, wake=wake)
    forms = Forms(orders=orders, toolset=toolset, threads=threads)
    choices = Choices(orders=orders, store=ground.store, wake=wake)
    return (
        Desk(ourselves=ourselves, client=ground.client, orders=orders, forms=forms, delivery=delivery),
        Menus(ourselves=ourselves, choices=choices, delivery=delivery),
    )
