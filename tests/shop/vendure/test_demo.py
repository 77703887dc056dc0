"""The demo on a real Vendure, in a browser: what is approved on its page has happened in Vendure's books."""

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.demo.browser import CHROMIUM, NEEDS_CHROMIUM, QUIET, send
from tests.shop.vendure.__main__ import demo_on_vendure
from tests.shop.vendure.server import why_not
from tests.world import free_port

pytestmark = [pytest.mark.skipif(why_not() is not None, reason=why_not() or ""), NEEDS_CHROMIUM]


async def refund_in(browser: Browser, url: str, code: str) -> None:
    """Be Ana and ask, then be Sam and approve."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await page.goto(f"{url}/#ana/C0SUPPORT")
    thread = page.get_by_test_id("thread")
    await expect(page.get_by_text("ORD-")).to_have_count(0)
    await send(page, f"@Support Bot where is my order {code}?")
    await expect(thread.get_by_text("Cast-iron teapot")).to_be_visible()
    await send(page, f"@Support Bot {code} arrived broken, I want my money back")
    await expect(thread.get_by_role("button", name="Approve refund of $47.00")).to_be_visible()
    await page.get_by_test_id("person-sam").click()
    await page.get_by_test_id("channel-C0SUPPORT").click()
    await page.get_by_test_id("message").filter(has_text="arrived broken").get_by_role("button").first.click()
    await thread.get_by_role("button", name="Approve refund of $47.00").click()
    await page.get_by_test_id("confirm-ok").click()
    await expect(thread.get_by_text("went back to").first).to_be_visible()


async def test_the_demo_gives_money_back_in_vendure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ana sees her order at Vendure and asks for her money, Sam approves it, and Vendure has given it back."""
    for name in ("BOT_VENDURE_URL", "BOT_VENDURE_API_KEY"):
        monkeypatch.setenv(name, "")  # and put back what the demo sets
    async with demo_on_vendure(free_port()) as demo, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        code = demo.orders["Ana, delivered"]
        await refund_in(browser, demo.url, code)
        assert await demo.server.given_back(code) == 4700
        await browser.close()
