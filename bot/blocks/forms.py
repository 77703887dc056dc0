"""Modals: the form of a request, a message that is asked about, and whatever else one person looks at alone."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from bot.blocks.messages import context, plain, section
from bot.blocks.orders import OrderButton
from bot.blocks.text import Mrkdwn, escape, one_line
from bot.shop.orders import Order
from bot.store.records import Block

View = Mapping[str, Any]
REQUEST_FORM = "request_form"
QUESTION_FORM = "question_form"
MAX_NOTE_CHARACTERS = 500
MAX_PHOTOS = 3
_PHOTO_TYPES = ["jpg", "jpeg", "png", "gif", "webp", "heic", "heif"]
_MAX_CHECKBOXES = 10
_MAX_OPTIONS = 100
_MAX_QUOTED_CHARACTERS = 2_000
_TITLES = {OrderButton.REFUND: "Request a refund", OrderButton.RETURN: "Return an order"}


class Field(StrEnum):
    """What is filled in; it names both the block and its element."""

    LINES = "lines"
    REASON = "reason"
    NOTE = "note"
    PHOTO = "photo"
    QUESTION = "question"
    AMOUNT = "amount"


def notice(title: str, *blocks: Block) -> View:
    """Show something to read."""
    return {"type": "modal", "title": plain(title, 24), "close": plain("Close", 24), "blocks": list(blocks)}


def words(title: str, text: str) -> View:
    """Show a sentence of ours."""
    return notice(title, section(Mrkdwn(text)))


def request_form(order: Order, button: OrderButton, reasons: Mapping[str, str], private: str, told: str) -> View:
    """Ask for the lines, the reason, a note and photos; `private` comes back with it, `told` says who will read it."""
    optional = button == OrderButton.REFUND
    lines = lines_of(order, returning=button == OrderButton.RETURN)
    hint = "Nothing chosen means the whole order." if optional else "Each line that you send back."
    reason = {
        "type": "static_select",
        "action_id": Field.REASON.value,
        "placeholder": plain("Choose a reason"),
        "options": [_option(value, text) for value, text in reasons.items()],
    }
    note = {
        "type": "plain_text_input",
        "action_id": Field.NOTE.value,
        "multiline": True,
        "max_length": MAX_NOTE_CHARACTERS,
    }
    photo = {
        "type": "file_input",
        "action_id": Field.PHOTO.value,
        "filetypes": _PHOTO_TYPES,
        "max_files": MAX_PHOTOS,
    }
    fields = [
        *([labelled(Field.LINES, "What is it about?", lines, optional=optional, hint=hint)] if lines else ()),
        labelled(Field.REASON, "Why?", reason),
        labelled(Field.NOTE, "Anything that helps to decide", note, optional=True),
        labelled(Field.PHOTO, "A photo, if something is wrong with it", photo, optional=True),
    ]
    return form_view(
        REQUEST_FORM,
        _TITLES[button],
        "Ask for it",
        private,
        [section(Mrkdwn(f"*Order {escape(order.id)}*")), *fields, context(Mrkdwn(told))],
    )


def lines_of(order: Order, chosen: Sequence[int] = (), *, returning: bool) -> dict[str, Any] | None:
    """Build the choice of an order's lines, some of which are chosen before; None where there is none to choose.

    What is on its way back already is none of them, and what has arrived there is not sent back again.
    """
    options = [
        _option(str(number), _line(order, number))
        for number, item in enumerate(order.items, 1)
        if number in chosen or item.returning is None or (item.received and not returning)
    ][:_MAX_OPTIONS]
    if not options:
        return None
    kind = "checkboxes" if len(options) <= _MAX_CHECKBOXES else "multi_static_select"
    element = {"type": kind, "action_id": Field.LINES.value, "options": options}
    before = [one for one in options if int(one["value"]) in chosen]
    return element | ({"initial_options": before} if before else {})


def question_form(quoted: str, private: str) -> View:
    """Ask what somebody wants to know about a message."""
    shown = f"“{one_line(quoted, _MAX_QUOTED_CHARACTERS)}”" if quoted else "(a message without text)"
    question = {
        "type": "plain_text_input",
        "action_id": Field.QUESTION.value,
        "multiline": True,
        "max_length": 1_000,
    }
    return form_view(
        QUESTION_FORM,
        "Ask support",
        "Ask",
        private,
        [
            section(Mrkdwn(f"About this message:\n{shown}")),
            labelled(Field.QUESTION, "What would you like to know?", question),
            context(Mrkdwn("I answer you in our direct message; nobody else reads it.")),
        ],
    )


def filled(view: Mapping[str, Any], field: Field) -> Any:
    """Read what somebody filled in: a text, a choice, a list of choices or of files; None when nothing."""
    values = (view.get("state") or {}).get("values") or {}
    given = (values.get(field.value) or {}).get(field.value) or {}
    if "selected_options" in given:
        return [option["value"] for option in given["selected_options"] or ()]
    if "selected_option" in given:
        return (given["selected_option"] or {}).get("value")
    return given.get("files") if "files" in given else given.get("value")


def form_view(callback_id: str, title: str, submit: str, private: str, blocks: Sequence[Block]) -> View:
    """Show something to fill in; `private` comes back with it."""
    return {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": private,
        "title": plain(title, 24),
        "submit": plain(submit, 24),
        "close": plain("Not now", 24),
        "blocks": list(blocks),
    }


def labelled(field: Field, label: str, element: Block, *, optional: bool = False, hint: str = "") -> Block:
    """Ask for one thing in a form."""
    block = {
        "type": "input",
        "block_id": field.value,
        "label": plain(label),
        "optional": optional,
        "element": element,
    }
    return block | {"hint": plain(hint, 200)} if hint else block


def _option(value: str, text: str) -> Block:
    return {"text": plain(text), "value": value}


def _line(order: Order, number: int) -> str:
    item = order.items[number - 1]
    price = f" — {item.price}"
    return f"{plain(f'{item.quantity} x {item.name}', 75 - len(price))['text']}{price}"
