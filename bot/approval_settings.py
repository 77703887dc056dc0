"""Who has to agree to how much, and amounts of money as settings name them."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode

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


Amount = Annotated[Limit, NoDecode, BeforeValidator(read_limit)]


class ApprovalFields(BaseSettings):
    """The part of the settings that says who has to agree to what."""

    customer_may_confirm: Amount = Field(
        Limit(Decimal(0)),
        validation_alias="BOT_CUSTOMER_MAY_CONFIRM",
        description="Money (`250`, in US dollars, or `250 EUR`) that may come back to one customer within 24 hours on "
        "their own clicks; more needs an approver after them.",
    )
    address_change_limit: Amount = Field(
        Limit(Decimal(200)),
        validation_alias="BOT_ADDRESS_CHANGE_LIMIT",
        description="Money of an order above which an approver has to agree to another address of it.",
    )
    second_approver_over: Amount | None = Field(
        None,
        validation_alias="BOT_SECOND_APPROVER_OVER",
        description="Money above which two different people have to approve that it comes back; in another currency "
        "than this one's they always have to.",
    )
    refunds_per_day: Amount | None = Field(
        None,
        validation_alias="BOT_REFUNDS_PER_DAY",
        description="Money that may come back to one person within 24 hours, asked for or agreed to, before all that "
        "is theirs needs two approvers.",
    )
    approval_policy: str | None = Field(
        None,
        validation_alias="BOT_APPROVAL_POLICY",
        description="A function of your own (`package.module:function`) that wants more approval, or refuses.",
    )
