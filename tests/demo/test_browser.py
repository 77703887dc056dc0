"""The whole story in a real browser: ask, see the card, ask for money, be the support lead, approve, see it settled."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, FilePayload, Locator, expect

from bot.demo.serve import serving
from bot.testing.openai import Answer, CompletionsServer, Request, ToolCall
from tests.demo.browser import NEEDS_CHROMIUM, PIXEL, send
from tests.world import free_port

pytestmark = NEEDS_CHROMIUM


async def test_from_question_to_refund(address: str, browser: Browser) -> None:
    """A customer asks and wants money back, the support lead approves, and page and log show the outcome."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    await page.goto(f"{address}/#ana/C0SUPPORT")
    thread = page.get_by_test_id("thread")

    await send(page, "@Support Bot where is my order ORD-10234?")
    await expect(thread.get_by_text("Stoneware mug, slate blue")).to_be_visible()
    await expect(page.locator('[data-testid="log-row"][data-tool="get_order_status"]')).to_have_attribute(
        "data-status", "succeeded"
    )

    await send(page, "@Support Bot ORD-10188 arrived broken, I want my money back")
    approve = thread.get_by_role("button", name="Approve refund of $42.00")
    await expect(approve).to_be_visible()
    await approve.click()
    await page.get_by_test_id("confirm-ok").click()
    await expect(thread.get_by_text("can approve this. The request stays open.")).to_be_visible()

    await page.get_by_test_id("person-sam").click()
    await page.get_by_test_id("channel-C0SUPPORT").click()
    await page.get_by_test_id("message").filter(has_text="arrived broken").get_by_role("button").first.click()
    await expect(thread.get_by_text("can approve this. The request stays open.")).to_have_count(0)
    await approve.click()
    await page.get_by_test_id("confirm-cancel").click()
    await expect(approve).to_be_visible()
    await approve.click()
    await page.get_by_test_id("confirm-ok").click()

    await expect(thread.get_by_text("went back to Visa ending 4242").first).to_be_visible()
    await expect(approve).to_have_count(0)
    refund = page.locator('[data-testid="log-row"][data-tool="initiate_refund"]')
    await expect(refund).to_have_attribute("data-status", "succeeded")
    assert complaints == []


async def test_on_a_phone_by_keyboard(address: str, browser: Browser) -> None:
    """On a phone's screen a question is asked and answered with the keyboard alone."""
    page = await browser.new_page(viewport={"width": 390, "height": 844})
    await page.goto(f"{address}/#ben/D0BEN")
    await page.get_by_test_id("composer").focus()
    await page.keyboard.type("where is ORD-10240?")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("thread").get_by_text("Pour-over coffee dripper")).to_be_visible()
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390


async def test_what_one_sees_alone(address: str, browser: Browser) -> None:
    """What is shown to who asks alone can be shared, a card refreshed, and a message asked about by a shortcut."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await page.goto(f"{address}/#ana/C0SUPPORT")
    thread, modal = page.get_by_test_id("thread"), page.get_by_test_id("modal")
    await send(page, "@Support Bot where is my order ORD-10234?")
    await expect(thread.get_by_text("Only visible to you")).to_be_visible()
    await thread.get_by_role("button", name="Tracking").click()
    await expect(modal.get_by_text("Order ORD-10234 · Shipped")).to_be_visible()
    await modal.get_by_test_id("modal-close").click()
    await expect(modal).to_be_hidden()
    await thread.get_by_role("button", name="Share here").click()
    await expect(thread.get_by_text("Shared by")).to_be_visible()
    await expect(thread.get_by_text("Only visible to you")).to_have_count(0)
    await thread.get_by_role("button", name="Refresh").click()
    await expect(thread.get_by_text("As of")).to_be_visible()

    asked = page.locator("#channel-feed").get_by_test_id("message").filter(has_text="where is my order")
    await asked.hover()
    await asked.get_by_test_id("shortcut").click()
    await modal.get_by_label("What would you like to know?").fill("What can you do?")
    await modal.get_by_test_id("modal-submit").click()
    await expect(modal.get_by_text("I answer you in our direct message.")).to_be_visible()


async def change_amount(home: Locator, modal: Locator) -> None:
    """Ask for $30.00 in place of what waits on a Home tab, after more than is left, and look at the form of a no."""
    await home.get_by_role("button", name="Change amount").click()
    amount = modal.get_by_label("Amount in USD")
    await expect(amount).to_have_value("42.00")
    await expect(modal.get_by_role("checkbox").first).to_be_checked()
    await amount.fill("99")
    await modal.get_by_test_id("modal-submit").click()
    await expect(modal.get_by_text("$99.00 is more than is left to refund for these items")).to_be_visible()
    await amount.fill("30")
    await modal.get_by_test_id("modal-submit").click()
    await expect(modal.get_by_text("waits for approval now, on a new card")).to_be_visible()
    await modal.get_by_test_id("modal-close").click()
    await home.get_by_role("button", name="Decline with a reason").click()
    await expect(modal.get_by_label("What should they be told?")).to_be_visible()
    await modal.get_by_test_id("modal-close").click()


async def test_commands_forms_and_the_home_tab(address: str, browser: Browser) -> None:
    """An order by command, a refund by form, another amount approved on the Home tab, and what is on the customer's."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    await page.goto(f"{address}/#ana/C0SUPPORT")
    modal, feed = page.get_by_test_id("modal"), page.locator("#channel-feed")
    await send(page, "/order 10188")
    await expect(feed.get_by_text("Cast-iron teapot")).to_be_visible()
    await expect(feed.get_by_text("Delivered, left at the front door")).to_be_visible()
    await feed.get_by_role("button", name="Request a refund").click()
    await modal.get_by_test_id("modal-submit").click()
    await expect(modal.get_by_text("Please complete this required field.")).to_be_visible()
    await modal.get_by_role("checkbox").first.check()
    await modal.get_by_label("Why?").select_option(label="Defective")
    await modal.get_by_label("Anything that helps to decide").fill("The lid is broken.")
    photo = FilePayload(name="lid.png", mimeType="image/png", buffer=PIXEL)
    await modal.get_by_label("A photo").set_input_files(files=[photo])
    await modal.get_by_test_id("modal-submit").click()
    await expect(modal.get_by_text("I take it from here")).to_be_visible()
    await modal.get_by_test_id("modal-close").click()

    await page.get_by_test_id("person-sam").click()
    await page.get_by_test_id("channel-D0SAM").click()
    await page.get_by_test_id("tab-home").click()
    home = page.get_by_test_id("home")
    await expect(home.get_by_text("The lid is broken.").first).to_be_visible()
    await expect(home.get_by_alt_text("lid.png")).to_be_visible()
    await change_amount(home, modal)
    await home.get_by_role("button", name="Approve refund of $30.00").click()
    await page.get_by_test_id("confirm-ok").click()
    await expect(home.get_by_text("Nothing waits.")).to_be_visible()

    await page.get_by_test_id("person-ana").click()
    await page.get_by_test_id("channel-D0ANA").click()
    await expect(home.get_by_text("Your requests (2)")).to_be_visible()
    await home.get_by_role("button", name="Details").first.click()
    await expect(modal.get_by_text("Beeswax candles, pair")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(modal).to_be_hidden()
    assert complaints == []


async def test_two_approvers(address: str, browser: Browser) -> None:
    """More than the demo's limit needs Sam and Pat; the card says who has approved, until both have."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await page.goto(f"{address}/#ana/C0SUPPORT")
    thread = page.get_by_test_id("thread")
    await send(page, "@Support Bot ORD-10142 arrived broken, I want my money back")
    approve = thread.get_by_role("button", name="Approve refund of $113.50")
    await expect(thread.get_by_text("Two different people have to approve this.")).to_be_visible()
    for person in ("sam", "pat"):
        await page.get_by_test_id(f"person-{person}").click()
        await page.get_by_test_id("channel-C0SUPPORT").click()
        await page.get_by_test_id("message").filter(has_text="arrived broken").get_by_role("button").first.click()
        await approve.click()
        await page.get_by_test_id("confirm-ok").click()
        said = "has approved, and one more person has to." if person == "sam" else "went back to Visa ending 4242"
        await expect(thread.get_by_text(said).first).to_be_visible()
    await expect(approve).to_have_count(0)


async def test_pictures_and_commands(address: str, browser: Browser) -> None:
    """A picture is sent with a message and stands on the card of its request; "/" lists the app's commands."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await page.goto(f"{address}/#ana/D0ANA")
    thread, composer = page.get_by_test_id("thread"), page.get_by_test_id("composer")
    photo = FilePayload(name="lid.png", mimeType="image/png", buffer=PIXEL)
    attach, attached = page.locator("#channel-composer").get_by_test_id("attach"), page.locator(".attachment")
    await attach.set_input_files(files=[photo, photo])
    await expect(attached).to_have_count(2)
    await attached.first.get_by_role("button", name="Remove lid.png").click()
    await send(page, "My teapot from ORD-10188 arrived broken, I want my money back")
    await expect(attached).to_have_count(0)
    await expect(thread.get_by_text("Understood as refund, medium urgency.", exact=True)).to_be_visible()
    await expect(page.locator("#channel-feed").get_by_alt_text("lid.png")).to_be_visible()
    await expect(
        thread.get_by_test_id("message").filter(has_text="Refund $42.00").get_by_alt_text("lid.png")
    ).to_be_visible()

    await composer.fill("/or")
    await page.get_by_role("option", name="/orders").click()
    await composer.press("Enter")
    await expect(page.locator("#channel-feed").get_by_text("ORD-10142")).to_be_visible()


async def test_what_the_bot_has_to_ask(address: str, browser: Browser) -> None:
    """Who says too little chooses from a menu, and the bot goes on with that."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await page.goto(f"{address}/#ana/D0ANA")
    thread = page.get_by_test_id("thread")
    await send(page, "where is my parcel?")
    await thread.get_by_label("Choose an order").select_option("ORD-10234")
    await expect(thread.get_by_text("Stoneware mug, slate blue")).to_be_visible()
    await expect(thread.get_by_text("Chosen:")).to_be_visible()
    await expect(thread.get_by_role("button", name="Talk to a person")).to_be_visible()


async def test_steps(address: str, browser: Browser) -> None:
    """What takes several steps shows them, each as done, above the answer."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await page.goto(f"{address}/#ana/D0ANA")
    thread = page.get_by_test_id("thread")
    await send(page, "Where are all my orders?")
    await expect(thread.locator(".task-complete").get_by_text("Looked for orders")).to_be_visible()
    await expect(thread.locator(".task-complete").get_by_text("Looked up ORD-10251")).to_be_visible()
    await expect(thread.get_by_role("button", name="Helpful", exact=True)).to_be_visible()


async def test_links(address: str, browser: Browser) -> None:
    """A link to an order shows its status to everybody, and the figures to its customer alone."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await page.goto(f"{address}/#ana/C0SUPPORT")
    feed, details = page.locator("#channel-feed"), page.get_by_test_id("details")
    await send(page, "Has anybody seen https://shop.example.com/orders/ORD-10234?")
    await expect(feed.get_by_test_id("entity").get_by_text("Shipped")).to_be_visible()
    await feed.get_by_role("button", name="Details").click()
    await expect(details.get_by_text("Stoneware mug")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(details).to_be_hidden()
    await page.get_by_test_id("person-ben").click()
    await feed.get_by_role("button", name="Details").click()
    await expect(details.get_by_text("Only its customer and the support team")).to_be_visible()


async def test_prompts_ratings_and_people(address: str, browser: Browser) -> None:
    """A suggestion is sent as it is meant, its answer rated, a person called, and the conversation given back."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await page.goto(f"{address}/#ana/D0ANA")
    thread = page.get_by_test_id("thread")
    await page.get_by_role("button", name="Where is ORD-10234?").click()
    await expect(thread.get_by_role("heading", name="Where is my order ORD-10234?")).to_be_visible()
    await thread.get_by_role("button", name="Not helpful").click()
    await thread.get_by_role("button", name="It is not what I asked").click()
    await expect(thread.get_by_text("Thank you for telling me.", exact=True)).to_be_visible()
    await expect(thread.get_by_role("button", name="It is not what I asked")).to_have_count(0)
    await expect(thread.get_by_text("1 reply", exact=True)).to_be_visible()  # what one sees alone is none
    await thread.get_by_role("button", name="Talk to a person").last.click()
    await expect(thread.get_by_text("I stay quiet until I am mentioned.")).to_be_visible()

    await page.get_by_test_id("person-sam").click()
    await page.get_by_test_id("channel-C0TEAM").click()
    team = page.locator("#channel-feed")
    await team.get_by_role("button", name="Let the bot answer again").click()
    await expect(team.get_by_text("let the bot answer there again.")).to_be_visible()
    await page.get_by_test_id("person-ana").click()
    await page.get_by_test_id("channel-D0ANA").click()
    await page.locator("#channel-feed").get_by_role("button", name="3 replies").click()
    await expect(thread.get_by_text("gave this conversation back to me.")).to_be_visible()


async def test_account_is_deleted(address: str, browser: Browser) -> None:
    """Whose orders have all arrived can have the account deleted: with their own yes, and an approver's after it."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await page.goto(f"{address}/#dora/D0DORA")
    await send(page, "Please delete my account")
    thread = page.get_by_test_id("thread")
    await thread.get_by_role("button", name="Confirm").click()
    await page.get_by_test_id("confirm-ok").click()
    await expect(thread.get_by_text("somebody of the support team has to agree")).to_be_visible()
    await page.get_by_test_id("person-sam").click()
    await page.get_by_test_id("channel-D0SAM").click()
    await page.locator("#channel-feed").get_by_role("button", name="Approve").click()
    await page.get_by_test_id("confirm-ok").click()
    await expect(page.locator("#channel-feed").get_by_text("it can be brought back for 30 days")).to_be_visible()


async def test_answer_is_read_while_it_is_written(address: str, browser: Browser) -> None:
    """What the articles say in detail is read paragraph by paragraph, and stands there once at the end."""
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    await page.goto(f"{address}/#ana/C0SUPPORT")
    thread = page.get_by_test_id("thread")
    await send(page, "@Support Bot please explain in detail how returns work")
    below = thread.get_by_role("button", name="Talk to a person")
    first = thread.get_by_text("ask here with your order number").first
    await expect(first).to_be_visible(timeout=15_000)
    assert await below.count() == 0
    await expect(below).to_be_visible(timeout=20_000)
    await expect(thread.get_by_test_id("message")).to_have_count(2)


async def test_stop(tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the model is asked, Stop is there, and what it stops is told in the thread."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def think(_: Request) -> Answer:
        asked.set()
        await go_on.wait()
        return Answer(tool_calls=(ToolCall("", "find_orders", '{"email": null}'),))

    async with CompletionsServer(think) as model:
        monkeypatch.setenv("OPENAI_BASE_URL", model.url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        async with serving(port=free_port(), database=tmp_path / "support.db") as (url, _):
            page = await browser.new_page(viewport={"width": 1440, "height": 900})
            await page.goto(f"{url}/#ana/D0ANA")
            await send(page, "which orders do I have?")
            await asked.wait()
            await page.get_by_role("button", name="Stop").click()
            await expect(page.get_by_test_id("thread").get_by_text("I have stopped, as you asked.")).to_be_visible()
            go_on.set()
