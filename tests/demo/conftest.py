"""The demo on a free port, and a browser before it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from bot.demo.serve import serving
from tests.demo.browser import CHROMIUM, QUIET
from tests.world import free_port


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """Run the demo on a free port."""
    port = free_port()
    async with serving(port=port, database=tmp_path / "support.db") as (url, _model):
        yield url


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Start Chromium, headless."""
    assert CHROMIUM, "CI must have Chromium"
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        await started.close()
