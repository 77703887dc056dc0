"""Whatever a change is about and whoever wrote what, its cards, forms and menus are valid and can be read aloud."""

import ast
import inspect
import json
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

import bot.blocks
from bot.blocks.cards import (
    MAX_PICTURES,
    approval_card,
    confirmation_buttons,
    decision_buttons,
    for_requester_alone,
    note_block,
    note_of,
    relayed,
    settled_card,
    without_note,
)
from bot.blocks.choices import call_of_menu, is_menu, menu, menu_of
from bot.blocks.decisions import change_form, decline_form
from bot.blocks.entities import no_details
from bot.blocks.forms import Field, filled, form_view, labelled, notice, words
from bot.blocks.home import NONE, Part, Waiting, home_view, queue_part
from bot.blocks.messages import in_words, picture, section, with_plain_tables, without_pictures
from bot.blocks.orders import order_facts, order_line, tracking_blocks
from bot.blocks.people import feedback, give_back, given_back, talk_to_person, what_was_wrong
from bot.blocks.text import Mrkdwn, one_line
from bot.blocks.waiting import for_approvers, for_requester
from bot.intent import CustomerIntent
from bot.shop.changes import (
    CallTool,
    CancelOrder,
    CancelReason,
    Change,
    ChangeAddress,
    ChangeDefaultAddress,
    ChangeItems,
    ChangePayment,
    DeleteAccount,
    ExchangeItems,
    Quote,
    Quoted,
    QuotedItem,
    Refund,
    RefundReason,
    ReturnItems,
    Swap,
    When,
)
from bot.shop.money import Money
from bot.shop.orders import Address, Customer, Order, OrderStatus
from bot.store.overviews import Page
from bot.store.records import Block, SharedFile
from bot.testing.slack.block_kit import problems, too_long, view_problems
from bot.testing.slack.block_kit.entities import error_problems
from bot.tools.showing import UnshowableError
from bot.tools.wording import preview_of
from tests.blocks.any_order import ANY_TEXT, CURRENCIES, DAYS, HUGE, orders, unreadable
from tests.blocks.calls import CALL, ID

ANY = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
ORDERS = orders()
_NAMED = st.text(min_size=1, max_size=64)
_SWAPS = st.just((Swap(1, "v"),))
_ADDRESSES = st.builds(Address, *[ANY_TEXT] * 6)
_ARGUMENTS = st.dictionaries(st.sampled_from("abcdefg"), ANY_TEXT | st.integers() | st.none())
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(Refund, _NAMED, st.sampled_from(RefundReason)),
    st.builds(CancelOrder, _NAMED, st.none() | st.sampled_from(CancelReason)),
    st.builds(ReturnItems, _NAMED, st.just((1,)), st.sampled_from(RefundReason), ANY_TEXT),
    st.builds(ExchangeItems, _NAMED, _SWAPS, ANY_TEXT),
    st.builds(ChangeItems, _NAMED, _SWAPS, ANY_TEXT),
    st.builds(ChangeAddress, _NAMED, _ADDRESSES),
    st.builds(ChangePayment, _NAMED, ANY_TEXT),
    st.builds(ChangeDefaultAddress, _NAMED, _ADDRESSES),
    st.builds(DeleteAccount, _NAMED, ANY_TEXT, st.integers(0, 365)),
    st.builds(CallTool, _NAMED, _ARGUMENTS.map(json.dumps), st.just("h"), st.just("U0ANA")),
)


@st.composite
def quoteds(draw: st.DrawFn) -> Quoted:
    """Draw a change of any kind with any quote, as if a shop had made it."""
    currency = draw(CURRENCIES)
    money = st.integers(-HUGE, HUGE).map(lambda minor: Money(minor, currency))
    item = st.builds(QuotedItem, st.integers(1, 300), st.integers(1, 10_000), ANY_TEXT, st.none() | ANY_TEXT)
    quote = Quote(
        customer=draw(st.builds(Customer, ANY_TEXT, ANY_TEXT, ANY_TEXT)),
        order_id=draw(st.none() | _NAMED),
        items=tuple(draw(st.lists(item, max_size=2))) * draw(st.sampled_from([1, 150])),
        balance=draw(st.none() | money),
        method=draw(ANY_TEXT),
        when=draw(st.sampled_from(When)),
        total=draw(money),
        refunded=draw(st.none() | money),
        status=draw(st.none() | st.sampled_from(OrderStatus)),
        delivered_on=draw(st.none() | DAYS),
        address=draw(st.none() | _ADDRESSES),
        method_before=draw(ANY_TEXT),
        goes_abroad=draw(st.booleans()),
        orders=draw(st.none() | st.integers(0, 10_000)),
    )
    return Quoted(draw(CHANGES), quote)


def assert_fine(*messages: tuple[Block, ...]) -> None:
    """Hold that Slack takes the blocks of each message, and that all of them have words."""
    for blocks in messages:
        assert problems([dict(block) for block in blocks]) == []
        assert not too_long([dict(block) for block in blocks])
        assert unreadable(blocks) == []
        assert any(map(str.isalnum, in_words(blocks)))


@ANY
@given(quoteds(), ANY_TEXT, ANY_TEXT, st.integers(1, 2))
def test_any_change(quoted: Quoted, said: str, name: str, needed: int) -> None:
    """The card of any change with all that can stand on it is valid, whoever has to press what, and on a Home tab."""
    call = replace(CALL, approvals_needed=needed, summary=said)
    try:
        preview = preview_of(quoted)
    except UnshowableError:
        reject()
    pictures = [SharedFile(f"F{number}", "picture", name, "image/png", "", 1) for number in range(MAX_PICTURES + 1)]
    intent = CustomerIntent(category="refund", urgency="high", order_id=None, summary=said)
    note = note_block("U0ANA", said * 20)
    card = approval_card(preview, "U0ANA", CALL.created_at, intent, pictures, note=note, before=said or "none")
    approved = replace(call, first_approved_by="U0SAM")
    people = [f"U{number}" for number in range(9)]
    shown = [
        (*card, *decision_buttons(call, preview, for_approvers(call, people), approvable=True)),
        (*card, *decision_buttons(approved, preview, for_approvers(approved, people), approvable=True)),
        (*card, *decision_buttons(call, preview, for_requester(call, quoted), approvable=False)),
        (*for_requester_alone(card), *confirmation_buttons(ID, preview, "U0ANA", then_asks=needed > 1)),
        settled_card(replace(call, card=without_note(card)), Mrkdwn(f"Declined: {one_line(said)}")),
    ]
    assert_fine(*shown)
    assert (note_of(card), note_of(without_note(card)), note_of(for_requester_alone(card))) == (note, None, None)
    assert len(without_pictures(card)) == len(card) - MAX_PICTURES
    waiting = [Waiting(replace(call, id=f"{number:024}"), shown[1]) for number in range(4)]
    view = home_view([queue_part(Page(tuple(waiting), 4, 99), "https://acme.slack.com/")], "{}", Mrkdwn("Told."))
    assert view_problems(view, "home") == []
    assert unreadable(view["blocks"]) == []


@ANY
@given(ORDERS, quoteds(), ANY_TEXT, st.booleans(), st.integers(0, 130))
def test_forms_of_who_decides(order: Order, quoted: Quoted, said: str, public: bool, count: int) -> None:  # noqa: FBT001
    """The forms for a no and for other figures are valid for any order, with what was asked for filled in."""
    many = replace(order, items=order.items[:1] * count)
    call = replace(CALL, summary=said)
    wanted = (Refund(order.id, RefundReason.DEFECTIVE, lines=(1,)), ReturnItems(order.id, (1, 3), *CHANGED))
    forms = [change_form(call, change, quoted.quote, many, "{}") for change in wanted]
    for form in (decline_form(call, "{}", public=public), *forms):
        assert view_problems(form, "modal") == []
        assert unreadable(form["blocks"]) == []


CHANGED = (RefundReason.CHANGED_MIND, "original")


@ANY
@given(ORDERS, ANY_TEXT)
def test_small_parts(order: Order, text: str) -> None:
    """What stands below answers, in the team's channel, in modals and in place of a link's details is valid too."""
    message = [feedback(ID), talk_to_person(ID), section(relayed("U0ANA", f"x {text}")), picture("F1", text)]
    assert_fine((*message, order_line(order), order_facts(order), give_back("T/C/1.1"), given_back("U0SAM")))
    assert_fine(what_was_wrong(ID, with_people=True), what_was_wrong(ID, with_people=False), tracking_blocks(order))
    for view in (notice(f"A {text}", section(Mrkdwn("x"))), words("Done", "It is done.")):
        assert view_problems(view, "modal") == []
    assert list(error_problems(no_details(text or "Nothing."))) == []
    asked = {"type": "plain_text_input", "action_id": Field.NOTE.value}
    form = form_view("note", "Note", "Keep", "{}", [labelled(Field.NOTE, f"A {text}", asked, hint=f"B {text}")])
    assert view_problems(form, "modal") == []
    assert filled(form, Field.NOTE) is None


def test_what_a_menu_is() -> None:
    """A menu is known by its call and by whose it is, and nothing else is one."""
    card = menu(ID, "U0ANA", [], "Choose")
    assert (is_menu(card), call_of_menu(menu_of(card) or ""), menu_of(card, "U0BEN")) == (True, ID, None)
    assert (is_menu([section(Mrkdwn("x"))]), call_of_menu("x")) == (False, "")


def test_tables_without_pages() -> None:
    """Where Slack takes no table with pages, the same rows are shown at once."""
    rows = [[{"type": "raw_text", "text": "a"}], [{"type": "raw_text", "text": "b"}]]
    (shown,) = with_plain_tables([{"type": "data_table", "caption": "a", "rows": rows}])
    assert (shown, problems([dict(shown)])) == ({"type": "table", "rows": rows}, [])


def test_home_says_what_does_not_fit() -> None:
    """A part of a Home tab for which there is no room is left out whole, the others stay, and that is said."""
    long = [section(Mrkdwn("x"))] * 99
    view = home_view([[section(Mrkdwn("first"))], long, [section(Mrkdwn("last"))]], "{}", NONE)
    assert view_problems(view, "home") == []
    text = json.dumps(view)
    assert all(words in text for words in ('"first"', '"last"', "There is more than fits here."))
    assert set(Part) == {"queue", "threads", "orders", "requests"}


def _builders() -> list[Callable[..., Any]]:
    """List the public functions that build something of Slack's."""
    modules = [import_module(f"bot.blocks.{one.name}") for one in iter_modules(bot.blocks.__path__)]
    functions = [one for module in modules for _, one in inspect.getmembers(module, inspect.isfunction)]
    built = ("Block", "View", "Entity", "Mapping")
    return sorted(
        {
            one
            for one in functions
            if one.__module__.startswith("bot.blocks.")
            and not one.__name__.startswith("_")
            and any(kind in str(inspect.signature(one).return_annotation) for kind in built)
        },
        key=lambda one: one.__name__,
    )


@pytest.mark.parametrize("name", [one.__name__ for one in _builders()])
def test_each_is_tried(name: str) -> None:
    """Each public function that builds something of Slack's is called by a test of this folder."""
    files = Path(__file__).parent.glob("test_*.py")
    called = {
        node.func.id
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert name in called or name in ("context", "fields", "plain"), f"no property test calls {name}"
