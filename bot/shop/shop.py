"""What the bot asks of any shop: what it tells, and one path for every change."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import isnan
from typing import Protocol, runtime_checkable

from bot.shop.changes import Applied, Change, Quote
from bot.shop.money import Money
from bot.shop.orders import Customer, Order, Product, Profile

MAX_WAIT_SECONDS = 3_600.0
CHECK_SECONDS = 20


class ShopRefusedError(Exception):
    """The shop will not do this; nothing has moved. The sentence is for the customer, the hint for who asked."""

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.hint = hint


class ShopUnavailableError(Exception):
    """The shop cannot be asked right now; nothing was begun. It may be again after so many seconds.

    Whatever a shop says, that is no less than none and no more than an hour.
    """

    def __init__(self, sentence: str, retry_after: float = 0.0) -> None:
        super().__init__(sentence)
        self.retry_after = 0.0 if isnan(retry_after) else min(max(0.0, retry_after), MAX_WAIT_SECONDS)


class ShopCheckError(Exception):
    """The shop is not as the bot needs it; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Safe:
    """A repeat under the key does nothing twice, until the shop forgets the key; never, without a lifetime."""

    key_lifetime: timedelta | None = None


@dataclass(frozen=True, slots=True)
class LookFirst:
    """The shop knows no keys: what was begun is only looked for, and is there after so long if it ever will be."""

    settles_after: timedelta


class Reading(StrEnum):
    """What a shop may tell beside orders and customers."""

    PROFILE = "profile"
    PRODUCTS = "products"


class Shop(Protocol):
    """What the bot asks of a shop.

    Every method raises ShopUnavailableError when nothing was begun. `quote` and `apply` raise ShopRefusedError when
    nothing has moved and nothing will; any other error of `apply` means that its outcome is unknown.
    """

    @property
    def replay(self) -> Safe | LookFirst:
        """How a repeat is safe."""

    @property
    def changes(self) -> Collection[type[Change]]:
        """The changes that the shop can make; only they are offered."""

    @property
    def reads(self) -> Collection[Reading]:
        """What the shop tells beside orders and customers; only that is offered."""

    async def check(self) -> None:
        """Ask for all that the bot needs of the shop.

        Raises ShopCheckError with what to do when time does not mend it.
        """

    def order_number(self, text: str) -> str | None:
        """Return the order number that the text is, in the shop's own spelling as far as that shows; None for none."""

    async def order(self, number: str) -> Order | None:
        """Return the order with this number, anybody's."""

    async def customer(self, email: str) -> Customer | None:
        """Find the customer with this e-mail address, in any case of letters."""

    async def orders(self, customer: Customer, *, most: int) -> list[Order]:
        """List a customer's orders, the latest first."""

    async def profile(self, customer: Customer) -> Profile:
        """Return the customer's address and payment methods."""

    async def products(self, query: str, *, most: int) -> Sequence[Product]:
        """Find products by words of their names."""

    async def quote(self, change: Change) -> Quote:
        """Say what the change would do now. Raises ShopRefusedError with the sentence for the customer."""

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Make the change if it still is what the quote says, once for a key: a repeat returns what the first did.

        Raises ShopRefusedError when it is not, or when the key has been used for something else.
        """

    async def applied(self, change: Change, key: str) -> Applied | None:
        """Return the outcome of an earlier apply, whatever became of the rest of the world; None if none was."""

    async def erase_due(self) -> None:
        """Erase the customers whose days to come back are over; asked for again and again."""


@runtime_checkable
class TellsRefunds(Protocol):
    """What a shop tells besides, if it knows what went back, and when."""

    async def refunds_of(self, customer: Customer, *, since: datetime) -> list[Money]:
        """List each refund that a customer has had since a time, no matter who made it."""
