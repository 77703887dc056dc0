"""A browser before the demo's page: where it is, how it is started, and how one writes there."""

import os
import shutil

import pytest
from playwright.async_api import Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63d890e00000031401510e35"
    "c8430000000049454e44ae426082"
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
NEEDS_CHROMIUM = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="there is no Chromium on this machine; CI has one"
)


async def send(page: Page, text: str, composer: str = "composer") -> None:
    """Type a message and press Enter."""
    await page.get_by_test_id(composer).fill(text)
    await page.get_by_test_id(composer).press("Enter")
