"""Saying what a JSON value must look like, and, in Slack's words, where another one does not."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Check = Callable[[Any, str], Iterator[str]]


def problem(words: str, place: str) -> str:
    """Write a problem with its place, as Slack does."""
    return f"{words} [json-pointer:{place}]"


def string(most: int, least: int = 1, pattern: str = "") -> Check:
    """Accept a text of that many characters, in which the pattern is found."""

    def check(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield problem("must be a string", place)
        elif len(value) > most:
            yield problem(f"must be less than {most + 1} characters", place)
        elif len(value) < least:
            yield problem(f"must be more than {least - 1} characters", place)
        elif not re.search(pattern, value):
            yield problem(f"must match {pattern}", place)

    return check


def integer(least: int, most: int) -> Check:
    """Accept a whole number from least to most."""

    def check(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield problem("must be an integer", place)
        elif not least <= value <= most:
            yield problem(f"must be from {least} to {most}", place)

    return check


def number(value: Any, place: str) -> Iterator[str]:
    """Accept a number, whole or not."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        yield problem("must be a number", place)


def boolean(value: Any, place: str) -> Iterator[str]:
    """Accept true and false."""
    if not isinstance(value, bool):
        yield problem("must be a boolean", place)


def one_of(*values: str) -> Check:
    """Accept one of these texts."""

    def check(value: Any, place: str) -> Iterator[str]:
        if value not in values:
            yield problem(f"must be one of {', '.join(values)}", place)

    return check


def items(of: Check, most: int, least: int = 1) -> Check:
    """Accept a list of that many items, each of them accepted."""

    def check(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield problem("must be an array", place)
            return
        if len(value) > most:
            yield problem(f"no more than {most} items allowed", place)
        if len(value) < least:
            yield problem(f"no less than {least} items allowed", place)
        for position, item in enumerate(value):
            yield from of(item, f"{place}/{position}")

    return check


def either(first: Check, other: Check) -> Check:
    """Accept what one of the two accepts."""

    def check(value: Any, place: str) -> Iterator[str]:
        problems = list(first(value, place))
        if problems and list(other(value, place)):
            yield from problems

    return check


def nothing(value: Any, place: str) -> Iterator[str]:
    """Accept null."""
    if value is not None:
        yield problem("must be null", place)


def shape(required: Mapping[str, Check], **optional: Check) -> Check:
    """Accept an object that has the required keys and no keys but these; `type` is for `typed` to check."""
    known = {**required, **optional}

    def check(value: Any, place: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield problem("must be an object", place)
            return
        for key in required:
            if key not in value:
                yield problem(f"missing required field: {key}", place)
        for key, below in value.items():
            if key in known:
                yield from known[key](below, f"{place}/{key}")
            elif key != "type":
                yield problem(f"invalid additional property: {key}", place)

    return check


def typed(shapes: Mapping[str, Check]) -> Check:
    """Accept an object whose `type` is one of these, and that has its shape."""

    def check(value: Any, place: str) -> Iterator[str]:
        kind = value.get("type") if isinstance(value, dict) else None
        if isinstance(kind, str) and kind in shapes:
            yield from shapes[kind](value, place)
        else:
            yield problem(f"unsupported type: {kind}", f"{place}/type")

    return check
