"""A session with an MCP server, by the library `mcp`.

A server is offered nothing of ours: no sampling, no roots, every question to a person declined. Of the environment a
command gets PATH, HOME, USER, LOGNAME, SHELL and TERM, and what its own settings name.
"""

import asyncio
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio
from mcp import Client
from mcp.client.session import ClientRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    ElicitRequestParams,
    ElicitResult,
    EmbeddedResource,
    ResourceLink,
    TextContent,
    TextResourceContents,
    Tool,
)

from bot.mcp.config import ServerConfig
from bot.mcp.definitions import Definition
from bot.mcp.transports import transport

MAX_PAGES = 50


class RefusedCallError(Exception):
    """The server does not take the call; nothing was begun."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server returned for a call. `is_error` says that the server calls it a failure."""

    text: str
    is_error: bool


class Session:
    """A session that a task of its own holds open until it is ended; with it ends the server's process, if any."""

    def __init__(self, config: ServerConfig, *, open_seconds: float) -> None:
        self.under_way = 0
        """How many calls are."""
        self._config = config
        self._client: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._asked_to_end = asyncio.Event()
        self._scope = anyio.CancelScope(deadline=anyio.current_time() + open_seconds)
        self._task = asyncio.create_task(self._hold(), name=f"mcp {config.name}")

    @property
    def is_over(self) -> bool:
        """Whether nothing is left of it."""
        return self._task.done()

    async def opened(self) -> None:
        """Wait until the server has answered. Raises whatever keeps it from that."""
        await asyncio.shield(self._client)

    async def definitions(self) -> Mapping[str, Definition]:
        """List the server's tools by name. Raises whatever goes wrong."""
        found: dict[str, Definition] = {}
        cursor = None
        for _ in range(MAX_PAGES):
            page = await self._client.result().list_tools(cursor=cursor)
            for tool in map(_definition, page.tools):
                if found.setdefault(tool.name, tool) != tool:
                    raise ValueError(f"it lists {tool.name} twice")
            cursor = page.next_cursor
            if cursor is None:
                return found
        raise ValueError(f"it lists more than {MAX_PAGES} pages of tools")

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        """Call a tool once. Raises RefusedCallError, and whatever else goes wrong: then nobody knows what was done."""
        # Past the SDK's own `call_tool`, which may send a call twice and runs the server's regular expressions.
        request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=dict(arguments)))
        self.under_way += 1
        try:
            result = await self._client.result().session.send_request(request, CallToolResult)
        except MCPError as error:
            if error.code in (INVALID_PARAMS, METHOD_NOT_FOUND):
                raise RefusedCallError(error.message) from error
            raise
        finally:
            self.under_way -= 1
        return Answer(_text_of(result), result.is_error)

    def cut_off(self) -> None:
        """End it at once, without waiting for the end."""
        self._scope.cancel()

    async def end(self, seconds: float) -> None:
        """End it with so long to say goodbye."""
        self._asked_to_end.set()
        await asyncio.wait([self._task], timeout=seconds)
        self.cut_off()
        await asyncio.wait([self._task])

    async def _hold(self) -> None:
        error: Exception = ConnectionError("it did not answer in time")
        try:
            with self._scope:
                async with Client(transport(self._config), elicitation_callback=_decline, cache=None) as client:
                    self._scope.deadline = math.inf
                    self._client.set_result(client)
                    await self._asked_to_end.wait()
        except Exception as raised:  # noqa: BLE001 - those who wait for the session are told, and the next call opens one
            error = raised
        if not self._client.done():
            self._client.set_exception(error)
            self._client.exception()  # nobody may be there to ask for it


async def _decline(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001 - its form
    return ElicitResult(action="decline")


def _definition(tool: Tool) -> Definition:
    said = tool.model_dump(by_alias=True, mode="json", exclude_none=True)
    return Definition(
        name=tool.name,
        input_schema=said["inputSchema"],
        title=said.get("title"),
        description=said.get("description"),
        output_schema=said.get("outputSchema"),
        annotations=said.get("annotations", {}),
    )


def _text_of(result: CallToolResult) -> str:
    """Return what a result says in words; pictures and sounds are named and left out."""
    parts: list[str] = []
    for part in result.content:
        match part:
            case TextContent():
                parts.append(part.text)
            case EmbeddedResource(resource=TextResourceContents() as resource):
                parts.append(resource.text)
            case ResourceLink():
                parts.append(f"[{part.name}: {part.uri}]")
            case _:
                parts.append(f"[{part.type}, left out]")
    if result.structured_content is not None and not any(_is_same(part, result.structured_content) for part in parts):
        parts.append(json.dumps(result.structured_content, ensure_ascii=False))
    return "\n".join(parts)


def _is_same(text: str, structured: Any) -> bool:
    try:
        return bool(json.loads(text) == structured)
    except (ValueError, RecursionError):
        return False
