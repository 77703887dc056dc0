"""Arguments that are nearly JSON: a dict as Python writes it, a comma too many, marks behind the object."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

MAX_CHARACTERS = 20_000
_CONSTANTS = {"true": "true", "false": "false", "null": "null"}
_NOTHING_MORE = re.compile(r"(?:\s|\}|</?[\w:|\uff5c\u2581-]{1,40}>|```)*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


def parsed(text: str) -> Any:
    """Return what a text is as JSON; None when it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def alone(text: str) -> str | None:
    """Return the JSON object behind which nothing stands but the same again, or marks that end it; None for others."""
    text = text.strip()
    if not text.startswith("{") or len(text) > MAX_CHARACTERS:
        return None
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    written = text[:end]
    return written if _NOTHING_MORE.fullmatch(text[end:].replace(written, "")) else None


def as_json(text: str) -> str | None:
    """Return a literal of Python, or nearly JSON, as JSON with its numbers to the letter; None where it is no object.

    Nothing of it is run, and a key that stands twice makes it none: nobody could tell which was meant.
    """
    if not text.lstrip().startswith("{") or len(text) > MAX_CHARACTERS:
        return None
    try:
        node = ast.parse(text.strip(), mode="eval").body
        return "".join(_written(node, text.strip())) if isinstance(node, ast.Dict) else None
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _written(node: ast.expr, text: str) -> Iterator[str]:
    match node:
        case ast.Dict(keys=keys, values=values):
            names = [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
            if len(set(names)) != len(keys):
                raise ValueError("its keys are no names, or one stands twice")
            yield "{"
            for number, (name, value) in enumerate(zip(names, values, strict=True)):
                yield f"{', ' if number else ''}{json.dumps(name)}: "
                yield from _written(value, text)
            yield "}"
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            yield "["
            for number, part in enumerate(parts):
                yield ", " if number else ""
                yield from _written(part, text)
            yield "]"
        case ast.Constant(value=str() | bool() | None as value):
            yield json.dumps(value)
        case ast.Name(id=name) if name in _CONSTANTS:
            yield _CONSTANTS[name]
        case _:
            written = ast.get_source_segment(text, node) or ""
            if not _NUMBER.fullmatch(written):
                raise ValueError("it is no value")
            yield written
