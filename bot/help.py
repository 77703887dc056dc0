"""The help articles: Markdown files cut into sections, and which section answers a question."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlite_utils import Database

from bot.blocks.addresses import email_addresses

MAX_CHARACTERS = 1_500
MAX_QUERY_WORDS = 60
# Scripts that put no space between words; each pair of neighbouring characters is indexed like a word.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)
_FRONT_MATTER = re.compile(r"\A---\n(?P<fields>.*?)^(?:---|\.\.\.) *\n", re.DOTALL | re.MULTILINE)
_FENCE = re.compile(r" {0,3}(```|~~~)")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(?P<text>.*?)(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})[ \t]*")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of an article under one heading."""

    title: str
    section: str
    text: str


class HelpArticles:
    """An index in memory over the articles of a folder, as they were when it was made.

    `faults` has a line for each file that could not be read, and one for a folder without any article; `addresses`
    are the e-mail addresses in them, which are the shop's own.
    """

    def __init__(self, folder: Path) -> None:
        self.faults: list[str] = []
        self.addresses: set[str] = set()
        self._index = Database(memory=True, execute_plugins=False)
        self._sections = self._index.table("sections")
        columns = ("title", "section", "text", "heading_words", "text_words")
        self._sections.create(dict.fromkeys(columns, str))
        self._sections.insert_all(
            {
                "title": part.title,
                "section": part.section,
                "text": part.text,
                "heading_words": " ".join(_words(f"{part.title} {part.section}")),
                "text_words": " ".join(_words(part.text)),
            }
            for part in self._read(folder)
        )
        self._sections.enable_fts(["heading_words", "text_words"], tokenize="porter")

    def search(self, question: str, *, most: int = 3) -> list[Section]:
        """Find the sections that fit best; any word of the question counts, and none is an operator."""
        words = dict.fromkeys(_words(question))
        query = " OR ".join(f'"{word}"' for word in list(words)[:MAX_QUERY_WORDS])
        if not query:
            return []
        rows = self._sections.search(query, columns=["title", "section", "text"], limit=most)
        return [Section(**row) for row in rows]

    def _read(self, folder: Path) -> Iterator[Section]:
        files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
        paths = [path for path in files if path.suffix.lower() == ".md"]
        others = ", ".join(path.name for path in files if path not in paths and not path.name.startswith("."))
        if not paths:
            self.faults.append(f"The help folder {folder} has no articles (*.md), so nothing is found in it.")
        elif others:
            self.faults.append(f"The help folder {folder} has files that are no articles (*.md): {others[:200]}.")
        for path in paths:
            try:
                sections = list(_sections(_text(path.read_bytes()), path.stem))
            except (OSError, UnicodeError) as error:
                why = "is not UTF-8; save it as UTF-8" if isinstance(error, UnicodeError) else f"is unreadable: {error}"
                self.faults.append(f"The help article {path} {why}. Until then nothing is found in it.")
            else:
                if not sections:
                    self.faults.append(f"The help article {path} is empty.")
                self.addresses |= {address for part in sections for address in email_addresses(part.text)}
                yield from sections


@cache
def articles(folder: Path) -> HelpArticles:
    """Read a folder once; a restart reads it again."""
    return HelpArticles(folder)


def _text(content: bytes) -> str:
    """Decode a file: UTF-8, or UTF-16 that says so in its first bytes. Raises UnicodeError."""
    is_utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    if "\0" in text:
        raise UnicodeError("there is a NUL in it")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _words(text: str) -> Iterator[str]:
    """Yield a text's words as they are indexed; of a script without spaces, each character and each pair of two."""
    normal = unicodedata.normalize("NFKC", text)
    spaced = _UNSPACED.sub(" ", normal)
    yield from "".join(one if one.isalnum() or unicodedata.combining(one) else " " for one in spaced).split()
    for run in _UNSPACED.findall(normal):
        yield from (_coded(run[start : start + length]) for length in (1, 2) for start in range(len(run) - length + 1))


def _coded(characters: str) -> str:
    """Write characters as a word that the index neither splits nor shortens."""
    return "".join(f"u{ord(one):x}" for one in characters) + "x"


def _sections(markdown: str, name: str) -> Iterator[Section]:
    """Cut an article at its headings; what stands before the first one is under the article's title."""
    front = _FRONT_MATTER.match(markdown)
    parts = list(_parts(markdown[front.end() :] if front else markdown))
    named = re.search(r"^title:\s*[\"']?(.+?)[\"']?\s*$", front["fields"], re.MULTILINE) if front else None
    headings = (heading for heading, _ in parts if heading)
    title = named[1] if named else next(headings, name.replace("-", " ").replace("_", " ").capitalize())
    for heading, text in parts:
        yield from (Section(title, heading or title, piece) for piece in _pieces(text.strip()))


def _parts(markdown: str) -> Iterator[tuple[str, str]]:
    """Yield each heading, marked by # or underlined, with what is below it; a block of code has none."""
    heading, lines, is_code = "", list[str](), False
    for line in markdown.split("\n"):
        is_code ^= bool(_FENCE.match(line))
        marked = None if is_code else _HEADING.fullmatch(line)
        underlined = not is_code and lines and lines[-1].strip() and _UNDERLINE.fullmatch(line)
        if not marked and not underlined:
            lines.append(line)
            continue
        following = marked["text"] if marked else lines.pop()
        yield heading, "\n".join(lines)
        heading, lines = following.strip(), []
    yield heading, "\n".join(lines)


def _pieces(text: str) -> Iterator[str]:
    """Cut a long text between lines, words at worst, so that all of it is found."""
    while len(text) > MAX_CHARACTERS:
        cut = max(text.rfind(mark, MAX_CHARACTERS // 2, MAX_CHARACTERS) for mark in ("\n\n", "\n", ". ", " "))
        cut = cut if cut > 0 else MAX_CHARACTERS
        yield text[:cut].strip()
        text = text[cut:].strip()
    if text:
        yield text
