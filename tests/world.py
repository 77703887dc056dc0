"""The world that the stories play in: a Slack workspace, a scripted model, and the bot that ships between them."""

import json
import re
import shutil
import socket
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest

from bot.app import running
from bot.demo import serve
from bot.settings import PostgresUrl, Settings
from bot.shop import sample as sample_shop
from bot.shop.shop import Shop
from bot.shop.sqlite import SqliteShop, shop_migrations
from bot.store.opening import open_database
from bot.store.postgres.migrations import TABLES
from bot.store.postgres.reading import reading
from bot.store.postgres.transaction import PostgresTransaction
from bot.store.postgres.views import NAMES
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.migrations import bot_migrations
from bot.store.tables.database import Database
from bot.testing.openai import Answer, CompletionsServer, Failure, Request, ToolCall, portability_faults
from bot.testing.slack.api import SlackServer
from bot.testing.slack.workspace import Message, Workspace
from bot.testing.slack.workspace.faults import Hang

ANA, BEN, SAM, BOT = "U0ANA", "U0BEN", "U0SAM", "U0BOT"
SUPPORT, GENERAL, TEAM = "C0SUPPORT", "C0GENERAL", "C0TEAM"
HELP = Path(serve.__file__).parent / "help"
_OF_THE_BOT = re.compile(rf"\b({'|'.join((*TABLES, *NAMES))})\b")
ON_BOTH_STORES = pytest.mark.parametrize("world", ["sqlite", "postgres"], indirect=True)
REFUSED = (sqlite3.IntegrityError, psycopg.IntegrityError)
Turn = Answer | Failure | Callable[[Request], Answer]


_WROTE = re.compile(r"^\w+ wrote: (.*(?:\n  .*)*)", re.MULTILINE)


def words_in(message: Mapping[str, Any]) -> list[str]:
    """List what people say in a message to the model, each thing by itself and without who wrote it."""
    content = message["content"] or ""
    return [words.replace("\n  ", "\n") for words in _WROTE.findall(content)] or [content]


def heard(request: Request) -> list[str]:
    """List what people have said to the model by this request."""
    return [words for message in request.messages if message["role"] == "user" for words in words_in(message)]


def notes_in(request: Request) -> list[str]:
    """List what the model is told in notes from the shop, before what people say and beside results."""
    found: list[str] = []
    for message in request.messages[1:]:
        if message["role"] == "tool":
            found += json.loads(message["content"]).get("notes_from_the_shop", [])
        found += re.findall(r"^\[Note from the shop: (.*)\]$", message["content"] or "", re.MULTILINE)
    return found


def results_in(request: Request) -> list[Any]:
    """List the results of tools that the model is told."""
    return [json.loads(message["content"]) for message in request.messages if message["role"] == "tool"]


def calls(*wanted: tuple[str, dict[str, Any] | str]) -> Answer:
    """Script a turn of tool calls; arguments that are a string are sent as they are."""
    return Answer(
        tool_calls=tuple(
            ToolCall("", name, arguments if isinstance(arguments, str) else json.dumps(arguments))
            for name, arguments in wanted
        )
    )


def status_of(*order_ids: str) -> Answer:
    """Script a turn that looks orders up."""
    return calls(*(("get_order_status", {"order_id": one, "include_tracking": False}) for one in order_ids))


def refund_of(order_id: str, amount: float | None = None, reason: str = "defective") -> Answer:
    """Script a turn that asks for a refund."""
    return calls(("initiate_refund", {"order_id": order_id, "reason": reason, "amount": amount}))


def sorted_as(category: str, urgency: str = "low", order_id: str | None = None, summary: str = "Something.") -> Answer:
    """Script what a thread is sorted as."""
    intent = {"category": category, "urgency": urgency, "order_id": order_id, "summary": summary}
    return Answer(json.dumps(intent))


class World:
    """Slack, the model and the shop around one bot or several, and what the stories ask of them."""

    def __init__(self, folder: Path, postgres: str | None = None) -> None:
        self.workspace = Workspace()
        self.slack = SlackServer(self.workspace, retry_delays=(0.0, 0.05, 0.1))
        self.script: deque[Turn] = deque()
        self.model = CompletionsServer(self._next_turn)
        self.think: Callable[[Request], Awaitable[Answer | Failure]] | None = None
        self.intent: Turn = sorted_as("other")
        self.database = folder / "support.db"
        self.postgres = PostgresUrl(postgres) if postgres else None  # where the bot's tables are, if not in the file
        self.faults: list[str] = []

    async def _next_turn(self, request: Request) -> Answer | Failure:
        """Answer with the next turn of the script, or as `think` does where a story sets it.

        What not every server would take is noted, and fails the story.
        """
        self.faults += portability_faults(request.raw)
        if request.response_format:
            return self.intent(request) if callable(self.intent) else self.intent
        if self.think:
            return await self.think(request)
        turn: Turn = self.script.popleft() if self.script else Answer("(the script is over)")
        return turn(request) if callable(turn) else turn

    def hold_model(self, answer: Callable[[Request], Answer] = lambda _: Answer("Hello.")) -> Hang:
        """Hold the model's answers back until the returned `Hang` is released; its `reached` is set at the first."""
        hang = Hang()

        async def think(request: Request) -> Answer:
            hang.reached.set()
            await hang.released.wait()
            return answer(request)

        self.think = think
        return hang

    @property
    def place(self) -> str:
        """Name the bot's database, as BOT_DATABASE does."""
        return self.postgres.get_secret_value() if self.postgres else str(self.database)

    @property
    def asked(self) -> list[Request]:
        """List the requests for a turn, without those that sort a thread."""
        return [request for request in self.model.requests if not request.response_format]

    def settings(self, **changes: Any) -> Settings:
        """Make settings that join the bot to this world, and nothing of the machine's own environment."""
        return Settings(
            _env_file=None,
            **{
                "slack_bot_token": self.slack.bot_token,
                "slack_app_token": self.slack.app_token,
                "slack_api_url": self.slack.url,
                "openai_base_url": self.model.url,
                "openai_api_key": "none",
                "openai_model": "scripted-model",
                "BOT_DATABASE": self.postgres or self.database,
                **({"BOT_SHOP_DATABASE": self.database} if self.postgres else {}),
                "BOT_APPROVERS": SAM,
                "BOT_ESCALATION_CHANNEL": TEAM,
                "BOT_HELP_FOLDER": HELP,
                "BOT_SORTING": True,
                **changes,
            },
        )

    @asynccontextmanager
    async def bot(
        self, *, open_shop: Callable[[DatabaseThread], Shop] = SqliteShop, **changes: Any
    ) -> AsyncIterator[None]:
        """Run the bot; on leaving, it has finished what it was doing and said what it had to say."""
        async with running(self.settings(**changes), open_shop=open_shop):
            await self.slack.connected()
            yield

    async def says(self, person: str, text: str, channel: str = SUPPORT, **how: Any) -> Message:
        """Write as somebody, with the bot's mention where the text has @bot."""
        return await self.workspace.say(person, channel, text.replace("@bot", f"<@{BOT}>"), **how)

    async def replies(self, message: Message, count: int = 1) -> list[Message]:
        """Wait until the bot has posted so often in the message's thread; a timeline of its steps is no such post."""
        return await self.workspace.until(
            lambda: found if len(found := self.said_to(message)) >= max(count, 1) else None
        )

    def said_to(self, message: Message) -> list[Message]:
        """List what the bot has posted in the message's thread, without the timelines of its steps."""
        return [one for one in self.workspace.replies_of_bot(message) if not is_timeline(one)]

    async def card(self, message: Message) -> Message:
        """Wait for the card with buttons in the message's thread."""
        return await self.workspace.until(
            lambda: next((reply for reply in self.workspace.replies_of_bot(message) if buttons(reply)), None)
        )

    async def confirmed(self, message: Message, person: str = ANA) -> Message:
        """Press Confirm on the requester's card in the message's thread, and wait for the approver's there."""
        card = await self.card(message)
        await self.workspace.click(person, card.channel, card.ts, "approve_call")
        return await self.workspace.until(
            lambda: next(
                (one for one in self.workspace.replies_of_bot(message) if buttons(one) and one.ts != card.ts), None
            )
        )

    async def settled(self, card: Message) -> Message:
        """Wait until the card is redrawn without buttons."""
        return await self.workspace.until(
            lambda: (now := self.workspace.message(card.channel, card.ts)) and not buttons(now) and now
        )

    async def whisper_to(self, person: str) -> str:
        """Wait for a message that only this person sees, and read its text."""
        return (await self.whisper(person)).text

    async def whisper(self, person: str, count: int = 1) -> Message:
        """Wait for the first message that only this person sees, or for a later one."""

        def found() -> Message | None:
            seen = (message for message in self.workspace.messages if message.ephemeral_for == person)
            return next(islice(seen, count - 1, None), None)

        return await self.workspace.until(found)

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Read the database as anybody would; the shop's tables are in the file in any case."""
        if self.postgres and _OF_THE_BOT.search(sql):
            with reading(self.postgres.get_secret_value()) as reader:
                return reader.rows(sql, parameters)
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(sql, parameters)]

    def refunds(self) -> list[tuple[str, int]]:
        """List the refunds that were made in the story, with their cents."""
        rows = self.rows("SELECT order_id, amount_minor FROM refunds WHERE idempotency_key NOT LIKE 'sample:%'")
        return [(row["order_id"], row["amount_minor"]) for row in rows]

    def refund_elsewhere(self, order_id: str, minor: int) -> None:
        """Give money back behind the bot's back, as the shop's own staff might."""
        self.write(
            "INSERT INTO refunds VALUES (?, ?, ?, 'USD', 'defective', ?, '2026-01-01T00:00:00+00:00')",
            *(f"re_{order_id}", order_id, minor, f"elsewhere:{order_id}"),
        )

    def deliver_all(self) -> None:
        """Mark every order as delivered, so that any of it can be refunded."""
        self.write("UPDATE orders SET status = 'delivered'")

    def write(self, sql: str, *parameters: Any) -> int:
        """Change the database behind the bot's back, and return how many rows were."""
        if self.postgres and _OF_THE_BOT.search(sql):
            with psycopg.connect(self.postgres.get_secret_value(), autocommit=True) as connection:
                return PostgresTransaction(connection).execute(sql, parameters).rowcount
        with closing(sqlite3.connect(self.database)) as db:
            count = db.execute(sql, parameters).rowcount
            db.commit()
            return count

    def forge(self, *statements: str) -> None:
        """Change the log as somebody would who knows how to lift its guards."""
        if self.postgres:
            with psycopg.connect(self.postgres.get_secret_value(), autocommit=True) as connection:
                connection.execute("SET support_bot.erasing = 'on'")
                for statement in statements:
                    PostgresTransaction(connection).execute(statement)
            return
        for guard in ("tool_calls_no_update_when_final", "tool_calls_no_delete_when_final"):
            self.write(f"DROP TRIGGER IF EXISTS {guard}")
        for statement in statements:
            self.write(statement)

    @asynccontextmanager
    async def tables(self) -> AsyncIterator[Database]:
        """Open the bot's tables, as a command beside the bot does."""
        async with open_database(self.postgres or self.database) as database:
            yield database.tables


def is_timeline(message: Message) -> bool:
    """Return whether a message shows what a run does, step by step."""
    return any(block["type"] == "task_card" for block in message.blocks)


def free_port() -> int:
    """Find a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def buttons(message: Message) -> dict[str, dict[str, Any]]:
    """Find a message's buttons by action_id, without those of an order's card and the offer of a person."""
    return _buttons(message, of_orders=False)


def order_buttons(message: Message) -> dict[str, dict[str, Any]]:
    """Find the buttons of the orders that a message shows, by action_id."""
    return _buttons(message, of_orders=True)


def _buttons(message: Message, *, of_orders: bool) -> dict[str, dict[str, Any]]:
    blocks = [block for block in message.blocks if block["type"] == "actions" and not _offers_a_person(block)]
    wanted = [block for block in blocks if block["block_id"].startswith("order:") == of_orders]
    return {element["action_id"]: element for block in wanted for element in block["elements"]}


def _offers_a_person(block: Mapping[str, Any]) -> bool:
    return bool(block["block_id"].startswith("person:"))


def shown(message: Message) -> str:
    """Read all the text that a message shows, in its blocks or without any."""

    def texts(part: Any) -> Iterable[str]:
        if isinstance(part, dict):
            if isinstance(part.get("text"), str):
                yield part["text"]
            for value in part.values():
                yield from texts(value)
        elif isinstance(part, list | tuple):
            for value in part:
                yield from texts(value)

    blocks = [one for one in message.blocks if one["type"] != "context_actions" and not _offers_a_person(one)]
    text = "\n".join(texts(blocks)) if blocks else message.text
    return text.replace("\N{NO-BREAK SPACE}", " ")


_samples: dict[bool, Path] = {}
_folder = TemporaryDirectory(prefix="sample-")


async def sample_database(*, of_bot: bool = True) -> Path:
    """Return a file with the sample orders, and with the bot's tables where they are wanted; it is made once."""
    if of_bot not in _samples:
        path = Path(_folder.name) / f"{of_bot}.db"
        database = DatabaseThread(path, *((bot_migrations, shop_migrations) if of_bot else (shop_migrations,)))
        await database.open()
        await sample_shop.fill(database)
        await database.close()
        _samples[of_bot] = path
    return _samples[of_bot]


@asynccontextmanager
async def open_world(folder: Path, postgres: str | None = None) -> AsyncIterator[World]:
    """Open a world with the sample orders in its shop, and the bot's tables in PostgreSQL where that is given."""
    async with AsyncExitStack() as stack:
        world = World(folder, postgres)
        await stack.enter_async_context(world.slack)
        await stack.enter_async_context(world.model)
        shutil.copy(await sample_database(of_bot=postgres is None), world.database)
        yield world
        assert world.faults == [], "the model was asked in a way that not every server takes"
