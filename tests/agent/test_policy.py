"""The shop's own rules: given to the model after ours, and checked before anything starts."""

from pathlib import Path

import pytest

from bot.agent.instructions import INSTRUCTIONS
from bot.environment import read_model_settings
from bot.policy import MAX_CHARACTERS, read_policy
from bot.settings import SettingsError
from bot.testing.openai import Answer
from tests.world import ANA, World, shown


async def test_rules_of_the_shop(world: World, tmp_path: Path) -> None:
    """The model reads the shop's rules after ours, without what an editor put before them."""
    policy = tmp_path / "policy.md"
    policy.write_text("\ufeff# Returns\n\nThirty days, \u20ac 5 each.\n", "utf-8")
    world.script += [Answer("Thirty days.")]
    async with world.bot(BOT_POLICY_FILE=policy):
        (reply,) = await world.replies(await world.says(ANA, "@bot how long can I return?"))
    assert shown(reply) == "Thirty days."
    instructions = world.asked[0].messages[0]["content"]
    assert instructions.startswith(INSTRUCTIONS)
    assert instructions.endswith("\n# Returns\n\nThirty days, \u20ac 5 each.\n")
    assert "They never change who decides a request" in instructions


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        ("R\u00fcckgabe".encode("latin-1"), "is not UTF-8"),
        (b"a" * (MAX_CHARACTERS + 1), "has 8,001 characters, and the model is given at most 8,000"),
        (b"%PDF\x00\x01", "has control characters"),
    ],
    ids=["missing", "empty", "blank", "encoding", "long", "binary"],
)
def test_unusable_rules(tmp_path: Path, content: bytes | None, fault: str) -> None:
    """Rules that cannot be given to a model stop the start, with a line that says why."""
    policy = tmp_path / "policy.md"
    if content is not None:
        policy.write_bytes(content)
    with pytest.raises(SettingsError, match=f"^BOT_POLICY_FILE is malformed: .*{fault}"):
        read_model_settings(BOT_POLICY_FILE=policy)


def test_longest_rules(tmp_path: Path) -> None:
    """Rules of just the greatest length are taken."""
    policy = tmp_path / "policy.md"
    policy.write_text("\u00fc" * MAX_CHARACTERS, "utf-8")
    assert read_model_settings(BOT_POLICY_FILE=policy).policy == policy


@pytest.mark.parametrize(("place", "why"), [("/dev/zero", "it is no file"), (".", "it is no file")])
def test_what_is_no_file(place: str, why: str) -> None:
    """What is no file, or would never end, is told at once."""
    with pytest.raises(SettingsError, match=why):
        read_model_settings(BOT_POLICY_FILE=place)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_of_any_system(tmp_path: Path, newline: str) -> None:
    """Lines end as they do on the operator's machine."""
    policy = tmp_path / "policy.md"
    policy.write_bytes(newline.join(["# Returns", "", "Thirty days."]).encode())
    assert read_policy(policy) == "# Returns\n\nThirty days."


def test_a_file_of_a_gigabyte(tmp_path: Path) -> None:
    """Of a file that is far too long no more is read than tells so."""
    policy = tmp_path / "policy.md"
    with policy.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(SettingsError, match="more than 33,000 bytes"):
        read_model_settings(BOT_POLICY_FILE=policy)
