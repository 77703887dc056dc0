"""What an operator does to a bot: pause, back up, restore, retry, forget, verify; each a row of who did it."""

import re
from pathlib import Path
from typing import Any

import pytest

from bot.store.calls import CallStatus
from bot.testing.openai import Answer, Failure
from bot.testing.slack.workspace import Message
from tests.operator.command import ask, give
from tests.world import ANA, BEN, SAM, World, buttons, refund_of, shown, status_of


def audit(world: World) -> list[tuple[str, str | None]]:
    """List what was done to what; who did it is somebody on this machine."""
    rows = world.rows("SELECT * FROM audit ORDER BY id")
    assert all(re.fullmatch(r".+@.+", row["by"]) for row in rows)
    return [(row["action"], row["subject"]) for row in rows]


async def refunded(world: World) -> Message:
    """Play a refund that is asked for and approved."""
    world.script += [refund_of("ORD-10188"), Answer("Asked.")]
    question = await world.says(ANA, "@bot my mug came broken")
    card = await world.card(question)
    await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
    await world.settled(card)
    await world.replies(question, 3)
    return question


async def test_pause_whatever_else_is_wrong(tmp_path: Path, world: World) -> None:
    """Pausing needs nothing but the database, however malformed other settings are; each is a row of who did it."""
    wrong = {"BOT_DATABASE": str(world.database), "BOT_APPROVERS": "sam@example.com", "BOT_MAX_STEPS": "many"}
    assert (await give(tmp_path, "pause", **wrong)).code == 0
    assert [row["name"] for row in world.rows("SELECT name FROM switches")] == ["paused"]
    assert (await give(tmp_path, "resume", **wrong)).out == "Resumed.\n"
    assert world.rows("SELECT name FROM switches") == []
    assert audit(world) == [("pause", None), ("resume", None)]


async def test_pause_with_a_file_that_cannot_be_read(tmp_path: Path, world: World) -> None:
    """A file of settings that is no text stops no pause where the environment names the database."""
    (tmp_path / ".env").write_bytes(b"SLACK_BOT_TOKEN=\xff\xfe")
    assert (await give(tmp_path, "pause", BOT_DATABASE=str(world.database))).code == 0
    said = await give(tmp_path, "pause")
    assert said.errors == "Error: .env is not UTF-8, so it cannot be read. Set BOT_DATABASE.\n"


async def test_env_file(tmp_path: Path, world: World) -> None:
    """Settings come from the file that is named, in place of .env; one that is not there is an error."""
    (tmp_path / ".env").write_text("BOT_DATABASE=elsewhere.db\n")
    (tmp_path / "prod.env").write_text(f"BOT_DATABASE={world.database}\n")
    assert (await give(tmp_path, "--env-file", "prod.env", "pause")).code == 0
    assert (await give(tmp_path, "pause")).errors.startswith("Error: There is no database at elsewhere.db.")
    missing = await give(tmp_path, "--env-file", "none.env", "pause")
    assert "File 'none.env' does not exist" in missing.errors
    assert audit(world) == [("pause", None)]


async def test_forget_unknown(world: World) -> None:
    """To forget somebody who never wrote and decided nothing is an error, so that a typo is noticed."""
    said = await ask(world, "forget", "U0ANAA")
    assert (said.code, said.errors) == (1, "Error: Nobody with the id U0ANAA wrote here or decided anything.\n")
    assert audit(world) == []


async def test_forget(world: World) -> None:
    """To forget somebody is told with its count and kept without their id, and the log can still be verified."""
    async with world.bot():
        await refunded(world)
    said = await ask(world, "forget", f"<@{ANA}>")
    assert said.out == "1 thread erased. The shop's own customers and orders are not touched.\n"
    assert audit(world) == [("forget", None)]
    assert ANA not in "".join(str(row) for row in world.rows("SELECT * FROM audit"))
    assert (await ask(world, "verify")).code == 0
    assert (await ask(world, "forget", SAM)).out.startswith("0 threads erased.")
    assert (await ask(world, "verify")).code == 0
    assert {row["salt"] for row in world.rows("SELECT salt FROM sealed_calls WHERE kind = 'finished'")} == {None}


async def test_retry_message(world: World) -> None:
    """A message that could not be answered is answered after `retry REFERENCE`, with its question asked once more."""
    world.script += [Failure(401, code="invalid_api_key"), Answer("Hello, Ben.")]
    async with world.bot(BOT_LEASE_SECONDS=0.6):
        question = await world.says(BEN, "@bot hello")
        (apology,) = await world.replies(question)
        reference = shown(apology).rpartition(" ")[2]
        said = await ask(world, "retry", reference)
        assert (
            said.out == f"The message of {BEN} waits for its answer again. A bot that runs takes it within seconds.\n"
        )
        _, answer = await world.replies(question, 2)
    assert shown(answer) == "Hello, Ben."
    assert [m["content"] for m in world.asked[-1].messages if m["role"] == "user"] == [f"{BEN} wrote: hello"] * 2
    assert audit(world) == [("retry", reference)]
    assert (await ask(world, "retry", reference)).code == 1


async def test_retry_post(world: World) -> None:
    """A post that Slack did not take is posted after `retry` with its id, and once."""
    world.script += [Answer("Hello.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot hello"))
    (post,) = world.rows("SELECT id FROM outbox")
    before = len(world.workspace.messages)
    world.write("UPDATE outbox SET status = 'failed', error = 'channel_not_found'")
    assert "is tried again" in (await ask(world, "retry", post["id"][:8])).out
    async with world.bot():
        pass
    assert [row["status"] for row in world.rows("SELECT status FROM outbox")] == ["sent"]
    assert len(world.workspace.messages) == before, "it was in Slack after all"
    assert audit(world) == [("retry", post["id"])]


@pytest.mark.parametrize("status", [CallStatus.SUCCEEDED, CallStatus.PENDING])
async def test_retry_nothing(world: World, status: CallStatus) -> None:
    """What has ended, waits, or is not there is not tried again, and the line says why."""
    world.script += [refund_of("ORD-10188"), Answer("Asked.")]
    async with world.bot():
        question = await world.says(ANA, "@bot my mug came broken")
        card = await world.card(question)
        if status is CallStatus.SUCCEEDED:
            await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
            await world.settled(card)
        await world.replies(question, 2)
    (call,) = world.rows("SELECT id, status FROM tool_calls")
    said = await ask(world, "retry", call["id"][:8])
    words = {CallStatus.SUCCEEDED: "what has ended never changes", CallStatus.PENDING: "This call is still open"}
    assert said.code == 1
    assert words[status] in said.errors
    assert audit(world) == []


async def test_backup_and_restore(world: World) -> None:
    """A restored backup is the database, with what was there beside it, approvals paused, and nothing posted twice."""
    copy = world.database.with_name("backup.db")
    async with world.bot():
        await refunded(world)
        assert (await ask(world, "backup", str(copy))).out == f"Copied to {copy}.\n"
        refused = await ask(world, "restore", str(copy))
        assert (refused.code, refused.errors) == (1, f"Error: A bot runs on {world.database}. Stop it first.\n")
    world.write("UPDATE outbox SET status = 'waiting', ts = NULL")
    assert (await ask(world, "backup", str(world.database.with_name("second.db")))).code == 0
    messages = len(world.workspace.messages)
    said = await ask(world, "restore", str(world.database.with_name("second.db")))
    assert said.code == 0, said.errors
    assert "Approvals are paused" in said.out
    (aside,) = world.database.parent.glob("support.db.before-restore-*Z")
    assert str(aside) in said.out
    assert audit(world) == [("backup", "backup.db"), ("restore", "second.db")]
    async with world.bot():
        pass
    assert world.rows("SELECT 1 FROM outbox WHERE status = 'waiting'") == []
    assert len(world.workspace.messages) == messages
    assert [row["name"] for row in world.rows("SELECT name FROM switches")] == ["paused"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "There is no backup at"),
        (b"not a database" * 1000, "is no backup of a bot"),
        (b"", "is no backup of a bot"),
    ],
)
async def test_no_backup(world: World, content: bytes | None, words: str) -> None:
    """What is no backup is refused, and the database stays as it is."""
    backup = world.database.with_name("backup.db")
    if content is not None:
        backup.write_bytes(content)
    before = world.database.read_bytes()
    said = await ask(world, "restore", str(backup))
    assert said.code == 1
    assert words in said.errors
    assert world.database.read_bytes() == before
    assert not list(world.database.parent.glob("*restor*"))


def tamper(world: World, *statements: str) -> None:
    """Change the log as somebody would who knows how to lift its guards."""
    for guard in ("tool_calls_no_update_when_final", "tool_calls_no_delete_when_final"):
        world.write(f"DROP TRIGGER {guard}")
    for statement in statements:
        world.write(statement)


async def played(world: World) -> list[dict[str, Any]]:
    """Play a look-up and a refund, and return the calls."""
    world.script += [status_of("ORD-10234"), Answer("It is on its way.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot where is ORD-10234?"))
        await refunded(world)
    return world.rows("SELECT * FROM tool_calls ORDER BY created_at")


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE tool_calls SET decided_by = 'U0BEN' WHERE gated", "it was changed after it was finished"),
        ("UPDATE tool_calls SET result = '{}' WHERE gated", "it was changed after it was finished"),
        ("UPDATE tool_calls SET gate = 'requester' WHERE gated", "it was changed after it was finished"),
        ("UPDATE tool_calls SET confirmed_at = created_at WHERE gated", "it was changed after it was finished"),
        ("UPDATE tool_calls SET decision_reason = 'no' WHERE gated", "it was changed after it was finished"),
        ("UPDATE tool_calls SET first_approved_by = 'U0BEN' WHERE gated", "it was changed after it was finished"),
        ("DELETE FROM tool_calls WHERE gated", "it was deleted"),
        ("DELETE FROM sealed_calls WHERE seq = 2", "it was finished by something else than this bot"),
        ("UPDATE sealed_calls SET salt = NULL, kind = 'erased' WHERE seq = 2", "its entry in the chain was changed"),
    ],
)
async def test_tampered(world: World, statement: str, fault: str) -> None:
    """A finished call that was changed or removed behind the bot's back is named, and what was done to it."""
    _, refund = await played(world)
    assert (await ask(world, "verify")).code == 0
    world.write("PRAGMA foreign_keys = OFF")
    tamper(world, statement)
    said = await ask(world, "verify")
    assert said.code == 1
    assert refund["id"][:8] in said.out
    assert fault in said.out
    assert "ORD-10188" in said.out or "DELETE FROM tool_calls" in statement
    assert said.errors == "Error: The log was changed behind the bot's back.\n"


async def test_forged_call(world: World) -> None:
    """A call that somebody added as finished is named."""
    await played(world)
    world.write(
        """INSERT INTO tool_calls (id, team, channel, thread_ts, tool, status, requester, arguments_sent, gated, card,
               created_at, message_id, position, tool_call_id)
           SELECT 'f0f0f0f0f0f0', team, channel, thread_ts, tool, status, requester, '{}', 0, '[]', created_at,
               message_id, 9, 'x' FROM tool_calls WHERE NOT gated"""
    )
    said = await ask(world, "verify")
    assert "f0f0f0f0 (get_order_status" in said.out
    assert "it was finished by something else than this bot" in said.out


async def test_cut_short(world: World) -> None:
    """A log whose end was removed, chain and all, is found out by the head that was kept."""
    await played(world)
    head = (await ask(world, "verify")).lines[1].removeprefix("Head: ")
    assert (await ask(world, "verify", "--head", head)).code == 0
    tamper(world, "DELETE FROM outbox", "DELETE FROM sealed_calls WHERE seq = 2", "DELETE FROM tool_calls WHERE gated")
    assert (await ask(world, "verify")).code == 0
    said = await ask(world, "verify", "--head", head)
    assert said.code == 1
    assert "The head that was given is not in the chain" in said.out


async def test_approvals_stay_paused_after_a_restore(world: World) -> None:
    """After a restore nothing is approved until the operator says so, and then it can be."""
    world.script += [refund_of("ORD-10188"), Answer("Asked.")]
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot my mug came broken"))
    copy = world.database.with_name("backup.db")
    assert (await ask(world, "backup", str(copy))).code == 0
    assert (await ask(world, "restore", str(copy))).code == 0
    async with world.bot(BOT_SWEEP_SECONDS=0.1):
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        assert world.refunds() == []
        assert (await ask(world, "resume")).code == 0
        await world.workspace.until(lambda: (m := world.workspace.message(card.channel, card.ts)) and buttons(m))
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]
