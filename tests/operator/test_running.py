"""What stands around the commands: help, version, completion, unit, recipe, and what README tells to type."""

import asyncio
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from bot.__main__ import main
from tests.operator.command import give
from tests.test_readme import README, ROOT, code

SYSTEMD = shutil.which("systemd-analyze")


async def test_version_and_help(tmp_path: Path) -> None:
    """The version is that of the package, and the help names every command."""
    assert re.fullmatch(r"support-bot, version \d+\.\d+\.\d+\n", (await give(tmp_path, "--version")).out)
    told = (await give(tmp_path, "--help")).out
    assert told.startswith("Usage: support-bot ")
    assert all(re.search(rf"^  {name} ", told, re.MULTILINE) for name in main.commands)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    """The variable that README names makes the command print its completion for the shell."""
    command = Path(sys.executable).with_name("support-bot")
    told = subprocess.run(  # noqa: S603 - our own command
        [command],
        env={"PATH": "/usr/bin:/bin", "_SUPPORT_BOT_COMPLETE": f"{shell}_source"},
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert "_SUPPORT_BOT_COMPLETE" in told
    assert "_SUPPORT_BOT_COMPLETE=bash_source support-bot" in README


def test_commands_of_the_readme_parse() -> None:
    """Every `support-bot` line that README tells to type has a command and options that are there."""
    lines = [line for block in code("sh") for line in block.splitlines() if re.match(r"\S*support-bot ", line)]
    lines += re.findall(r"`(support-bot [^`]+)`", README)
    assert len(lines) > 15
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        context = click.Context(main)
        arguments = main.make_parser(context).parse_args(words) if hasattr(main, "make_parser") else None
        assert arguments
        name, *rest = arguments[1]
        if rest and name in main.commands:
            main.commands[name].make_context(name, rest, resilient_parsing=True)
        assert name in main.commands, line


@pytest.mark.skipif(SYSTEMD is None, reason="systemd is not installed here")
async def test_unit(tmp_path: Path) -> None:
    """The unit is one that systemd accepts, with our command in its place."""
    text = (ROOT / ".deploy" / "support-bot.service").read_text("utf-8")
    unit = tmp_path / "support-bot.service"
    unit.write_text(text.replace("/opt/support-bot/.venv/bin/support-bot", str(Path(sys.executable))))
    process = await asyncio.create_subprocess_exec(
        str(SYSTEMD), "verify", str(unit), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    told, _ = await process.communicate()
    assert "support-bot.service" not in told.decode(), told.decode()
    assert process.returncode == 0


def test_recipe_copies_what_the_package_needs() -> None:
    """The container's recipe copies the files that the package is built of, and no other reaches the builder."""
    recipe = (ROOT / ".deploy" / "Containerfile").read_text("utf-8")
    copied = set(re.findall(r"^COPY (.+) \S+$", recipe, re.MULTILINE)[0].split()) | {"bot"}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert copied == allowed == {"pyproject.toml", "README.md", "LICENSE", "bot"}
