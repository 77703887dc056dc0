"""A customer's thread with the offline model, whose tools are played by plain functions."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bot.demo.offline_model import MODEL_NAME, respond
from bot.testing.openai import Answer, Json, Request
from bot.tools.ask_which import AskWhich
from bot.tools.cancel_order import CancelOrder
from bot.tools.delete_account import DeleteAccount
from bot.tools.escalate_to_human import EscalateToHuman
from bot.tools.find_orders import FindOrders
from bot.tools.get_order_status import GetOrderStatus
from bot.tools.initiate_refund import InitiateRefund
from bot.tools.search_help import SearchHelp
from bot.tools.tool import Tool
from bot.tools.withdraw_request import WithdrawRequest

Call = tuple[str, Json]


def offer(*tools: type[Tool]) -> tuple[Json, ...]:
    """Describe tools as the bot does."""
    return tuple(tool.definition() for tool in tools)


TOOLS = offer(GetOrderStatus, InitiateRefund)
ALL_TOOLS = (
    *TOOLS,
    *offer(FindOrders, CancelOrder, DeleteAccount, SearchHelp, EscalateToHuman, WithdrawRequest),
)

WITH_MENUS = (*ALL_TOOLS, *offer(AskWhich))


def shipped(arguments: Json) -> Json:
    """Answer as `get_order_status` does."""
    return {
        "order_id": arguments["order_id"],
        "status": "shipped",
        "status_text": "Shipped, on its way",
        "total": "$84.00",
        "refunded": "$0.00",
        "expected": "2026-11-25",
        "tracking": [
            {"at": "2026-11-21T09:00:00+00:00", "place": "Memphis", "text": "Sorted"},
            {"at": "2026-11-20T09:00:00+00:00", "place": "Austin", "text": "Picked up"},
        ],
    }


def parked(request: str, summary: str) -> Json:
    """Answer as the gate does when a call waits for a person."""
    message = f"{summary} waits until a person approves it. Nothing has happened yet."
    return {"status": "waiting_for_approval", "not_executed": True, "request": request, "message": message}


def asked_for(arguments: Json) -> Json:
    """Answer as the gate does for a refund."""
    amount, order = arguments["amount"] or 42, arguments["order_id"]
    return parked(f"R-{order[-2:]}-{amount:.0f}", f"Refund of ${amount:.2f} for {order}")


ORDERS: list[Json] = [
    {"order_id": "ORD-10251", "status": "paid", "status_text": "Paid", "items": ["Beeswax candles, pair"]},
    {"order_id": "ORD-10234", "status": "shipped", "status_text": "Shipped", "items": ["Stoneware mug", "Tea towels"]},
    {"order_id": "ORD-10188", "status": "delivered", "status_text": "Delivered", "items": ["Cast-iron teapot"]},
]
OUTPUTS: Mapping[str, Callable[[Json], Any]] = {"get_order_status": shipped, "initiate_refund": asked_for}
ALL_OUTPUTS: Mapping[str, Callable[[Json], Any]] = {
    "get_order_status": shipped,
    "initiate_refund": asked_for,
    "find_orders": lambda _: {"orders": ORDERS},
    "ask_which": lambda arguments: {"asked": arguments["question"]},
    "cancel_order": lambda arguments: parked("C-1", f"Cancellation of {arguments['order_id']}"),
    "delete_account": lambda _: parked("D-1", "Deletion of the account ana@example.com"),
    "search_help": lambda _: {"sections": [{"title": "Gifts", "section": "Wrapping", "text": "One. Two.\nThree."}]},
    "escalate_to_human": lambda _: {"handed_over": True, "message": "The support team was told."},
    "withdraw_request": lambda arguments: {"message": f"{arguments['request']}: withdrawn by the customer."},
}


class Talk:
    """A thread between a customer, the offline model and its tools."""

    def __init__(self, tools: tuple[Json, ...] = TOOLS, outputs: Mapping[str, Callable[[Json], Any]] = OUTPUTS) -> None:
        self.tools = tools
        self.outputs = outputs
        self.messages: list[Json] = [
            {"role": "system", "content": "You are a support bot. Refunds are approved by people."}
        ]
        self.calls: list[Call] = []
        """What was called for the last message."""

    def say(self, *texts: str) -> str:
        """Write these messages one after the other, and give the text of the last answer."""
        text = ""
        for said in texts:
            self.messages.append({"role": "user", "content": said})
            text = self.turn()
        return text

    def note(self, note: str) -> str:
        """Add a note of the system; return the text that the model adds."""
        self.messages.append({"role": "system", "content": note})
        return self.turn()

    def turn(self) -> str:
        """Run the model's tool calls until it has a text."""
        self.calls = []
        for _ in range(3):
            answer = respond(Request(MODEL_NAME, tuple(self.messages), self.tools, None, {}))
            if not answer.tool_calls:
                self.messages.append({"role": "assistant", "content": answer.text})
                return answer.text or ""
            self._run(answer)
            if answer.tool_calls[0].name == AskWhich.name:
                question: str = self.calls[0][1]["question"]
                self.messages.append({"role": "assistant", "content": question})
                return question
        pytest.fail("The model goes on calling tools.")

    def _run(self, answer: Answer) -> None:
        ids = [f"call_{len(self.messages)}_{index}" for index, _ in enumerate(answer.tool_calls)]
        asked = [
            {"id": id_, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for id_, call in zip(ids, answer.tool_calls, strict=True)
        ]
        self.messages.append({"role": "assistant", "content": None, "tool_calls": asked})
        for id_, call in zip(ids, answer.tool_calls, strict=True):
            arguments = json.loads(call.arguments)
            self.calls.append((call.name, arguments))
            output = json.dumps(self.outputs[call.name](arguments))
            self.messages.append({"role": "tool", "tool_call_id": id_, "content": output})


def status(order: str, *, tracking: bool = False) -> Call:
    """Expect a look at an order."""
    return "get_order_status", {"order_id": order, "include_tracking": tracking}


def refund(order: str, reason: str, amount: float | None = None) -> Call:
    """Expect a refund to be asked for."""
    return "initiate_refund", {"order_id": order, "reason": reason, "amount": amount, "lines": None}
