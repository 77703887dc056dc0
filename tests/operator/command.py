"""The command line as a process, with nothing in its environment but what a test gives."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bot.__main__ import main
from bot.settings import variable
from tests.process import FORKS
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
    """Give a command in a folder, and wait for its end.

    Its process is forked from one that has imported the commands already, which spares a second.
    """
    with TemporaryDirectory() as place:
        out, errors = Path(place, "out"), Path(place, "errors")
        process = FORKS.Process(target=_be, args=(folder, variables, out, errors, arguments), daemon=True)
        process.start()
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        loop.add_reader(process.sentinel, ended.set_result, None)
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT_SECONDS):
                await ended
        finally:
            loop.remove_reader(process.sentinel)
            process.kill()
            process.join()
        return Said(process.exitcode or 0, _read(out), _read(errors))


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def _be(folder: Path, variables: dict[str, str], out: Path, errors: Path, arguments: tuple[str, ...]) -> None:
    """Be `support-bot`, with nothing in the environment but what is given."""
    for stream, path in ((1, out), (2, errors)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update({"PATH": "", **variables})
    main(arguments, prog_name="support-bot")


async def ask(world: World, *arguments: str, **changes: Any) -> Said:
    """Give a command beside the world's database, Slack and model."""
    return await give(world.database.parent, *arguments, **environment(world, **changes))
