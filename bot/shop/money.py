"""What money is here: integer minor units with a currency, whose exponent says how many of them make one."""

import re
from dataclasses import dataclass
from decimal import Decimal

from bot.currencies import exponent

_WRITTEN = re.compile(
    r"-?[$\u20ac\u00a3]\d(?:[\d,.]*\d)?|(?<![\w-])\d(?:[\d,.]*\d)? [A-Z]{3}\b(?!-)"
    r"|(?<![\w.-])\d[\d,]*\.\d{2,3}(?![\w.])"
)


def without_amounts(text: str) -> str:
    """Return the text with no amount of money in it, as far as it is written as money is here."""
    return _WRITTEN.sub("an amount", text)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units (cents), compared and added only within its currency."""

    minor: int
    currency: str = "USD"

    @classmethod
    def from_major(cls, amount: Decimal, currency: str = "USD") -> "Money":
        """Convert dollars to cents, exactly. Raises ValueError when there is a fraction of a minor unit."""
        numerator, denominator = amount.as_integer_ratio()
        minor, fraction = divmod(numerator * 10 ** exponent(currency), denominator)
        if fraction:
            most = {0: "decimals, and {} has none", 2: "more than two decimals", 3: "more than three decimals"}
            raise ValueError(f"{amount} has {most[exponent(currency)].format(currency)}")
        return cls(minor, currency)

    @property
    def major(self) -> Decimal:
        """The amount in dollars, exact to the cent."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same_currency(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same_currency(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.minor * quantity, self.currency)

    def __str__(self) -> str:
        sign = "-" if self.minor < 0 else ""
        decimals = exponent(self.currency)
        whole, part = divmod(abs(self.minor), 10**decimals)
        amount = f"{whole:,}.{part:0{decimals}}" if decimals else f"{whole:,}"
        return f"{sign}${amount}" if self.currency == "USD" else f"{sign}{amount} {self.currency}"

    def _same_currency(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"{other.currency} and {self.currency} do not add up")
        return other.minor
