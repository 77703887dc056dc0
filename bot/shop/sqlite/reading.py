"""How rows of the built-in shop become its values, and how an order is found however its number is written."""

import json
import re
from collections import Counter
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlite_utils import Database

from bot.shop.money import Money
from bot.shop.numbers import is_number
from bot.shop.orders import (
    Address,
    Customer,
    Order,
    OrderItem,
    OrderStatus,
    Parcel,
    PaymentMethod,
    Product,
    TrackingEvent,
    Variant,
)
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite.migrations import NUMBER_DIGITS, NUMBER_KEY

_WORDS_BEFORE = re.compile(r"^(?:(?:order|number|no|nr|id)\b[\s.:]{0,3}){1,3}(?=[^\s_/-])", re.IGNORECASE)
# A number in groups, as on paper: those after the first are digits, or a few capitals.
_IN_GROUPS = re.compile(r"#?[A-Za-z]{0,10}-?\d\w{0,20}(?:\s{1,3}(?:\d{1,12}|[A-Z]{1,3}\d{0,6})){1,5}", re.ASCII)
# What an order, or its number, is called where it stands without a gap before the number.
_CALLED = re.compile(
    r"^(?:order|bestell(?:ung|ing|nummer|nr)?|auftrag|commande|pedido|ordine|encomenda|zamowienie|siparis|number|nummer|numero"
    r"|no|nr)+(?=\d)"
)
_AROUND = " \t\r\n.,;:!?()[]<>\"'*`~\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
_MIN_WORD_CHARACTERS = 4


def order_number(text: str) -> str | None:
    """Return the number that the text is, without what people write around one; None for a word or a sentence."""
    number = _WORDS_BEFORE.sub("", text[:200].strip(_AROUND), count=1)
    number = re.sub(r"^#\s+", "#", number)
    number = re.sub(r"^([A-Za-z]{1,10})\s+(?=\d)", r"\1-", number)
    if _IN_GROUPS.fullmatch(number):
        number = re.sub(r"\s+", "-", number)
    return number if is_number(number) else None


def read_order(db: Database, number: str) -> Order | None:
    """Read the order with this number, unless its customer is deleted."""
    rows = list(
        db.query(
            """SELECT orders.*, customers.name, customers.email,
                      (SELECT coalesce(sum(amount_minor), 0) FROM refunds WHERE order_id = orders.id) AS refunded_minor,
                      EXISTS (SELECT 1 FROM effects WHERE order_id = orders.id AND kind = 'change_items') AS changed
               FROM orders JOIN customers ON customers.id = customer_id
               WHERE orders.id = ? AND customers.deleted_at IS NULL""",
            [_find(db, number)],
        )
    )
    if not rows:
        return None
    row = rows[0]
    currency = row["currency"]
    return Order(
        id=row["id"],
        customer=Customer(row["customer_id"], row["name"], row["email"]),
        status=OrderStatus(row["status"]),
        items=_items(db, row["id"], currency),
        total=Money(row["total_minor"], currency),
        refunded=Money(row["refunded_minor"], currency),
        payment_method=" and ".join(_paid_with(db, row["id"])),
        placed_at=datetime.fromisoformat(row["placed_at"]),
        expected_on=date.fromisoformat(row["expected_on"]) if row["expected_on"] else None,
        delivered_at=datetime.fromisoformat(row["delivered_at"]) if row["delivered_at"] else None,
        carrier=row["carrier"],
        tracking_number=row["tracking_number"],
        tracking_url=row["tracking_url"],
        tracking=tuple(
            TrackingEvent(datetime.fromisoformat(event["at"]), event["place"], event["text"])
            for event in db.query("SELECT * FROM tracking_events WHERE order_id = ? ORDER BY at", [row["id"]])
        ),
        parcels=_parcels(db, row["id"]),
        address=read_address(row["address"]),
        payment_method_id=row["payment_method_id"],
        changed=bool(row["changed"]),
    )


def present_method(db: Database, order_id: str) -> PaymentMethod:
    """Return what the order is paid with, also when that is none of the customer's methods any more."""
    ((label, method_id, customer_id),) = db.execute(
        "SELECT payment_method, payment_method_id, customer_id FROM orders WHERE id = ?", [order_id]
    ).fetchall()
    methods = read_payment_methods(db, customer_id)
    known = next((one for one in methods if (one.id, one.label) == (method_id, label)), None)
    return known or PaymentMethod("", label)


def came_from(db: Database, order_id: str) -> dict[PaymentMethod, int]:
    """Return what of the order's money came from which way of paying and is still there, the present one first.

    What it was paid with at first is the present one, unless money has moved by that since.
    """
    present = present_method(db, order_id)
    (customer_id,) = db.execute("SELECT customer_id FROM orders WHERE id = ?", [order_id]).fetchone()
    methods = read_payment_methods(db, customer_id)
    moved = []
    for method_id, label, minor, key in db.execute(
        """SELECT method_id, method, amount_minor, idempotency_key
           FROM payments LEFT JOIN effects USING (idempotency_key)
           WHERE payments.order_id = ? AND coalesce(effects.status, '') != 'failed' ORDER BY payments.rowid""",
        [order_id],
    ).fetchall():
        alike = [one for one in methods if one.id == method_id] or [one for one in methods if one.label == label]
        moved.append((alike[0] if len(alike) == 1 else PaymentMethod("", label), minor, key))
    is_known = any(method == present for method, _, _ in moved)
    left = {present: 0}
    for method, minor, key in moved:
        by = method if is_known or key else present
        left[by] = left.get(by, 0) + minor
    return left


def _paid_with(db: Database, order_id: str) -> list[str]:
    """Name the ways of paying in which the order's money is, the present one first."""
    present, *others = came_from(db, order_id).items()
    return [present[0].label, *(method.label for method, minor in others if minor > 0)]


def order_of(db: Database, number: str) -> Order:
    """Read an order that must be there. Raises ShopRefusedError."""
    if (order := read_order(db, number)) is None:
        raise ShopRefusedError(f"There is no order {number}.")
    return order


def _find(db: Database, number: str) -> str | None:
    """Find the order's number in the shop's spelling: as it is, else the only one that differs in signs or letters."""
    if db.execute("SELECT 1 FROM orders WHERE id = ?", [number]).fetchone():
        return number
    key = re.sub(r"[#\-_ ]", "", number).lower()
    alone = _CALLED.sub("", key)
    for column, wanted in ((NUMBER_KEY, key), (NUMBER_DIGITS, key), (NUMBER_KEY, alone), (NUMBER_DIGITS, alone)):
        found = db.execute(f"SELECT id FROM orders WHERE {column} = ? LIMIT 2", [wanted]).fetchall()  # noqa: S608 - ours
        if len(found) == 1 and wanted:
            (only,) = found
            return str(only[0])
    return None


def _items(db: Database, order_id: str, currency: str) -> tuple[OrderItem, ...]:
    rows = db.query(
        """SELECT order_items.*, returns.kind AS return_kind, received_at FROM order_items
           LEFT JOIN returns ON returns.order_id = order_items.order_id AND line = position + 1
           WHERE order_items.order_id = ? ORDER BY position""",
        [order_id],
    )
    return tuple(
        OrderItem(
            row["name"],
            row["quantity"],
            Money(row["unit_price_minor"], currency),
            row["options"],
            row["variant_id"],
            row["return_kind"],
            row["received_at"] is not None,
        )
        for row in rows
    )


def _parcels(db: Database, order_id: str) -> tuple[Parcel, ...]:
    rows = db.query("SELECT * FROM parcels WHERE order_id = ? ORDER BY number", [order_id])
    return tuple(
        Parcel(
            row["carrier"], row["tracking_number"], row["tracking_url"], row["status"], tuple(json.loads(row["lines"]))
        )
        for row in rows
    )


def read_customer(db: Database, column: str, value: str) -> Customer | None:
    """Read the customer of whom a column has this value, unless they are deleted."""
    sql = f"SELECT id, name, email FROM customers WHERE {column} = ? AND deleted_at IS NULL"  # noqa: S608 - ours
    return next((Customer(**row) for row in db.query(sql, [value])), None)


def read_payment_methods(db: Database, customer_id: str) -> tuple[PaymentMethod, ...]:
    """Read what a customer can pay with."""
    rows = db.query("SELECT * FROM payment_methods WHERE customer_id = ? ORDER BY id", [customer_id])
    return tuple(
        PaymentMethod(
            row["id"],
            row["label"],
            None if row["balance_minor"] is None else Money(row["balance_minor"], row["currency"]),
        )
        for row in rows
    )


def read_products(db: Database, query: str, most: int) -> list[Product]:
    """Read the products whose names have all words of the query, or else as many of its longer words as any has."""
    words = query.lower().split()[:8]
    longer = [word.removesuffix("s") for word in words if len(word) >= _MIN_WORD_CHARACTERS]
    for wanted, least in ((words, len(words)), (longer, 1)):
        hits = " + ".join("(instr(lower(name), ?) > 0)" for _ in wanted) or "0"
        rows = list(
            db.query(
                f"""SELECT *, {hits} AS hits FROM products WHERE hits >= ?
                    ORDER BY hits DESC, name LIMIT ?""",  # noqa: S608 - nothing but question marks
                [*wanted, max(least, 1), most],
            )
        )
        best = [row for row in rows if row["hits"] == rows[0]["hits"]]
        if best:
            return [Product(row["id"], row["name"], read_variants(db, row["id"])) for row in best]
    return []


def read_variants(db: Database, product_id: str) -> tuple[Variant, ...]:
    """Read all that a product can be chosen as."""
    rows = db.query("SELECT * FROM variants WHERE product_id = ? ORDER BY id", [product_id])
    return tuple(
        Variant(row["id"], row["options"], Money(row["price_minor"], row["currency"]), row["stock"]) for row in rows
    )


def read_address(text: str | None) -> Address | None:
    """Read an address from its column."""
    return Address(**json.loads(text)) if text else None


def written_address(address: Address) -> str:
    """Write an address for its column."""
    return json.dumps(asdict(address), ensure_ascii=False)


def effect_with(db: Database, key: str) -> dict[str, Any] | None:
    """Read what was done under a key."""
    return next(iter(db.query("SELECT * FROM effects WHERE idempotency_key = ?", [key])), None)


def left_by_line(db: Database, order: Order) -> dict[int, int]:
    """Return what of each line's price has not gone back for this very line."""
    given = Counter[str]()
    for (lines,) in db.execute(
        "SELECT lines FROM effects WHERE order_id = ? AND status != 'failed'", [order.id]
    ).fetchall():
        given.update(json.loads(lines))
    return {number: item.price.minor - given[str(number)] for number, item in enumerate(order.items, 1)}
