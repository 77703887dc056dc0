"""What stories share that are told over PostgreSQL alone."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.store.wire import Wire
from tests.world import World


@pytest.fixture
async def wire(world: World) -> AsyncIterator[Wire]:
    """Put a wire between the bot and its database."""
    with tempfile.TemporaryDirectory(prefix="wire-") as folder:
        one = Wire(world.place, Path(folder))
        async with one.serving():
            yield one
