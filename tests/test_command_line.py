"""The commands as a person starts them: as processes, with signals."""

import asyncio
import signal
import socket
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path

import aiohttp
import click
import pytest
from click.testing import CliRunner

from bot.__main__ import main
from bot.shop.sqlite import shop_migrations
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.migrations import bot_migrations
from tests.world import free_port

Start = Callable[..., Awaitable[Process]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Start `support-bot` in an empty folder, without anybody's settings; what still runs at the end is killed."""
    async with AsyncExitStack() as stack:

        async def started(*arguments: str) -> Process:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", *arguments, cwd=tmp_path, env={"PATH": ""}, stdout=PIPE, stderr=PIPE
            )
            stack.push_async_callback(end, process)
            return process

        yield started


async def end(process: Process) -> None:
    """Kill the process if it still runs."""
    if process.returncode is None:
        process.kill()
    await process.communicate()


async def line(process: Process, beginning: str) -> str:
    """Read the process's output up to a line that begins so."""
    assert process.stdout
    async for read in process.stdout:
        if (text := read.decode()).startswith(beginning):
            return text.strip()
    raise AssertionError(f"it ended without a line that begins with {beginning!r}")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_demo_starts_and_stops(start: Start, stop: signal.Signals) -> None:
    """The demo prints its address and what answers, serves the page, and ends cleanly on Ctrl-C or SIGTERM."""
    port = str(free_port())
    demo = await start("demo", "--no-browser", "--port", port)
    assert await line(demo, "The demo is at ") == f"The demo is at http://127.0.0.1:{port}"
    assert "no language model" in await line(demo, "Answers come from: ")
    await line(demo, "Ctrl-C stops it.")
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/") as page:
        assert page.status == 200
    demo.send_signal(stop)
    output, errors = await demo.communicate()
    assert (demo.returncode, output.decode(), errors.decode()) == (0, "Stopped.\n", "")


async def test_busy_port(start: Start) -> None:
    """A port that is in use is said in one line, with what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        demo = await start("demo", "--no-browser", "--port", str(port))
        _, errors = await demo.communicate()
    assert errors.decode() == f"Error: Port {port} is in use. Choose another, such as --port {port + 1}.\n"
    assert demo.returncode == 1


async def test_demo_leaves_other_files_alone(start: Start, tmp_path: Path) -> None:
    """A database that is not a demo's is not touched."""
    (tmp_path / "support-demo.db").write_bytes(b"something else")
    demo = await start("demo", "--no-browser", "--port", str(free_port()))
    _, errors = await demo.communicate()
    assert "is not a demo's database, so it stays as it is" in errors.decode()
    assert (tmp_path / "support-demo.db").read_bytes() == b"something else"


async def test_run_without_slack(start: Start) -> None:
    """`run` without settings names the first that is missing, and ends."""
    process = await start("run")
    _, errors = await process.communicate()
    assert errors.decode().startswith("Error: SLACK_BOT_TOKEN is not set")
    assert process.returncode == 1


def invoke(database: Path, *arguments: str) -> tuple[int, str]:
    """Give a command on a database, and read its exit code and what it says."""
    result = CliRunner().invoke(main, arguments, env={"BOT_DATABASE": str(database)})
    return result.exit_code, result.output.strip()


@pytest.fixture
def existing(tmp_path: Path) -> Path:
    """Give a database as a bot leaves it."""

    async def make() -> Path:
        database = DatabaseThread(tmp_path / "support.db", bot_migrations, shop_migrations)
        await database.open()
        await database.close()
        return database.path

    return asyncio.run(make())


def test_commands_beside_a_bot(existing: Path, tmp_path: Path) -> None:
    """An operator pauses, copies, resumes and forgets while others have the database open, and hears what was done."""
    copy = tmp_path / "copy.db"
    with closing(sqlite3.connect(existing)) as other:
        for arguments, said, switches in (
            (("pause",), "Paused: nothing can be approved until `support-bot resume`.", [("paused",)]),
            (("pause",), "Paused: nothing can be approved until `support-bot resume`.", [("paused",)]),
            (("backup", str(copy)), f"Copied to {copy}.", [("paused",)]),
            (("resume",), "Resumed.", []),
        ):
            assert invoke(existing, *arguments) == (0, said)
            assert other.execute("SELECT name FROM switches").fetchall() == switches
    with closing(sqlite3.connect(copy)) as copied:
        assert copied.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copied.execute("SELECT name FROM switches").fetchall() == [("paused",)]


@pytest.mark.parametrize("arguments", [("pause",), ("resume",), ("backup", "copy.db"), ("forget", "U0ANA")])
def test_commands_without_a_database(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Where there is no database, none is made, and the line says what to do."""
    path = tmp_path / "support.db"
    said = f"Error: There is no database at {path}. Set BOT_DATABASE, or change to the bot's folder."
    assert invoke(path, *arguments) == (1, said)
    assert not path.exists()


def test_backup_does_not_overwrite(existing: Path, tmp_path: Path) -> None:
    """A file that is there already is not written over."""
    there = tmp_path / "there.db"
    there.write_text("something else")
    assert invoke(existing, "backup", str(there)) == (1, f"Error: {there} is there already, so it stays as it is.")
    assert there.read_text() == "something else"


async def test_demo_beside_settings(start: Start, tmp_path: Path) -> None:
    """In the folder of a bot with settings of its own the demo runs as before; what is malformed there is one line."""
    busy = socket.create_server(("127.0.0.1", 0))
    port = free_port()
    settings = f"BOT_APPROVERS=U0YOU\nBOT_PAUSED=true\nBOT_HEALTH_PORT={busy.getsockname()[1]}\n"
    (tmp_path / ".env").write_text(f"SLACK_BOT_TOKEN=xoxb-1\n{settings}", "utf-8")
    demo = await start("demo", "--no-browser", "--port", str(port))
    await line(demo, "Ctrl-C stops it.")
    demo.send_signal(signal.SIGTERM)
    await demo.communicate()
    busy.close()
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-\N{HORIZONTAL ELLIPSIS}\n", "utf-8")
    demo = await start("demo", "--no-browser", "--port", str(port))
    _, errors = await demo.communicate()
    assert demo.returncode == 1
    assert errors.decode().startswith("Error: OPENAI_API_KEY is malformed: ")
    assert errors.decode().count("\n") == 1


def test_every_number_has_bounds() -> None:
    """A number that is too large for what it is given to is refused by the command, in a line."""
    numbers = [
        (name, option)
        for name, command in main.commands.items()
        for option in command.params
        if isinstance(option.type, click.types.IntParamType)
    ]
    assert {"demo", "run", "log", "received", "eval"} <= {name for name, _ in numbers}
    for name, option in numbers:
        assert isinstance(option.type, click.IntRange), (name, option.name)
        assert None not in (option.type.min, option.type.max), (name, option.name)
