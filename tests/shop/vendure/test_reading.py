"""What an order of Vendure's says of a cancellation, in states that a server is not easily brought to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.shop.changes import AppliedStatus, CancelOrder
from bot.shop.notes import note
from bot.shop.vendure import reading

KEY = "support-bot:6f1d2c3b4a5968778695a4b3c2d1e0f1"
SETTLES_AFTER = timedelta(minutes=15)
CHANGE = CancelOrder("T7CXQ2LFBWYMRS4H")


def cancelled(ago: timedelta, *refunds: tuple[int, str], key: str = KEY) -> dict[str, Any]:
    """Make an order of $47.00 that was cancelled so long ago, with refunds under the key, each with its state."""
    entry = {"type": "ORDER_CANCELLATION", "createdAt": (datetime.now(UTC) - ago).isoformat()}
    back = [
        {"id": "7", "state": state, "total": total, "reason": note("cancelled", KEY), "lines": []}
        for total, state in refunds
    ]
    return {
        "id": "1",
        "code": CHANGE.order_id,
        "state": "Cancelled",
        "currencyCode": "USD",
        "payments": [{"id": "3", "state": "Settled", "amount": 4700, "refunds": back}],
        "history": {"items": [entry | {"data": {"reason": note("cancelled", key)}}]},
    }


@pytest.mark.parametrize(
    ("minutes", "refunds", "status"),
    [
        (0, [], None),
        (14, [], None),
        (16, [], AppliedStatus.FAILED),
        (16, [(4700, "Settled")], AppliedStatus.SUCCEEDED),
        (16, [(4700, "Pending")], AppliedStatus.PENDING),
        (0, [(4700, "Failed")], AppliedStatus.FAILED),
        (0, [(2000, "Settled")], None),
    ],
)
def test_a_cancellation_is_done_when_its_money_is(
    minutes: int, refunds: list[tuple[int, str]], status: AppliedStatus | None
) -> None:
    """Money that was never sent off is not on its way: nobody knows at first, and later it has failed, and says so."""
    node = cancelled(timedelta(minutes=minutes), *refunds)
    applied = reading.find_applied(node, CHANGE, KEY, 2, settles_after=SETTLES_AFTER)
    assert (applied.status if applied else None) == status
    if applied and status == AppliedStatus.FAILED:
        assert applied.why == "It is cancelled, but $47.00 of its money has not gone back."


def test_somebody_elses_cancellation_is_not_ours() -> None:
    """An order that was cancelled under another key, or by people, says nothing of ours."""
    node = cancelled(timedelta(minutes=16), key="somebody-elses")
    assert reading.find_applied(node, CHANGE, KEY, 2, settles_after=SETTLES_AFTER) is None
