"""One command's worth of demo: workspace, model, page and the bot as it ships, all on one port of localhost."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.app import running
from bot.demo import offline_model
from bot.demo.cast import ALL_CUSTOMERS, ALL_ORDERS, demo_workspace
from bot.demo.live import LivePage
from bot.environment import read_for_demo
from bot.settings import Settings
from bot.shop import sample as sample_shop
from bot.shop.factory import BUILT_IN
from bot.shop.sqlite import shop_migrations
from bot.slack.client import StartError
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.leases import is_in_use
from bot.store.sqlite.migrations import bot_migrations
from bot.testing import openai as completions
from bot.testing.slack.api.server import APP_TOKEN, BOT_TOKEN, SlackServer

APPROVERS = ("U0SAM", "U0PAT")
HELP = Path(__file__).parent / "help"
_DEMO_MARKER = 0x5B07DE30  # SQLite's application_id: what marks a file as made by a demo
_OWN_HOSTS = ("127.0.0.1", "localhost")
OFFLINE = "offline model: a small rule-based stand-in, no language model"


@asynccontextmanager
async def serving(*, port: int, database: Path, shop: str = BUILT_IN) -> AsyncIterator[tuple[str, str]]:
    """Serve the demo and return its address and which model answers. Raises StartError when it cannot start.

    The real model answers when OPENAI_API_KEY or OPENAI_BASE_URL is set. The database starts empty each time. The shop
    is that of the sample orders, whatever BOT_SHOP says, or the one that is named: what is approved there is done.
    """
    settings = _settings(f"http://127.0.0.1:{port}", database, shop)
    offline = settings.openai_model == offline_model.MODEL_NAME
    model = OFFLINE if offline else f"{settings.openai_model} at {settings.openai_base_url or 'OpenAI'}"
    workspace = demo_workspace()
    app = web.Application(middlewares=[_same_origin])
    SlackServer(workspace).add_routes(app)
    completions.add_routes(app, offline_model.respond, offline_model.MODEL_NAME)
    page = LivePage(workspace, model=model, database=database, approvers=APPROVERS, shop=shop)
    page.add_routes(app)
    async with _listening(app, port):
        _start_over(database)
        await _make_database(database, filled=shop == BUILT_IN)
        async with page.following(), running(settings):
            yield f"http://127.0.0.1:{port}", model


def _settings(url: str, database: Path, shop: str) -> Settings:
    ours: dict[str, Any] = {
        "slack_bot_token": BOT_TOKEN,
        "slack_app_token": APP_TOKEN,
        "slack_api_url": f"{url}/api/",
        "BOT_DATABASE": database,
        "BOT_SHOP": shop,
        "BOT_SHOP_DATABASE": None,
        "BOT_APPROVERS": APPROVERS,
        "BOT_ESCALATE_APPROVERS": (),
        "BOT_SECOND_APPROVER_OVER": "100",
        "BOT_STAFF": "",
        "BOT_TRUSTED_TEAMS": "",
        "BOT_APPROVAL_CHANNEL": None,
        "BOT_ESCALATION_CHANNEL": "C0TEAM",
        "BOT_HELP_FOLDER": HELP,
        "BOT_HEALTH_PORT": None,
        "BOT_ORDER_LINKS": "https://shop.example.com/orders/{order}",
        "BOT_PAUSED": False,
    }
    settings = read_for_demo(**ours)
    if settings.openai_api_key or settings.openai_base_url:
        return settings
    ours["BOT_SORTING"] = True
    return read_for_demo(**ours, openai_base_url=f"{url}/v1", openai_model=offline_model.MODEL_NAME)


@asynccontextmanager
async def _listening(app: web.Application, port: int) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
    except OSError as error:
        await runner.cleanup()
        raise StartError(f"Port {port} is in use. Choose another, such as --port {port + 1}.") from error
    try:
        yield
    finally:
        await runner.cleanup()


@web.middleware
async def _same_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another page, or a name that was made to point here, would ask: it could approve as anybody.

    A browser names no origin where a page only embeds or opens an address, and tells then from where that is done; of
    another page it may open ours, and not in a frame.
    """
    host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
    is_foreign = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    is_opened = request.path == "/" and request.headers.get("Sec-Fetch-Dest") == "document"
    is_ours = urlsplit(f"//{host}").hostname in _OWN_HOSTS and origin in (None, f"http://{host}")
    if not is_ours or (is_foreign and not is_opened):
        raise web.HTTPForbidden(text="The demo answers its own page only.")
    return await handler(request)


def _start_over(database: Path) -> None:
    """Remove the file of an earlier demo, and refuse to touch one of another program, or of a demo that runs."""
    if not database.exists():
        return
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as db:
            is_demo = db.execute("PRAGMA application_id").fetchone()[0] == _DEMO_MARKER
    except sqlite3.Error:
        is_demo = False
    if not is_demo:
        raise StartError(f"{database} is not a demo's database, so it stays as it is. Choose another with --database.")
    if is_in_use(database):
        raise StartError(f"A demo runs on {database} already. Stop it, or choose another with --database.")
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


async def _make_database(database: Path, *, filled: bool) -> None:
    thread = DatabaseThread(database, bot_migrations, shop_migrations)
    await thread.open()
    if filled:
        await sample_shop.fill(thread, orders=ALL_ORDERS, customers=ALL_CUSTOMERS)
    await thread.commit(lambda db: db.execute(f"PRAGMA application_id = {_DEMO_MARKER}"))
    await thread.close()
