"""What Slack accepts as Block Kit: the blocks, elements and objects there are, their keys, and their limits.

Remote files, and the newest blocks that old clients cannot show (card, carousel, container), are left out. Where
sources disagree, as about data tables, the smaller limit counts.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

from bot.testing.slack.block_kit.shape import (
    Check,
    boolean,
    either,
    integer,
    items,
    nothing,
    number,
    one_of,
    problem,
    shape,
    string,
    typed,
)

Json = dict[str, Any]
Surface = Literal["message", "modal", "home"]

BLOCKS = {"message": 50, "modal": 100, "home": 100}
ONLY_IN_MESSAGES = ("table", "data_table", "task_card", "plan")
NOT_ON = {
    "message": {"alert"},
    "modal": {"context_actions", "markdown", *ONLY_IN_MESSAGES},
    "home": {"alert", "context_actions", "markdown", *ONLY_IN_MESSAGES},
}
PAYLOAD_CHARACTERS = 13_200  # of a message's blocks as JSON; in no documentation, but measured by others
TABLE_CHARACTERS = 10_000  # over all cells
DATA_TABLE_ROWS = 101  # with the head
MARKDOWN_CHARACTERS = 12_000  # over all markdown blocks

# Objects


def _plain(most: int) -> Check:
    return typed({"plain_text": shape({"text": string(most)}, emoji=boolean)})


def _text(most: int) -> Check:
    mrkdwn = shape({"text": string(most)}, verbatim=boolean)
    return typed({"plain_text": shape({"text": string(most)}, emoji=boolean), "mrkdwn": mrkdwn})


ID = string(255)
URL = string(3000, pattern="^[A-Za-z][A-Za-z0-9+.-]*:")
STYLE = one_of("primary", "danger")
CONFIRM = shape({"title": _plain(100), "text": _text(300), "confirm": _plain(30), "deny": _plain(30)}, style=STYLE)
OPTION = shape({"text": _text(75), "value": string(150)}, description=_text(75))
IMAGE_SOURCE = {"image_url": URL, "slack_file": shape({}, id=ID, url=URL)}
IMAGE: Check = shape({"alt_text": string(2000)}, **IMAGE_SOURCE)

# Interactive elements


def _action(required: dict[str, Check], **optional: Check) -> Check:
    return shape(required, action_id=ID, confirm=CONFIRM, **optional)


def _choice(required: dict[str, Check], **optional: Check) -> Check:
    return _action(required, focus_on_load=boolean, placeholder=_plain(150), **optional)


def _input(required: dict[str, Check], **optional: Check) -> Check:
    return shape(required, action_id=ID, focus_on_load=boolean, placeholder=_plain(150), **optional)


BUTTON = _action(
    {"text": _plain(75)},
    value=string(2000, least=0),
    url=URL,
    style=STYLE,
    accessibility_label=string(75),
    agent_prompt=string(4000),
    visible_to_user_ids=items(ID, 10),
)
MENUS = {
    "static_select": _choice({"options": items(OPTION, 100)}, initial_option=OPTION),
    "multi_static_select": _choice(
        {"options": items(OPTION, 100)}, initial_options=items(OPTION, 100), max_selected_items=integer(1, 100)
    ),
    "users_select": _choice({}, initial_user=ID),
    "multi_users_select": _choice({}, initial_users=items(ID, 100), max_selected_items=integer(1, 100)),
    "checkboxes": _action({"options": items(OPTION, 10)}, focus_on_load=boolean, initial_options=items(OPTION, 10)),
    "radio_buttons": _action({"options": items(OPTION, 10)}, focus_on_load=boolean, initial_option=OPTION),
    "datepicker": _choice({}, initial_date=string(10, pattern=r"^\d{4}-\d\d-\d\d$")),
}
INPUTS = MENUS | {
    "plain_text_input": _input(
        {},
        initial_value=string(3000, least=0),
        multiline=boolean,
        min_length=integer(0, 3000),
        max_length=integer(1, 3000),
    ),
    "file_input": shape({}, action_id=ID, filetypes=items(string(20), 100), max_files=integer(1, 10)),
    "number_input": _input(
        {"is_decimal_allowed": boolean}, initial_value=string(30), min_value=string(30), max_value=string(30)
    ),
}
ACTIONS = MENUS | {"button": BUTTON, "overflow": _action({"options": items(OPTION, 5, least=2)})}
FEEDBACK = shape({"text": _plain(75), "value": string(2000)}, accessibility_label=string(75))
MESSAGE_ACTIONS = {
    "feedback_buttons": shape({"positive_button": FEEDBACK, "negative_button": FEEDBACK}, action_id=ID),
    "icon_button": _action(
        {"icon": one_of("trash"), "text": _plain(75)},
        value=string(2000),
        accessibility_label=string(75),
        visible_to_user_ids=items(ID, 10),
    ),
}

# Rich text

FONT = shape({}, bold=boolean, italic=boolean, strike=boolean, code=boolean, underline=boolean)
INLINE = items(
    typed(
        {
            "text": shape({"text": string(12_000)}, style=FONT),
            "link": shape({"url": URL}, text=string(3000), style=FONT, unsafe=boolean),
            "user": shape({"user_id": ID}, style=FONT),
            "usergroup": shape({"usergroup_id": ID}, style=FONT),
            "channel": shape({"channel_id": ID}, style=FONT),
            "team": shape({"team_id": ID}, style=FONT),
            "broadcast": shape({"range": one_of("here", "channel", "everyone")}, style=FONT),
            "emoji": shape({"name": ID}, unicode=ID, skin_tone=integer(1, 6), style=FONT),
            "color": shape({"value": ID}, style=FONT),
            "date": shape({"timestamp": integer(0, 2**53), "format": ID}, url=URL, fallback=string(3000), style=FONT),
        }
    ),
    1000,
)
SECTION = shape({"elements": INLINE})
BORDER = integer(0, 1)
RICH_TEXT = {
    "rich_text_section": SECTION,
    "rich_text_list": shape(
        {"style": one_of("bullet", "ordered"), "elements": items(typed({"rich_text_section": SECTION}), 1000)},
        indent=integer(0, 8),
        offset=integer(0, 100_000),
        border=BORDER,
    ),
    "rich_text_preformatted": shape({"elements": INLINE}, border=BORDER, language=ID),
    "rich_text_quote": shape({"elements": INLINE}, border=BORDER),
}

# Blocks


def _block(required: dict[str, Check], **optional: Check) -> Check:
    return shape(required, block_id=ID, **optional)


RICH_TEXT_BLOCK = _block({"elements": items(typed(RICH_TEXT), 1000)})
CELL_TEXT = shape({"text": string(TABLE_CHARACTERS)})
CELL_NUMBER = shape({"value": number, "text": string(255)})
CELL = typed(
    {
        "raw_text": CELL_TEXT,
        "raw_number": CELL_NUMBER,
        "rich_text": RICH_TEXT_BLOCK,
    }
)
HEAD_CELL = typed({"raw_text": CELL_TEXT, "raw_number": CELL_NUMBER})
TASK = {
    "required": {"task_id": ID, "title": string(256)},
    "optional": {
        "status": one_of("pending", "in_progress", "complete", "error"),
        "details": typed({"rich_text": RICH_TEXT_BLOCK}),
        "output": typed({"rich_text": RICH_TEXT_BLOCK}),
        "sources": items(typed({"url": shape({"url": URL, "text": string(256)})}), 100),
    },
}
TASK_CARD = _block(TASK["required"], **TASK["optional"])
COLUMN = shape({}, align=one_of("left", "center", "right"), is_wrapped=boolean)
SHAPES = {
    "section": _block(
        {},
        text=_text(3000),
        fields=items(_text(2000), 10),
        accessory=typed(ACTIONS | {"image": IMAGE}),
        expand=boolean,
    ),
    "header": _block({"text": _plain(150)}),
    "divider": _block({}),
    "image": _block({"alt_text": string(2000)}, title=_plain(2000), **IMAGE_SOURCE),
    "context": _block(
        {
            "elements": items(
                typed(
                    {
                        "image": IMAGE,
                        "plain_text": shape({"text": string(3000)}, emoji=boolean),
                        "mrkdwn": shape({"text": string(3000)}, verbatim=boolean),
                    }
                ),
                10,
            )
        }
    ),
    "actions": _block({"elements": items(typed(ACTIONS), 25)}),
    "context_actions": _block({"elements": items(typed(MESSAGE_ACTIONS), 5)}),
    "input": _block(
        {"label": _plain(2000), "element": typed(INPUTS)},
        hint=_plain(2000),
        optional=boolean,
        dispatch_action=boolean,
    ),
    "markdown": _block({"text": string(MARKDOWN_CHARACTERS)}),
    "rich_text": RICH_TEXT_BLOCK,
    "table": _block({"rows": items(items(CELL, 20), 100)}, column_settings=items(either(COLUMN, nothing), 20)),
    "data_table": _block(
        {"caption": string(3000), "rows": items(items(CELL, 20), DATA_TABLE_ROWS, least=2)},
        page_size=integer(1, 100),
        row_header_column_index=integer(0, 19),
    ),
    "task_card": TASK_CARD,
    "plan": _block({"title": string(256)}, tasks=items(typed({"task_card": TASK_CARD}), 50)),
    "alert": _block({"text": _text(200)}, level=one_of("default", "info", "warning", "error", "success")),
}


def problems(blocks: Any, surface: Surface = "message") -> list[str]:
    """List what Slack would refuse about these blocks, each with its place; none means that they are fine."""
    allowed = {name: check for name, check in SHAPES.items() if name not in NOT_ON[surface]}
    found = list(items(typed(allowed), BLOCKS[surface], least=0)(blocks, "/blocks"))
    return found or [*_problems_within(blocks), *_problems_across(blocks)]


def too_long(blocks: list[Json]) -> bool:
    """Return whether the blocks of a message are more than Slack takes in all (`msg_blocks_too_long`)."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))) > PAYLOAD_CHARACTERS


def _problems_within(blocks: list[Json]) -> Iterator[str]:
    for position, block in enumerate(blocks):
        place = f"/blocks/{position}"
        if block["type"] == "section" and not {"text", "fields"} & set(block):
            yield problem("missing required field: text or fields", place)
        images = [block, block.get("accessory", {}), *block.get("elements", [])]
        for image in images:
            if image.get("type") == "image" and ("image_url" in image) == ("slack_file" in image):
                yield problem("must have either image_url or slack_file", place)
        for menu in filter(None, [block.get("accessory"), block.get("element"), *block.get("elements", [])]):
            yield from _problems_of_choice(menu, place)
        action_ids = Counter(e["action_id"] for e in block.get("elements", []) if "action_id" in e)
        for action_id in _repeated(action_ids):
            yield problem(f"action_id {action_id} already exists in this block", f"{place}/elements")
        if block["type"] == "data_table":
            yield from _problems_of_data_table(block, place)
        if block["type"] in ("table", "data_table") and _characters(block["rows"]) > TABLE_CHARACTERS:
            yield problem(f"cells must be less than {TABLE_CHARACTERS + 1} characters in all", f"{place}/rows")


def _problems_of_choice(menu: Json, place: str) -> Iterator[str]:
    """Refuse what is chosen before and is not, to the letter, one of what can be chosen."""
    chosen = [*menu.get("initial_options", []), *([menu["initial_option"]] if "initial_option" in menu else [])]
    if any(one not in menu.get("options", []) for one in chosen):
        yield problem("initial options must be among the options", place)


def _problems_of_data_table(block: Json, place: str) -> Iterator[str]:
    head, *rows = block["rows"]
    yield from items(HEAD_CELL, 20)(head, f"{place}/rows/0")
    if any(len(row) != len(head) for row in rows):
        yield problem("all rows must have the same number of cells", f"{place}/rows")
    if block.get("row_header_column_index", 0) >= len(head):
        yield problem("must be a column of the table", f"{place}/row_header_column_index")


def _problems_across(blocks: list[Json]) -> Iterator[str]:
    for block_id in _repeated(Counter(block["block_id"] for block in blocks if "block_id" in block)):
        yield problem(f"block_id {block_id} already exists", "/blocks")
    if sum(block["type"] in ("table", "data_table") for block in blocks) > 1:
        yield problem("only one table allowed", "/blocks")
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MARKDOWN_CHARACTERS:
        yield problem(f"markdown must be less than {MARKDOWN_CHARACTERS + 1} characters in all", "/blocks")


def _repeated(counts: Counter[str]) -> list[str]:
    return [name for name, count in counts.items() if count > 1]


def _characters(cell: Any) -> int:
    """Count the characters that the cells of a table show."""
    if isinstance(cell, list):
        return sum(map(_characters, cell))
    if isinstance(cell, dict):
        return len(str(cell.get("text", cell.get("value", "")))) + _characters(cell.get("elements", []))
    return 0
