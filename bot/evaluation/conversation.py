"""What a conversation is: who says and clicks what, and what has to come of it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

ONE_OF = "one_of"


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _pattern(words: str) -> str:
    if words.startswith("/"):
        if len(words) <= len("//") or not words.endswith("/"):
            raise ValueError("a pattern stands between two slashes, such as /blue|red/")
        try:
            re.compile(words[1:-1])
        except re.error as error:
            raise ValueError(f"the pattern is malformed: {error}") from None
    elif not words.strip():
        raise ValueError("there are no words in it")
    return words


Words = Annotated[str, AfterValidator(_pattern)]
"""Words in any case of letters; between slashes, a regular expression."""

ListOfWords = Annotated[tuple[Words, ...], BeforeValidator(_as_list)]
Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExpectedCall(_Part):
    """A call: `tool`, `tool: {argument: value}` for those arguments that matter, or `one_of` several."""

    tool: str = ""
    arguments: dict[str, Any] = {}
    one_of: "tuple[ExpectedCall, ...]" = ()

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"tool": value}
        if not isinstance(value, dict) or len(value) != 1:
            raise ValueError("a call is the name of a tool, or a tool with its arguments: `tool: {argument: value}`")
        ((tool, arguments),) = value.items()
        if tool == ONE_OF:
            return {ONE_OF: arguments}
        return {"tool": str(tool), "arguments": {} if arguments is None else arguments}

    def tools(self) -> "Iterator[ExpectedCall]":
        """Yield the calls that would do, each with one tool."""
        if not self.one_of:
            yield self
        for one in self.one_of:
            yield from one.tools()

    def __str__(self) -> str:
        if self.one_of:
            return " or ".join(map(str, self.one_of))
        return written(self.tool, self.arguments)


Calls = Annotated[tuple[ExpectedCall, ...], BeforeValidator(_as_list)]


class Soft(_Part):
    """What counts for a model and fails no conversation."""

    calls: Calls = ()
    answer_has: ListOfWords = ()
    answer_lacks: ListOfWords = ()


class Step(_Part):
    """Somebody says something or clicks a button, and what must be so when the bot is done with it."""

    by: str = "ana"
    say: str | None = None
    where: Literal["here", "channel", "dm"] = "here"
    """In the thread that there is; or newly in the channel, or in the person's direct messages."""
    click: Literal["approve", "cancel"] | None = None
    card: Words | None = None
    """What is shown on the card that is clicked; the newest one without it."""

    calls: Calls = ()
    may_call: Names = ()
    waits: dict[str, str] | None = None
    """Which tools' requests wait, and for whom; without it, whatever `calls` expects that needs an approver."""
    answer_has: ListOfWords = ()
    answer_lacks: ListOfWords = ()
    silent: bool = False
    refused: bool = False
    soft: Soft = Soft()

    @model_validator(mode="after")
    def _one_thing(self) -> "Step":
        if (self.say is None) == (self.click is None):
            raise ValueError("a step is either `say` or `click`")
        if self.click is None and (self.card or self.refused):
            raise ValueError("`card` and `refused` are about a `click`")
        if self.click and (self.where != "here" or self.silent):
            raise ValueError("`where` and `silent` are about something that is said")
        return self


class Item(_Part):
    """A line of an order, its price in dollars."""

    name: str
    price: float = Field(gt=0)
    quantity: int = Field(1, gt=0)


class Scan(_Part):
    """What the carrier told, and how many days ago."""

    days_ago: float
    place: str
    text: str


class ShopOrder(_Part):
    """An order that the shop has, with dates counted from today."""

    id: str
    customer: str = "ana"
    status: Literal["paid", "packed", "shipped", "delayed", "out_for_delivery", "delivered", "cancelled"]
    items: tuple[Item, ...] = Field(min_length=1)
    placed_days_ago: int = 3
    expected_in_days: int | None = None
    paid_with: str = "Visa ending 4242"
    tracking: tuple[Scan, ...] = ()
    refunded: float = 0


class OrderInTheEnd(_Part):
    """What the shop has of an order in the end; what is not named may be anything."""

    status: str | None = None
    paid: float | None = None
    """All that was paid less all that went back, in dollars."""
    paid_with: str | None = None
    items: tuple[str, ...] | None = None
    goes_to: str | None = None
    """The street of its address."""
    going_back: tuple[int, ...] | None = None
    """The lines that come back to the shop."""


class Member(_Part):
    """Somebody who is in the workspace for this conversation only."""

    name: str
    email: str | None = None
    title: str = ""


class Conversation(_Part):
    """One conversation with all that it needs; its name is the key that it has in its file."""

    name: str
    group: str
    """The file's name, under which conversations are summed up."""

    about: str
    tags: Names = ()
    offline: bool = False
    """Whether the offline model passes it, so that it is played where there is no language model."""
    place: Literal["channel", "dm"] = "channel"
    people: dict[str, Member] = {}
    orders: tuple[ShopOrder, ...] = ()
    """The shop's orders in place of the sample ones."""
    may_call: Names = ()
    """Tools that a step may call without need, and without being counted."""
    never: Names = ()
    never_says: ListOfWords = ()
    done: Calls = ()
    """Exactly what has been done in the end, of what needs an approver."""
    refunded: dict[str, float] = {}
    """Exactly what has gone back in the end, in dollars by order."""
    in_the_end: dict[str, OrderInTheEnd] = {}
    balances: dict[str, float] = {}
    """What is left in the end of gift cards, in dollars by their names."""
    steps: tuple[Step, ...]

    @model_validator(mode="after")
    def _begins(self) -> "Conversation":
        if not self.steps or self.steps[0].say is None:
            raise ValueError("the first step is something that is said")
        return self

    @property
    def full_name(self) -> str:
        """The name with its group, by which one conversation is chosen."""
        return f"{self.group}/{self.name}"


def written(tool: str, arguments: Mapping[str, Any]) -> str:
    """Write a call as a person reads it."""
    shown = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items())
    return f"{tool}({shown})" if shown else tool


def found(words: str, text: str) -> bool:
    """Return whether the words, or what the pattern describes, are in a text."""
    text = text.translate({0xA0: " ", 0x2019: "'", 0x2011: "-"})
    if words.startswith("/"):
        return bool(re.search(words[1:-1], text, re.IGNORECASE | re.DOTALL))
    return words.casefold() in text.casefold()
