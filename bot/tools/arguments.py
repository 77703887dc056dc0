"""The kinds of arguments that tools share: how each is read from what a model writes, and what it may be."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from bot.blocks.text import bare
from bot.shop.money import Money
from bot.shop.orders import Address

MAX_WORDS_CHARACTERS = 500
MAX_ORDER_NUMBER_CHARACTERS = 64
MAX_LINES = 1_000
MAX_CODE_CHARACTERS = 80


def _order_id(value: str) -> str:
    number = " ".join(value.split())
    if not re.fullmatch(rf"#?\s?\w[\w#./ -]{{0,{MAX_ORDER_NUMBER_CHARACTERS - 1}}}", number):
        raise ValueError("an order number is letters and digits, with # - / or . at most, as in the confirmation")
    return number


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a line is a number")  # noqa: TRY004 - pydantic wants it
    return value


def _line_number(value: int) -> int:
    if not 1 <= value <= MAX_LINES:
        raise ValueError("a line is a number from 1 on, as get_order_status has it")
    return value


def _code(value: str) -> str:
    words = " ".join(value.split())
    if not words or len(words) > MAX_CODE_CHARACTERS or not words.isprintable():
        raise ValueError(f"a name or an id has 1 to {MAX_CODE_CHARACTERS} characters")
    return words


def _part(most: int, *, blank: bool = False) -> Callable[[str], str]:
    def check(value: str) -> str:
        part = " ".join(value.split())
        if not part and not blank:
            raise ValueError("an address has a recipient, a street and a town")
        if len(part) > most:  # never cut: the parcel would go to somewhere else
            raise ValueError(f"a part of the address has more than {most} characters")
        if bare(part) != part or re.search(r"[*_~`<>|{}\[\]\\^$]", part):
            raise ValueError("an address is letters and digits, with , . ' - / # & and brackets at most")
        return part

    return check


def _country(value: str) -> str:
    code = value.strip().upper()
    if not re.fullmatch(r"[A-Z]{2}", code):
        raise ValueError("a country is its code of two letters, such as US or DE")
    return code


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
OrderId = Annotated[str, AfterValidator(_order_id), Field(description="As the customer or the shop wrote it.")]
LineNumber = Annotated[int, BeforeValidator(_no_truth), AfterValidator(_line_number)]
Lines = tuple[LineNumber, ...]
UsDollars = Annotated[
    Decimal,
    BeforeValidator(_dollars),
    AfterValidator(_payable),
    PlainSerializer(float, return_type=float),
    WithJsonSchema({"type": "number"}),
]


class Swap(BaseModel):
    """A line, and the variant that comes in its place."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    line: LineNumber
    variant: Annotated[str, AfterValidator(_code)]


class PostalAddress(BaseModel):
    """Where parcels go. What a card could not show as it is, is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    recipient: Annotated[str, AfterValidator(_part(60))]
    street: Annotated[str, AfterValidator(_part(100))]
    city: Annotated[str, AfterValidator(_part(60))]
    region: Annotated[str, AfterValidator(_part(40, blank=True))]
    postcode: Annotated[str, AfterValidator(_part(16, blank=True))]
    country: Annotated[str, AfterValidator(_country)]

    @property
    def address(self) -> Address:
        """The address as the shop has it."""
        return Address(self.recipient, self.street, self.city, self.region, self.postcode, self.country)


Swaps = tuple[Swap, ...]
PayWith = Annotated[
    str, AfterValidator(_code), Field(description="`original`, or the customer's payment method as they call it.")
]
