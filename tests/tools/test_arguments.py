"""Arguments as models without strict mode write them: what they mean is clear, or they are refused."""

from decimal import Decimal
from typing import Any

import pytest

from bot.tools.find_orders import FindOrders
from bot.tools.get_order_status import GetOrderStatus
from bot.tools.initiate_refund import InitiateRefund
from bot.tools.tool import Tool, ToolError

REFUND = '"order_id": "ORD-10188", "reason": "defective"'
CLEAR: dict[str, tuple[type[Tool], str, dict[str, Any]]] = {
    "a null for a default": (
        GetOrderStatus,
        '{"order_id": "1", "include_tracking": null}',
        {"include_tracking": False},
    ),
    "a wrapping": (GetOrderStatus, '{"arguments": {"order_id": "1"}}', {"order_id": "1"}),
    "another wrapping": (FindOrders, '{"parameters": {}}', {"email": None}),
    "a whole call": (
        GetOrderStatus,
        '{"name": "get_order_status", "arguments": {"order_id": "1"}}',
        {"order_id": "1"},
    ),
    "a truth as text": (GetOrderStatus, '{"order_id": "1", "include_tracking": "true"}', {"include_tracking": True}),
    "no text for null": (FindOrders, '{"email": ""}', {"email": None}),
    "a word for null": (InitiateRefund, f'{{{REFUND}, "amount": "null"}}', {"amount": None}),
    "a number as text": (InitiateRefund, f'{{{REFUND}, "amount": "42.00"}}', {"amount": Decimal("42.00")}),
    "one line": (InitiateRefund, f'{{{REFUND}, "lines": 2}}', {"lines": (2,)}),
    "lines as text": (InitiateRefund, f'{{{REFUND}, "lines": "[1, 2]"}}', {"lines": (1, 2)}),
}


@pytest.mark.parametrize("kind", CLEAR)
def test_clear(kind: str) -> None:
    """A null in other words, a wrapping, and a number or a list as text are what they mean."""
    tool, written, meant = CLEAR[kind]
    parsed = tool.parse(written)
    assert {name: getattr(parsed, name) for name in meant} == meant


@pytest.mark.parametrize(
    "more",
    [
        '"amount": "$42"',
        '"amount": "42,00"',
        '"amount": "1e3"',
        '"amount": "-42"',
        '"amount": "\\u0664\\u0662"',
        '"amount": true',
        '"lines": "1-3"',
        '"lines": true',
        '"lines": 0',
        '"reason": "null"',
    ],
)
def test_not_clear(more: str) -> None:
    """What could mean another sum or other lines, and a null where there must be something, is refused."""
    before = '"order_id": "ORD-10188"' if "reason" in more else REFUND
    with pytest.raises(ToolError):
        InitiateRefund.parse(f"{{{before}, {more}}}")


def test_not_a_wrapping() -> None:
    """An object beside other arguments, or under another name, is no wrapping."""
    for written in (
        '{"arguments": {"order_id": "1"}, "order_id": "2"}',
        '{"order": {"order_id": "1"}}',
        '{"name": "initiate_refund", "arguments": {"order_id": "1"}}',
    ):
        with pytest.raises(ToolError):
            GetOrderStatus.parse(written)
