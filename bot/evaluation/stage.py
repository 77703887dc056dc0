"""Plays a conversation: a workspace and a scratch database of its own, and between them the bot that ships."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from bot.app import running
from bot.evaluation.conversation import Conversation, Step, found
from bot.evaluation.people import APPROVER, STAFF, SUPPORT, TEAM, customers_of, orders_of, populate
from bot.evaluation.record import Call, Played, Record, Usage, buttons, shown
from bot.settings import Settings
from bot.shop import sample as sample_shop
from bot.shop.sqlite import shop_migrations
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.migrations import bot_migrations
from bot.testing import SlackServer, Workspace
from bot.testing.slack.workspace import Message

POLL_SECONDS = 0.02
QUIET_SECONDS = 0.1  # for so long there must be nothing to do, until a step counts as done
SPARE_SECONDS = 30.0
STOP_SECONDS = 1.0

_BUSY = """
    SELECT (SELECT count(*) FROM inbox WHERE status IN ('waiting', 'running'))
         + (SELECT count(*) FROM outbox WHERE status = 'waiting')
         + (SELECT count(*) FROM tool_calls WHERE status IN ('proposed', 'running'))
         + (SELECT count(*) FROM model_calls WHERE status = 'running')"""
_REFUSALS = "SELECT count(*) FROM refused_clicks"
_DECISIONS = """
    SELECT count(*) FILTER (WHERE decided_at IS NOT NULL) + count(*) FILTER (WHERE confirmed_at IS NOT NULL)
    FROM tool_calls"""
_REFUNDED = """
    SELECT order_id, sum(amount_minor) AS cents FROM refunds
    WHERE idempotency_key NOT LIKE 'sample:%' GROUP BY order_id"""
_ORDERS = """
    SELECT id, status, payment_method AS paid_with, address ->> 'street' AS goes_to,
           (SELECT sum(amount_minor) FROM payments WHERE order_id = orders.id) AS paid,
           (SELECT json_group_array(quantity || ' x ' || name || iif(options = '', '', ' (' || options || ')'))
            FROM (SELECT * FROM order_items WHERE order_id = orders.id ORDER BY position)) AS items,
           (SELECT json_group_array(line) FROM (SELECT line FROM returns WHERE order_id = orders.id ORDER BY line))
           AS going_back
    FROM orders"""
_USAGE = """
    SELECT count(*) AS calls, coalesce(sum(purpose = 'turn'), 0) AS turns,
           coalesce(sum(purpose = 'turn' AND status = 'failed'), 0) AS failed,
           coalesce(sum(prompt_tokens), 0) AS prompt_tokens, coalesce(sum(cached_tokens), 0) AS cached_tokens,
           coalesce(sum(completion_tokens), 0) AS completion_tokens,
           (SELECT error FROM model_calls WHERE purpose = 'turn' AND status = 'failed' ORDER BY rowid DESC LIMIT 1)
           AS error
    FROM model_calls"""


class ScratchSettings(Settings):
    """Settings that come from the evaluation alone: nothing of the operator's workspace, shop or database."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing but what is given."""
        return (init_settings,)


async def play(conversation: Conversation, model: Mapping[str, Any], help_folder: Path) -> Record:
    """Play a conversation once, with the settings of a model, and return what happened as far as it got."""
    with TemporaryDirectory(prefix="support-bot-eval-") as folder:
        async with _open(conversation, model, help_folder, Path(folder) / "support.db") as stage:
            steps: list[Played] = []
            for step in conversation.steps:
                steps.append(await stage.play(step))
                if steps[-1].problem:
                    break
            return Record(tuple(steps), stage.usage(), stage.refunded(), stage.orders(), stage.balances())


@asynccontextmanager
async def _open(
    conversation: Conversation, model: Mapping[str, Any], help_folder: Path, database: Path
) -> "AsyncIterator[_Stage]":
    workspace = Workspace()
    people = populate(workspace, conversation)
    orders = orders_of(conversation, people)
    shop = DatabaseThread(database, bot_migrations, shop_migrations)
    await shop.open()
    await sample_shop.fill(shop, orders=orders, customers=customers_of(orders, people))
    await shop.close()
    async with SlackServer(workspace) as slack:
        settings = ScratchSettings(
            **{
                "slack_bot_token": slack.bot_token,
                "slack_app_token": slack.app_token,
                "slack_api_url": slack.url,
                "BOT_DATABASE": database,
                "BOT_APPROVERS": people[APPROVER].id,
                "BOT_STAFF": people[STAFF].id,
                "BOT_PRIVATE_ANSWERS": False,  # so that a model is tried with all that it may ever read
                "BOT_STREAMING": False,  # what is judged is what is said
                "BOT_ESCALATION_CHANNEL": TEAM,
                "BOT_HELP_FOLDER": help_folder,
                "BOT_STOP_SECONDS": STOP_SECONDS,
                **model,
            }
        )
        async with running(settings):
            await slack.connected()
            with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as log:
                log.row_factory = sqlite3.Row
                ids = {name: person.id for name, person in people.items()}
                patience = max(settings.run_timeout_seconds or 0, 4 * settings.model_timeout_seconds) + SPARE_SECONDS
                yield _Stage(conversation, workspace, ids, log, patience)


class _Stage:
    """The bot and its workspace while one conversation is played."""

    def __init__(
        self,
        conversation: Conversation,
        workspace: Workspace,
        people: Mapping[str, str],
        log: sqlite3.Connection,
        patience: float,
    ) -> None:
        self._conversation = conversation
        self._workspace = workspace
        self._people = people
        self._log = log
        self._patience = patience
        self._thread: Message | None = None
        self._known_calls: set[str] = set()
        self._known_posts: set[str] = set()
        self._known_items = 0

    async def play(self, step: Step) -> Played:
        """Make the step happen, wait until the bot is done with it, and return what it did."""
        began, first = time.monotonic(), asyncio.get_running_loop().create_future()

        def watch(_kind: str, changed: object) -> None:
            is_answer = isinstance(changed, Message) and changed.user == self._workspace.bot_user_id
            if is_answer and not first.done():
                first.set_result(time.monotonic() - began)

        refusals = self._count(_REFUSALS)
        clicks = refusals + self._count(_DECISIONS)
        self._workspace.observe(watch)
        try:
            async with asyncio.timeout(self._patience):
                problem = await (self._click(step) if step.click else self._say(step))
                await self._quiet(clicks if problem or not step.click else clicks + 1)
        except TimeoutError:
            problem = f"the bot was not done after {self._patience:.0f} seconds"
        finally:
            self._workspace.unobserve(watch)
        seconds = first.result() if step.say is not None and first.done() else None
        return self._played(problem, seconds, refused=self._count(_REFUSALS) > refusals)

    def usage(self) -> Usage:
        """Sum up what the model was asked for."""
        return Usage(**dict(self._log.execute(_USAGE).fetchone()))

    def refunded(self) -> dict[str, int]:
        """Return what has gone back, in cents by order."""
        return {row["order_id"]: row["cents"] for row in self._log.execute(_REFUNDED)}

    def orders(self) -> dict[str, dict[str, Any]]:
        """Return what the shop has of each order now."""
        rows = [dict(row) for row in self._log.execute(_ORDERS)]
        lists = ("items", "going_back")
        return {row.pop("id"): row | {name: json.loads(row[name]) for name in lists} for row in rows}

    def balances(self) -> dict[str, int]:
        """Return what is left of each gift card, in cents by its name."""
        sql = "SELECT label, balance_minor FROM payment_methods WHERE balance_minor IS NOT NULL"
        return dict(self._log.execute(sql).fetchall())

    async def _say(self, step: Step) -> None:
        person = self._people[step.by]
        where = self._conversation.place if step.where == "here" and self._thread is None else step.where
        if where == "here" and self._thread:
            channel, thread_ts = self._thread.channel, self._thread.root_ts
        else:
            channel = self._workspace.open_im(person).id if where == "dm" else SUPPORT
            thread_ts = None
        text = (step.say or "").replace("@bot", f"<@{self._workspace.bot_user_id}>")
        message = await self._workspace.say(person, channel, text, thread_ts)
        if thread_ts is None:
            self._thread = message

    async def _click(self, step: Step) -> str | None:
        card = next(filter(lambda one: self._is_meant(one, step), reversed(self._workspace.messages)), None)
        if card is None:
            which = f" that shows “{step.card}”" if step.card else ""
            return f"there is no card{which} with a button to {step.click} that {step.by} sees"
        await self._workspace.click(self._people[step.by], card.channel, card.ts, f"{step.click}_call")
        return None

    def _is_meant(self, message: Message, step: Step) -> bool:
        there = f"{step.click}_call" in buttons(message)
        members = self._workspace.channels[message.channel].members
        return there and self._people[step.by] in members and found(step.card or "", shown(message))

    async def _quiet(self, clicks: int) -> None:
        """Wait until so many clicks have been decided, and nothing has been left to do for a moment."""
        since = time.monotonic()
        while time.monotonic() - since < QUIET_SECONDS:
            await asyncio.sleep(POLL_SECONDS)
            acked = all(delivery.acked is not None for delivery in self._workspace.deliveries)
            is_clicked = self._count(_DECISIONS) + self._count(_REFUSALS) >= clicks
            if not (acked and is_clicked) or self._count(_BUSY):
                since = time.monotonic()

    def _played(self, problem: str | None, seconds: float | None, *, refused: bool) -> Played:
        calls = [Call.of(row) for row in self._log.execute("SELECT * FROM tool_calls ORDER BY rowid")]
        new = tuple(call for call in calls if call.id not in self._known_calls)
        posts = self._workspace.replies_of_bot(self._thread) if self._thread else []
        added = [post for post in posts if post.ts not in self._known_posts]
        sql = "SELECT id, message ->> 'content' AS text FROM messages WHERE role = 'assistant' AND id > ? ORDER BY id"
        items = self._log.execute(sql, [self._known_items]).fetchall()
        self._known_calls |= {call.id for call in calls}
        self._known_posts |= {post.ts for post in added}
        self._known_items = max([self._known_items, *(row["id"] for row in items)])
        return Played(
            calls=new,
            posts=tuple(map(shown, added)),
            words=tuple(row["text"] for row in items if row["text"]),
            seen=self._seen([call for call in calls if call.status == "pending"]),
            done=tuple(call for call in calls if call.gated and call.status == "succeeded"),
            refused=refused,
            seconds=seconds,
            problem=problem,
        )

    def _seen(self, waiting: list[Call]) -> dict[str, frozenset[str]]:
        """Return by tool who sees a button to approve each of its requests that wait."""
        seen: dict[str, frozenset[str]] = {}
        for call in waiting:
            cards = [one for one in self._workspace.messages if buttons(one).get("approve_call") == call.id]
            members = {user for card in cards for user in self._workspace.channels[card.channel].members}
            names = frozenset(name for name, user in self._people.items() if user in members)
            seen[call.tool] = seen[call.tool] & names if call.tool in seen else names
        return seen

    def _count(self, sql: str) -> int:
        number: int = self._log.execute(sql).fetchone()[0]
        return number
