"""Cards, forms and Home tabs of any order are what Slack takes, and say no more than their readers may know."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.blocks.cards import (
    approval_card,
    confirmation_buttons,
    decision_buttons,
    escalation_card,
    note_block,
    settled_card,
)
from bot.blocks.choices import answered, chosen, menu, menu_of
from bot.blocks.entities import order_details, order_entity
from bot.blocks.forms import question_form, request_form
from bot.blocks.home import (
    PAGE_SIZE,
    Part,
    Waiting,
    home_view,
    orders_part,
    queue_part,
    requests_part,
    threads_part,
    today_part,
)
from bot.blocks.messages import answer_messages, in_words
from bot.blocks.orders import (
    STATUS_WORDS,
    OrderButton,
    card_at,
    has_tracking,
    order_card,
    orders_list,
    private_order_card,
    public_order_card,
    refreshed_card,
    shared_order_card,
)
from bot.blocks.text import Mrkdwn, one_line
from bot.blocks.waiting import for_approvers
from bot.intent import CustomerIntent
from bot.shop.changes import Quoted, Refund, RefundReason
from bot.shop.money import Money
from bot.shop.orders import Customer, Order, OrderItem, OrderStatus, TrackingEvent
from bot.shop.quotes import quote_refund
from bot.store.overviews import OpenThread, Page, Today
from bot.store.records import SharedFile, ThreadId
from bot.testing.slack.block_kit import problems, too_long, view_problems
from bot.testing.slack.block_kit.entities import entity_problems
from bot.tools.ask_which import line_options, order_option
from bot.tools.wording import preview_of
from tests.blocks import calls
from tests.blocks.any_order import ANY_TEXT, orders, unreadable

FORMS = (OrderButton.REFUND, OrderButton.RETURN)
ORDERS = orders()
ANY = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
SECRET = Order(
    id="ORD-1",
    customer=Customer("c", "Secret Name", "secret@example.com"),
    status=OrderStatus.SHIPPED,
    items=(OrderItem("Secret thing", 2, Money(123_45)),),
    total=Money(246_90),
    refunded=Money(100),
    payment_method="Secret card",
    placed_at=datetime(2026, 1, 1, tzinfo=UTC),
    expected_on=date(2026, 1, 9),
    carrier="Secret carrier",
    tracking_number="SECRET1",
    tracking_url="https://secret.example/SECRET1",
    tracking=(TrackingEvent(datetime(2026, 1, 2, tzinfo=UTC), "Secret city", "Secret scan"),),
)
THREAD = ThreadId("T1", "C1", "1.000001")
CALL = replace(
    calls.CALL,
    card=tuple(
        {"type": "section", "block_id": one, "text": {"type": "mrkdwn", "text": "x" * 3000}} for one in "123456"
    ),
)


@ANY
@given(ORDERS, st.booleans())
def test_cards(order: Order, tracking: bool) -> None:  # noqa: FBT001 - drawn
    """Every card of any order is valid, has its words without its blocks, and is found again in its message."""
    cards = [
        order_card(order, with_tracking=tracking, forms=FORMS),
        public_order_card(order, forms=FORMS),
        private_order_card(order, with_tracking=tracking, forms=FORMS),
        shared_order_card(order, "U0ANA"),
        orders_list([order] * 12, "10 of 12"),
    ]
    for card in cards:
        assert problems([dict(block) for block in card]) == []
        assert unreadable(card) == []
        assert any(map(str.isalnum, in_words(card)))
        assert f"* · {STATUS_WORDS[order.status]}" in card[0]["text"]["text"], "the status is said in words"
    for text, blocks in answer_messages("Here.", [cards[0], cards[1], cards[0]]):
        assert any(map(str.isalnum, text))
        assert len(text) < 4_000
        assert not too_long([dict(block) for block in blocks])
        found = [block["block_id"] for block in blocks if block["type"] == "actions"]
        for block_id in set(found):
            place = card_at(blocks, block_id)
            assert place
            assert has_tracking(blocks[place]) in (tracking, False)
            assert problems([dict(block) for block in refreshed_card(blocks[place])]) == []


@ANY
@given(ORDERS, st.integers(0, 130), st.text(max_size=3_000))
def test_forms(order: Order, count: int, quoted: str) -> None:
    """The forms of any order, with any number of lines, and of any message are valid."""
    many = replace(order, items=(order.items or SECRET.items)[:1] * count)
    forms = [request_form(many, button, {"defective": "Defective"}, "{}", "Told.") for button in FORMS]
    for form in (*forms, question_form(quoted, "{}")):
        assert view_problems(form, "modal") == []
        assert unreadable(form["blocks"]) == []


@ANY
@given(st.lists(ORDERS, min_size=1, max_size=30), st.integers(1, 130))
def test_menus(orders: list[Order], count: int) -> None:
    """A menu of any orders, and of any order's lines, is valid below an answer, and when it is answered."""
    many = replace(orders[0], items=(orders[0].items or SECRET.items)[:1] * count)
    for options in ([order_option(order) for order in orders], line_options(many)):
        shown = menu("c" * 24, "U0ANA", options, f"Choose a line of {many.id}", "These are the first.")
        *_, (_, blocks) = answer_messages("Which one?", [shown])
        assert problems([dict(block) for block in blocks]) == []
        assert not too_long([dict(block) for block in blocks])
        block_id = menu_of(blocks, "U0ANA")
        assert block_id
        assert menu_of(blocks, "U0BEN") is None
        assert problems([dict(block) for block in answered(blocks, block_id, chosen(options[0].words))]) == []


@ANY
@given(st.lists(ORDERS, min_size=5, max_size=5), ANY_TEXT)
def test_home(orders: list[Order], text: str) -> None:
    """A Home tab with full pages of everything, and of whatever is in them, is valid; each part can be paged."""
    intent = json.dumps({"category": "refund", "urgency": "high", "order_id": None, "summary": text})
    calls = [replace(CALL, id=f"{number:024}", summary=text) for number in range(PAGE_SIZE[Part.QUEUE])]
    threads = [
        OpenThread(THREAD, "U0ANA", one, CALL.created_at, with_people=True) for one in (intent, None, "{}", "x")
    ] * 2
    parts = [
        queue_part(Page(tuple(Waiting(call, call.card) for call in calls), 4, 99), "https://acme.slack.com/"),
        threads_part(Page(tuple(threads), 8, 99), "https://acme.slack.com/"),
        today_part(Today(1, 1, 1, 1, {"succeeded": 1}, {"USD": 100, "JPY": 5})),
        orders_part(Page(tuple(orders), 5, 99)),
        requests_part(Page(tuple(calls), 5, 99), "https://acme.slack.com/"),
    ]
    view = home_view(parts, "{}")
    assert view_problems(view, "home") == []
    assert unreadable(view["blocks"]) == []
    pagers = [block["block_id"] for block in view["blocks"] if str(block.get("block_id")).startswith("home_page")]
    assert pagers == [f"home_page:{part}" for part in Part]


@ANY
@given(ORDERS, st.sampled_from(RefundReason), ANY_TEXT, st.lists(ANY_TEXT, max_size=4))
def test_approval_cards(order: Order, reason: RefundReason, said: str, names: list[str]) -> None:
    """The card of a request about any order is valid and readable, before its end and after; so is a hand-over."""
    kept = tuple(replace(item, returning=None) for item in order.items)
    delivered = replace(order, status=OrderStatus.DELIVERED, items=kept)
    if not delivered.refundable.minor:
        return
    change = Refund(order.id, reason)
    preview = preview_of(Quoted(change, quote_refund(delivered, change, {})))
    intent = CustomerIntent(category="refund", urgency="high", order_id=None, summary=said)
    pictures = [SharedFile(f"F{number}", "picture", name, "image/png", "", 1) for number, name in enumerate(names)]
    card = approval_card(preview, "U0ANA", CALL.created_at, intent, pictures, note=note_block("U0ANA", said))
    shown = [
        (*card, *decision_buttons(CALL, preview, for_approvers(CALL, ["U0SAM"]), approvable=True)),
        (*card, *confirmation_buttons(CALL.id, preview, "U0ANA", then_asks=True)),
        settled_card(replace(CALL, card=card), Mrkdwn(f"Declined: {one_line(said)}")),
        escalation_card("An order", "https://acme.slack.com/", "U0ANA", said, intent),
        escalation_card("An order", None, "U0ANA", said, intent, conversation=[("U0ANA", said)]),
    ]
    for blocks in shown:
        assert problems([dict(block) for block in blocks]) == []
        assert not too_long([dict(block) for block in blocks])
    assert unreadable(blocks for blocks in shown[0]) == unreadable(shown[1]) == []
    assert str(delivered.refundable) in str(shown[0]), "the figures are never cut"
    assert any(map(str.isalnum, preview.summary))


@ANY
@given(ORDERS)
def test_entities(order: Order) -> None:
    """The Work Object of any order is valid, and everybody's tells no figures."""
    url = "https://shop.example.com/orders/1"
    below = order_entity(order, url, shared_as=url)
    assert entity_problems(below, below_link=True) == []
    assert entity_problems(order_details(order, url), below_link=False) == []
    keys = {field["key"] for field in below["entity_payload"]["custom_fields"]}
    assert keys <= {"status", "placed", "delivered", "expected"}


def test_what_everybody_reads() -> None:
    """The card for all tells the number, the status and the dates of an order, and nothing else of it."""
    shown = json.dumps(public_order_card(SECRET, forms=FORMS))
    assert "ecret" not in shown
    assert "SECRET" not in shown
    assert "$" not in shown
    for part in ("ORD-1", "Shipped", "Jan 1", "Jan 9"):
        assert part in shown


def test_tracking_number_is_text() -> None:
    """What a shop has as a tracking number is shown as it is, and formats nothing and links nowhere but to its page."""
    number = "*1Z* ~x~ `y` https://elsewhere.example/pay :tada:"
    shown = json.dumps(order_card(replace(SECRET, tracking_number=number), with_tracking=True), ensure_ascii=False)
    assert "<https://secret.example/SECRET1|\N{ASTERISK OPERATOR}1Z" in shown
    assert not any(one in shown for one in ("*1Z*", "~x~", "`y`", "elsewhere", ":tada:"))
