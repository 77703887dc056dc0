"""How an order looks, by who reads it: everybody its status and dates, who it belongs to all of it, with buttons."""

import hashlib
import json
from collections.abc import Sequence
from enum import StrEnum

from bot import clock
from bot.blocks.messages import context, fields, plain, section
from bot.blocks.text import Mrkdwn, bare, day, escape, link, mention, moment, one_line
from bot.shop.orders import Order, OrderStatus, Parcel
from bot.shop.quotes import refund_reasons
from bot.store.records import Block

_MAX_ITEMS = 10
_MAX_PARCELS = 4
_MAX_TRACKING_EVENTS = 8
_MAX_LISTED = 10
_ITEM = "▸"  # one of the marks that words lose, so that none of them can look like a part of a card
_TRACKING = f"{_ITEM} *Tracking*"

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


class OrderButton(StrEnum):
    """What can be pressed on an order's card; the button's value is the order's number, and proves nothing."""

    REFRESH = "refresh_order"
    DETAILS = "show_order"
    TRACKING = "track_order"
    SHARE = "share_order"
    REFUND = "refund_order"
    RETURN = "return_order"


_LABELS = {
    OrderButton.REFRESH: "Refresh",
    OrderButton.DETAILS: "Show me the details",
    OrderButton.TRACKING: "Tracking",
    OrderButton.SHARE: "Share here",
    OrderButton.REFUND: "Request a refund",
    OrderButton.RETURN: "Return",
}


def order_card(order: Order, *, with_tracking: bool, forms: Sequence[OrderButton] = ()) -> tuple[Block, ...]:
    """Show all of an order to those who may read the conversation; `forms` are what can be asked for by a form."""
    tracking = [] if with_tracking else [OrderButton.TRACKING]
    buttons = [OrderButton.REFRESH, *tracking, *_useful(order, forms)]
    return _with_buttons(_all_of(order, with_tracking=with_tracking), order, buttons)


def public_order_card(order: Order, *, forms: Sequence[OrderButton] = ()) -> tuple[Block, ...]:
    """Show of an order what everybody may read: its status and its dates."""
    buttons = [OrderButton.REFRESH, OrderButton.DETAILS, *_useful(order, forms)]
    return _with_buttons([_head(order), fields(_dates(order))], order, buttons)


def private_order_card(
    order: Order, *, with_tracking: bool, forms: Sequence[OrderButton] = (), shareable: bool = True
) -> tuple[Block, ...]:
    """Show all of an order to one person alone, who may share it where they asked."""
    share = [OrderButton.SHARE] if shareable else []
    tracking = [] if with_tracking else [OrderButton.TRACKING]
    return _with_buttons(
        _all_of(order, with_tracking=with_tracking), order, [*share, *tracking, *_useful(order, forms)]
    )


def shared_order_card(order: Order, by: str) -> tuple[Block, ...]:
    """Show all of an order to everybody, because this person wanted it."""
    return (*_all_of(order, with_tracking=False), context(Mrkdwn(f"Shared by {mention(by)}")))


def orders_list(orders: Sequence[Order], more: str = "") -> tuple[Block, ...]:
    """List orders to whose they are, each with a button that shows it."""
    blocks: list[Block] = [order_line(order) for order in orders[:_MAX_LISTED]]
    return (*blocks, context(escape(more))) if more else tuple(blocks)


def order_line(order: Order) -> Block:
    """Show an order in two lines, with a button that shows the rest."""
    when = "Delivered" if order.delivered_at else "Placed"
    at = (order.delivered_at or order.placed_at).date()
    first = one_line(order.items[0].name, 100) if order.items else "No items"
    more = f" and {len(order.items) - 1} more" if len(order.items) > 1 else ""
    line = Mrkdwn(
        f"*{escape(order.id)}* · {STATUS_WORDS[order.status]} · {when} {escape(day(at))}\n"
        f"{first}{more} · {escape(str(order.total))}"
    )
    return {**section(line), "accessory": _button(OrderButton.DETAILS, order.id, "Details")}


def tracking_blocks(order: Order) -> tuple[Block, ...]:
    """Show of one order who brings it, and what the carrier has reported, the latest first."""
    head = "\n".join([f"*Order {escape(order.id)}* · {STATUS_WORDS[order.status]}", *filter(None, [_carried(order)])])
    return section(Mrkdwn(head)), section(Mrkdwn("\n".join(_scans(order))))


def _scans(order: Order) -> list[str]:
    latest = sorted(order.tracking, key=lambda event: event.at, reverse=True)[:_MAX_TRACKING_EVENTS]
    lines = [f"{moment(event.at)} · {one_line(event.text, 100)}, {one_line(event.place, 60)}" for event in latest]
    earlier = len(order.tracking) - len(latest)
    lines += [f"and {earlier} earlier"] if earlier > 0 else []
    return lines or ["The carrier has not scanned the parcel yet."]


def card_at(blocks: Sequence[Block], block_id: str) -> slice | None:
    """Find the card in a message's blocks whose buttons have this id."""
    ids = [block.get("block_id") for block in blocks]
    if block_id not in ids or f"{block_id}:top" not in ids:
        return None
    return slice(ids.index(f"{block_id}:top"), ids.index(block_id) + 1)


def has_tracking(card: Sequence[Block]) -> bool:
    """Return whether a card shows what the carrier has reported."""
    return any(str((block.get("text") or {}).get("text", "")).startswith(_TRACKING) for block in card)


def refreshed_card(card: Sequence[Block]) -> tuple[Block, ...]:
    """Say on a card when it was drawn."""
    return (*card[:-1], context(Mrkdwn(f"As of {moment(clock.now())}")), card[-1])


def order_facts(order: Order) -> Block:
    """Show an order's dates, carrier and money in two columns."""
    facts = _dates(order)
    if carried := _carried(order):
        facts.append(("Parcels" if len(order.parcels) > 1 else "Carrier", carried))
    facts.append(("Total", escape(str(order.total))))
    if order.refunded.minor:
        whole = order.refunded == order.total
        facts.append(("Refunded", escape("In full" if whole else f"{order.refunded} of {order.total}")))
    return fields(facts)


def _all_of(order: Order, *, with_tracking: bool) -> list[Block]:
    items = section(Mrkdwn("\n".join(f"{_ITEM} {line}" for line in _item_lines(order))))
    blocks = [_head(order), order_facts(order), items]
    return [*blocks, section(Mrkdwn("\n".join([_TRACKING, *_scans(order)])))] if with_tracking else blocks


def _head(order: Order) -> Block:
    return section(Mrkdwn(f"*Order {escape(order.id)}* · {STATUS_WORDS[order.status]}\n{_progress(order)}"))


def _useful(order: Order, forms: Sequence[OrderButton]) -> list[OrderButton]:
    delivered = order.status == OrderStatus.DELIVERED
    returnable = any(item.returning is None for item in order.items)
    useful = {OrderButton.REFUND: bool(refund_reasons(order)), OrderButton.RETURN: delivered and returnable}
    return [form for form in forms if useful[form]]


def _with_buttons(blocks: Sequence[Block], order: Order, buttons: Sequence[OrderButton]) -> tuple[Block, ...]:
    """Add the buttons, and ids by which the card is found in its message; two cards of one order differ in them."""
    if not buttons:
        return tuple(blocks)
    drawn = json.dumps([blocks, buttons], sort_keys=True)
    block_id = f"order:{hashlib.sha256(drawn.encode()).hexdigest()[:16]}"
    actions = {
        "type": "actions",
        "block_id": block_id,
        "elements": [_button(button, order.id, _LABELS[button]) for button in buttons],
    }
    return ({**blocks[0], "block_id": f"{block_id}:top"}, *blocks[1:], actions)


def _button(button: OrderButton, order_id: str, label: str) -> Block:
    named = plain(f"{label}, order {order_id}")["text"]
    return {
        "type": "button",
        "action_id": button.value,
        "text": plain(label),
        "value": order_id,
        "accessibility_label": named,
    }


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


def _dates(order: Order) -> list[tuple[str, Mrkdwn]]:
    facts = [("Placed", escape(day(order.placed_at.date())))]
    if order.delivered_at:
        facts.append(("Delivered", escape(day(order.delivered_at.date()))))
    elif order.expected_on and order.status != OrderStatus.CANCELLED:
        facts.append(("Expected", escape(day(order.expected_on))))
    return facts


def _carried(order: Order) -> Mrkdwn | None:
    """Name who brings an order, with the numbers of its parcels; None for one that has not left."""
    if len(order.parcels) > 1:
        return Mrkdwn(", ".join(map(_parcel, order.parcels[:_MAX_PARCELS])))
    if not order.carrier:
        return None
    number = order.tracking_number or "track it"
    where = link(order.tracking_url, bare(number)[:60]) if order.tracking_url else one_line(number)
    return Mrkdwn(f"{one_line(order.carrier)} {where}")


def _parcel(parcel: Parcel) -> Mrkdwn:
    number = parcel.tracking_number
    where = link(parcel.tracking_url, bare(number)[:60]) if parcel.tracking_url else one_line(number, 60)
    return Mrkdwn(f"{one_line(parcel.carrier, 40)} {where}")


def _item_lines(order: Order) -> list[str]:
    lines = [
        f"{item.quantity} x {one_line(item.label, 150)} — {escape(str(item.price))}{_BACK[item.returning]}"
        for item in order.items[:_MAX_ITEMS]
    ]
    more = len(order.items) - _MAX_ITEMS
    return [*lines, f"and {more} more"] if more > 0 else lines or ["No items"]
