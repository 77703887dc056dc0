"""Somebody asks how things work: the answer comes from the operator's articles, with where it stands."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot import tools
from bot.testing.openai import Answer, Request
from tests.world import ANA, World, calls, shown

RETURNS = """# Returns

Send it back within 30 days.

## How long you have
You have 30 days after it arrived.

## Damaged parcels
Photograph the box, and keep it.
"""
SHIPPING = """# Shipping

## Abroad
We deliver to Canada in six days. OR "NEAR" quotes (and) brackets* do no harm.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write two articles."""
    (tmp_path / "help").mkdir()
    (tmp_path / "help" / "returns.md").write_text(RETURNS, "utf-8")
    (tmp_path / "help" / "shipping.md").write_text(SHIPPING, "utf-8")
    (tmp_path / "help" / "draft.txt").write_text("# Canada\n\n## Secret\nNot an article.", "utf-8")
    return tmp_path / "help"


async def sections(world: World, folder: Path, question: str) -> list[dict[str, str]]:
    """Search as the model; return what it was told."""
    world.script += [calls(("search_help", {"question": question})), Answer("So it is.")]
    async with world.bot(BOT_HELP_FOLDER=folder):
        await world.replies(await world.says(ANA, "@bot a question"))
    output: dict[str, Any] = json.loads(world.asked[-1].messages[-1]["content"])
    found: list[dict[str, str]] = output["sections"]
    return found


async def test_cites(world: World, folder: Path) -> None:
    """The best section comes with its article's title and its own, which is what the answer names."""

    def cite(request: Request) -> Answer:
        best = json.loads(request.messages[-1]["content"])["sections"][0]
        return Answer(f"{best['text']} ({best['title']}, {best['section']})")

    world.script += [calls(("search_help", {"question": "how long for returning?"})), cite]
    async with world.bot(BOT_HELP_FOLDER=folder):
        (answer,) = await world.replies(await world.says(ANA, "@bot how long do I have to return something?"))
    assert shown(answer) == "You have 30 days after it arrived. (Returns, How long you have)"


async def test_stems(world: World, folder: Path) -> None:
    """A word is found in another form of it, and in whichever article it stands."""
    found = await sections(world, folder, "do you offer deliveries to canada")
    assert (found[0]["title"], found[0]["section"]) == ("Shipping", "Abroad")
    assert all(section["title"] != "Canada" for section in found)


async def test_operators(world: World, folder: Path) -> None:
    """Quotes and search operators are words like any others."""
    questions = ('"', "AND OR NOT", "title:x", "NEAR(a b)", "a* ^b", "'; DROP TABLE sections; --", "?!")
    world.script += [calls(*(("search_help", {"question": one}) for one in questions)), Answer("So it is.")]
    async with world.bot(BOT_HELP_FOLDER=folder):
        await world.replies(await world.says(ANA, "@bot a question"))
    assert [row["status"] for row in world.rows("SELECT status FROM tool_calls")] == ["succeeded"] * len(questions)


async def test_nothing_fits(world: World, folder: Path) -> None:
    """A question that no article answers finds nothing."""
    assert await sections(world, folder, "zeppelin") == []


async def test_empty_folder(world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A folder without articles answers nothing, breaks nothing, and is told at the start."""
    (tmp_path / "empty").mkdir()
    assert await sections(world, tmp_path / "empty", "returns") == []
    assert f"The help folder {tmp_path / 'empty'} has no articles (*.md), so nothing is found in it." in caplog.messages


async def test_article_in_another_encoding(world: World, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An article that cannot be read is named at the start, and the others are found."""
    (folder / "sizes.md").write_bytes("# Größen".encode("cp1252"))
    found = await sections(world, folder, "canada")
    assert found[0]["title"] == "Shipping"
    assert any(f"{folder / 'sizes.md'} is not UTF-8" in line for line in caplog.messages)


async def test_no_folder(world: World) -> None:
    """Without BOT_HELP_FOLDER the model is not even offered the tool."""
    assert "search_help" not in tools.load(world.settings(BOT_HELP_FOLDER=None))
    async with world.bot(BOT_HELP_FOLDER=None):
        await world.replies(await world.says(ANA, "@bot hello"))
    assert "search_help" not in world.asked[0].tool_names
