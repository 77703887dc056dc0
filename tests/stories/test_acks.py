"""An ack means kept: whatever fails at the first event or click after a start, nothing is acked and lost."""

import asyncio
import importlib.util
import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from bot.app import running
from bot.shop.orders import Order
from bot.shop.sqlite import SqliteShop, shop_migrations
from bot.slack.http import EVENTS_PATH
from bot.store.sqlite.files import back_up
from bot.store.sqlite.migrations import bot_migrations
from bot.store.sqlite.restore import restore
from bot.testing.openai import Answer
from bot.testing.slack.api.methods import METHODS
from bot.testing.slack.workspace import Message, Workspace
from tests.process import BotProcess
from tests.stories.test_http import SECRET, delivering, listening, signed
from tests.world import ANA, SAM, World, free_port, open_world, refund_of, shown

OFTEN = 50
METHODS_OF_A_CLICK = ("auth.test", "users.info", "chat.postMessage", "chat.postEphemeral", "chat.update")
Fault = Callable[[Workspace, str], Callable[[], None]]


def internal_error(workspace: Workspace, method: str) -> Callable[[], None]:
    """Answer the method with an internal error."""
    workspace.faults.refuse(method, "internal_error", times=OFTEN)
    return workspace.faults.clear


def server_error(workspace: Workspace, method: str) -> Callable[[], None]:
    """Answer the method with 500."""
    workspace.faults.server_error(method, times=OFTEN)
    return workspace.faults.clear


def plain_error(workspace: Workspace, method: str) -> Callable[[], None]:
    """Answer the method with 500 in plain text, which the SDK cannot read."""
    workspace.faults.server_error(method, times=OFTEN, content_type="text/plain")
    return workspace.faults.clear


def odd_error(workspace: Workspace, method: str) -> Callable[[], None]:
    """Answer the method with 500 and what claims to be JSON and is none."""
    workspace.faults.server_error(method, times=OFTEN, content_type="application/json")
    return workspace.faults.clear


def rate_limit(workspace: Workspace, method: str) -> Callable[[], None]:
    """Answer the method with 429, for as long as this is not over."""
    workspace.faults.rate_limit(method, retry_after=1, times=OFTEN)
    return workspace.faults.clear


def lost(workspace: Workspace, method: str) -> Callable[[], None]:
    """Hang up in place of an answer to the method."""
    workspace.faults.lose_connection(method, times=OFTEN)
    return workspace.faults.clear


def no_answer(workspace: Workspace, method: str) -> Callable[[], None]:
    """Hold the method's answer back until this is over."""
    hang = workspace.faults.hang(method, times=OFTEN)

    def over() -> None:
        workspace.faults.clear()
        hang.release()

    return over


def kept(world: World, question: Message) -> bool:
    """Return whether the message is in the inbox."""
    return world.rows("SELECT 1 FROM inbox WHERE ts = ?", question.ts) != []


@pytest.mark.parametrize("fault", [internal_error, server_error, plain_error, no_answer])
@pytest.mark.parametrize("methods", [["auth.test"], [*METHODS]], ids=["auth.test", "all"])
async def test_first_event(world: World, fault: Fault, methods: list[str]) -> None:
    """When methods of Slack fail at the first event after a start, the event is acked and in the inbox by then."""
    async with world.bot():
        ends = [fault(world.workspace, method) for method in methods]
        question = await world.says(ANA, "@bot hello", order=("app_mention",))
        delivery = world.workspace.deliveries[-1]
        assert await delivery.outcome
        assert kept(world, question)
        for end in ends:
            end()


@pytest.mark.parametrize("fault", [internal_error, server_error, plain_error, no_answer])
@pytest.mark.parametrize("method", METHODS_OF_A_CLICK)
async def test_first_click(world: World, fault: Fault, method: str) -> None:
    """When a method of Slack fails at the first click after a start, the click is decided or its person is told."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        request = await world.says(ANA, "@bot refund ORD-10188")
        card = await world.card(request)
        await world.replies(request, 2)
    async with world.bot():
        end = fault(world.workspace, method)
        assert await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        if fault is no_answer:
            end()
        await world.workspace.until(
            lambda: world.refunds() or any(m.ephemeral_for == SAM for m in world.workspace.messages)
        )
        end()


def variables_of_bolt() -> set[str]:
    """Find the names of all environment variables of Slack's that Bolt's source knows."""
    found = importlib.util.find_spec("slack_bolt")
    assert found
    assert found.submodule_search_locations
    folder = Path(found.submodule_search_locations[0])
    sources = (file.read_text() for file in folder.rglob("*.py"))
    return {name for source in sources for name in re.findall(r"""environ[^"'\n]*["'](SLACK_\w+)""", source)}


async def test_environment_over_socket_mode(world: World, tmp_path: Path) -> None:
    """Whatever Bolt would read from the environment changes nothing over Socket Mode."""
    world.script += [Answer("Hello.")]
    errors, nonsense = tmp_path / "errors.log", dict.fromkeys(variables_of_bolt(), "nonsense")
    assert {"SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"} <= nonsense.keys()
    async with BotProcess(world, errors=errors, environment=nonsense) as process:
        await world.slack.connected()
        (answer,) = await world.replies(await world.says(ANA, "@bot hello"))
        assert shown(answer) == "Hello."
        assert await process.stop() == 0
    assert {json.loads(line)["level"] for line in errors.read_text().splitlines()} == {"info"}


async def test_environment_over_http(world: World, tmp_path: Path) -> None:
    """Whatever Bolt would read from the environment changes nothing over HTTP, and opens no other path."""
    world.script += [Answer("Hello.")]
    errors, nonsense = tmp_path / "errors.log", dict.fromkeys(variables_of_bolt() - {"SLACK_APP_TOKEN"}, "nonsense")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    started = BotProcess(
        world,
        errors=errors,
        environment=nonsense,
        arguments=("--http", str(port)),
        slack_app_token=None,
        slack_signing_secret=SECRET,
    )
    async with started as process, aiohttp.ClientSession() as session:
        await listening(session, f"{url}/healthz")
        for path in ("/", "/slack/install", "/slack/oauth_redirect", "/slack", "/slack/events/"):
            async with session.get(url + path) as response:
                assert response.status == 404
        body = json.dumps({"type": "url_verification", "challenge": "abc"})
        headers = signed(body) | {"Content-Type": "application/json"}
        async with session.post(url + EVENTS_PATH, data=body, headers=headers) as response:
            assert (response.status, await response.json()) == (200, {"challenge": "abc"})
        async with delivering(world, url + EVENTS_PATH):
            (answer,) = await world.replies(await world.says(ANA, "@bot hello"))
        assert shown(answer) == "Hello."
        assert await process.stop() == 0
    assert {json.loads(line)["level"] for line in errors.read_text().splitlines()} == {"info"}


@pytest.mark.sqlite_file
@pytest.mark.parametrize("replaced", [False, True])
async def test_file_is_gone(world: World, tmp_path: Path, *, replaced: bool) -> None:
    """When the database's file is deleted or replaced nothing is acked and the bot is not ready, until it is back."""
    world.slack.socket_mode.ack_timeout = 0.3
    world.script += [Answer("Hello.")]
    port, aside = free_port(), tmp_path / "aside.db"
    async with world.bot(BOT_HEALTH_PORT=port), aiohttp.ClientSession() as session:
        world.database.rename(aside)
        if replaced:
            world.database.write_bytes(aside.read_bytes())
        question = await world.says(ANA, "@bot hello", order=("app_mention",))
        assert not await world.workspace.deliveries[-1].outcome
        async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
            assert response.status == 503
            assert "deleted or replaced" in await response.text()
        aside.replace(world.database)
        world.workspace.announce(question)
        assert await world.replies(question)


@pytest.mark.sqlite_file
@pytest.mark.parametrize("with_what", ["an older copy", "a new backup", "another bot's", "nothing", "something else"])
async def test_file_is_overwritten(world: World, tmp_path: Path, with_what: str) -> None:
    """When something is copied over the database's file, which stays the same file, nothing is acked, and it is told.

    Of a restored backup nothing that came before is missing.
    """
    world.slack.socket_mode.ack_timeout = 0.3
    world.script += [Answer("Hello."), Answer("Hello again."), Answer("And again.")]
    older, port = Path(shutil.copy(world.database, tmp_path / "older.db")), free_port()
    async with world.bot(BOT_HEALTH_PORT=port), aiohttp.ClientSession() as session:
        await world.replies(await world.says(ANA, "@bot hello"))
        with closing(sqlite3.connect(world.database)) as beside:
            beside.execute("PRAGMA wal_checkpoint(PASSIVE)")
        await world.replies(await world.says(ANA, "@bot hello again"))
        back_up(world.database, tmp_path / "new.db")
        (tmp_path / "other").mkdir()
        async with open_world(tmp_path / "other") as other, other.bot():
            pass
        copied = {"an older copy": older, "a new backup": tmp_path / "new.db", "another bot's": other.database}
        contents = copied[with_what].read_bytes() if with_what in copied else b"x" * (with_what != "nothing")
        world.database.write_bytes(contents)
        question = await world.says(ANA, "@bot are you there?", order=("app_mention",))
        assert not await world.workspace.deliveries[-1].outcome
        async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
            assert (response.status, "overwritten" in await response.text()) == (503, True)
    assert await restore(tmp_path / "new.db", world.database, bot_migrations, shop_migrations, by="op")
    async with world.bot():
        world.workspace.announce(question)
        assert await world.replies(question)
    assert len(world.rows("SELECT 1 FROM inbox WHERE status = 'done'")) == 3


@pytest.mark.sqlite_file
async def test_what_others_write_to_the_file(world: World) -> None:
    """What another program writes, and moves from the `-wal` into the file, is no reason to take nothing more."""
    world.script += [Answer("Hello."), Answer("Hello again.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot hello"))
        with closing(sqlite3.connect(world.database)) as other:
            other.execute("CREATE TABLE notes AS SELECT hex(randomblob(5000)) AS words")
            other.commit()
            other.execute("PRAGMA wal_checkpoint(PASSIVE)")
        assert await world.replies(await world.says(ANA, "@bot hello again"))


@pytest.mark.sqlite_file
async def test_log_of_writes_is_gone(world: World) -> None:
    """When the database's `-wal` is deleted nothing more is acked; what was acked before is there at the next start."""
    world.slack.socket_mode.ack_timeout = 0.3
    world.script += [Answer("Hello."), Answer("Hello again.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot hello"))
        world.database.with_name(f"{world.database.name}-wal").unlink()
        question = await world.says(ANA, "@bot hello again", order=("app_mention",))
        assert not await world.workspace.deliveries[-1].outcome
    assert len(world.rows("SELECT 1 FROM inbox WHERE status = 'done'")) == 1
    async with world.bot():
        world.workspace.announce(question)
        assert await world.replies(question)


@pytest.mark.sqlite_file
async def test_clicks_while_the_file_is_gone(world: World, tmp_path: Path) -> None:
    """While nothing can be kept a press does nothing, on a card as on a Home tab, and who pressed is told."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    surfaces, aside = world.workspace.surfaces, tmp_path / "aside.db"
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot refund ORD-10188, broken"))
        await surfaces.open_home(SAM)
        home = await world.workspace.until(lambda: surfaces.home(SAM))
        world.database.rename(aside)
        world.database.write_bytes(aside.read_bytes())
        assert await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        assert "Something broke on my side" in await world.whisper_to(SAM)
        assert await surfaces.click(SAM, home.id, "approve_call")
        await world.workspace.until(lambda: "Something broke on my side" in str(surfaces.home(SAM)))
        assert await surfaces.click(SAM, home.id, "home_refresh")
        await world.workspace.until(lambda: "I can't show anything" in str(surfaces.home(SAM)))
        assert world.refunds() == []
        aside.replace(world.database)
        assert world.refunds() == []
        assert await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_ready_writes_nothing(world: World) -> None:
    """Being asked whether it is ready costs the bot no write."""
    port = free_port()
    async with world.bot(BOT_HEALTH_PORT=port), aiohttp.ClientSession() as session:
        wal = world.database.with_name(f"{world.database.name}-wal")
        before = wal.stat()
        for _ in range(3):
            async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
                assert response.status == 200
        after = wal.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


async def test_many_ask_whether_it_is_ready(world: World) -> None:
    """However many ask at once whether the bot is ready, the shop is asked once."""
    asked: list[str] = []

    class Slow(SqliteShop):
        async def order(self, number: str) -> Order | None:
            asked.append(number)
            await asyncio.sleep(0)
            return await super().order(number)

    port = free_port()
    async with world.bot(BOT_HEALTH_PORT=port, open_shop=Slow), aiohttp.ClientSession() as session:

        async def ask() -> int:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
                return response.status

        assert set(await asyncio.gather(*(ask() for _ in range(50)))) == {200}
    assert len(asked) == 1


@pytest.mark.parametrize("fault", [internal_error, server_error, plain_error, odd_error, rate_limit, lost, no_answer])
async def test_no_new_connection_at_first(world: World, fault: Fault) -> None:
    """When Slack cannot give a new connection after one was cut, in whatever form, the bot goes on asking for one."""
    world.script += [Answer("Hello.")]
    async with running(world.settings(BOT_SILENCE_SECONDS=2)) as connection:
        watch = asyncio.create_task(connection.lost())
        await world.slack.connected()
        end = fault(world.workspace, "apps.connections.open")
        asked = sum(call.method == "apps.connections.open" for call in world.workspace.calls)
        world.slack.socket_mode.close_abruptly()
        await world.workspace.until(
            lambda: sum(call.method == "apps.connections.open" for call in world.workspace.calls) > asked
        )
        end()
        await world.replies(await world.says(ANA, "@bot hello"))
        assert not watch.done()
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
