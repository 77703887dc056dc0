"""What a tool is: a pydantic class whose fields are the arguments, and how a model's arguments become one."""

import asyncio
import json
import re
from abc import abstractmethod
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    model_validator,
)

from bot.blocks.orders import OrderButton
from bot.blocks.preview import Preview
from bot.identity import Person, plain_address
from bot.shop.changes import Change, Quoted, Refund, ReturnItems
from bot.shop.orders import Customer, Order
from bot.shop.shop import Reading, Shop, ShopRefusedError, ShopUnavailableError
from bot.store.records import Block, ThreadId, fault
from bot.tools.arguments import as_typed_plainly
from bot.tools.naming import names
from bot.tools.strict import strict
from bot.tools.wording import preview_of

T = TypeVar("T")
FORMS: Mapping[OrderButton, tuple[str, type[Change]]] = {
    OrderButton.REFUND: ("initiate_refund", Refund),
    OrderButton.RETURN: ("return_items", ReturnItems),
}
"""The buttons that open a form, each with the tool that it asks for and the change which that makes."""
MAX_ARGUMENT_CHARACTERS = 4_000
_OUR_WORDS = "Value error, "  # what pydantic puts before ours
NOT_UNDERSTOOD = "I did not get right what is wanted."
WORKING = "is working on it…"
OUTDATED = "I was changed since this was asked for, so it has to be asked for again."


class ToolError(Exception):
    """A call that cannot be done. The model hears the sentence, which a customer may read, and the hint, for it alone.

    Neither holds anything secret.
    """

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.content = {"error": sentence} | ({"hint": hint} if hint else {})


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of a call: content for the model, a card for the thread, and one that who asked sees alone.

    With `escalate` the thread goes to people, who are told this text, and the bot stays quiet there; they also
    read the end of the conversation when it is to be shared.
    """

    content: Mapping[str, Any]
    card: tuple[Block, ...] = ()
    private_card: tuple[Block, ...] = ()
    escalate: str | None = None
    share_conversation: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator has decided that a tool may know: no token, key or address is among it."""

    account_undo_days: int
    help_folder: Path | None = None
    tools_off: tuple[str, ...] = ()


class Requests(Protocol):
    """What a tool may do with requests that wait for approval: take them back, and nothing else."""

    async def withdraw(self, request: str, person: Person) -> str:
        """Take back the person's own waiting request and tell in a sentence what it was. Raises ToolError."""


@dataclass(frozen=True, slots=True)
class Context:
    """For whom and where a tool runs. It comes from Slack's envelope, never from the model."""

    call_id: str
    thread: ThreadId
    requester: Person
    shop: Shop
    requests: Requests
    rules: Rules
    user_text: str = ""
    """What the requester has written in the thread, as far as anything depends on it being their own words."""
    public: bool = False
    """Whether everybody reads what the model says there: then it may know no more of an order than status and dates."""

    async def order(self, number: str) -> Order:
        """Find an order that the requester may see. Somebody else's order looks like no order."""
        known = self.shop.order_number(number)
        order = await self.shop.order(known) if known else None
        if order is not None and self.requester.email == plain_address(order.customer.email):
            return order
        if order is not None and (self.has_named(order.id) or self.has_named(order.customer.email)):
            return order
        raise ToolError(
            f"There is no order {number} in your name.",
            "Ask for the order number as it stands in the order confirmation. Do not guess another one.",
        )

    @property
    def forms(self) -> tuple[OrderButton, ...]:
        """What can be asked for by a form: the changes that this shop makes, unless their tool is off."""
        return tuple(
            button
            for button, (tool, change) in FORMS.items()
            if change in self.shop.changes and tool not in self.rules.tools_off
        )

    async def customer(self) -> Customer:
        """Find the account of who asks, by what Slack says of them. Raises ToolError when there is none."""
        email = self.requester.email
        customer = await self.shop.customer(email) if email else None
        if customer is None:
            raise ToolError("You have no account in the shop.")
        return customer

    @property
    def is_private(self) -> bool:
        """Whether nobody but the requester reads along: in a direct message."""
        return self.thread.channel.startswith("D")

    def require_private(self) -> None:
        """Raise ToolError where others read along."""
        if not self.is_private:
            raise ToolError("This is personal; write to me directly.", "Say so, and nothing of it here.")

    def has_named(self, what: str) -> bool:
        """Return whether staff names this order or customer in their own words, not a text that the model read."""
        return self.requester.is_staff and names(
            self.user_text if "@" in what else as_typed_plainly(self.user_text), what
        )


_WRAPPINGS = ("arguments", "parameters", "args", "params", "input", "kwargs")
_NULLS = ("", "null", "None")


class Tool(BaseModel):
    """Something the model can have done. A subclass's docstring and field descriptions are what the model reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: ClassVar[str]
    needs: ClassVar[str | None] = None
    """The setting without which the tool is not offered to the model."""
    public: ClassVar[bool] = False
    """Whether its result may be read by everybody where `context.public`; of another tool's the model hears nothing."""
    makes: ClassVar[type[Change] | None] = None
    """The change without which, at this shop, it is not offered."""
    reads: ClassVar[Reading | None] = None
    """What a shop has to tell for it to be offered."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Name the tool after its class: GetOrderStatus is get_order_status."""
        super().__init_subclass__(**options)
        cls.name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def definition(cls) -> dict[str, Any]:
        """Describe the tool to the model: OpenAI's function tool in strict form, the same for every caller."""
        return _definition(cls)

    @classmethod
    def parse(cls, arguments: str) -> Self:
        """Make the tool from the arguments as the model sent them. Raises ToolError that says what would be right."""
        if len(arguments) > MAX_ARGUMENT_CHARACTERS:
            raise ToolError("That is too long for me.", f"Send at most {MAX_ARGUMENT_CHARACTERS} characters.")
        try:
            return cls.model_validate(json_object(arguments))
        except ValidationError as error:
            raise _unfit(cls.name, error) from error

    @model_validator(mode="before")
    @classmethod
    def _fill_nulls(cls, data: Any) -> Any:
        # A server without strict mode wraps arguments, and leaves out what may be null or writes it in words.
        if not isinstance(data, dict):
            return data
        fields = cls.model_fields
        called = "name" not in fields and data.get("name") == cls.name
        match [(key, value) for key, value in data.items() if not (called and key == "name")]:
            case [(str(wrapping), dict(wrapped))] if wrapping in _WRAPPINGS and wrapping not in fields:
                data = wrapped
        nulls = {name for name, value in data.items() if value is None or value in _NULLS}
        optional = {name: None for name, field in fields.items() if _allows_none(field.annotation)}
        defaults = {name for name, field in fields.items() if not field.is_required()} - optional.keys()
        left_out = (nulls & optional.keys()) | {name for name in defaults if data.get(name, name) is None}
        return optional | {name: value for name, value in data.items() if name not in left_out}

    def progress(self) -> str:
        """Say what the bot is doing meanwhile, after the words “Support Bot …”."""
        return WORKING

    @abstractmethod
    async def run(self, context: Context) -> ToolResult:
        """Do it. Raises ToolError when it cannot be done."""


class ToolCrashError(Exception):
    """A tool ended in a way that it did not foresee, or not in time: what it did is not known."""


async def within(seconds: float, doing: Awaitable[T]) -> T:
    """Wait for what a tool or the shop does.

    Raises ToolError as the tool does or in the shop's words, ShopUnavailableError when nothing was begun, and
    ToolCrashError for everything else.
    """
    try:
        async with asyncio.timeout(seconds):
            return await doing
    except (ToolError, ShopUnavailableError):
        raise
    except ShopRefusedError as error:
        raise ToolError(str(error), error.hint) from error
    except Exception as error:  # a tool may be anybody's code, and one that breaks must not break the thread
        raise ToolCrashError(fault(error)) from error


class GatedTool(Tool):
    """A tool that asks for a change of the shop: its arguments, and the line that makes the change of them.

    What the change would do is quoted by the shop, shown, and done once, as shown, when the people who may say so.
    """

    @abstractmethod
    async def change(self, context: Context) -> Change:
        """Return what is wanted. Raises ToolError before any person is asked."""

    async def preview(self, context: Context) -> Preview:
        """Say what somebody is about to allow. Raises ToolError, and ShopRefusedError in the shop's words."""
        change = await self.change(context)
        return preview_of(Quoted(change, await context.shop.quote(change)))

    async def run(self, context: Context) -> ToolResult:
        """Refuse: a change is made of what was shown and approved, and by nothing else."""
        raise ToolError("This needs an approval.")


def is_gated(tools: Mapping[str, type[Tool]], name: str) -> bool:
    """Return whether a call of this name waits for somebody's yes. One of no tool at all waits for none."""
    return issubclass(tools.get(name, Tool), GatedTool)


def _unfit(name: str, error: ValidationError) -> ToolError:
    """Say what is wrong with arguments: to the customer what we say of values, to the model where it is as well."""
    faults = [(".".join(map(str, one["loc"])) or "arguments", one["msg"], one["type"]) for one in error.errors()]
    hint = "; ".join(f"{where}: {what.removeprefix(_OUR_WORDS)}" for where, what, _ in faults)
    ours = dict.fromkeys(what.removeprefix(_OUR_WORDS) for _, what, kind in faults if kind == "value_error")
    sentence = f"That can't be right: {'; '.join(ours)}." if ours else NOT_UNDERSTOOD
    return ToolError(sentence, f"The arguments of {name} are not right: {hint}.")


def json_object(text: str) -> dict[str, Any]:
    """Parse a JSON object as data to trust no further: no duplicate keys, no NaN, decimals kept exact."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            raise ValueError("a key stands twice")
        return result

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not a number")

    def exact(number: str) -> Decimal:
        try:
            return Decimal(number)
        except ArithmeticError:
            raise ValueError("a number has too many digits") from None

    try:
        data = json.loads(text, object_pairs_hook=unique, parse_float=exact, parse_constant=refuse)
        if "\\u" in text:
            json.dumps(data, ensure_ascii=False, default=str).encode()  # half of a surrogate pair is no character
    except (ValueError, RecursionError) as error:
        raise ToolError(NOT_UNDERSTOOD, f"The arguments are not valid JSON: {error}. Send one JSON object.") from error
    if not isinstance(data, dict):
        raise ToolError(NOT_UNDERSTOOD, "The arguments are not a JSON object. Send one JSON object.")
    return data


def _allows_none(annotation: Any) -> bool:
    return type(None) in getattr(annotation, "__args__", ())


@cache
def _definition(tool: type[Tool]) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": " ".join((tool.__doc__ or "").split()),
            "strict": True,
            "parameters": strict(tool.model_json_schema()),
        },
    }
