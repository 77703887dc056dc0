"""Tools of MCP servers as tools of the bot: described as pinned, their arguments checked, their results data."""

import json
import logging
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import create_model, model_serializer

from bot.mcp.config import Use
from bot.mcp.connection import ChangedDefinitionError, Connection, ServerUnavailableError
from bot.mcp.definitions import Definition, offered_name, seen, visible
from bot.mcp.schema import UnusableSchemaError, for_model, misfits
from bot.mcp.session import RefusedCallError
from bot.shop.shop import ShopRefusedError
from bot.tools.foreign import FailedThereError, ForeignTool
from bot.tools.tool import MAX_ARGUMENT_CHARACTERS, NOT_UNDERSTOOD, Context, Tool, ToolError, ToolResult, json_object

logger = logging.getLogger(__name__)

MAX_RESULT_CHARACTERS = 8_000
MAX_ERROR_CHARACTERS = 500
LATER = "Say so, and offer to try again later."
NOT_TRUSTED = "I can't do that for now: it is not what it was when it was looked at."


class McpTool(Tool):
    """A tool of an MCP server. Each is a subclass of its own, whose arguments are one field, as its server's schema."""

    connection: ClassVar[Connection]
    pinned: ClassVar[Definition]
    arguments: dict[str, Any]

    @classmethod
    def definition(cls) -> dict[str, Any]:
        """Describe the tool to the model as it was pinned: not in strict form, which other people's schemas are not."""
        return {
            "type": "function",
            "function": {
                "name": cls.name,
                "description": f"{cls.pinned.told} (A tool of {visible(cls.connection.name)}.)",
                "strict": False,
                "parameters": for_model(cls.pinned.input_schema),
            },
        }

    @classmethod
    def parse(cls, arguments: str) -> Self:
        """Make the call from the arguments as the model sent them. Raises ToolError that says what would be right."""
        data = _plain(arguments)
        try:
            wrong = misfits(cls.pinned.input_schema, data)
        except UnusableSchemaError as error:
            raise ToolError("I can't do that.", f"The arguments of {cls.name} cannot be checked.") from error
        if wrong:
            raise ToolError(NOT_UNDERSTOOD, f"The arguments of {cls.name} are not right: {'; '.join(wrong)}.")
        return cls(arguments=data)

    @model_serializer
    def _written(self) -> dict[str, Any]:
        return self.arguments

    def progress(self) -> str:
        """Say which server is asked."""
        return f"is asking {visible(self.connection.name)}…"


class ReadTool(McpTool):
    """A tool that the operator lists as a read: it runs at once."""

    public = True  # the server does not know who asks, and answers everybody alike

    async def run(self, context: Context) -> ToolResult:  # noqa: ARG002 - the server answers everybody alike
        """Call it, and return what it says as data."""
        server = visible(self.connection.name)
        try:
            answer = await self.connection.call(self.pinned, self.arguments)
        except ServerUnavailableError as error:
            logger.warning("%s", error)
            raise ToolError("I can't get at that right now.", f"{server} can't be asked. {LATER}") from error
        except ChangedDefinitionError as error:
            _report(error)
            hint = f"{self.name} is not what it was when it was trusted. Offer to call a person."
            raise ToolError(f"{NOT_TRUSTED} Nothing was done.", hint) from error
        except RefusedCallError as error:
            raise ToolError("That was not accepted.", f"{server} does not take it: {_short(str(error))}") from error
        text = seen(answer.text)
        if answer.is_error:
            raise ToolError("That did not work.", f"{server} says that it failed: {_short(text)}")
        return ToolResult({"result": text[:MAX_RESULT_CHARACTERS]} | _cut(text))


class ApproveTool(McpTool, ForeignTool):
    """Any other tool: it runs when a person has approved it, once."""

    @classmethod
    async def call_once(cls, arguments: Mapping[str, Any]) -> str:
        """Call the server's tool once, and return what it says."""
        try:
            answer = await cls.connection.call(cls.pinned, arguments)
        except ServerUnavailableError as error:
            # Not left for later, as a shop's would be: of two processes that tried again each could call it once.
            logger.warning("%s", error)
            raise ShopRefusedError("It can't be reached right now; it can be asked for again.") from error
        except ChangedDefinitionError as error:
            _report(error)
            raise ShopRefusedError(NOT_TRUSTED) from error
        except RefusedCallError as error:
            logger.warning(
                "%s does not take a call of %s: %s", cls.connection.name, cls.pinned.name, _short(str(error))
            )
            raise ShopRefusedError("It was not accepted.") from error
        text = seen(answer.text)[:MAX_RESULT_CHARACTERS]
        if answer.is_error:
            raise FailedThereError(text)
        return text


def _report(error: ChangedDefinitionError) -> None:
    logger.error("%s, so it is not called. See what changed with `support-bot mcp pin`.", error)


def tool_class(connection: Connection, pinned: Definition, use: Use) -> type[Tool]:
    """Make the class of a server's tool, as the operator uses it."""
    name = offered_name(connection.name, pinned.name)
    made = _subclass(_BASES[use], name)
    made.name = name
    made.connection = connection
    made.pinned = pinned
    if issubclass(made, ApproveTool):
        made.definition_hash = pinned.digest
    return made


def _subclass(base: type[McpTool], name: str) -> type[McpTool]:
    return create_model(name, __base__=base)


_BASES: Mapping[Use, type[McpTool]] = {Use.READ: ReadTool, Use.APPROVE: ApproveTool}


def _plain(arguments: str) -> dict[str, Any]:
    """Parse arguments into plain JSON values. Raises ToolError."""
    if len(arguments) > MAX_ARGUMENT_CHARACTERS:
        raise ToolError("That is too long for me.", f"Send at most {MAX_ARGUMENT_CHARACTERS} characters.")
    try:
        data: dict[str, Any] = json.loads(json.dumps(json_object(arguments), default=float, allow_nan=False))
    except (ValueError, OverflowError) as error:
        raise ToolError(NOT_UNDERSTOOD, "A number in the arguments is out of range.") from error
    return data


def _cut(text: str) -> dict[str, str]:
    left_out = len(text) - MAX_RESULT_CHARACTERS
    return {"cut": f"{left_out} more characters were left out"} if left_out > 0 else {}


def _short(text: str) -> str:
    return json.dumps(" ".join(text.split())[:MAX_ERROR_CHARACTERS], ensure_ascii=False)
