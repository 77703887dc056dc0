"""The command line as a process, with nothing in its environment but what a test gives."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.settings import variable
from tests.world import World

COMMAND_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    errors: str

    @property
    def lines(self) -> list[str]:
        """What it said on stdout, line by line."""
        return self.out.splitlines()


def environment(world: World, **changes: Any) -> dict[str, str]:
    """Return the variables that join a process to the world; a change to None takes one away."""
    settings = world.settings()
    values = {variable(name): getattr(settings, name) for name in settings.model_fields_set} | changes
    return {
        name: value.get_secret_value()
        if hasattr(value, "get_secret_value")
        else ",".join(value)
        if isinstance(value, tuple)
        else str(value)
        for name, value in values.items()
        if value is not None
    }


async def start(folder: Path, *arguments: str, **variables: str) -> Process:
    """Start `support-bot` in a folder."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, cwd=folder, env={"PATH": "", **variables}, stdout=PIPE, stderr=PIPE
    )


async def give(folder: Path, *arguments: str, **variables: str) -> Said:
    """Give a command in a folder, and wait for its end."""
    process = await start(folder, *arguments, **variables)
    async with asyncio.timeout(COMMAND_TIMEOUT_SECONDS):
        out, errors = await process.communicate()
    return Said(process.returncode or 0, out.decode(), errors.decode())


async def ask(world: World, *arguments: str, **changes: Any) -> Said:
    """Give a command beside the world's database, Slack and model."""
    return await give(world.database.parent, *arguments, **environment(world, **changes))
