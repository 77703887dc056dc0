"""The offline model under any text, any history and any schema."""

import json
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI
from pydantic import BaseModel

from bot.demo.completions import Answer, CompletionsServer, Json, Request
from bot.demo.offline_model import MODEL_NAME, respond
from tests.demo.talk import TOOLS, GetOrderStatus, InitiateRefund


class CustomerIntent(BaseModel):
    """What a customer wants."""

    category: Literal["refund", "order_status", "product_question", "other"]
    urgency: Literal["low", "medium", "high"]
    order_id: str | None
    summary: str


INTENTS: list[tuple[str, tuple[str, str, str | None]]] = [
    ("Refund ORD-10234, it is broken!!", ("refund", "high", "ORD-10234")),
    ("Where is order 10234? No rush.", ("order_status", "low", "ORD-10234")),
    ("It still hasn't arrived", ("order_status", "medium", None)),
    ("Is the backpack waterproof?", ("product_question", "medium", None)),
    ("Nice weather", ("other", "medium", None)),
]


@pytest.mark.parametrize(("text", "expected"), INTENTS, ids=[text for text, _ in INTENTS])
async def test_intent(text: str, expected: tuple[str, str, str | None]) -> None:
    """Structured output with the schema of an intent is filled in, as the client's `parse` expects."""
    async with (
        CompletionsServer(respond, MODEL_NAME) as server,
        AsyncOpenAI(api_key="none", base_url=server.url) as client,
    ):
        completion = await client.chat.completions.parse(
            model=MODEL_NAME, messages=[{"role": "user", "content": text}], response_format=CustomerIntent
        )
    intent = completion.choices[0].message.parsed
    assert intent
    assert (intent.category, intent.urgency, intent.order_id) == expected
    assert intent.summary == text


async def test_unknown_schema() -> None:
    """A schema that no rule fits is refused, as a model would."""
    async with (
        CompletionsServer(respond, MODEL_NAME) as server,
        AsyncOpenAI(api_key="none", base_url=server.url) as client,
    ):
        completion = await client.chat.completions.parse(
            model=MODEL_NAME, messages=[{"role": "user", "content": "Hi"}], response_format=GetOrderStatus
        )
    assert "a set of rules" in (completion.choices[0].message.refusal or "")


# fmt: off
WORDS = st.sampled_from([
    "I", "want", "a", "refund", "my", "money", "back", "order", "ORD-10234", "10250", "#10251", "$42", "half", "$1,0",
    "broken", "never", "arrived", "wrong", "item", "where", "is", "tracking", "yes", "approve", "cancel", "it",
    "return", ",", ".", "?", "!", "not", "don't", "been", "approved", "pending", "99999999999", "human", "hello",
    "thanks", "\n", "and", "7", "dollars", "of",
])
# fmt: on
TEXTS = st.one_of(st.text(), st.lists(WORDS, max_size=25).map(" ".join))
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["order_id", "status", "status_text", "expected", "tracking", "message", "error", "request"])
CONTENTS = st.one_of(TEXTS, JSON.map(json.dumps), st.dictionaries(KEYS, JSON).map(json.dumps))
MESSAGES = st.lists(
    st.one_of(
        st.builds(lambda text: {"role": "user", "content": text}, st.one_of(TEXTS, st.none())),
        st.builds(lambda text: {"role": "system", "content": text}, TEXTS),
        st.builds(lambda text: {"role": "assistant", "content": text}, TEXTS),
        st.builds(
            lambda name, arguments: {
                "role": "assistant",
                "tool_calls": [{"id": "call", "function": {"name": name, "arguments": arguments}}],
            },
            st.sampled_from(["get_order_status", "initiate_refund", "find_orders", "search_help", "other"]),
            CONTENTS,
        ),
        st.builds(lambda text: {"role": "tool", "tool_call_id": "call", "content": text}, CONTENTS),
    )
)


def valid(answer: Answer) -> bool:
    """Tell whether an answer is a text, or calls that fit the tools that are offered."""
    models: dict[str, type[BaseModel]] = {"get_order_status": GetOrderStatus, "initiate_refund": InitiateRefund}
    for call in answer.tool_calls:
        models[call.name].model_validate_json(call.arguments, strict=True)
    return bool(answer.tool_calls) != bool(answer.text)


@given(TEXTS)
def test_any_text(text: str) -> None:
    """Whatever is said gets a text or valid calls."""
    assert valid(respond(Request(MODEL_NAME, ({"role": "user", "content": text},), TOOLS, None, {})))


@given(MESSAGES)
def test_any_history(messages: list[Json]) -> None:
    """Whatever was said, answered and noted before gets a text or valid calls, and the same ones every time."""
    request = Request(MODEL_NAME, tuple(messages), TOOLS, None, {})
    answer = respond(request)
    assert valid(answer)
    assert respond(request) == answer
