"""A menu in a thread, from which one person chooses what they mean, and how it looks once they have said it."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.blocks.messages import context, plain
from bot.blocks.text import Mrkdwn, escape
from bot.store.records import Block

CHOOSE = "choose_one"
MAX_OPTIONS = 25  # of Slack's hundred: with their descriptions they stand in one message with other cards
_MENU = "menu:"
_HINT = ":hint"
OR_WRITE = "Or just write it."
IN_WORDS = Mrkdwn("Answered in words.")


class Option(NamedTuple):
    """What can be chosen: the words that it stands for, and two lines that show it."""

    words: str
    label: str
    about: str


def menu(call_id: str, user: str, options: Sequence[Option], prompt: str, more: str = "") -> tuple[Block, ...]:
    """Build the menu of a call for a person; who may choose is found by the call, never by what is shown."""
    block_id = f"{_MENU}{call_id}:{user}"
    select = {
        "type": "static_select",
        "action_id": CHOOSE,
        "placeholder": plain(prompt),
        "options": [
            {"text": plain(one.label), "value": one.words} | ({"description": plain(one.about)} if one.about else {})
            for one in options[:MAX_OPTIONS]
        ],
    }
    hint = context(escape(f"{OR_WRITE} {more}".strip()))
    return ({"type": "actions", "block_id": block_id, "elements": [select]}, {**hint, "block_id": f"{block_id}{_HINT}"})


def is_menu(card: Sequence[Block]) -> bool:
    """Return whether a card is a menu."""
    return bool(card) and menu_of(card) is not None


def menu_of(blocks: Sequence[Block], user: str | None = None) -> str | None:
    """Return the block_id of the menu that stands in a message, for this person if one is named."""
    ids = (str(block.get("block_id") or "") for block in blocks if block["type"] == "actions")
    return next((one for one in ids if one.startswith(_MENU) and user in (None, one.rpartition(":")[2])), None)


def call_of_menu(block_id: str) -> str:
    """Return the id of the call that the menu is of; empty when it is no menu."""
    parts = block_id.split(":")
    return parts[1] if block_id.startswith(_MENU) and len(parts) == 3 else ""  # noqa: PLR2004 - call and person


def chosen(words: str) -> Mrkdwn:
    """Say what was chosen."""
    return Mrkdwn(f"✓ Chosen: *{escape(words)}*")


def answered(blocks: Sequence[Block], block_id: str, said: Mrkdwn) -> tuple[Block, ...]:
    """Draw a message again whose menu was answered."""
    left = (block for block in blocks if block.get("block_id") != f"{block_id}{_HINT}")
    return tuple(context(said) if block.get("block_id") == block_id else block for block in left)
