"""What money is here: integer minor units with a currency."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units (cents), compared and added only within its currency."""

    minor: int
    currency: str = "USD"

    @classmethod
    def from_major(cls, amount: Decimal, currency: str = "USD") -> "Money":
        """Convert dollars to cents. Raises ValueError when there is a fraction of a cent."""
        numerator, denominator = amount.as_integer_ratio()
        minor, fraction = divmod(numerator * 100, denominator)
        if fraction:
            raise ValueError(f"{amount} has more than two decimals")
        return cls(minor, currency)

    @property
    def major(self) -> Decimal:
        """The amount in dollars, exact to the cent."""
        return Decimal(self.minor) / 100

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same_currency(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same_currency(other), self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.minor * quantity, self.currency)

    def __str__(self) -> str:
        sign = "-" if self.minor < 0 else ""
        amount = f"{sign}{abs(self.minor) // 100:,}.{abs(self.minor) % 100:02}"
        return f"{sign}${amount.removeprefix('-')}" if self.currency == "USD" else f"{amount} {self.currency}"

    def _same_currency(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise ValueError(f"{other.currency} and {self.currency} do not add up")
        return other.minor
