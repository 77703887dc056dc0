"""What is malformed in a command is told in one line, and does nothing: least of all does it mean everything."""

import pytest

from bot.testing.openai import Answer, Failure
from tests.operator.command import ask
from tests.world import ANA, SAM, World, refund_of

NO_REFERENCE = "is no reference, such as 1a2b3c4d"
SLIPS = {
    ("retry", ""): NO_REFERENCE,
    ("retry", "%"): NO_REFERENCE,
    ("settle", "", "done", "--why", "I looked."): NO_REFERENCE,
    ("settle", "_", "done", "--why", "I looked."): NO_REFERENCE,
    ("verify", "--head", "0123"): "“0123” is no head",
    ("log", "--status", "strange"): "strange is no status. There are proposed, pending,",
    ("log", ""): "Say what is looked for",
}


async def test_slips(world: World) -> None:
    """A reference that is none is refused, also where only one thing could be meant, and so are other slips."""
    world.script += [Failure(401, code="invalid_api_key"), refund_of("ORD-10188"), Answer("I asked for it.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot hello"))
        await world.card(await world.says(ANA, "@bot refund"))
    world.write("UPDATE tool_calls SET status = 'unknown', decided_by = ?", SAM)
    for words, told in SLIPS.items():
        said = await ask(world, *words)
        assert said.code in (1, 2), words
        assert told in said.errors, words
        assert said.errors.count("\n") <= 4, words
    assert [row["status"] for row in world.rows("SELECT status FROM inbox ORDER BY id")] == ["failed", "done"]
    assert [row["status"] for row in world.rows("SELECT status FROM tool_calls")] == ["unknown"]
    assert world.rows("SELECT * FROM audit") == []


@pytest.mark.parametrize("command", [("log",), ("pause",), ("verify",)])
async def test_a_folder_is_no_database(world: World, command: tuple[str, ...]) -> None:
    """A database that is a folder is told as such."""
    folder = world.database.parent
    said = await ask(world, *command, BOT_DATABASE=folder)
    assert said.errors == f"Error: {folder} is a folder; BOT_DATABASE names the file in it.\n"


async def test_costs_without_slack(world: World) -> None:
    """Without a token for Slack the log has ids in place of names, and what things cost all the same."""
    world.script += [Answer("Hello.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot hello"))
    said = await ask(world, "log", "today", SLACK_BOT_TOKEN=None, BOT_MODEL_PRICES="scripted=1000/2000")
    assert (said.code, said.errors) == (0, "")
    assert "$" in next(line for line in said.lines if line.startswith("Model"))
