"""The kinds of arguments that tools share: how each is read from what a model writes, and what it may be."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from bot.shop.money import Money

MAX_WORDS_CHARACTERS = 500


def _order_id(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    value = value.strip().lstrip("#").upper()
    return f"ORD-{value}" if value.isdigit() else re.sub(r"^ORD[\s_-]*(?=\d)", "ORD-", value)


def _plausible(value: str) -> str:
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9-]{0,39}", value, re.ASCII):
        raise ValueError("an order number is letters, digits and hyphens, such as ORD-12345")
    return value


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
UsDollars = Annotated[
    Decimal,
    BeforeValidator(_dollars),
    AfterValidator(_payable),
    PlainSerializer(float, return_type=float),
    WithJsonSchema({"type": "number"}),
]
