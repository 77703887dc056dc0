"""The kinds of arguments that tools share: how each is read from what a model writes, and what it may be."""

import re
import unicodedata
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema

from bot.shop.money import Money

MAX_WORDS_CHARACTERS = 500
EXACT = "exact"
"""The validation context in which an order number is the shop's own, and not one that a person or a model wrote."""

_TOKEN = re.compile(r"#?[A-Za-z0-9][A-Za-z0-9_-]*")
_DASHES = re.compile(r"[\u2010-\u2015\u2043\u207b\u208b\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d]|[\u30fc\u4e00](?=\d)")


def as_typed_plainly(text: str) -> str:
    """Return text with what phones make of plain characters undone: any dash, digit and width, and nothing unseen."""
    compatible = unicodedata.normalize("NFKC", text.replace("\N{NUMERO SIGN}", "no. "))
    seen = "".join(one for one in compatible if unicodedata.category(one) not in ("Cf", "Mn"))
    digits = "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in seen)
    return _DASHES.sub("-", digits)


def order_spellings(order_id: str) -> tuple[str, ...]:
    """Return how a shop may write the number that somebody means: as it is, and with what people leave out or add."""
    bare = re.sub(r"^(?:ORD-?|#)", "", order_id.upper())
    others = (f"ORD-{bare}", bare, f"#{bare}") if bare.isdigit() else (order_id.upper(), order_id.lower())
    return tuple(dict.fromkeys((order_id, *others)))


def _order_id(value: Any, info: ValidationInfo) -> Any:
    if info.context == EXACT:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return value
    plain = re.sub(r"\s*-\s*", "-", as_typed_plainly(value[:MAX_WORDS_CHARACTERS])).upper()
    if prefixed := re.fullmatch(r"\W*ORD[\W_]{0,3}(\d+)\W*", plain, re.ASCII):
        return f"ORD-{prefixed[1]}"
    numbers = [token for token in _TOKEN.findall(plain) if re.search(r"\d", token)]
    if len(numbers) != 1:
        return plain.strip()
    number = numbers[0].strip("-#")
    return f"ORD-{number}" if number.isdigit() else number


def _plausible(value: str, info: ValidationInfo) -> str:
    if info.context != EXACT and not re.fullmatch(r"[A-Z0-9][A-Z0-9_-]{0,39}", value, re.ASCII):
        raise ValueError("an order number is letters, digits and hyphens, such as ORD-12345")
    return value


def _address(value: Any) -> Any:
    """Take an e-mail address out of what Slack and mail programs wrap around it."""
    if not isinstance(value, str):
        return value
    plain = value[:MAX_WORDS_CHARACTERS]
    found = re.findall(r"[^\s<>|:,;()\[\]\"`\u201c\u201d\u201e]+@[^\s<>|:,;()\[\]\"'`\u2019\u201c\u201d]+", plain)
    addresses = dict.fromkeys(one.rstrip(".").lower() for one in found)
    return found[0].rstrip(".") if len(addresses) == 1 else plain.strip()


def _dollars(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("an amount is a number in US dollars, such as 42.00")  # noqa: TRY004 - pydantic wants it
    return value


def _payable(value: Decimal) -> Decimal:
    if not value.is_finite() or not 0 < value <= 10**12:
        raise ValueError("an amount is more than zero")
    if value < Decimal("0.01"):  # before any arithmetic, which an exponent of a billion would keep busy for hours
        raise ValueError("an amount is at least 0.01; it has no more than two decimals")
    Money.from_major(value)
    return value


def _line(value: str) -> str:
    # Strict mode knows no lengths, so what is too long is cut and not refused.
    return " ".join(value.replace("\0", "").split())[:MAX_WORDS_CHARACTERS]


Words = Annotated[str, AfterValidator(_line)]
OrderId = Annotated[str, BeforeValidator(_order_id), AfterValidator(_plausible)]
EmailAddress = Annotated[str, BeforeValidator(_address)]
UsDollars = Annotated[
    Decimal,
    BeforeValidator(_dollars),
    AfterValidator(_payable),
    PlainSerializer(float, return_type=float),
    WithJsonSchema({"type": "number"}),
]
