"""The kinds of arguments that tools share: how each is read from what a model writes, and what it may be."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from bot.shop.money import Money

MAX_WORDS_CHARACTERS = 500
MAX_ORDER_NUMBER_CHARACTERS = 64
MAX_LINES = 1_000


def _order_id(value: str) -> str:
    number = " ".join(value.split())
    if not re.fullmatch(rf"#?\s?\w[\w#./ -]{{0,{MAX_ORDER_NUMBER_CHARACTERS - 1}}}", number):
        raise ValueError("an order number is letters and digits, with # - / or . at most, as in the confirmation")
    return number


def _line_number(value: int) -> int:
    if not 1 <= value <= MAX_LINES:
        raise ValueError("a line is a number from 1 on, as get_order_status has it")
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
OrderId = Annotated[
    str, AfterValidator(_order_id), Field(description="The order number, as the customer or the shop wrote it.")
]
Lines = tuple[Annotated[int, AfterValidator(_line_number)], ...]
UsDollars = Annotated[
    Decimal,
    BeforeValidator(_dollars),
    AfterValidator(_payable),
    PlainSerializer(float, return_type=float),
    WithJsonSchema({"type": "number"}),
]
