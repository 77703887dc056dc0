"""An amount of money that a setting names as a limit, in its currency."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_WRITTEN = re.compile(r"(?P<amount>\d+(?:\.\d+)?)(?: ?(?P<currency>[A-Za-z]{3}))?")


@dataclass(frozen=True, slots=True)
class Limit:
    """An amount up to which something is done. Money in another currency is above it, for nobody can tell."""

    amount: Decimal
    currency: str = "USD"

    def is_exceeded_by(self, amount: Decimal, currency: str) -> bool:
        """Return whether this is more; nothing is more than no limit, in whatever currency."""
        return amount > 0 and (currency != self.currency or amount > self.amount)

    def __str__(self) -> str:
        return f"{self.amount}" if self.currency == "USD" else f"{self.amount} {self.currency}"


def read_limit(value: Any) -> Any:
    """Read `250` as US dollars and `250 EUR` as euros; what is a limit already stays one. Raises ValueError."""
    if isinstance(value, Limit) or value is None:
        return value
    written = _WRITTEN.fullmatch(str(value).strip())
    if written is None:
        raise ValueError(f"“{value}” is no amount such as 250 (in US dollars) or 250 EUR")
    return Limit(Decimal(written["amount"]), (written["currency"] or "USD").upper())
