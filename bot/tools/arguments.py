"""The kinds of arguments that tools share: how each is read from what a model writes, and what it may be."""

import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from bot.blocks.text import bare
from bot.look_alikes import LOOK_ALIKES
from bot.shop.money import Money
from bot.shop.orders import Address

MAX_WORDS_CHARACTERS = 500
MAX_ORDER_NUMBER_CHARACTERS = 64
MAX_LINES = 1_000
MAX_CODE_CHARACTERS = 80
_DASHES = re.compile(r"[\u2010-\u2015\u2043\u207b\u208b\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d]|[\u30fc\u4e00](?=\d)")
# Gaps, commas or apostrophes between thousands; 101 234 may be two numbers.
_THOUSANDS = re.compile(r"(?<![\d.,'])\d{1,2}(?:(?:[ '\u2019]\d{3})+|(?:,\d{3})+)(?![\d,']|[ ]\d)")
_QUOTES = " \t\r\n.,;:!?<>()[]{}*`~\"'\u00b4\u00ab\u00bb\u2018-\u201f\u2039\u203a"
_WITH_LETTERS = re.compile(r"#?\s?(?:[A-Z]{1,10}[\s-]?)?[A-Z0-9][\w#./-]*", re.IGNORECASE | re.ASCII)
_TOKEN = re.compile(r"#?[A-Za-z0-9][A-Za-z0-9#_./-]*")


def as_typed_plainly(text: str) -> str:
    """Return text with what phones make of plain characters undone: any dash, digit and width, and nothing unseen."""
    compatible = unicodedata.normalize("NFKC", text.replace("\N{NUMERO SIGN}", "no. "))
    seen = "".join(one for one in compatible if unicodedata.category(one) not in ("Cf", "Mn", "Me"))
    digits = "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in seen)
    return _DASHES.sub("-", digits)


def _plain_number(text: str) -> str:
    """Return a number as it is typed without letters that only look so, and without gaps between its thousands."""
    bare_letters = "".join(one for one in unicodedata.normalize("NFD", text) if unicodedata.category(one) != "Mn")
    latin = bare_letters.translate(LOOK_ALIKES)
    plain = latin if latin.isascii() else text
    return _THOUSANDS.sub(lambda found: re.sub(r"\D", "", found[0]), plain)


def _as_written(value: Any) -> Any:
    """Take an order's number out of what a phone, a person or a model puts around it; the shop says what is one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return value
    typed = _plain_number(as_typed_plainly(value[:MAX_WORDS_CHARACTERS]))
    plain = re.sub(r"\s*-[-\s]*", "-", typed).strip(_QUOTES).rstrip("#")
    numbers = [token for token in _TOKEN.findall(plain) if re.search(r"\d", token)]
    if _WITH_LETTERS.fullmatch(plain) or len(numbers) != 1:
        return plain
    return numbers[0].rstrip("./-_#")


def _order_id(value: str) -> str:
    number = " ".join(value.split())
    if not re.fullmatch(rf"#?\s?\w[\w#./ -]{{0,{MAX_ORDER_NUMBER_CHARACTERS - 1}}}", number):
        raise ValueError("an order number is letters and digits, with # - / or . at most, as in the confirmation")
    return number


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a line is a number")  # noqa: TRY004 - pydantic wants it
    return value


def _several(value: Any) -> Any:
    """Take one line for a list of it; a model may write either as text."""
    if isinstance(value, str) and re.fullmatch(r"[\[\d, \]]{1,100}", value, re.ASCII):
        return re.findall(r"\d+", value)
    return [value] if isinstance(value, int) and not isinstance(value, bool) else value


def _line_number(value: int) -> int:
    if not 1 <= value <= MAX_LINES:
        raise ValueError("a line is a number from 1 on, as get_order_status has it")
    return value


def _address(value: Any) -> Any:
    """Take an e-mail address out of what Slack and mail programs wrap around it."""
    if not isinstance(value, str):
        return value
    plain = value[:MAX_WORDS_CHARACTERS]
    found = re.findall(r"[^\s<>|:,;()\[\]\"`\u201c\u201d\u201e]+@[^\s<>|:,;()\[\]\"'`\u2019\u201c\u201d]+", plain)
    addresses = dict.fromkeys(one.rstrip(".").lower() for one in found)
    return found[0].rstrip(".") if len(addresses) == 1 else plain.strip()


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
    if isinstance(value, str) and re.fullmatch(r"\d{1,12}(\.\d{1,2})?", value, re.ASCII):
        return Decimal(value)  # of a model that writes every argument as text
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
    str,
    BeforeValidator(_as_written),
    AfterValidator(_order_id),
    Field(description="As it was written."),
]
EmailAddress = Annotated[str, BeforeValidator(_address)]
LineNumber = Annotated[int, BeforeValidator(_no_truth), AfterValidator(_line_number)]
Lines = Annotated[tuple[LineNumber, ...], BeforeValidator(_several)]
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
