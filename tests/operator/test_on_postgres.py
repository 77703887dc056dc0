"""The operator's commands where the bot's tables are in PostgreSQL."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from bot.store.moving import KEYS
from bot.testing.openai import Answer
from tests.operator.command import ask, give, start
from tests.operator.test_keeping import audit, refunded
from tests.postgres import waiting
from tests.world import ANA, BEN, SAM, World, refund_of, status_of

pytestmark = pytest.mark.parametrize("world", ["postgres"], indirect=True)


async def test_commands(world: World, tmp_path: Path) -> None:
    """The log is told, verified, copied and erased, and approvals are paused, as in a file."""
    world.script += [status_of("ORD-10240"), Answer("On its way.")]
    async with world.bot():
        await world.replies(await world.says(BEN, "@bot where is ORD-10240"))
        await refunded(world)
        world.script += [refund_of("ORD-10142"), Answer("Asked.")]
        await world.card(await world.says(ANA, "@bot refund ORD-10142"))
        calls = (await ask(world, "log")).lines
        assert [word for line in calls for word in ("get_order_status", "initiate_refund") if word in line]
        assert "my mug came broken" in (await ask(world, "log", "ORD-10188")).out
        assert "ORD-10142" in (await ask(world, "log", "pending")).out
        assert "Messages  3 from 2 people" in (await ask(world, "log", "today")).out
        assert len((await ask(world, "log", "--tool", "get_order_status", "--day", "today")).lines) == 2
        assert "every finished call is as it was" in (await ask(world, "verify")).out
        assert (await ask(world, "pause")).code == 0
        assert [row["name"] for row in world.rows("SELECT name FROM switches")] == ["paused"]
        assert (await ask(world, "resume")).code == 0
        assert "still open" in (await ask(world, "forget", ANA)).errors
        for command in (("backup", "backup.db"), ("log", "export", "log.db")):
            assert (await ask(world, *command)).code == 0
            with closing(sqlite3.connect(tmp_path / command[-1])) as copy:
                assert copy.execute("SELECT count(*) FROM refund_requests").fetchone() == (2,)
    assert (await ask(world, "forget", BEN)).out.startswith("1 thread erased.")
    world.write("UPDATE model_calls SET error = 'x'")
    assert (await ask(world, "verify")).code == 0
    assert [action for action, _ in audit(world)] == ["pause", "resume", "backup", "forget"]


async def test_check_and_restore(world: World, tmp_path: Path) -> None:
    """A check tells of the server; a restore says what to do instead, and one that is not there is told in one line."""
    async with world.bot():
        pass
    assert "can be written, PostgreSQL 18" in (await ask(world, "check")).out
    with psycopg.connect(world.place, autocommit=True) as connection:
        connection.execute("INSERT INTO support_bot_migrations VALUES ('x', clock_timestamp())")
    told = await ask(world, "check")
    assert told.code == 1
    assert "was written by a newer version of the bot (x). Start that version" in told.out
    assert "support-bot migrate-database" in (await ask(world, "restore", "backup.db")).errors
    gone = {"BOT_DATABASE": f"postgresql://bot:hunter2@localhost:1/gone?host={tmp_path}"}
    said = await give(tmp_path, "pause", **gone)
    assert said.errors.count("\n") == 1
    assert "cannot be opened" in said.errors
    assert "hunter2" not in said.errors


async def test_moved(world: World, tmp_path: Path) -> None:
    """What a bot did on PostgreSQL goes on in a file that it was moved to, and a refund is approved there."""
    world.script += [refund_of("ORD-10188"), Answer("Asked.")]
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot refund ORD-10188"))
    source, target = world.place, tmp_path / "moved.db"
    said = await give(tmp_path, "migrate-database", source, str(target))
    assert "counts and sums are the same on both sides" in said.out
    world.postgres = None
    world.database, shop = target, world.database
    async with world.bot(BOT_SHOP_DATABASE=shop):
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
    assert world.rows("SELECT status FROM tool_calls") == [{"status": "succeeded"}]


@pytest.mark.parametrize("there", [True, False])
async def test_killed_while_it_moves(world: World, tmp_path: Path, there: bool) -> None:  # noqa: FBT001 - a parameter
    """A move that is killed in the midst of it leaves an empty database, and is made by the same command again."""
    async with world.bot():
        await refunded(world)
    file = str(tmp_path / "moved.db")
    if there:
        assert (await give(tmp_path, "migrate-database", world.place, file)).code == 0
        world.write(f"TRUNCATE {', '.join(KEYS)}")
        world.write("INSERT INTO seal_chain VALUES (0)")
    places = (file, world.place) if there else (world.place, file)
    with psycopg.connect(world.place) as holding, psycopg.connect(world.place, autocommit=True) as looking:
        holding.execute("LOCK TABLE outbox")
        moving = await start(tmp_path, "migrate-database", *places)
        await waiting(looking, 1)
        moving.kill()
        await moving.wait()
        holding.rollback()
    said = await give(tmp_path, "migrate-database", *places)
    assert (said.code, said.errors) == (0, "")
    assert "counts and sums are the same on both sides" in said.out
    again = await give(tmp_path, "migrate-database", *places)
    assert again.code == 0
    assert again.out != said.out
