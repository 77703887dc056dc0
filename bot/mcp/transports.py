"""How the bytes of an MCP server come: over a command's pipes or over HTTP, and never more at once than is bearable.

The library's own transport over pipes joins a message out of its pieces in quadratic time and without a bound, so that
one endless line would keep the whole bot busy; this one ends the session instead.
"""

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import anyio
import httpx2
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from bot.mcp.config import ServerConfig

MAX_MESSAGE_BYTES = 4_000_000
CONNECT_SECONDS = 10.0
END_SECONDS = 2.0

Streams = tuple[Any, Any]  # what comes in and what goes out, as the library has its streams


def transport(config: ServerConfig) -> AbstractAsyncContextManager[Streams]:
    """Return the streams of a server, open for as long as the context is."""
    return _over_pipes(config) if config.url is None else _over_http(config, config.url)


@asynccontextmanager
async def _over_pipes(config: ServerConfig) -> AsyncIterator[Streams]:
    environment = get_default_environment() | dict(config.env)
    command = shutil.which(config.command or "", path=environment.get("PATH")) or config.command or ""
    process = await asyncio.create_subprocess_exec(
        *(command, *config.args),
        stdin=PIPE,
        stdout=PIPE,
        env=environment,
        cwd=config.cwd,
        limit=MAX_MESSAGE_BYTES,
        start_new_session=True,
    )
    to_us, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, to_server = anyio.create_memory_object_stream[SessionMessage](0)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_read, process, to_us)
            tasks.start_soon(_write, process, to_server)
            yield incoming, outgoing
            tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)
        for stream in (to_us, incoming, outgoing, to_server):
            stream.close()


async def _read(process: Process, to_us: MemoryObjectSendStream[SessionMessage | Exception]) -> None:
    """Hand on each line as a message, until the output ends or a line has no end; then the session is over."""
    assert process.stdout  # noqa: S101 - it is a pipe
    with to_us, suppress(ValueError, OSError, anyio.BrokenResourceError):
        async for line in process.stdout:
            await to_us.send(_message(line))


def _message(line: bytes) -> SessionMessage | Exception:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as error:
        return error


async def _write(process: Process, to_server: MemoryObjectReceiveStream[SessionMessage]) -> None:
    assert process.stdin  # noqa: S101 - it is a pipe
    with to_server, suppress(OSError):
        async for sent in to_server:
            process.stdin.write(sent.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
            await process.stdin.drain()


async def _end(process: Process) -> None:
    """End a command and all that it has started: by the end of its input, by being asked, and then by force."""
    assert process.stdin  # noqa: S101 - it is a pipe
    process.stdin.close()
    await _wait(process)
    if sys.platform == "win32":
        with suppress(ProcessLookupError):
            process.kill()
    else:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)
            await _wait(process)


async def _wait(process: Process) -> None:
    """Wait for the end of a command, and take what it still has to say: it may be held up by that."""
    assert process.stdout  # noqa: S101 - it is a pipe
    with suppress(OSError):
        async with asyncio.timeout(END_SECONDS):
            while await process.stdout.read(MAX_MESSAGE_BYTES):
                pass
            await process.wait()


@asynccontextmanager
async def _over_http(config: ServerConfig, url: str) -> AsyncIterator[Streams]:
    # No time for an answer: how long a call may take is for the one who makes it.
    timeout = httpx2.Timeout(CONNECT_SECONDS, read=None)
    headers = dict(config.headers)
    async with (
        httpx2.AsyncClient(headers=headers, timeout=timeout, event_hooks={"response": [_bound]}) as http_client,
        streamable_http_client(url, http_client=http_client, max_sse_event_size=MAX_MESSAGE_BYTES) as streams,
    ):
        yield streams


class _Bounded(httpx2.AsyncByteStream):
    """The body of an answer, which breaks off where it gets too long."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MAX_MESSAGE_BYTES
        async for part in self._stream:
            left -= len(part)
            if left < 0:
                raise httpx2.ReadError(f"the answer has more than {MAX_MESSAGE_BYTES} bytes")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bound(response: httpx2.Response) -> None:
    """Bound the answer to a message; the stream of all else that a server has to say has no end."""
    if response.request.method == "POST" and isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = _Bounded(response.stream)
