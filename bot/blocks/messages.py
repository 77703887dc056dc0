"""What every message is built of: sections, lines, fields, and an answer laid out over as many messages as it needs."""

import json
from collections.abc import Iterable, Sequence

from bot.blocks.text import Mrkdwn, bare, escape, prose
from bot.store.records import Block

_MAX_SECTION_CHARACTERS = 3_000
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
    alt = bare(name)[:200] or "A picture that the customer sent"
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": alt}


def without_pictures(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Return what is left when Slack does not show the pictures, as when a file is gone."""
    return tuple(block for block in blocks if block["type"] != "image")


def answer_messages(
    text: str,
    cards: Sequence[Sequence[Block]],
    link_hosts: Sequence[str] = (),
    known: Sequence[str] | None = None,
) -> list[tuple[Mrkdwn, tuple[Block, ...]]]:
    """Lay an answer out: its words, as `prose` has them, over the cards, in as many messages as Slack's limits need."""
    shortened = text if len(text) <= _MAX_ANSWER_CHARACTERS else f"{text[:_MAX_ANSWER_CHARACTERS]}…"
    words = prose(shortened, link_hosts, known)
    parts: list[tuple[Block, ...]] = [(section(piece),) for piece in _pieces(words) if piece]
    parts += [({"type": "divider"}, *card) if number or words else tuple(card) for number, card in enumerate(cards)]
    messages: list[tuple[Block, ...]] = [()]
    for part in parts:
        joined = (*messages[-1], *part)
        if messages[-1] and len(json.dumps(joined)) > _MAX_MESSAGE_CHARACTERS:
            messages.append(part)
        else:
            messages[-1] = joined
    fallback = Mrkdwn(words[:_MAX_FALLBACK_CHARACTERS])
    return [(fallback if not number else Mrkdwn("…"), shown) for number, shown in enumerate(messages)]


def _pieces(text: Mrkdwn) -> list[Mrkdwn]:
    pieces = []
    while len(text) > _MAX_SECTION_CHARACTERS:
        cut = text.rfind("\n", 0, _MAX_SECTION_CHARACTERS)
        if cut <= 0:
            cut = text.rfind(" ", 0, _MAX_SECTION_CHARACTERS)
        cut = cut if cut > 0 else _MAX_SECTION_CHARACTERS
        pieces.append(Mrkdwn(text[:cut]))
        text = Mrkdwn(text[cut:].lstrip())
    return [*pieces, text]


def in_words(blocks: Iterable[Block]) -> Mrkdwn:
    """Say what blocks show in a text alone; those of one message fit well into the 40,000 characters of a text."""
    shown = [
        escape(part["text"]) if part["type"] == "plain_text" else part["text"]
        for block in blocks
        for part in (block.get("text"), *block.get("fields", ()), *block.get("elements", ()))
        if part and isinstance(part.get("text"), str)
    ]
    return Mrkdwn("\n".join(shown))


def action_ids(blocks: Iterable[Block]) -> set[str]:
    """List what can be pressed."""
    elements = (element for block in blocks for element in block.get("elements", ()))
    return {element["action_id"] for element in elements if "action_id" in element}
