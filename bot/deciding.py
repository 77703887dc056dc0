"""What decides about requests, and posts what there is to say: each part given what it needs, below `wiring`."""

from dataclasses import dataclass
from datetime import timedelta

from bot.agent.bounds import Bounds
from bot.agent.escalation import Escalation
from bot.agent.stopping import Stops
from bot.approvals.amend import Amending
from bot.approvals.cards import Cards
from bot.approvals.clicks import Clicks
from bot.approvals.conflicts import Conflicts
from bot.approvals.decide import Approvals
from bot.approvals.decline import Declining
from bot.approvals.effects import Effects
from bot.approvals.execute import Executor
from bot.approvals.history import RefundHistory
from bot.approvals.keys import Keys
from bot.approvals.lost_cards import LostCards
from bot.approvals.next_group import NextGroup
from bot.approvals.permission import Permission
from bot.approvals.refund_watch import RefundWatch
from bot.approvals.requests import Requests
from bot.approvals.sweeper import ApprovalSweeper
from bot.approvals.two_approvers import TwoApprovers
from bot.callbacks import WakeThread
from bot.ground import Ground
from bot.settings import Settings
from bot.slack.delivery import Delivery
from bot.slack.drafts import Drafts
from bot.slack.sessions import Sessions
from bot.slack.statuses import Statuses
from bot.slack.timelines import Timelines


@dataclass(frozen=True, slots=True)
class Deciding:
    """What makes requests, carries them out, and posts what there is to say."""

    executor: Executor
    requests: Requests
    approvals: Approvals
    declining: Declining
    amending: Amending
    sweeper: ApprovalSweeper
    refund_watch: RefundWatch
    delivery: Delivery
    statuses: Statuses
    sessions: Sessions
    escalation: Escalation
    stops: Stops
    timelines: Timelines
    drafts: Drafts


def make_deciding(settings: Settings, ground: Ground, bounds: Bounds, wake: WakeThread) -> Deciding:
    """Make the parts; `wake` is told of threads that go on after a decision. Raises SettingsError."""
    store, identity, seconds = ground.store, ground.identity, settings.tool_timeout_seconds
    cards, conflicts = Cards(identity, settings), Conflicts(store, settings)
    effects = Effects(tools=ground.tools, shop=ground.shop, identity=identity, seconds=seconds)
    days = settings.refund_watch_days
    executor = Executor(
        store=store, cards=cards, effects=effects, conflicts=conflicts, wake=wake, refund_watch_days=days
    )
    history = RefundHistory(store.overview, ground.shop, seconds)
    requests = Requests(store=store, keys=Keys(settings), cards=cards, history=history, conflicts=conflicts)
    permission = Permission(identity=identity, effects=effects, conflicts=conflicts, cards=cards, settings=settings)
    clicks = Clicks(store, executor, permission, settings)
    two = TwoApprovers(store, cards, identity)
    lost = LostCards(store=store, cards=cards, executor=executor, identity=identity, settings=settings)
    statuses, sessions = Statuses(ground.poster), Sessions(ground.poster, store.conversations)
    return Deciding(
        executor=executor,
        requests=requests,
        approvals=Approvals(clicks=clicks, requests=requests, effects=effects, executor=executor, two=two),
        declining=Declining(clicks, executor, cards, identity),
        amending=Amending(clicks=clicks, requests=requests, shop=ground.shop, identity=identity, seconds=seconds),
        sweeper=ApprovalSweeper(
            store=store,
            executor=executor,
            conflicts=conflicts,
            cards=cards,
            next_group=NextGroup(store, cards, settings),
            longest_run=timedelta(seconds=3 * seconds),
        ),
        refund_watch=RefundWatch(store=store, effects=effects, cards=cards, days=days),
        delivery=Delivery(
            ground.poster, store.outbox, statuses=statuses, sessions=sessions, on_lost_card=lost.undeliverable
        ),
        statuses=statuses,
        sessions=sessions,
        escalation=Escalation(settings, ground.ourselves.url, bounds),
        stops=Stops(store.conversations),
        timelines=Timelines(ground.poster, store.conversations, on=settings.streaming),
        drafts=Drafts(ground.poster, store.conversations, on=settings.streaming),
    )
