"""The pictures of the README: the moments that people meet in Slack, as the demo shows them."""

import base64
from pathlib import Path

import pytest
from playwright.async_api import Browser, FilePayload, FloatRect, Locator, Page, expect

from tests.demo.browser import NEEDS_CHROMIUM, send

pytestmark = NEEDS_CHROMIUM
MAX_BYTES = 150_000
MAX_WIDTH = 690.0


async def snap(
    page: Page, shown: Locator, path: Path, *, margin: int = 8, side: int = 0, down_to: Locator | None = None
) -> None:
    """Take a picture of one thing, or of its upper part, with a margin and with the mouse elsewhere."""
    await page.mouse.move(0, 0)
    await page.evaluate("document.activeElement?.blur()")
    await shown.scroll_into_view_if_needed()
    box = await shown.bounding_box()
    end = await down_to.bounding_box() if down_to else None
    assert box
    bottom = end["y"] if end else box["y"] + box["height"] + margin
    left, top = box["x"] - side, max(0, box["y"] - margin)
    clip = FloatRect(x=left, y=top, width=min(box["width"] + 2 * side, MAX_WIDTH), height=bottom - top)
    taken = await page.screenshot(path=path, clip=clip, animations="disabled")
    assert len(taken) < MAX_BYTES, path


async def photo(page: Page) -> FilePayload:
    """Draw what somebody might have taken a photo of: a parcel with a crack."""
    drawn = await page.evaluate("""() => {
        const canvas = Object.assign(document.createElement("canvas"), { width: 360, height: 200 });
        const pen = canvas.getContext("2d");
        const fill = (style, ...box) => { pen.fillStyle = style; pen.fillRect(...box); };
        fill("#d9d4cb", 0, 0, 360, 200);
        fill("#b98a55", 90, 40, 180, 130);
        fill("#a3743f", 90, 40, 180, 26);
        fill("#d8b98c", 168, 40, 24, 130);
        pen.lineWidth = 5;
        pen.beginPath();
        [[110, 66], [138, 96], [124, 118], [158, 142], [148, 170]].forEach(([x, y]) => pen.lineTo(x, y));
        pen.stroke();
        return canvas.toDataURL("image/png").split(",")[1];
    }""")
    return FilePayload(name="parcel.png", mimeType="image/png", buffer=base64.b64decode(drawn))


async def be(page: Page, person: str, channel: str) -> None:
    """Act as somebody, in a channel."""
    await page.get_by_test_id(f"person-{person}").click()
    await page.get_by_test_id(f"channel-{channel}").click()


async def test_eight_moments(address: str, browser: Browser, pictures: Path | None) -> None:
    """With --pictures each of the moments is there to be seen, and is kept as a picture that is quick to load."""
    if pictures is None:
        pytest.skip("--pictures names the folder for them")
    page = await browser.new_page(viewport={"width": 1280, "height": 1000}, device_scale_factor=1.4)
    await page.goto(f"{address}/#ana/D0ANA")
    await page.get_by_role("button", name="Hide the live log").click()
    thread, feed, modal = page.get_by_test_id("thread"), page.locator("#channel-feed"), page.get_by_test_id("modal")

    await send(page, "Where is my parcel?")
    await expect(thread.get_by_label("Choose an order")).to_be_visible()
    await snap(page, thread.get_by_test_id("message").last, pictures / "choose-order.png")

    await send(page, "Where is my order ORD-10234?")
    await expect(thread.get_by_text("Stoneware mug")).to_be_visible()
    await snap(page, thread.get_by_test_id("message").last, pictures / "status-card.png")

    await be(page, "ana", "C0SUPPORT")
    await send(page, "@Support Bot where is ORD-10188?")
    await expect(thread.get_by_text("Only visible to you")).to_be_visible()
    await snap(page, thread.get_by_test_id("message").last, pictures / "private-answer.png")

    await send(page, "@Support Bot my teapot from ORD-10188 arrived broken, I want my money back")
    approve = thread.get_by_role("button", name="Approve refund of $42.00")
    await expect(approve).to_be_visible()
    card = thread.get_by_test_id("message").filter(has_text="Refund $42.00").first
    await snap(page, card, pictures / "approval-card.png")

    await be(page, "sam", "C0SUPPORT")
    await feed.get_by_test_id("message").filter(has_text="arrived broken").get_by_role("button").first.click()
    await approve.click()
    await page.get_by_test_id("confirm-ok").click()
    await expect(thread.get_by_text("went back to Visa ending 4242").first).to_be_visible()
    await snap(page, card, pictures / "settled.png")

    await be(page, "ben", "D0BEN")
    await send(page, "/order 10176")
    await feed.get_by_role("button", name="Request a refund").click()
    await modal.get_by_role("checkbox").first.check()
    await modal.get_by_label("Why?").select_option(label="Defective")
    await modal.get_by_label("Anything that helps to decide").fill("The box is torn and the shade is cracked.")
    await modal.get_by_label("A photo").set_input_files(files=[await photo(page)])
    await snap(page, modal, pictures / "refund-form.png", margin=0)
    await modal.get_by_test_id("modal-submit").click()
    await expect(modal.get_by_text("I take it from here")).to_be_visible()
    await modal.get_by_test_id("modal-close").click()

    await send(page, "I need a person, please")
    await expect(thread.get_by_text("I stay quiet until I am mentioned.")).to_be_visible()
    await be(page, "sam", "C0TEAM")
    await expect(feed.get_by_role("button", name="Let the bot answer again")).to_be_visible()
    await snap(page, feed.get_by_test_id("message").last, pictures / "hand-over.png", margin=2)

    await be(page, "sam", "D0SAM")
    await page.get_by_test_id("tab-home").click()
    home = page.get_by_test_id("home")
    await expect(home.get_by_text("Open threads")).to_be_visible()
    inside, rest = home.locator(".home-content"), home.get_by_text("Your orders")
    await snap(page, inside, pictures / "home.png", margin=4, side=12, down_to=rest)
