"""What the check of Block Kit accepts and refuses."""

from typing import Any

import pytest

from bot.testing.slack import block_kit

PLAIN = {"type": "plain_text", "text": "Text"}
MRKDWN = {"type": "mrkdwn", "text": "*Text*"}
CONFIRM = {"title": PLAIN, "text": MRKDWN, "confirm": PLAIN, "deny": PLAIN}
BUTTON = {"type": "button", "action_id": "go", "text": PLAIN, "value": "1", "style": "primary", "confirm": CONFIRM}
IMAGE = {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "A"}
RICH_SECTION = {"type": "rich_text_section", "elements": [{"type": "text", "text": "x", "style": {"bold": True}}]}
RICH_TEXT = {
    "type": "rich_text",
    "elements": [RICH_SECTION, {"type": "rich_text_list", "style": "bullet", "elements": [RICH_SECTION]}],
}
CELLS = [{"type": "raw_text", "text": "x"}, {"type": "raw_number", "value": 1.5, "text": "1.5"}, RICH_TEXT]
TABLE = {"type": "table", "rows": [CELLS], "column_settings": [None, {"align": "right", "is_wrapped": True}]}

DATA_TABLE = {"type": "data_table", "caption": "All", "rows": [CELLS[:1], CELLS[:1]]}
OPTION, OTHER = ({"text": PLAIN, "value": value} for value in "ab")
MENU = {"type": "static_select", "action_id": "pick", "options": [OPTION]}
BOXES = {"type": "checkboxes", "action_id": "tick", "options": [OPTION]}
TASK = {"type": "task_card", "task_id": "1", "title": "Looked up", "status": "complete"}


def text(length: int, kind: str = "plain_text") -> dict[str, Any]:
    """Give a text object of that many characters."""
    return {"type": kind, "text": "x" * length}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    """Give an actions block."""
    return {"type": "actions", "elements": list(elements)}


@pytest.mark.parametrize(
    "block",
    [
        {"type": "section", "text": MRKDWN, "accessory": IMAGE, "block_id": "a"},
        {"type": "section", "fields": [MRKDWN, PLAIN], "accessory": BUTTON, "expand": True},
        {"type": "header", "text": PLAIN},
        {"type": "divider"},
        IMAGE,
        {"type": "context", "elements": [MRKDWN, PLAIN, IMAGE]},
        actions(MENU | {"initial_option": OPTION}),
        actions(BOXES | {"initial_options": [OPTION]}),
        actions(BUTTON, BUTTON | {"action_id": "stop", "style": "danger"}),
        {"type": "markdown", "text": "**x**"},
        RICH_TEXT,
        TABLE,
        {"type": "data_table", "caption": "All", "rows": [CELLS[:2], CELLS[1:]], "page_size": 10},
        TASK | {"details": RICH_TEXT, "sources": [{"type": "url", "url": "https://example.com", "text": "Help"}]},
        {"type": "plan", "title": "Your order", "tasks": [TASK]},
    ],
)
def test_what_slack_draws_is_accepted(block: dict[str, Any]) -> None:
    """A block of each kind passes."""
    assert block_kit.problems([block]) == []


@pytest.mark.parametrize(
    ("block", "words", "place"),
    [
        ({"type": "alert", "text": PLAIN}, "unsupported type: alert", "/blocks/0/type"),
        ({"type": "section"}, "missing required field: text or fields", "/blocks/0"),
        (actions(MENU | {"initial_option": OTHER}), "initial options must be among the options", "/blocks/0"),
        (actions(BOXES | {"initial_options": [OPTION, OTHER]}), "initial options must be among", "/blocks/0"),
        (actions({"type": "overflow", "options": [OPTION]}), "no less than 2 items", "/blocks/0/elements/0/options"),
        (DATA_TABLE | {"rows": [CELLS[:1]]}, "no less than 2 items allowed", "/blocks/0/rows"),
        (DATA_TABLE | {"rows": [CELLS[:1]] * 102}, "no more than 101 items allowed", "/blocks/0/rows"),
        (
            DATA_TABLE | {"rows": [CELLS[:1], CELLS[:2]]},
            "all rows must have the same number",
            "/blocks/0/rows",
        ),
        (DATA_TABLE | {"rows": [CELLS[2:], CELLS[:1]]}, "unsupported type: rich_text", "/blocks/0/rows/0/0/type"),
        (DATA_TABLE | {"page_size": 101}, "must be from 1 to 100", "/blocks/0/page_size"),
        (TASK | {"status": "completed"}, "must be one of", "/blocks/0/status"),
        ({"type": "section", "text": text(3001)}, "must be less than 3001 characters", "/blocks/0/text/text"),
        ({"type": "section", "text": text(0)}, "must be more than 0 characters", "/blocks/0/text/text"),
        ({"type": "section", "fields": [text(2001)]}, "must be less than 2001 characters", "/blocks/0/fields/0/text"),
        ({"type": "section", "fields": [PLAIN] * 11}, "no more than 10 items allowed", "/blocks/0/fields"),
        ({"type": "section", "text": PLAIN, "colour": "red"}, "invalid additional property: colour", "/blocks/0"),
        ({"type": "section", "text": PLAIN, "block_id": None}, "must be a string", "/blocks/0/block_id"),
        ({"type": "header", "text": MRKDWN}, "unsupported type: mrkdwn", "/blocks/0/text/type"),
        ({"type": "header", "text": text(151)}, "must be less than 151 characters", "/blocks/0/text/text"),
        ({"type": "context", "elements": []}, "no less than 1 items allowed", "/blocks/0/elements"),
        ({"type": "context", "elements": [PLAIN] * 11}, "no more than 10 items allowed", "/blocks/0/elements"),
        (actions(BUTTON | {"text": MRKDWN}), "unsupported type: mrkdwn", "/blocks/0/elements/0/text/type"),
        (actions(BUTTON | {"text": text(76)}), "must be less than 76 characters", "/blocks/0/elements/0/text/text"),
        (actions(BUTTON | {"value": "x" * 2001}), "must be less than 2001 characters", "/blocks/0/elements/0/value"),
        (actions(BUTTON | {"style": "default"}), "must be one of primary, danger", "/blocks/0/elements/0/style"),
        (actions(BUTTON, BUTTON), "action_id go already exists in this block", "/blocks/0/elements"),
        (
            actions(BUTTON | {"confirm": CONFIRM | {"title": text(101)}}),
            "must be less than 101 characters",
            "/blocks/0/elements/0/confirm/title/text",
        ),
        (actions({"type": "button", "text": PLAIN, "url": "no"}), "must match", "/blocks/0/elements/0/url"),
        ({"type": "image", "alt_text": "A"}, "must have either image_url or slack_file", "/blocks/0"),
        (TABLE | {"rows": [CELLS] * 101}, "no more than 100 items allowed", "/blocks/0/rows"),
        (TABLE | {"rows": [CELLS * 7]}, "no more than 20 items allowed", "/blocks/0/rows/0"),
        (TABLE | {"rows": [[text(0, "raw_text")]]}, "must be more than 0 characters", "/blocks/0/rows/0/0/text"),
        (TABLE | {"rows": [[text(5001, "raw_text")] * 2]}, "cells must be less than 10001", "/blocks/0/rows"),
        (
            {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]},
            "no less than 1 items allowed",
            "/blocks/0/elements/0/elements",
        ),
        ("text", "unsupported type: None", "/blocks/0/type"),
    ],
)
def test_a_bad_block_is_named_with_its_place(block: Any, words: str, place: str) -> None:
    """Each limit of a block is a problem of its own, with a pointer to it."""
    (problem,) = block_kit.problems([block])
    assert problem.startswith(words)
    assert problem.endswith(f"[json-pointer:{place}]")


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([{"type": "divider"}] * 51, "no more than 50 items allowed"),
        ([{"type": "divider", "block_id": "a"}] * 2, "block_id a already exists"),
        ([TABLE, TABLE], "only one table allowed"),
        ([{"type": "markdown", "text": "x" * 6001}] * 2, "markdown must be less than 12001 characters in all"),
        ({"type": "divider"}, "must be an array"),
    ],
)
def test_blocks_are_limited_together(blocks: Any, words: str) -> None:
    """Some limits concern all blocks of a message."""
    (problem,) = block_kit.problems(blocks)
    assert problem == f"{words} [json-pointer:/blocks]"


def test_surfaces_differ() -> None:
    """A modal may hold 100 blocks, an alert among them, but no table; a Home tab 100 blocks, and neither of the two."""
    alert = {"type": "alert", "text": PLAIN, "level": "warning"}
    assert block_kit.problems([alert] + [{"type": "divider"}] * 99, "modal") == []
    assert block_kit.problems([{"type": "divider"}] * 100, "home") == []
    for surface in ("modal", "home"):
        assert block_kit.problems([{"type": "divider"}] * 101, surface)
        assert block_kit.problems([TABLE], surface)
    assert block_kit.problems([alert], "home")


def test_inputs_are_for_forms() -> None:
    """An input block takes a text or number field, and actions do not."""
    field = {"type": "plain_text_input", "action_id": "note", "multiline": True, "max_length": 3000}
    assert block_kit.problems([{"type": "input", "label": PLAIN, "element": field}], "modal") == []
    assert block_kit.problems([actions(field)], "modal")


def test_all_blocks_together_are_limited() -> None:
    """The blocks of a message take at most 13,200 characters as JSON."""
    sections = [{"type": "section", "text": text(2900)}] * 4
    assert not block_kit.too_long(sections)
    assert block_kit.too_long(sections * 2)
