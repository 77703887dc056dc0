"""How an order looks: how far it is at a glance, its lines, its carrier, its money."""

from bot.blocks.messages import fields, section
from bot.blocks.text import Mrkdwn, day, escape, link, moment, one_line
from bot.shop.orders import Order, OrderStatus, Parcel
from bot.store.records import Block

_MAX_ITEMS = 10
_MAX_PARCELS = 4
_MAX_TRACKING_EVENTS = 8
_ITEM = "▸"  # one of the marks that words lose, so that none of them can look like a part of a card

_BACK = {None: "", "return": " · goes back", "exchange": " · exchanged"}
_JOURNEY = (
    OrderStatus.PAID,
    OrderStatus.PACKED,
    OrderStatus.SHIPPED,
    OrderStatus.OUT_FOR_DELIVERY,
    OrderStatus.DELIVERED,
)
STATUS_WORDS = {
    OrderStatus.PAID: "Paid",
    OrderStatus.PACKED: "Packed",
    OrderStatus.SHIPPED: "Shipped",
    OrderStatus.DELAYED: "Delayed",
    OrderStatus.OUT_FOR_DELIVERY: "Out for delivery",
    OrderStatus.DELIVERED: "Delivered",
    OrderStatus.CANCELLED: "Cancelled",
}


def order_card(order: Order, *, with_tracking: bool) -> tuple[Block, ...]:
    """Show an order: how far it is at a glance, its lines, its carrier, its money."""
    blocks = [
        section(Mrkdwn(f"*Order {escape(order.id)}*\n{_progress(order)}")),
        fields(_order_facts(order)),
        section(Mrkdwn("\n".join(f"{_ITEM} {line}" for line in _item_lines(order)))),
    ]
    if with_tracking:
        blocks.append(section(Mrkdwn("\n".join(_tracking_lines(order)))))
    return tuple(blocks)


def _progress(order: Order) -> Mrkdwn:
    if order.status == OrderStatus.CANCELLED:
        return Mrkdwn("✕ *Cancelled*")
    late = order.status == OrderStatus.DELAYED
    reached = _JOURNEY.index(OrderStatus.SHIPPED if late else order.status)
    steps = []
    for position, status in enumerate(_JOURNEY):
        if position < reached or order.status == OrderStatus.DELIVERED:
            steps.append(f"✓ {STATUS_WORDS[status]}")
        elif position == reached:
            steps.append(f"● *{'Shipped, delayed' if late else STATUS_WORDS[status]}*")
        else:
            steps.append(f"○ {STATUS_WORDS[status]}")
    # A step never breaks across lines, so that its mark stays beside its name.
    return Mrkdwn("  →  ".join(step.replace(" ", "\N{NO-BREAK SPACE}") for step in steps))


def _order_facts(order: Order) -> list[tuple[str, Mrkdwn]]:
    facts = [("Placed", escape(day(order.placed_at.date())))]
    if order.delivered_at:
        facts.append(("Delivered", escape(day(order.delivered_at.date()))))
    elif order.expected_on and order.status != OrderStatus.CANCELLED:
        facts.append(("Expected", escape(day(order.expected_on))))
    if len(order.parcels) > 1:
        facts.append(("Parcels", Mrkdwn(", ".join(map(_parcel, order.parcels[:_MAX_PARCELS])))))
    elif order.carrier:
        number = order.tracking_number or "track it"
        where = link(order.tracking_url, number) if order.tracking_url else one_line(number)
        facts.append(("Carrier", Mrkdwn(f"{one_line(order.carrier)} {where}")))
    facts.append(("Total", escape(str(order.total))))
    if order.refunded.minor:
        whole = order.refunded == order.total
        facts.append(("Refunded", escape("In full" if whole else f"{order.refunded} of {order.total}")))
    return facts


def _parcel(parcel: Parcel) -> Mrkdwn:
    number = parcel.tracking_number
    where = link(parcel.tracking_url, number) if parcel.tracking_url else one_line(number, 60)
    return Mrkdwn(f"{one_line(parcel.carrier, 40)} {where}")


def _item_lines(order: Order) -> list[str]:
    lines = [
        f"{item.quantity} x {one_line(item.label, 150)} — {escape(str(item.price))}{_BACK[item.returning]}"
        for item in order.items[:_MAX_ITEMS]
    ]
    more = len(order.items) - _MAX_ITEMS
    return [*lines, f"and {more} more"] if more > 0 else lines or ["No items"]


def _tracking_lines(order: Order) -> list[str]:
    latest = sorted(order.tracking, key=lambda event: event.at, reverse=True)[:_MAX_TRACKING_EVENTS]
    lines = [f"{moment(event.at)} · {one_line(event.text, 100)}, {one_line(event.place, 60)}" for event in latest]
    earlier = len(order.tracking) - len(latest)
    lines += [f"and {earlier} earlier"] if earlier > 0 else []
    return [f"{_ITEM} *Tracking*", *(lines or ["The carrier has not scanned the parcel yet."])]
