"""What an order of Vendure's says of a cancellation, in states that a server is not easily brought to."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.shop.changes import Applied, AppliedStatus, CancelOrder, Refund, RefundReason
from bot.shop.money import Money
from bot.shop.notes import note
from bot.shop.shop import ShopRefusedError
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


def payment(number: int, amount: int, *refunds: tuple[str, str], state: str = "Settled") -> dict[str, Any]:
    """Make a payment, with refunds of nothing under the key, each by its id and state."""
    back = [
        {"id": one, "state": told, "total": 0, "reason": note("defective", KEY), "lines": []} for one, told in refunds
    ]
    return {"id": str(number), "state": state, "amount": amount, "refunds": back}


@pytest.mark.parametrize(
    ("refunds", "applied"),
    [
        ([("1", "Settled")], Applied("1")),
        ([("1", "Failed"), ("2", "Settled")], Applied("2")),
        ([("1", "Pending")], Applied("1", AppliedStatus.PENDING)),
        ([("1", "StateOfLaterYears")], Applied("1", AppliedStatus.PENDING)),
        ([], None),
    ],
)
def test_how_a_refund_stands(refunds: list[tuple[str, str]], applied: Applied | None) -> None:
    """Only what is settled is done, and of several under one key the last one says it."""
    node = {"payments": [payment(3, 4700, *refunds)]}
    change = Refund(CHANGE.order_id, RefundReason.DEFECTIVE, None, ())
    assert reading.find_applied(node, change, KEY, 2, settles_after=SETTLES_AFTER) == applied


def test_which_payment_money_goes_back_to() -> None:
    """One payment that was settled and has as much left; of a cancellation, each gets what it paid."""
    node = {"code": "T7", "payments": [payment(1, 9000, state="Authorized"), payment(2, 2000), payment(3, 3000)]}
    change = Refund("T7", RefundReason.DEFECTIVE, None, ())
    for minor, expected in ((1500, ("2", 1500)), (3000, ("3", 3000))):
        assert reading.parts_of(node, change, Money(minor), 2) == [expected]
    with pytest.raises(ShopRefusedError, match=r"\$30\.00 is the most"):
        reading.parts_of(node, change, Money(4000), 2)
    assert reading.parts_of(node, CancelOrder("T7"), Money(5000), 2) == [("2", 2000), ("3", 3000)]


def test_what_the_server_cannot_write() -> None:
    """A sum with more decimals than the server keeps is refused, and not rounded."""
    assert reading.units(Money(1250, "KWD"), 2) == 125
    with pytest.raises(ShopRefusedError, match="exactly"):
        reading.units(Money(1251, "KWD"), 2)
