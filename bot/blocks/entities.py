"""An order as Slack's Work Object: what everybody reads below a link to it, and what one person sees when they open it.

Everything in one is plain text: Slack formats nothing of it.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from bot import clock
from bot.blocks.messages import plain
from bot.blocks.orders import STATUS_WORDS
from bot.blocks.text import moment_in_words
from bot.shop.orders import Order, OrderStatus

Entity = Mapping[str, Any]
_MAX_CHARACTERS = 250
_MAX_ITEMS = 20
_COLORS = {OrderStatus.DELIVERED: "green", OrderStatus.DELAYED: "yellow", OrderStatus.CANCELLED: "gray"}


def order_entity(order: Order, url: str, *, shared_as: str) -> Entity:
    """Show of an order what everybody may read, its status and its dates, below a link that was shared as that."""
    return {**_entity(order, url, list(_dates(order))), "app_unfurl_url": shared_as}


def order_details(order: Order, url: str) -> Entity:
    """Show all of an order to one person."""
    return _entity(order, url, [*_dates(order), *_figures(order)])


def no_details(words: str) -> Mapping[str, str]:
    """Say in place of the details why they are not shown."""
    return {"status": "custom", "custom_title": "Nothing to see here", "custom_message": words}


def _entity(order: Order, url: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "entity_type": "slack#/entities/item",
        "url": url,
        "external_ref": {"id": order.id, "type": "order"},
        "entity_payload": {
            "attributes": {
                "title": {"text": _short(f"Order {order.id}")},
                "display_type": "Order",
                "metadata_last_modified": int(clock.now().timestamp()),  # what is newer replaces what Slack shows
            },
            "custom_fields": fields,
            "display_order": [field["key"] for field in fields],
        },
    }


def _dates(order: Order) -> Iterator[dict[str, Any]]:
    color = _COLORS.get(order.status, "blue")
    yield {**_text("status", "Status", STATUS_WORDS[order.status]), "tag_color": color}
    yield _day("placed", "Placed", order.placed_at.date())
    if order.delivered_at:
        yield _day("delivered", "Delivered", order.delivered_at.date())
    elif order.expected_on and order.status != OrderStatus.CANCELLED:
        yield _day("expected", "Expected", order.expected_on)


def _figures(order: Order) -> Iterator[dict[str, Any]]:
    items = [f"{item.quantity} x {_short(item.label, 150)} — {item.price}" for item in order.items[:_MAX_ITEMS]]
    if (more := len(order.items) - _MAX_ITEMS) > 0:
        items.append(f"and {more} more")
    if items:
        value = [{"value": line} for line in items]
        yield {"key": "items", "label": "Items", "type": "array", "item_type": "string", "value": value}
    yield _text("total", "Total", str(order.total))
    if order.refunded.minor:
        yield _text("refunded", "Refunded", str(order.refunded))
    if carrier := _short(f"{order.carrier or ''} {order.tracking_number or ''}"):
        shown = _text("carrier", "Carrier", carrier)
        yield {**shown, "link": order.tracking_url} if _is_web(order.tracking_url) else shown
    if order.tracking:
        latest = max(order.tracking, key=lambda event: event.at)
        yield _text("tracking", "Tracking", f"{moment_in_words(latest.at)}: {latest.text}, {latest.place}")


def _text(key: str, label: str, value: str) -> dict[str, Any]:
    return {"key": key, "label": label, "type": "string", "value": _short(value)}


def _day(key: str, label: str, value: date) -> dict[str, Any]:
    return {"key": key, "label": label, "type": "slack#/types/date", "value": value.isoformat()}


def _short(text: str, most: int = _MAX_CHARACTERS) -> str:
    shown: str = plain(text, most)["text"]
    return shown


def _is_web(url: str | None) -> bool:
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not any(map(str.isspace, url or ""))
