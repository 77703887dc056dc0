"""The offline model under any text, any history and any schema."""

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI
from pydantic import BaseModel

from bot.demo.offline_model import MODEL_NAME, respond
from bot.intent import CustomerIntent
from bot.testing.openai import Answer, CompletionsServer, Json, Request
from tests.demo.talk import ALL_TOOLS


class Recipe(BaseModel):
    """Something that no rule knows how to fill in."""

    title: str


# fmt: off
INTENTS: list[tuple[str, tuple[str, str, str | None]]] = [
    ("Refund ORD-10234, it is broken!!", ("refund", "medium", "ORD-10234")),
    ("My lawyer will hear of ORD-10234, I want a refund", ("refund", "high", "ORD-10234")),
    ("The desk lamp was smoking", ("other", "high", None)),
    ("Where is order 10234? No rush.", ("order_status", "low", "ORD-10234")),
    ("It still hasn't arrived", ("order_status", "medium", None)),
    ("What did I order?", ("order_status", "medium", None)),
    ("Cancel ORD-10251", ("other", "medium", "ORD-10251")),
    ("Delete my account", ("other", "medium", None)),
    ("I want to talk to a person", ("other", "medium", None)),
    ("never mind the refund", ("refund", "medium", None)),
    ("What is your return policy?", ("product_question", "medium", None)),
    ("How long does shipping take?", ("product_question", "medium", None)),
    ("Is the backpack waterproof?", ("product_question", "medium", None)),
    ("Nice weather", ("other", "medium", None)),
]
# fmt: on


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


def test_summary_of_an_intent() -> None:
    """A long message is summed up by its first twenty words."""
    schema = {"properties": {"summary": {"type": "string"}}}
    wanted = {"type": "json_schema", "json_schema": {"schema": schema}}
    said = ({"role": "user", "content": "word " * 30},)
    answer = respond(Request(MODEL_NAME, said, (), wanted, {}))
    assert json.loads(answer.text or "") == {"summary": " ".join(["word"] * 20) + "…"}


async def test_unknown_schema() -> None:
    """A schema that no rule fits is refused, as a model would."""
    async with (
        CompletionsServer(respond, MODEL_NAME) as server,
        AsyncOpenAI(api_key="none", base_url=server.url) as client,
    ):
        completion = await client.chat.completions.parse(
            model=MODEL_NAME, messages=[{"role": "user", "content": "Hi"}], response_format=Recipe
        )
    assert "a set of rules" in (completion.choices[0].message.refusal or "")


SCHEMAS = {tool["function"]["name"]: tool["function"]["parameters"] for tool in ALL_TOOLS}
# fmt: off
WORDS = st.sampled_from([
    "I", "want", "a", "refund", "my", "money", "back", "order", "ORD-10234", "10250", "#10251", "$42", "half", "$1,0",
    "broken", "never", "arrived", "wrong", "item", "where", "is", "tracking", "yes", "approve", "cancel", "it",
    "return", ",", ".", "?", "!", "not", "don't", "been", "approved", "pending", "99999999999", "human", "hello",
    "thanks", "\n", "and", "7", "dollars", "of", "orders", "delete", "account", "shipping", "how", "long", "person",
    "talk", "to", "instead", "make", "never", "mind", "teapot", "know", "number", "gift", "ridiculous",
])
# fmt: on
TEXTS = st.one_of(st.text(), st.lists(WORDS, max_size=25).map(" ".join))
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        "order_id",
        "status",
        "status_text",
        "expected",
        "tracking",
        "message",
        "error",
        "request",
        "orders",
        "sections",
    ]
)
ORDERS = st.builds(
    lambda items: {"orders": [{"order_id": "ORD-1", "items": items}, {"order_id": "ORD-2", "items": ["teapot"]}]}, JSON
)
WAITING = st.builds(
    lambda request, message: {"status": "waiting_for_approval", "request": request, "message": message}, JSON, JSON
)
CONTENTS = st.one_of(
    TEXTS, JSON.map(json.dumps), st.one_of(st.dictionaries(KEYS, JSON), ORDERS, WAITING).map(json.dumps)
)
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
            st.sampled_from([*SCHEMAS, "other"]),
            st.one_of(CONTENTS, st.just('{"request": "R-1", "order_id": "ORD-1", "reason": "defective"}')),
        ),
        st.builds(lambda text: {"role": "tool", "tool_call_id": "call", "content": text}, CONTENTS),
    )
)


def valid(answer: Answer) -> bool:
    """Return whether an answer is a text, or calls that fit the tools that are offered."""
    for call in answer.tool_calls:
        jsonschema.validate(json.loads(call.arguments), SCHEMAS[call.name])
    return bool(answer.tool_calls) != bool(answer.text)


@given(TEXTS)
def test_any_text(text: str) -> None:
    """Whatever is said gets a text or valid calls."""
    assert valid(respond(Request(MODEL_NAME, ({"role": "user", "content": text},), ALL_TOOLS, None, {})))


@given(MESSAGES)
def test_any_history(messages: list[Json]) -> None:
    """Whatever was said, answered and noted before gets a text or valid calls, and the same ones every time."""
    request = Request(MODEL_NAME, tuple(messages), ALL_TOOLS, None, {})
    answer = respond(request)
    assert valid(answer)
    assert respond(request) == answer
