"""What every tool keeps to, so that a server in strict mode takes it and no arguments can break it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, SecretStr

from bot import tools
from bot.identity import Person
from bot.settings import Settings
from bot.shop.changes import Quote
from bot.shop.money import Money
from bot.shop.sqlite import SqliteShop
from bot.store.records import ThreadId
from bot.store.sqlite.database import DatabaseThread
from bot.testing.openai.strict_schema import schema_faults
from bot.tools.tool import Context, GatedTool, Tool, ToolError, ToolResult
from tests.world import ANA

SETTINGS = Settings(
    _env_file=None, slack_bot_token="xoxb-1", BOT_ESCALATION_CHANNEL="C0TEAM", BOT_HELP_FOLDER=Path("help")
)
TOOLS = tools.load(SETTINGS)
GATED = {name: tool for name, tool in TOOLS.items() if issubclass(tool, GatedTool)}
WHO_IS_ASKING = re.compile(r"user|team|requester|customer_id|channel|thread|slack|approv")
NAMES = sorted({name for tool in TOOLS.values() for name in tool.model_fields})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def faults(tool: type[Tool]) -> Iterator[str]:
    """Say what about a tool a server, a model or safety could not do with."""
    function = tool.definition()["function"]
    schema = function["parameters"]
    yield from schema_faults(schema, strict=True)
    if not re.fullmatch(r"[a-z][a-z_]{2,63}", function["name"]):
        yield f"{function['name']} is no name"
    if len(function["description"]) < 20:
        yield "the docstring does not describe it"
    for name, described in schema.get("properties", {}).items():
        if not described.get("description"):
            yield f"{name} is not described"
        if WHO_IS_ASKING.search(name):
            yield f"{name} would let the model say who is asking"
    if len(json.dumps(schema)) > 5_000:
        yield "the schema is too large"


def context(shop: SqliteShop, channel: str = "C0SUPPORT") -> Context:
    """Make a context of Ana's in which nothing can be taken back."""

    class NoRequests:
        async def withdraw(self, request: str, person: Person) -> str:
            raise ToolError(f"{person.id} has no request {request}.")

    person = Person(ANA, "T0ACME", "ana@example.com", is_staff=False)
    return Context("call", ThreadId("T0ACME", channel, "1.0"), person, shop, NoRequests(), tools.rules(SETTINGS))


BUILT_IN_GATED = {
    "cancel_order",
    "change_address",
    "change_default_address",
    "change_items",
    "change_payment",
    "delete_account",
    "exchange_items",
    "initiate_refund",
    "return_items",
}
BUILT_IN = BUILT_IN_GATED | {
    "ask_which",
    "escalate_to_human",
    "find_orders",
    "find_products",
    "get_order_status",
    "get_profile",
    "search_help",
    "withdraw_request",
}


def test_the_tools_there_are() -> None:
    """The built-in tools are found, and those that move something are gated; others may be beside them."""
    assert set(TOOLS) >= BUILT_IN
    assert set(GATED) & BUILT_IN == BUILT_IN_GATED


def reachable(value: object, depth: int = 6) -> Iterator[object]:
    """Walk through all that hangs on a value by its fields."""
    yield value
    names = getattr(value, "__dataclass_fields__", None) or getattr(value, "__dict__", {})
    for name in names if depth else ():
        yield from reachable(getattr(value, name), depth - 1)


def test_tools_are_given_no_secrets(shop: SqliteShop) -> None:
    """Nothing that a tool is given leads to the settings, and so to a token or a key."""
    found = list(reachable(context(shop)))
    assert len(found) > 10
    assert not [value for value in found if isinstance(value, Settings | SecretStr)]


@pytest.mark.parametrize("name", TOOLS)
def test_strict_and_described(name: str) -> None:
    """A tool's schema is one that strict mode takes, each part of it is described, and none says who is asking."""
    assert list(faults(TOOLS[name])) == []
    assert TOOLS[name].definition()["function"]["name"] == name


@pytest.mark.parametrize("name", TOOLS)
def test_definition_stays_the_same(name: str) -> None:
    """A tool is described byte for byte the same each time, so that the server's cache of it holds."""
    assert json.dumps(TOOLS[name].definition()) == json.dumps(TOOLS[name].definition())


def test_bad_tool_is_refused() -> None:
    """An open dict, a length, a field that is not described and a user's id are each a fault of a tool."""

    class BadTool(Tool):
        """Do a thing."""

        user_id: str = Field(description="Whose.")
        amount: int = Field(1, description="How much.")
        extras: dict[str, str] = Field(description="More.")
        note: str = Field(max_length=5)

        async def run(self, context: Context) -> ToolResult:  # noqa: ARG002 - never run
            return ToolResult({})

    told = "\n".join(faults(BadTool))
    for fault in ("additionalProperties", "'maxLength'", "note is not described", "who is asking"):
        assert fault in told
    assert "docstring does not describe" in told


def test_gated_tool_without_a_change_cannot_be_made() -> None:
    """A tool that needs an approval and does not say what it will do cannot even be made from arguments."""

    class RashTool(GatedTool):
        """Move money without a word."""

    with pytest.raises(TypeError, match="change"):
        RashTool.parse("{}")


async def test_gated_tool_does_nothing_by_itself(shop: SqliteShop) -> None:
    """A gated tool that is run, by whatever mistake, refuses: only an approval makes a change."""
    for name, arguments in (("delete_account", {}), ("cancel_order", {"order_id": "ORD-10251"})):
        with pytest.raises(ToolError, match="needs an approval"):
            await TOOLS[name].parse(json.dumps(arguments)).run(context(shop))


@settings(max_examples=300)
@given(
    st.sampled_from(sorted(TOOLS)),
    st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), JSON, max_size=5).map(json.dumps)
    | st.text(max_size=60)
    | JSON.map(json.dumps),
)
def test_any_arguments(name: str, arguments: str) -> None:
    """Whatever a model sends, parsing gives the tool or an error in words, and what it gives can be parsed again."""
    try:
        tool = TOOLS[name].parse(arguments)
    except ToolError:
        return
    assert TOOLS[name].parse(tool.model_dump_json()) == tool


@pytest.mark.parametrize(
    "amount",
    ["1e-999999999", "1e-99999999999999999999", "1e99999999999999999999", "NaN", "Infinity", "-0", "true", "[]"],
)
def test_numbers_beyond_reason(amount: str) -> None:
    """A number that is none, or that would keep the machine busy for hours, is refused at once."""
    with pytest.raises(ToolError):
        TOOLS["initiate_refund"].parse(f'{{"order_id": "ORD-1", "reason": "defective", "amount": {amount}}}')


@pytest.mark.parametrize(
    "arguments",
    [
        '{"order_id": "ORD-1", "order_id": "ORD-2", "include_tracking": false}',
        '{"order_id": "ORD-1", "include_tracking": false} and more',
        '{"order_id": "ORD-1", "include_tracking": false, "user_id": "U0BEN"}',
        '{"order_id": "\\ud800", "include_tracking": false}',
        '{"order_id": "' + "9" * 5_000 + '", "include_tracking": false}',
        "[" * 3_000,
        '{"order_id": "ORD-1", "include_tracking"',
        "[]",
        "",
    ],
)
def test_arguments_that_are_refused(arguments: str) -> None:
    """A key that stands twice or is unknown, text after the object, half a character, or too much is refused."""
    with pytest.raises(ToolError):
        TOOLS["get_order_status"].parse(arguments)


async def quoted(shop: SqliteShop, name: str, sent: dict[str, Any]) -> Quote:
    """Preview a tool that was sent more than it takes, if it lets that pass, and return the quote."""
    tool = TOOLS[name].parse(json.dumps(sent))
    assert isinstance(tool, GatedTool)
    return (await tool.preview(context(shop))).quoted.quote


async def test_figures_are_the_shops(database: DatabaseThread, shop: SqliteShop) -> None:
    """What goes back and whose account goes are the shop's figures; a model cannot send them in any field."""
    await database.commit(lambda db: db.execute("UPDATE orders SET status = 'delivered' WHERE id != 'ORD-10251'"))
    assert (await quoted(shop, "cancel_order", {"order_id": "ORD-10251"})).balance == Money(4350)
    await database.commit(lambda db: db.execute("UPDATE orders SET status = 'delivered'"))
    assert (await quoted(shop, "delete_account", {})).customer.email == "ana@example.com"
    for name, sent in (
        ("cancel_order", {"order_id": "ORD-10251", "refund": 9999}),
        ("delete_account", {"email": "ben@example.com"}),
    ):
        with pytest.raises(ToolError):
            await quoted(shop, name, sent)
