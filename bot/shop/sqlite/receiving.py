"""What comes back to the built-in shop arrives there: its people say so, and its money may follow."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from bot import clock
from bot.shop.changes import RefundReason
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite.reading import effect_with, left_by_line, order_of


@dataclass(frozen=True, slots=True)
class Arrival:
    """Lines of an order that have come back under the key of their return, and whose money has not gone back."""

    key: str
    order_id: str
    lines: tuple[int, ...]
    reason: RefundReason


def receive(db: Database, number: str, lines: Sequence[int]) -> list[Arrival]:
    """Note that these lines have arrived, or all that are expected, and return what is to be refunded for them.

    What arrived before and was not refunded is returned again. Raises ShopRefusedError for a line that is not expected.
    """
    order = order_of(db, number)
    rows = db.execute(
        "SELECT line, idempotency_key, kind FROM returns WHERE order_id = ? ORDER BY line", [order.id]
    ).fetchall()
    expected = {line: (key, kind) for line, key, kind in rows}
    if unknown := [line for line in lines if line not in expected]:
        raise ShopRefusedError(f"Line {unknown[0]} of {order.id} is not expected back.")
    if not expected:
        raise ShopRefusedError(f"Nothing of {order.id} is expected back.")
    now, left = clock.now().isoformat(), left_by_line(db, order)
    arrived: dict[str, list[int]] = {}
    for line in lines or expected:
        key, kind = expected[line]
        db.execute(
            "UPDATE returns SET received_at = coalesce(received_at, ?) WHERE order_id = ? AND line = ?",
            [now, order.id, line],
        )
        if kind == "return" and left[line]:
            arrived.setdefault(key, []).append(line)
    return [Arrival(key, order.id, tuple(found), _reason(db, key)) for key, found in arrived.items()]


def _reason(db: Database, key: str) -> RefundReason:
    effect = effect_with(db, key) or {}
    return RefundReason(json.loads(effect.get("change") or "{}").get("reason", RefundReason.CHANGED_MIND))
