"""What the bot is made of: settings become store, shop, model, agent and Slack app, each part given what it needs."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bot import tools
from bot.agent.agent import Agent
from bot.agent.audience import Audience
from bot.agent.bounds import Bounds
from bot.agent.form_requests import FormRequests
from bot.agent.instructions import INSTRUCTIONS, with_policy
from bot.agent.intents import Intents
from bot.agent.model_calls import ModelCalls, StaticPrompt
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
from bot.approvals.refund_watch import RefundWatch
from bot.approvals.sweeper import ApprovalSweeper
from bot.deciding import Deciding, make_deciding
from bot.ground import Ground, open_ground
from bot.listening import Listening, make_listening
from bot.model.chat_completions import OpenAIModel
from bot.model.health import ModelHealth
from bot.model.model import Model
from bot.model.pictures import Pictures
from bot.policy import read_policy
from bot.settings import Settings
from bot.shop.shop import Shop
from bot.slack.delivery import Delivery
from bot.slack.drafts import Drafts
from bot.slack.files import FileReader
from bot.slack.threads import ThreadReader
from bot.slack.timelines import Timelines
from bot.store.opening import Membership
from bot.store.sqlite.database import DatabaseThread
from bot.store.store import Store
from bot.tools.toolset import Toolset

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bot:
    """The parts that are started and stopped."""

    store: Store
    shop: Shop
    membership: Membership
    delivery: Delivery
    sweeper: ApprovalSweeper
    refund_watch: RefundWatch
    worker: Worker
    stops: Stops
    timelines: Timelines
    drafts: Drafts
    listening: Listening
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
    toolset = Toolset(
        ground.offered, ground.shop, deciding.executor, tools.rules(settings), settings.tool_timeout_seconds
    )
    agent = _agent(settings, ground, deciding, toolset, models=models, intents=intents, pictures=pictures)
    worker = Worker(ground.store.inbox, agent, bounds, settings)
    return Bot(
        store=ground.store,
        shop=ground.shop,
        membership=ground.membership,
        delivery=deciding.delivery,
        sweeper=deciding.sweeper,
        refund_watch=deciding.refund_watch,
        worker=worker,
        stops=deciding.stops,
        timelines=deciding.timelines,
        drafts=deciding.drafts,
        listening=make_listening(settings, ground, deciding, toolset, worker.wake),
        clock_ahead=ground.ourselves.clock_ahead,
        models=[model.health for model in models],
    )


def _agent(
    settings: Settings,
    ground: Ground,
    deciding: Deciding,
    toolset: Toolset,
    *,
    models: Sequence[Model],
    intents: Intents,
    pictures: Pictures,
) -> Agent:
    conversations = ground.store.conversations
    model_calls = ModelCalls(
        models=models,
        prompt=StaticPrompt(
            instructions=with_policy(read_policy(settings.policy)) if settings.policy else INSTRUCTIONS,
            definitions=[tool.definition() for tool in toolset.tools.values()],
        ),
        calls=ground.store.calls,
        settings=settings,
        show_status=deciding.statuses.show,
    )
    tool_calls = ToolCalls(
        toolset=toolset,
        store=ground.store,
        requests=deciding.requests,
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
            status=deciding.statuses.show,
            session=deciding.sessions.show,
            steps=deciding.timelines.show,
            end_steps=deciding.timelines.end,
            draft=deciding.drafts.show,
            end_draft=deciding.drafts.end,
        ),
        max_seconds=settings.run_seconds,
    )
