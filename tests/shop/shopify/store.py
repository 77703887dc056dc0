"""A store's books, as Shopify keeps them: orders, their money, keys for a day, and jobs that take a moment."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.shop.money import Money

Json = dict[str, Any]
JOB_SECONDS = 0.15
PROVIDER_SECONDS = 0.02
CONCURRENT = "This request is currently in progress, please try again."
MISMATCH = "The same idempotency key cannot be used with different operation parameters."
REFUSED = "refused"
STATUSES = {"succeeded": "SUCCESS", "pending": "PENDING", "failed": "FAILURE", REFUSED: REFUSED}


def bag(amount: Decimal, currency: str) -> Json:
    """Write an amount as Shopify does, with at least one decimal."""
    money = {"amount": f"{amount:f}" if "." in f"{amount:f}" else f"{amount:f}.0", "currencyCode": currency}
    return {"presentmentMoney": money, "shopMoney": money}


@dataclass(eq=False)
class Book:
    """One order with all of its money."""

    number: int
    name: str
    customer: Json | None
    currency: str
    created: str
    lines: list[Json]
    transactions: list[Json] = field(default_factory=list)
    refunds: list[Json] = field(default_factory=list)
    fulfillments: list[Json] = field(default_factory=list)
    returns: list[Json] = field(default_factory=list)
    address: Json = field(default_factory=dict)
    provider: str = "SUCCESS"
    refuses: set[str] = field(default_factory=set)
    """Payments whose provider takes no money back."""
    is_in_a_job: bool = False
    cancelled: str | None = None
    staff_note: str | None = None

    @property
    def id(self) -> str:
        """The global id."""
        return f"gid://shopify/Order/{self.number}"

    def gone(self, parent: str | None = None) -> Decimal:
        """Add up what went back or is about to, of one payment or of all."""
        back = (one for one in self.transactions if one["kind"] == "REFUND" and one["status"] != "FAILURE")
        return sum((one["value"] for one in back if parent in (None, one["parentTransaction"]["id"])), Decimal(0))

    def left(self, parent: str) -> Decimal:
        """Return what is left of one payment."""
        return next((one["value"] for one in self.payments if one["id"] == parent), Decimal(0)) - self.gone(parent)

    @property
    def payments(self) -> list[Json]:
        """What was paid."""
        return [one for one in self.transactions if one["kind"] == "SALE"]

    def returnable(self, fulfillment_line: str) -> int:
        """Return how many of a line in a parcel can be sent back still."""
        back: Iterator[int] = (
            line["quantity"]
            for one in self.returns
            for line in one["returnLineItems"]["nodes"]
            if one["status"] not in ("DECLINED", "CANCELED") and line["fulfillmentLineItem"]["id"] == fulfillment_line
        )
        return 1 - sum(back)

    def transact(self, kind: str, value: Decimal, status: str, parent: str | None = None) -> Json:
        """Book a payment, or money that goes back to one."""
        made = {
            "id": f"gid://shopify/OrderTransaction/{self.number}{len(self.transactions):04}",
            "kind": kind,
            "status": status,
            "gateway": "shopify_payments",
            "formattedGateway": "Shopify Payments",
            "value": value,
            "amountSet": bag(value, self.currency),
            "parentTransaction": {"id": parent} if parent else None,
        }
        self.transactions.append(made)
        return made

    def refund(self, parts: list[tuple[str, Decimal]], note: str | None) -> Json:
        """Give money back to payments, as far as the provider does."""
        made = [
            self.transact("REFUND", value, "FAILURE" if parent in self.refuses else self.provider, parent)
            for parent, value in parts
        ]
        went = sum((one["value"] for one in made if one["status"] != "FAILURE"), Decimal())
        refund = {
            "id": f"gid://shopify/Refund/{self.number}{len(self.refunds):04}",
            "note": note,
            "createdAt": datetime.now(UTC).isoformat(),
            "totalRefundedSet": bag(went, self.currency),
            "transactions": {"nodes": made},
        }
        self.refunds.append(refund)
        return refund


class Store:
    """All orders and customers of a store, and what it does when asked for changes."""

    def __init__(self) -> None:
        self.books: dict[str, Book] = {}
        self.customers: dict[str, Json] = {}
        self.addresses: dict[str, Json] = {}
        """Where customers live, by their ids."""
        self.products: list[Json] = []
        self.hides_emails = False
        self.scopes = {
            "read_orders",
            "write_orders",
            "read_customers",
            "read_returns",
            "write_returns",
            "read_products",
        }
        self.versions = {"2026-01", "2026-04", "2026-07", "2026-10"}
        self.prefix = "#"
        self.may_cancel = True
        self.job_seconds = JOB_SECONDS
        self.told_of_refunds: Json = {}
        """What is told of each refund that is made, in place of the refund."""
        self.numbers = itertools.count(1001)
        self._keys: dict[str, tuple[Json, Json | None]] = {}

    def buyer(self, email: str, *, confirmed: bool = True) -> Json:
        """Return the customer with this address, a new one the first time."""
        number = len(self.customers) + 1
        name = email.partition("@")[0].title()
        new = {"id": f"gid://shopify/Customer/{number}", "displayName": name, "verifiedEmail": confirmed}
        return self.customers.setdefault(email, new | {"email": email})

    def sell(self, email: str, prices: list[Money], paid: list[Money], *, title: str) -> Book:
        """Place an order of one of each line, paid with these payments."""
        number = next(self.numbers)
        currency = prices[0].currency
        created = (datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number)).isoformat()
        lines = [
            {
                "id": f"gid://shopify/LineItem/{number}{position:04}",
                "title": title if position == 0 else f"Thing {position}",
                "variantTitle": None,
                "quantity": 1,
                "refundableQuantity": 1,
                "variant": {"id": f"gid://shopify/ProductVariant/{position}"},
                "discountedUnitPriceAfterAllDiscountsSet": bag(price.major, currency),
            }
            for position, price in enumerate(prices)
        ]
        book = Book(number, f"{self.prefix}{number}", self.buyer(email), currency, created, lines)
        book.address = {"name": "Ana Lopez", "address1": "1 Main St", "city": "Springfield", "provinceCode": "IL"}
        book.address |= {"zip": "62701", "countryCodeV2": "US"}
        for payment in paid:
            book.transact("SALE", payment.major, "SUCCESS")
        self.books[book.id] = book
        return book

    def forget_keys(self) -> None:
        """Move the clock on by a day."""
        self._keys.clear()

    async def refund(self, sent: Json, key: str) -> Json:
        """Give money back once for a key; a repeat is answered from what is there now."""
        if key in self._keys:
            before, refund = self._keys[key]
            if before != sent:
                return _wrong(MISMATCH)
            return {"refund": refund, "userErrors": []} if refund else _wrong(CONCURRENT)
        self._keys[key] = (sent, None)
        await asyncio.sleep(PROVIDER_SECONDS)  # as long as a payment provider thinks
        book = self.books[sent["orderId"]]
        parts = [(one["parentId"], Decimal(one["amount"])) for one in sent["transactions"]]
        wanted = sum((value for _, value in parts), Decimal(0))
        left = sum((one["value"] for one in book.payments), Decimal(0)) - book.gone()
        if book.provider == REFUSED:
            del self._keys[key]
            return _wrong("This order cannot be refunded.")
        if wanted > left or any(value > book.left(parent) for parent, value in parts):
            del self._keys[key]
            return _wrong(f"Refund amount ${wanted} is greater than net payment received ${left}")
        assert all(value > 0 for _, value in parts)
        assert sent["currency"] == book.currency
        refund = book.refund(parts, sent["note"])
        self._keys[key] = (sent, refund)
        return {"refund": refund, "userErrors": []} | self.told_of_refunds

    def cancel(self, order_id: str, staff_note: str) -> Json:
        """Begin a job that cancels the order and gives back all that is left."""
        book = self.books[order_id]
        code = "INVALID" if self.may_cancel else "NO_REFUND_PERMISSION"
        if book.cancelled or book.fulfillments or book.is_in_a_job or not self.may_cancel:
            error = {"code": code, "message": "Cannot cancel an order that has already been canceled"}
            return {"job": None, "orderCancelUserErrors": [error]}
        book.is_in_a_job = True
        asyncio.get_running_loop().call_later(self.job_seconds, self._run, book, staff_note)
        return {"job": {"id": f"gid://shopify/Job/{book.number}"}, "orderCancelUserErrors": []}

    def send_back(self, sent: Json) -> Json:
        """Ask for a return, which the merchant has to agree to."""
        book = self.books[sent["orderId"]]
        parcels = {one["id"]: one for parcel in book.fulfillments for one in parcel["fulfillmentLineItems"]["nodes"]}
        for line in sent["returnLineItems"]:
            assert len(line["customerNote"]) <= 300
            if line["quantity"] > book.returnable(line["fulfillmentLineItemId"]):
                error = {"code": "INVALID", "field": None, "message": "Quantity is not available for return."}
                return {"return": None, "userErrors": [error]}
        lines = [
            {
                "__typename": "ReturnLineItem",
                "quantity": one["quantity"],
                "processedQuantity": 0,
                "customerNote": one["customerNote"],
                "fulfillmentLineItem": parcels[one["fulfillmentLineItemId"]],
            }
            for one in sent["returnLineItems"]
        ]
        made = {"id": f"gid://shopify/Return/{book.number}{len(book.returns)}", "status": "REQUESTED"}
        book.returns.append(made | {"returnLineItems": {"nodes": lines}})
        return {"return": made, "userErrors": []}

    @staticmethod
    def _run(book: Book, staff_note: str) -> None:
        if book.cancelled:
            return
        book.cancelled, book.staff_note = datetime.now(UTC).isoformat(), staff_note
        left = [(one["id"], book.left(one["id"])) for one in book.payments]
        book.refund([(parent, value) for parent, value in left if value], None)


def _wrong(words: str) -> Json:
    return {"refund": None, "userErrors": [{"field": None, "message": words}]}
