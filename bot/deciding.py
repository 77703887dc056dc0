"""What decides about requests, and posts what there is to say: each part given what it needs, below `wiring`."""

from dataclasses import dataclass

from bot.agent.bounds import Bounds
from bot.agent.escalation import Escalation
from bot.agent.stopping import Stops
from bot.approvals.amend import Amending
from bot.approvals.cards import Cards
from bot.approvals.decide import Approvals
from bot.approvals.decline import Declining
from bot.approvals.execute import Executor
from bot.approvals.history import RefundHistory
from bot.approvals.requests import Requests
from bot.callbacks import WakeThread
from bot.desk.home import Home
from bot.ground import Ground
from bot.settings import Settings
from bot.slack.decisions import DecisionForms
from bot.slack.delivery import Delivery
from bot.slack.sessions import Sessions
from bot.slack.statuses import Statuses
from bot.slack.timelines import Timelines


@dataclass(frozen=True, slots=True)
class Deciding:
    """What makes requests, carries them out, and posts what there is to say."""

    cards: Cards
    executor: Executor
    requests: Requests
    approvals: Approvals
    delivery: Delivery
    statuses: Statuses
    sessions: Sessions
    escalation: Escalation
    stops: Stops
    timelines: Timelines


def make_deciding(settings: Settings, ground: Ground, bounds: Bounds, wake: WakeThread) -> Deciding:
    """Make the parts; `wake` is told of threads that go on after a decision. Raises SettingsError."""
    store, identity = ground.store, ground.identity
    cards = Cards(identity, settings)
    executor = Executor(
        store=store, cards=cards, tools=ground.tools, shop=ground.shop, identity=identity, settings=settings
    )
    history = RefundHistory(store.overview, ground.shop, settings.tool_timeout_seconds)
    requests = Requests(
        store=store, executor=executor, cards=cards, history=history, identity=identity, settings=settings
    )
    approvals = Approvals(
        store=store, executor=executor, cards=cards, requests=requests, identity=identity, settings=settings, wake=wake
    )
    statuses, sessions = Statuses(ground.poster), Sessions(ground.poster)
    delivery = Delivery(
        ground.poster,
        store.outbox,
        store.conversations,
        statuses=statuses,
        sessions=sessions,
        on_lost_card=approvals.undeliverable,
    )
    escalation = Escalation(settings, ground.ourselves.url, bounds)
    stops = Stops(store.conversations)
    timelines = Timelines(ground.poster, store.conversations, on=settings.streaming)
    return Deciding(cards, executor, requests, approvals, delivery, statuses, sessions, escalation, stops, timelines)


def decision_forms(settings: Settings, ground: Ground, deciding: Deciding, home: Home) -> DecisionForms:
    """Make what binds the forms of those who decide to Slack."""
    approvals, identity = deciding.approvals, ground.identity
    return DecisionForms(
        ourselves=ground.ourselves,
        client=ground.client,
        declining=Declining(approvals, deciding.executor, deciding.cards, identity),
        amending=Amending(
            approvals=approvals,
            requests=deciding.requests,
            shop=ground.shop,
            identity=identity,
            seconds=settings.tool_timeout_seconds,
        ),
        home=home,
        trusted_teams=settings.trusted_teams,
    )
