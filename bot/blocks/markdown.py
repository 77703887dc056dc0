"""A model's Markdown as Slack's blocks: paragraphs, lists, tables and code, with nothing in them that could act."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from bot.blocks.text import LINK_PLACE, Mrkdwn, cleaned, prose
from bot.store.records import Block

_MAX_SECTION_CHARACTERS = 3_000
_MAX_CODE_CHARACTERS = 2_000
_MAX_LIST_CHARACTERS = 4_000  # of JSON, here and of a table
_MAX_TABLE_CHARACTERS = 6_000
_MAX_ROWS = 50
_MAX_ROWS_AT_A_GLANCE = 12  # with the head; more are shown page by page
_PAGE_SIZE = 10
_MAX_CAPTION_CHARACTERS = 150
_MAX_COLUMNS = 20
_MAX_CELL_CHARACTERS = 300
_MAX_INDENT = 8
_NO_CONTENT = "–"  # noqa: RUF001 - an empty cell is refused

_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_RULE = re.compile(r"^ {0,3}([-*_])(?:[ \t]{0,3}\1){2,80}[ \t]*$")
_ITEM = re.compile(r"^([ \t]{0,40})(?:[-*+]|(\d{1,4})[.)])[ \t]{1,9}(\S.*)$")
_STYLES = {"**": "bold", "__": "bold", "*": "italic", "_": "italic", "~~": "strike", "`": "code"}
_STYLED = re.compile(r"(\*\*|__|~~|`|(?<!\w)[*_])(\S(?:[^*_~`\n]{0,500}\S)?)\1(?!\w)")
Json = dict[str, Any]
Found = tuple[str, list[str]]


class Markdown:
    """A text, and what of its addresses may stay; see `prose`."""

    def __init__(self, text: str, link_hosts: Sequence[str] = (), known: Sequence[str] | None = None) -> None:
        self._text = text
        self._hosts = link_hosts
        self._known = known

    def blocks(self) -> Iterator[Block]:
        """Show the text, each block small enough to stand in a message with others."""
        draw: dict[str, Callable[[list[str]], Iterator[Block]]]
        draw = {
            "rule": lambda _: iter(()),
            "code": self._code,
            "table": self._table,
            "list": self._list,
            "prose": self._prose,
        }
        for kind, lines in _parts(self._text.strip().splitlines()):
            yield from draw[kind](lines)

    def _prose(self, lines: list[str]) -> Iterator[Block]:
        for piece in _pieces(prose("\n".join(lines), self._hosts, self._known)):
            if piece.strip():
                yield {"type": "section", "text": {"type": "mrkdwn", "text": piece, "verbatim": True}}

    def _code(self, lines: list[str]) -> Iterator[Block]:
        text = self._plain("\n".join(lines), keeps_marks=True)
        while text.strip():
            cut = text.rfind("\n", 1, _MAX_CODE_CHARACTERS) if len(text) > _MAX_CODE_CHARACTERS else len(text)
            cut = cut if cut > 0 else _MAX_CODE_CHARACTERS
            if text[:cut].strip():
                content = [{"type": "text", "text": text[:cut]}]
                yield {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": content}]}
            text = text[cut:].removeprefix("\n")

    def _table(self, lines: list[str]) -> Iterator[Block]:
        head, alignments, *rows = [_cells(line) for line in lines]
        if len(head) > _MAX_COLUMNS:
            yield from self._code(lines)
            return
        columns: list[dict[str, Any]] = [
            {"align": "right" if cell.endswith(":") and not cell.startswith(":") else "left", "is_wrapped": True}
            for cell in alignments[: len(head)]
        ]
        shown, *below = [self._row(row, len(head)) for row in (head, *rows)]
        taken = [shown]
        for row in below:
            if len(taken) == _MAX_ROWS or len(json.dumps([*taken, row])) > _MAX_TABLE_CHARACTERS:
                yield _shown_rows(taken, columns)
                taken = [shown]
            taken.append(row)
        yield _shown_rows(taken, columns)

    def _row(self, cells: Sequence[str], length: int) -> list[Block]:
        most = min(_MAX_CELL_CHARACTERS, _MAX_TABLE_CHARACTERS // 10 // length)
        texts = [self._plain(cell).strip() or _NO_CONTENT for cell in [*cells, *[""] * length][:length]]
        return [{"type": "raw_text", "text": text if len(text) <= most else f"{text[: most - 1]}…"} for text in texts]

    def _list(self, lines: list[str]) -> Iterator[Block]:
        items: list[tuple[tuple[int, bool], int, list[Json]]] = []
        for line in lines:
            if (found := _ITEM.match(line)) and (content := self._inline(found[3])):
                spaces = len(found[1].replace("\t", "    "))
                items.append(((min(spaces // 2, _MAX_INDENT), found[2] is not None), int(found[2] or 1), content))
        parts: list[Json] = []
        for (indent, is_ordered), group in groupby(items, key=lambda item: item[0]):
            for _, number, shown in group:
                section: Json = {"type": "rich_text_section", "elements": shown}
                last = parts[-1] if parts and _is_of(parts[-1], indent, is_ordered=is_ordered) else None
                if last and len(json.dumps(parts)) < _MAX_LIST_CHARACTERS:
                    last["elements"].append(section)
                    continue
                if len(json.dumps(parts)) >= _MAX_LIST_CHARACTERS:
                    yield {"type": "rich_text", "elements": parts}
                    parts = []
                style = "ordered" if is_ordered else "bullet"
                begun = {"offset": number - 1} if is_ordered and number > 1 else {}
                parts.append(
                    {"type": "rich_text_list", "style": style, "indent": indent, "elements": [section]} | begun
                )
        if parts:
            yield {"type": "rich_text", "elements": parts}

    def _plain(self, text: str, *, keeps_marks: bool = False) -> str:
        text, links = cleaned(text, self._hosts, self._known)
        text = text if keeps_marks else _STYLED.sub(r"\2", text)
        return LINK_PLACE.sub(lambda place: "{1} ({0})".format(*links[int(place[1])]), text)

    def _inline(self, text: str) -> list[Json]:
        """Show one line with its bold, italic, struck and code words, and its links."""
        text, links = cleaned(text, self._hosts, self._known)
        elements: list[Json] = []
        end = 0
        for found in _STYLED.finditer(text):
            elements += _linked(text[end : found.start()], links, {})
            elements += _linked(found[2], links, {"style": {_STYLES[found[1]]: True}})
            end = found.end()
        return [*elements, *_linked(text[end:], links, {})]


def _shown_rows(rows: Sequence[Sequence[Block]], columns: Sequence[Block]) -> Block:
    """Show rows at a glance, or page by page where they are many."""
    if len(rows) <= _MAX_ROWS_AT_A_GLANCE:
        return {"type": "table", "rows": list(rows), "column_settings": list(columns)}
    caption = ", ".join(str(cell["text"]) for cell in rows[0])[:_MAX_CAPTION_CHARACTERS]
    return {"type": "data_table", "caption": caption, "rows": list(rows), "page_size": _PAGE_SIZE}


def _is_of(part: Json, indent: int, *, is_ordered: bool) -> bool:
    return bool(part["indent"] == indent and (part["style"] == "ordered") == is_ordered)


def _linked(text: str, links: Sequence[tuple[str, str]], style: Json) -> Iterator[Json]:
    for number, part in enumerate(LINK_PLACE.split(text)):
        if number % 2:
            address, label = links[int(part)]
            yield {"type": "link", "url": address, "text": label} | style
        elif part:
            yield {"type": "text", "text": part} | style


def _parts(lines: Sequence[str]) -> Iterator[Found]:
    """Tell the parts of a text apart, in order, each with its lines."""
    position = 0
    waiting: list[str] = []
    while position < len(lines):
        kind, length = _kind(lines, position)
        if kind is None:
            waiting.append(lines[position])
        else:
            yield "prose", waiting
            waiting = []
            taken = list(lines[position : position + length])
            yield kind, [one for one in taken if not _FENCE.match(one)] if kind == "code" else taken
        position += length
    yield "prose", waiting


def _kind(lines: Sequence[str], start: int) -> tuple[str | None, int]:
    """Return what begins at a line, if it is more than a paragraph, and how many lines it has."""
    if fence := _FENCE.match(lines[start]):
        ends = (at for at in range(start + 1, len(lines)) if lines[at].strip() == fence[1])
        return "code", next(ends, len(lines) - 1) + 1 - start
    if _RULE.match(lines[start]):
        return "rule", 1
    if start + 1 < len(lines) and "|" in lines[start] and _is_below_head(lines[start + 1], len(_cells(lines[start]))):
        ends = (at for at in range(start + 2, len(lines)) if "|" not in lines[at])
        return "table", next(ends, len(lines)) - start
    ends = (at for at in range(start, len(lines)) if not _ITEM.match(lines[at]))
    length = next(ends, len(lines)) - start
    return ("list", length) if length else (None, 1)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _is_below_head(line: str, columns: int) -> bool:
    cells = _cells(line)
    return len(cells) == columns and all(re.fullmatch(r":?-{1,100}:?", cell) for cell in cells)


def _pieces(text: Mrkdwn) -> Iterator[Mrkdwn]:
    """Cut a text where it hurts least: at a paragraph, a line, a word; never within a link or an entity."""
    while len(text) > _MAX_SECTION_CHARACTERS:
        cuts = (text.rfind(mark, _MAX_SECTION_CHARACTERS // 3, _MAX_SECTION_CHARACTERS) for mark in ("\n\n", "\n", " "))
        cut = next((cut for cut in cuts if cut > 0), _MAX_SECTION_CHARACTERS)
        cut = whole(text, cut)
        yield Mrkdwn(text[:cut])
        text = Mrkdwn(text[cut:].lstrip())
    yield text


def whole(text: Mrkdwn, cut: int) -> int:
    """Return where to cut a text at or before a place, so that no link and no entity is cut in two."""
    for begins, ends, most in (("<", ">", 2_500), ("&", ";", 5)):
        begin = text.rfind(begins, max(1, cut - most), cut)
        if begin > text.rfind(ends, 0, cut):
            cut = begin
    return cut
