"""The tools that are offered, and what each of their calls is run with."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from bot.identity import Person
from bot.shop.shop import Shop
from bot.store.records import ThreadId
from bot.tools.tool import Context, Requests, Rules, Tool, within

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Toolset:
    """The tools by name, for the model and for people who press something instead; each waits only so many seconds."""

    tools: Mapping[str, type[Tool]]
    shop: Shop
    requests: Requests
    rules: Rules
    seconds: float

    def context(self, call_id: str, thread: ThreadId, person: Person, said: str, *, public: bool = False) -> Context:
        """Make what a call is run with, for the person and what they have said; `public` is where everybody reads."""
        return Context(call_id, thread, person, self.shop, self.requests, self.rules, said, public)

    async def within(self, doing: Awaitable[T]) -> T:
        """Wait for a tool. Raises what it may raise, and ToolCrashError when it takes too long or breaks otherwise."""
        return await within(self.seconds, doing)
