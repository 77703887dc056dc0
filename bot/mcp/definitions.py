"""A tool as its server describes it, and the hash by which a change of it is seen."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_NAME_CHARACTERS = 64
MAX_DESCRIPTION_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class Definition:
    """All that a server says of one of its tools that somebody could act on. None of it is trusted before it is pinned.

    `annotations` are the server's hints; nothing but the hash reads them.
    """

    name: str
    input_schema: Mapping[str, Any]
    title: str | None = None
    description: str | None = None
    output_schema: Mapping[str, Any] | None = None
    annotations: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The hash that is the same for as long as nothing of the definition changes."""
        said = [self.name, self.title, self.description, self.input_schema, self.output_schema, self.annotations]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    @property
    def told(self) -> str:
        """What the model reads of it: one paragraph, without what shows nothing, cut."""
        return visible(self.description or self.title or self.name)[:MAX_DESCRIPTION_CHARACTERS]


def offered_name(server: str, tool: str) -> str:
    """Return the name under which a server's tool is offered: with the server's before it, as model servers take it.

    What is too long for them, or in letters that they do not take, gets a mark, so that no two are the same.
    """
    name = f"{_plain(server)}_{_plain(tool)}"
    if len(name) <= MAX_NAME_CHARACTERS and _is_told_whole(server) and _is_told_whole(tool):
        return name
    mark = hashlib.sha256(f"{server}/{tool}".encode()).hexdigest()[:8]
    return f"{name[: MAX_NAME_CHARACTERS - len(mark) - 1]}_{mark}"


def seen(text: str) -> str:
    """Return text without characters that show nothing, in which instructions could hide."""
    return "".join(one for one in text if one.isspace() or unicodedata.category(one)[0] != "C")


def visible(text: str) -> str:
    """Return the same on one line."""
    return " ".join(seen(text).split())


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_").lower() or "tool"


def _is_told_whole(name: str) -> bool:
    """Return whether no letter or digit of a name is lost when it is written plainly."""
    return not any(one.isalnum() and not one.isascii() for one in name)
