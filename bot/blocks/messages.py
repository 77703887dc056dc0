"""What every message is built of: sections, lines, fields, and an answer laid out over as many messages as it needs."""

import json
from collections.abc import Iterable, Sequence

from bot.blocks.markdown import Markdown, whole
from bot.blocks.text import Mrkdwn, bare, escape, prose
from bot.store.records import Block

_MAX_SECTION_CHARACTERS = 3_000
_MAX_BLOCKS = 45  # of 50: what stands below an answer has room
_PRESSED = ("button", "static_select", "overflow", "feedback_buttons")
_TABLES = ("table", "data_table")
_MAX_FALLBACK_CHARACTERS = 3_500
_MAX_ANSWER_CHARACTERS = 12_000
_MAX_MESSAGE_CHARACTERS = 9_000  # of JSON; Slack refuses about 13,200 without saying so anywhere


def section(text: Mrkdwn) -> Block:
    """Build one paragraph, cut to what Slack takes."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_MAX_SECTION_CHARACTERS], "verbatim": True}}


def context(*texts: Mrkdwn) -> Block:
    """Build the small grey line."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True} for text in texts]}


def fields(facts: Iterable[tuple[str, Mrkdwn]]) -> Block:
    """Build labels with their values, in two columns."""
    return {
        "type": "section",
        "fields": [
            {"type": "mrkdwn", "text": f"*{escape(label)}*\n{value}"[:2_000], "verbatim": True}
            for label, value in facts
        ],
    }


def plain(text: str, most: int = 75, *, end: int = 0) -> Block:
    """Build text in which Slack interprets nothing, cut to what its place takes; so many characters at the end stay."""
    text = bare(text)
    if len(text) > most:
        text = f"{text[: most - end - 1]}…{text[len(text) - end :]}"
    return {"type": "plain_text", "text": text, "emoji": False}


def picture(file_id: str, name: str) -> Block:
    """Build a picture that somebody has sent in Slack, by its id there."""
    alt = bare(name)[:200]
    alt = alt if any(map(str.isalnum, alt)) else "A picture that the customer sent"
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": alt}


def without_pictures(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Return what is left when Slack does not show the pictures, as when a file is gone."""
    return tuple(block for block in blocks if block["type"] != "image")


def with_plain_tables(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Return what is shown where Slack does not take tables that have pages."""
    return tuple(
        {"type": "table", "rows": block["rows"]} if block["type"] == "data_table" else block for block in blocks
    )


def answer_messages(
    text: str,
    cards: Sequence[Sequence[Block]],
    link_hosts: Sequence[str] = (),
    known: Sequence[str] | None = None,
) -> list[tuple[Mrkdwn, tuple[Block, ...]]]:
    """Lay an answer out: its words, as `prose` has them, over the cards, in as many messages as Slack's limits need."""
    shortened = text if len(text) <= _MAX_ANSWER_CHARACTERS else f"{text[:_MAX_ANSWER_CHARACTERS]}…"
    words = prose(shortened, link_hosts, known)
    parts: list[tuple[Block, ...]] = [(block,) for block in Markdown(shortened, link_hosts, known).blocks()]
    for card in cards:  # what is pressed at once stands right below the words
        divided = parts and card[0]["type"] != "actions"
        parts.append(({"type": "divider"}, *card) if divided else tuple(card))
    messages: list[tuple[Block, ...]] = [()]
    for part in parts:
        joined = (*messages[-1], *part)
        if messages[-1] and not _fits(joined):
            messages.append(part)
        else:
            messages[-1] = joined
    return [(_fallback(shown if number else (), words), shown) for number, shown in enumerate(messages)]


def _fits(blocks: Sequence[Block]) -> bool:
    tables = sum(block["type"] in _TABLES for block in blocks)
    return len(blocks) <= _MAX_BLOCKS and tables <= 1 and len(json.dumps(blocks)) <= _MAX_MESSAGE_CHARACTERS


def _fallback(blocks: Sequence[Block], words: Mrkdwn) -> Mrkdwn:
    """Return what notifications and screen readers have of a message: of the first one the words of the answer."""
    text = in_words(blocks) if blocks else words
    return (
        text if len(text) <= _MAX_FALLBACK_CHARACTERS else Mrkdwn(f"{text[: whole(text, _MAX_FALLBACK_CHARACTERS)]}…")
    )


def in_words(blocks: Iterable[Block]) -> Mrkdwn:
    """Say what blocks show in a text alone; those of one message fit well into the 40,000 characters of a text."""
    return Mrkdwn("\n".join(filter(None, (_words(block) for block in blocks))))


def _words(part: Block) -> str:
    """Say what a block or a part of one shows, line by line as it is read."""
    kind, text = part.get("type"), part.get("text")
    if isinstance(text, str):
        return text if kind == "mrkdwn" else escape(text)
    if kind in _TABLES:
        return "\n".join(" | ".join(map(_words, row)) for row in part["rows"])
    if kind == "rich_text_section":
        return "".join(map(_words, part["elements"]))
    if kind == "rich_text_list":
        return "\n".join(f"• {_words(item)}" for item in part["elements"])
    parts = () if kind in _PRESSED else (text, *part.get("fields", ()), *part.get("elements", ()))
    return "\n".join(filter(None, (_words(one) for one in parts if one)))


def action_ids(blocks: Iterable[Block]) -> set[str]:
    """List what can be pressed."""
    below = (block for block in blocks if block.get("type") != "context_actions")  # a rating decides nothing
    elements = (element for block in below for element in block.get("elements", ()))
    return {element["action_id"] for element in elements if "action_id" in element}
