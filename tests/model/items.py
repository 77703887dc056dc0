"""Items of a conversation, as the store keeps them."""

import json
from typing import Any

from bot.store.records import NOTE, ChatMessage

SYSTEM: ChatMessage = {"role": "system", "content": "INSTRUCTIONS"}


def call(call_id: str, name: str = "get_order_status", **arguments: Any) -> dict[str, Any]:
    """Write a call as it stands in the conversation."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def calling(*calls: dict[str, Any], **more: Any) -> ChatMessage:
    """Write a turn of calls."""
    return {"role": "assistant", "content": None, "tool_calls": list(calls), **more}


def said(text: str, name: str = "U0ANA") -> ChatMessage:
    """Write what a person said."""
    return {"role": "user", "name": name, "content": text}


def answer(text: str) -> ChatMessage:
    """Write what the model answered."""
    return {"role": "assistant", "content": text}


def result(call_id: str, text: str) -> ChatMessage:
    """Write a call's result."""
    return {"role": "tool", "tool_call_id": call_id, "content": json.dumps({"text": text})}


def note(text: str) -> ChatMessage:
    """Write a note on what became of a request."""
    return {"role": "system", "content": NOTE + text}
