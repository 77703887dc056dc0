"""Any order that a shop may have, in any script, and whether what is shown of it can be read aloud."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from bot.shop.money import Money
from bot.shop.orders import Address, Customer, Order, OrderItem, OrderStatus, Parcel, TrackingEvent
from bot.store.records import Block

# Arabic and Hebrew with marks that turn the direction, emoji with joiners and skins, letters of stacked marks, signs of
# Slack's own, and what takes more than one unit of UTF-16.
_ODD = (
    "\u05d0\u05d1\u0627\u0644\u202b\u202e\u200f\U0001f469\u200d\U0001f3fd\ufe0f\U0001f1fa\u0301\u0e33\u4e2d\U00020000"
    "<>&*_~`|@#:!\n"
)
ANY_TEXT = st.text(max_size=40) | st.text(alphabet=_ODD, max_size=40) | st.sampled_from(["\u05d0" * 400, "<" * 320])
CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD"])  # of two decimals, of none, of three
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - with `timezones`
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
HUGE = 10**15
_FEW = st.sampled_from([1, 1, 5])
_PARCELS = st.builds(Parcel, ANY_TEXT, ANY_TEXT, st.none(), ANY_TEXT, st.just((1,)))


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Draw an order of one currency, with any number of lines up to hundreds."""
    currency = draw(CURRENCIES)
    minor = st.integers(0, HUGE)
    item = st.builds(
        OrderItem,
        ANY_TEXT,
        st.integers(1, 10_000),
        minor.map(lambda amount: Money(amount, currency)),
        ANY_TEXT,
        returning=st.sampled_from([None, None, "return", "exchange"]),
        received=st.booleans(),
    )
    items = tuple(draw(st.lists(item, max_size=2))) * draw(st.sampled_from([1, 1, 6, 150]))
    total = draw(minor)
    return Order(
        id=draw(st.text(min_size=1, max_size=64)),
        customer=draw(st.builds(Customer, ANY_TEXT, ANY_TEXT, ANY_TEXT)),
        status=draw(st.sampled_from(OrderStatus)),
        items=items,
        total=Money(total, currency),
        refunded=Money(draw(st.integers(0, total)), currency),
        payment_method=draw(ANY_TEXT),
        placed_at=draw(TIMES),
        expected_on=draw(st.none() | DAYS),
        delivered_at=draw(st.none() | TIMES),
        carrier=draw(st.none() | ANY_TEXT),
        tracking_number=draw(st.none() | ANY_TEXT),
        tracking_url=draw(st.none() | st.just("https://carrier.example/1") | ANY_TEXT),
        tracking=tuple(draw(st.lists(st.builds(TrackingEvent, TIMES, ANY_TEXT, ANY_TEXT), max_size=2))) * draw(_FEW),
        parcels=tuple(draw(st.lists(_PARCELS, max_size=2))) * draw(_FEW),
        address=draw(st.none() | st.builds(Address, *[ANY_TEXT] * 6)),
        tells_delivery=draw(st.booleans()),
    )


def unreadable(blocks: Iterable[Block]) -> list[str]:
    """List the blocks, and the buttons and pictures in them, of which a screen reader has no word to say."""
    return [f"{kind}: {part}" for block in blocks for kind, part in _parts(block) if not _has_words(part)]


def _parts(block: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what is read aloud of a block: all of its words together, then each thing that can be pressed or seen."""
    if block["type"] == "divider":
        return
    yield block["type"], block
    pressed = [*block.get("elements", ()), block.get("accessory"), block.get("element")]
    for element in filter(None, pressed):
        if element["type"] == "button":
            yield "button", element["text"]
        if element["type"] == "image":
            yield "picture", element["alt_text"]
        for option in element.get("options", ()):
            yield "option", option["text"]
    if block["type"] == "image":
        yield "picture", block["alt_text"]


def _has_words(part: Any) -> bool:
    """Return whether a letter or a digit is in a text that is shown; marks, emoji and their names are none."""
    if isinstance(part, str):
        return any(map(str.isalnum, re.sub(r"<[^<>|]*\|?|:[a-z0-9_+-]+:", "", part)))
    if isinstance(part, Mapping):
        shown = (value for key, value in part.items() if key in _SHOWN)
        return any(map(_has_words, shown))
    return isinstance(part, list | tuple) and any(map(_has_words, part))


_SHOWN = {
    *("text", "fields", "elements", "accessory", "alt_text", "label", "rows", "positive_button", "element", "options"),
    "placeholder",
}
