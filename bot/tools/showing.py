"""Arguments that nobody here knows the meaning of, on a card: every word of them, as they are, or not at all."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.blocks.preview import Facts
from bot.blocks.text import bare

MAX_FACT_CHARACTERS = 280
MAX_FACTS = 7
_UNFOLLOWABLE = str.maketrans({mark: f"[{mark}]" for mark in ":./"})


class UnshowableError(Exception):
    """The arguments cannot be shown as they are; the text says why."""


def argument_facts(arguments: Mapping[str, Any]) -> Facts:
    """Return each argument with its value as JSON, over as many facts as it needs. Raises UnshowableError.

    What shows nothing is written out, and an address so that nobody can follow it.
    """
    facts = tuple(fact for name, value in arguments.items() for fact in _facts(name, value))
    if len(facts) > MAX_FACTS:
        raise UnshowableError("they are too long for a card")
    return facts or (("Arguments", "none"),)


def _facts(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if not re.fullmatch(r"[^\W_](?:[\w-]{0,38}[^\W_])?", name) or bare(name) != name:
        raise UnshowableError("one has a name that is none")
    text = "".join(map(_written, json.dumps(value, ensure_ascii=False)))
    if _is_changed(text):
        text = text.translate(_UNFOLLOWABLE)
    for number, start in enumerate(range(0, len(text), MAX_FACT_CHARACTERS)):
        part = text[start : start + MAX_FACT_CHARACTERS]
        if _is_changed(part):
            raise UnshowableError(f"{name} holds an address that cannot be shown")
        # With a sign that no label of ours has: a name could be "Asked by".
        yield (f"{name} =" if number == 0 else f"{name}, more"), part


def _written(one: str) -> str:
    return one if one.isprintable() else f"\\u{{{ord(one):x}}}"


def _is_changed(text: str) -> bool:
    return bare(text) != " ".join(text.split())
