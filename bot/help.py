"""The help articles: Markdown files cut into sections, and which section answers a question."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlite_utils import Database

MAX_CHARACTERS = 1_500


@dataclass(frozen=True, slots=True)
class Section:
    """A part of an article under one heading."""

    title: str
    section: str
    text: str


class HelpArticles:
    """An index in memory over the articles of a folder, as they were when it was made."""

    def __init__(self, folder: Path) -> None:
        self._index = Database(memory=True, execute_plugins=False)
        self._sections = self._index.table("sections")
        self._sections.create({"title": str, "section": str, "text": str})
        self._sections.insert_all(
            {"title": part.title, "section": part.section, "text": part.text}
            for path in sorted(folder.glob("*.md"))
            for part in _sections(path.read_text("utf-8"))
        )
        self._sections.enable_fts(["title", "section", "text"], tokenize="porter")

    def search(self, question: str, *, most: int = 3) -> list[Section]:
        """Find the sections that fit best; any word of the question counts, and none is an operator."""
        query = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", question)[:30])
        if not query:
            return []
        rows = self._sections.search(query, columns=["title", "section", "text"], limit=most)
        return [Section(**row) for row in rows]


@cache
def articles(folder: Path) -> HelpArticles:
    """Read a folder once; a restart reads it again."""
    return HelpArticles(folder)


def _sections(markdown: str) -> Iterator[Section]:
    title, *parts = re.split(r"^#{1,3} +(.+)$", markdown.strip(), flags=re.MULTILINE)
    title = parts[0].strip() if parts else title.splitlines()[0] if title else ""
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        if text.strip():
            yield Section(title, heading.strip(), text.strip()[:MAX_CHARACTERS])
