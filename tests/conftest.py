"""The world as a fixture."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Open a world of its own for each story; the story starts the bot."""
    async with open_world(tmp_path) as opened:
        yield opened
