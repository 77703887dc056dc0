"""A tool of somebody else's that does something: shown by its arguments, called once, and never again.

Nobody can be asked what a call would do, nor what became of one; so when it is not known, people find out.
"""

import json
from abc import abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from bot.blocks.preview import Preview
from bot.shop.changes import Applied, AppliedStatus, CallTool, Change, Quote, Quoted
from bot.shop.orders import Customer
from bot.shop.shop import LookFirst, ShopRefusedError
from bot.tools.showing import UnshowableError, argument_facts
from bot.tools.tool import OUTDATED, Context, GatedTool, Tool, ToolError
from bot.tools.wording import preview_of


class FailedThereError(Exception):
    """Whoever was called says that it failed, in these words; whether any of it was done is not known."""


class ForeignTool(GatedTool):
    """A gated tool whose effect is known to nobody here but by its name and its arguments."""

    definition_hash: ClassVar[str]
    """What the tool is, as far as anybody can see: a request that was shown for another one is not done."""

    @classmethod
    @abstractmethod
    async def call_once(cls, arguments: Mapping[str, Any]) -> str:
        """Call it, and return what it says.

        Raises ShopRefusedError when nothing was begun, FailedThereError when it says that it failed, and anything else
        when nobody knows.
        """

    async def change(self, context: Context) -> CallTool:
        """Call it with these arguments, for who asks."""
        arguments = self.model_dump_json()
        try:
            argument_facts(json.loads(arguments))
        except UnshowableError as error:
            hint = f"The arguments of {self.name} can't be shown to the approver as they are: {error}."
            raise ToolError("That can't be shown to the one who would approve it, so I can't ask.", hint) from error
        return CallTool(self.name, arguments, self.definition_hash, context.requester.id)

    async def preview(self, context: Context) -> Preview:
        """Show the arguments: there is no shop to ask what they would do."""
        change = await self.change(context)
        return preview_of(Quoted(change, _quote(change)))


class ForeignCalls:
    """Makes the changes that no shop makes, by the tools that are there now."""

    replay = LookFirst(timedelta())

    def __init__(self, tools: Mapping[str, type[Tool]]) -> None:
        self._tools = tools

    async def quote(self, change: Change) -> Quote:
        """Say what is called. Raises ShopRefusedError when that is not what it was any more."""
        return _quote(self._found(change)[0])

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Call the tool; who calls this sees to it that it happens once."""
        call, tool = self._found(change)
        try:
            said = await tool.call_once(json.loads(call.arguments))
        except FailedThereError as error:
            return Applied(key, AppliedStatus.FAILED, said=str(error))
        return Applied(key, said=said)

    async def applied(self, change: Change, key: str) -> Applied | None:
        """Know nothing: nobody can be asked."""
        return None

    def _found(self, change: Change) -> tuple[CallTool, type[ForeignTool]]:
        if isinstance(change, CallTool):
            tool = self._tools.get(change.tool)
            if tool and issubclass(tool, ForeignTool) and tool.definition_hash == change.definition_hash:
                return change, tool
        raise ShopRefusedError(OUTDATED)


def _quote(change: CallTool) -> Quote:
    return Quote(Customer(change.requester, name="", email=""), called=f"{change.tool} {change.arguments}")
