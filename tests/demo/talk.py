"""A customer's thread with the offline model, whose tools are played by plain functions."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

import pytest
from openai import pydantic_function_tool
from pydantic import BaseModel

from bot.demo.completions import Answer, Json, Request
from bot.demo.offline_model import MODEL_NAME, respond

Call = tuple[str, Json]


class GetOrderStatus(BaseModel):
    """Look an order up."""

    order_id: str
    include_tracking: bool


class InitiateRefund(BaseModel):
    """Ask for a refund."""

    order_id: str
    reason: Literal["defective", "wrong_item", "not_delivered", "changed_mind"]
    amount: float | None


class FindOrders(BaseModel):
    """Find a customer's orders."""

    status: Literal["open", "delivered"] | None


class WithdrawRequest(BaseModel):
    """Withdraw a request."""

    request: str


def offer(**models: type[BaseModel]) -> tuple[Json, ...]:
    """Describe tools as the bot does."""
    return tuple(dict(pydantic_function_tool(model, name=name)) for name, model in models.items())


TOOLS = offer(get_order_status=GetOrderStatus, initiate_refund=InitiateRefund)
MORE_TOOLS = (*TOOLS, *offer(find_orders=FindOrders, withdraw_request=WithdrawRequest))


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


def waiting(arguments: Json) -> Json:
    """Answer as `initiate_refund` does."""
    order = arguments["order_id"]
    message = f"A person has to approve the refund for {order}. Nothing has been refunded yet."
    return {"status": "waiting_for_approval", "not_executed": True, "request": f"R-{order[-2:]}", "message": message}


OUTPUTS: Mapping[str, Callable[[Json], Any]] = {
    "get_order_status": shipped,
    "initiate_refund": waiting,
    "find_orders": lambda _: {
        "orders": [{"order_id": "ORD-10234", "status_text": "Shipped"}, {"order_id": "ORD-10250"}]
    },
    "withdraw_request": lambda arguments: {"message": f"Request {arguments['request']} is withdrawn."},
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
        """Let the system note something, and give the text that the model adds."""
        self.messages.append({"role": "system", "content": note})
        return self.turn()

    def turn(self) -> str:
        """Let the model call tools until it has a text."""
        self.calls = []
        for _ in range(3):
            answer = respond(Request(MODEL_NAME, tuple(self.messages), self.tools, None, {}))
            if not answer.tool_calls:
                self.messages.append({"role": "assistant", "content": answer.text})
                return answer.text or ""
            self._run(answer)
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
    return "initiate_refund", {"order_id": order, "reason": reason, "amount": amount}
