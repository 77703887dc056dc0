"""What may be the number of an order, at shops that number their orders in any way."""

import re

_NUMBER = re.compile(r"#?[A-Z0-9](?:[A-Z0-9#_./-]{0,61}[A-Z0-9])?", re.IGNORECASE | re.ASCII)
_MIN_CAPITALS = 6


def is_number(text: str) -> bool:
    """Return whether a text may be the number of an order and is no word or sentence.

    A number has a digit, or else looks like no word: a capital behind a hyphen (gid-AbC), or nothing but capitals.
    """
    if not _NUMBER.fullmatch(text):
        return False
    if text.removeprefix("#").isalpha():
        return text.isupper() and len(text) >= _MIN_CAPITALS
    return bool(re.search(r"\d|[_./-]\w*[A-Z]", text))
