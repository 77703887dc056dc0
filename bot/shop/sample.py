"""The orders of the demo's shop: three customers, every state an order can be in, dates that fit today."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlite_utils import Database

from bot import clock
from bot.shop.catalogue import ADDRESSES, METHODS, PRODUCTS
from bot.shop.sqlite.reading import written_address
from bot.store.sqlite.database import DatabaseThread

CUSTOMERS = {
    "ana@example.com": "Ana Ruiz",
    "ben@example.com": "Ben Okafor",
    "chloe@example.com": "Chloe Martin",
}


class Sample(NamedTuple):
    """One order: `days` since it was placed, `due` in how many days it is expected, prices in cents."""

    email: str
    id: str
    status: str
    days: int
    due: int | None
    paid_with: str
    items: tuple[tuple[str, int, int], ...]
    carrier: tuple[str, str, str] | None = None
    scans: tuple[tuple[float, str, str], ...] = ()
    refunded: int = 0
    reason: str = "defective"
    parcels: tuple[tuple[str, str, str, str, tuple[int, ...]], ...] = ()
    """Of several: carrier, tracking number and address, how far it is, and its lines."""
    exchanging: int | None = None
    """The line that is being exchanged."""


_VARIANT_SOLD_AS = {one.sold_as: one.id for variants in PRODUCTS.values() for one in variants if one.sold_as}
UPS = ("UPS", "1Z999AA10123456784", "https://www.ups.com/track?tracknum=1Z999AA10123456784")
DHL = ("DHL", "JD014600006281230704", "https://www.dhl.com/en/express/tracking.html?AWB=JD014600006281230704")
USPS = ("USPS", "9400111202555842332669", "https://tools.usps.com/go/TrackConfirmAction?tLabels=9400111202555842332669")

ORDERS = (
    Sample(
        "ana@example.com", "ORD-10234", "shipped", 4, 3, "Visa ending 4242",
        (("Stoneware mug, slate blue", 2, 1800), ("Linen tea towels, set of 4", 1, 4800)), UPS,
        ((2.6, "Portland, OR", "Picked up"), (1.9, "Portland, OR", "Left the sorting centre"),
         (0.6, "Boise, ID", "Arrived at the sorting centre")),
    ),
    Sample(
        "ana@example.com", "ORD-10235", "out_for_delivery", 5, 0, "Visa ending 4242",
        (("Walnut serving board", 1, 5600),), DHL,
        ((3.1, "Oakland, CA", "Picked up"), (1.2, "Reno, NV", "In transit"), (0.2, "Salt Lake City, UT", "On the van")),
    ),
    Sample(
        "ana@example.com", "ORD-10188", "delivered", 16, -9, "Visa ending 4242",
        (("Cast-iron teapot, 0.8 l", 1, 4200),), UPS,
        ((13.0, "Seattle, WA", "Picked up"), (9.3, "Salt Lake City, UT", "Delivered, left at the front door")),
    ),
    Sample("ana@example.com", "ORD-10251", "paid", 0, 6, "PayPal ana@…", (("Beeswax candles, pair", 3, 1450),)),
    Sample(
        "ana@example.com", "ORD-10142", "delivered", 41, -35, "Visa ending 4242",
        (("Wool throw, moss", 1, 8900), ("Cushion cover, moss", 2, 2450)), USPS,
        ((38.0, "Austin, TX", "Picked up"), (35.1, "Salt Lake City, UT", "Delivered to the mailbox")), 2450,
    ),
    Sample(
        "ben@example.com", "ORD-10240", "packed", 2, 4, "Mastercard ending 5454",
        (("Pour-over coffee dripper", 1, 2900), ("Paper filters, 100", 2, 850)),
    ),
    Sample(
        "ben@example.com", "ORD-10229", "delayed", 11, 2, "Mastercard ending 5454",
        (("Standing desk mat", 1, 7900),), DHL,
        ((9.0, "Newark, NJ", "Picked up"), (6.4, "Columbus, OH", "Held: storm on the route"),
         (1.0, "Columbus, OH", "Released")),
    ),
    Sample(
        "ben@example.com", "ORD-10176", "delivered", 19, -12, "Mastercard ending 5454",
        (("Desk lamp, brass", 1, 12950), ("Spare bulb, E27", 2, 625)), UPS,
        ((16.2, "Chicago, IL", "Picked up"), (12.2, "Denver, CO", "Delivered, signed for by OKAFOR")),
    ),
    Sample(
        "ben@example.com", "ORD-10131", "delivered", 47, -40, "Mastercard ending 5454",
        (("Bluetooth kitchen scale", 1, 6400),), USPS,
        ((44.0, "Tampa, FL", "Picked up"), (40.5, "Denver, CO", "Delivered to the mailbox")), 6400,
    ),
    Sample(
        "ben@example.com", "ORD-10219", "cancelled", 13, None, "Mastercard ending 5454",
        (("Espresso tamper, 58 mm", 1, 3800),), None, (), 3800, "changed_mind",
    ),
    Sample("chloe@example.com", "ORD-10248", "paid", 1, 5, "Amex ending 1005", (("Ceramic planter, large", 2, 5200),)),
    Sample(
        "chloe@example.com", "ORD-10226", "shipped", 6, 1, "Amex ending 1005",
        (("Field notebook, dotted, 3-pack", 4, 1650),), USPS,
        ((4.4, "Boston, MA", "Picked up"), (0.9, "Albany, NY", "In transit")),
    ),
    Sample(
        "chloe@example.com", "ORD-10160", "delivered", 28, -21, "Amex ending 1005",
        (("Rain jacket, size S, ochre", 1, 14800),), DHL,
        ((25.0, "Miami, FL", "Picked up"), (21.4, "Burlington, VT", "Delivered to a neighbour")),
    ),
    Sample(
        "chloe@example.com", "ORD-10199", "delivered", 15, -10, "Amex ending 1005",
        (("Merino socks, size M, grey", 2, 1900), ("Linen shirt, size L, white", 1, 7200)), USPS,
        ((12.0, "Boston, MA", "Picked up"), (9.8, "Burlington, VT", "Delivered to the mailbox")),
        parcels=((*USPS, "Delivered", (1,)), (*UPS, "Delivered", (2,))), exchanging=2,
    ),
)  # fmt: skip


async def fill(
    database: DatabaseThread,
    *,
    email: str | None = None,
    orders: Sequence[Sample] = ORDERS,
    customers: Mapping[str, str] = CUSTOMERS,
) -> int:
    """Put orders into a shop that has none, all of them for one e-mail address if that is given.

    Returns how many orders were added: none when there were orders already. `customers` are names by e-mail address.
    """

    def write(db: Database) -> int:
        if db.table("orders").count:
            return 0
        names = {email: "You"} if email else customers
        ids = {address: f"cus_{address.partition('@')[0]}" for address in names}
        db.table("customers").insert_all(
            {"id": ids[address], "name": name, "email": address} for address, name in names.items()
        )
        _insert_catalogue(db)
        for address, customer_id in ids.items():
            _insert_profile(db, customer_id, names[address], list(METHODS) if email else [address])
        for sample in orders:
            _insert(db, sample, ids[email or sample.email], clock.now())
        return len(orders)

    return await database.commit(write)


def _insert_catalogue(db: Database) -> None:
    for number, (name, variants) in enumerate(PRODUCTS.items(), 1):
        db.table("products").insert({"id": f"prod-{number}", "name": name})
        db.table("variants").insert_all(
            {
                "id": one.id,
                "product_id": f"prod-{number}",
                "options": one.options,
                "price_minor": one.price,
                "stock": one.stock,
            }
            for one in variants
        )


def _insert_profile(db: Database, customer_id: str, name: str, whose: Sequence[str]) -> None:
    """Give a customer the address of the first of these, and the payment methods of all of them."""
    address = ADDRESSES.get(whose[0])
    if address:
        here = written_address(replace(address, name=name))
        db.execute("UPDATE customers SET address = ? WHERE id = ?", [here, customer_id])
    db.table("payment_methods").insert_all(
        {"id": one.id, "customer_id": customer_id, "label": one.label, "balance_minor": one.balance}
        for address in whose
        for one in METHODS.get(address, ())
    )


def _insert(db: Database, sample: Sample, customer_id: str, now: datetime) -> None:
    delivered = sample.status == "delivered"
    carrier, number, url = sample.carrier or (None, None, None)
    order: dict[str, Any] = {
        "id": sample.id,
        "customer_id": customer_id,
        "status": sample.status,
        "total_minor": sum(quantity * price for _, quantity, price in sample.items),
        "payment_method": sample.paid_with,
        "placed_at": (now - timedelta(days=sample.days)).isoformat(),
        "expected_on": None if sample.due is None else (now + timedelta(days=sample.due)).date().isoformat(),
        "delivered_at": (now - timedelta(days=sample.scans[-1][0])).isoformat() if delivered else None,
        "carrier": carrier,
        "tracking_number": number,
        "tracking_url": url,
    }
    db.table("orders").insert(order)
    db.execute(
        """UPDATE orders SET address = (SELECT address FROM customers WHERE id = customer_id), payment_method_id =
           (SELECT id FROM payment_methods AS one WHERE one.customer_id = orders.customer_id AND label = payment_method)
           WHERE id = ?""",
        [sample.id],
    )
    db.table("order_items").insert_all(
        {
            "order_id": sample.id,
            "position": position,
            "name": name,
            "quantity": quantity,
            "unit_price_minor": price,
            "variant_id": _VARIANT_SOLD_AS.get(name),
        }
        for position, (name, quantity, price) in enumerate(sample.items)
    )
    db.table("tracking_events").insert_all(
        {"order_id": sample.id, "at": (now - timedelta(days=ago)).isoformat(), "place": place, "text": text}
        for ago, place, text in sample.scans
    )
    db.table("payments").insert(
        {
            "id": f"pay_{sample.id}",
            "order_id": sample.id,
            "amount_minor": order["total_minor"],
            "currency": "USD",
            "method": sample.paid_with,
            "created_at": order["placed_at"],
        }
    )
    _insert_parcels(db, sample)
    if sample.exchanging:
        _insert_exchange(db, sample.id, sample.exchanging, (now - timedelta(days=1)).isoformat())
    if sample.refunded:
        db.execute(
            "INSERT INTO refunds VALUES (?, ?, ?, 'USD', ?, ?, ?)",
            [
                *(f"re_sample{sample.id[-5:]}", sample.id, sample.refunded, sample.reason, f"sample:{sample.id}"),
                (now - timedelta(days=sample.days / 2)).isoformat(),
            ],
        )


def _insert_parcels(db: Database, sample: Sample) -> None:
    db.table("parcels").insert_all(
        {
            "order_id": sample.id,
            "number": number,
            "carrier": carrier,
            "tracking_number": tracking_number,
            "tracking_url": url,
            "status": status,
            "lines": json.dumps(lines),
        }
        for number, (carrier, tracking_number, url, status, lines) in enumerate(sample.parcels, 1)
    )


def _insert_exchange(db: Database, order_id: str, line: int, at: str) -> None:
    key = f"sample:exchange:{order_id}"
    effect = {"idempotency_key": key, "id": f"ef_{order_id}", "kind": "exchange_items", "order_id": order_id}
    db.table("effects").insert(effect | {"created_at": at})
    sent_back = {"idempotency_key": key, "order_id": order_id, "line": line, "kind": "exchange", "created_at": at}
    db.table("returns").insert(sent_back)
