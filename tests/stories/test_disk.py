"""The disk is full or the file is locked while the process runs: nothing is half done, and it goes on by itself."""

import asyncio
import os
import resource
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.store.sqlite.files import back_up
from bot.testing.slack.workspace import Message
from tests.process import BotProcess, check, think
from tests.world import ANA, BEN, SAM, World, open_world, shown

pytestmark = pytest.mark.sqlite_file
REFUSED = "does not take writes: disk I/O error. Nothing is acked until it does."


def fill_disk(process: BotProcess) -> None:
    """Limit the process to write no further into any file than a small one is long."""
    _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (8192, most))


def clear_disk(process: BotProcess) -> None:
    """Lift that limit."""
    _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))


async def ask_in_vain(world: World) -> Message:
    """Ask where an order is, and wait until Slack has given up to tell the bot."""
    question = await world.says(BEN, "@bot where is ORD-10240", order=("app_mention",))
    await world.workspace.until(lambda: world.workspace.deliveries[-1].acked is False)
    assert (
        world.rows("SELECT ts FROM inbox WHERE ts = ? UNION SELECT ts FROM threads WHERE ts = ?", *[question.ts] * 2)
        == []
    )
    return question


async def ask_again(world: World, question: Message, process: BotProcess) -> None:
    """Deliver to the bot once more, wait for the answer, and stop; there is one answer, and all is in order."""
    world.workspace.announce(question)
    (answer,) = await world.replies(question)
    assert await process.stop() == 0
    assert "*Order ORD-10240*" in shown(answer)
    assert len(world.workspace.replies_of_bot(question)) == 1
    check(world)


async def test_message_on_a_full_disk(world: World, tmp_path: Path) -> None:
    """While the disk is full nothing is acked and the operator reads why; then Slack's next try is answered, once."""
    world.think, errors = think, tmp_path / "errors.log"
    world.slack.socket_mode.ack_timeout = 0.3
    async with BotProcess(world, errors=errors, BOT_LEASE_SECONDS=0.6) as process:
        await world.slack.connected()
        await world.replies(await world.says(ANA, "@bot where is ORD-10188"))
        fill_disk(process)
        question = await ask_in_vain(world)
        assert errors.read_text().count(REFUSED) == 1
        clear_disk(process)
        await ask_again(world, question, process)
    assert errors.read_text().count(REFUSED) == 1
    assert errors.read_text().count("takes writes again") == 1
    assert "Traceback" not in errors.read_text()


async def test_message_while_the_file_is_locked(world: World, tmp_path: Path) -> None:
    """While others lock the file for longer than Slack waits nothing is acked; then its next try is answered, once."""
    world.think, errors = think, tmp_path / "errors.log"
    world.slack.socket_mode.ack_timeout = 0.75  # four times that is longer than the intake waits
    async with BotProcess(world, errors=errors) as process:
        await world.slack.connected()
        with closing(sqlite3.connect(world.database, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            question = await ask_in_vain(world)
            other.execute("ROLLBACK")
        await ask_again(world, question, process)
    assert "not acked: The database did not answer within 2.5 s." in errors.read_text()
    assert "Traceback" not in errors.read_text()


@pytest.mark.parametrize(("place", "moved"), [("call claimed", 0), ("shop answered", 1)])
async def test_refund_while_the_disk_fills(world: World, tmp_path: Path, place: str, moved: int) -> None:
    """A refund that was approved when the disk filled is found out with room again: made once, and told."""
    world.think, errors, pipe = think, tmp_path / "errors.log", tmp_path / "pipe"
    os.mkfifo(pipe)
    short: dict[str, Any] = {"BOT_TOOL_TIMEOUT_SECONDS": 0.2, "BOT_SWEEP_SECONDS": 0.2}
    async with BotProcess(world, errors=errors, BOT_FAILPOINT=f"{place}@{pipe}", **short) as process:
        await world.slack.connected()
        request = await world.says(ANA, "@bot refund ORD-10188")
        card = await world.card(request)
        await world.replies(request, 2)
        clicked = asyncio.create_task(world.workspace.click(SAM, card.channel, card.ts, "approve_call"))
        with await asyncio.to_thread(pipe.open, "w"):
            fill_disk(process)
        assert await clicked
        assert "Something broke on my side" in await world.whisper_to(SAM)
        assert world.rows("SELECT status FROM tool_calls") == [{"status": "running"}]
        assert len(world.refunds()) == moved
        clear_disk(process)
        assert "✓ Approved by <@U0SAM>" in shown(await world.settled(card))
        await world.replies(request, 3)
        assert await process.stop() == 0
    assert world.refunds() == [("ORD-10188", 4200)]
    check(world)
    assert errors.read_text().count(REFUSED) == 1


async def test_files_are_private(tmp_path: Path) -> None:
    """The database, its log of writes, its lock and a backup can be read by their owner alone."""
    async with open_world(tmp_path) as world, world.bot():
        await world.replies(await world.says(ANA, "@bot hello"))
        back_up(world.database, tmp_path / "backup.db")
        names = ("support.db", "support.db-wal", "support.db-shm", "support.db.lock", "backup.db")
        modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in names}
    assert modes == dict.fromkeys(names, 0o600)
