"""The same bot over HTTP: Slack's Events API with signed requests."""

import asyncio
import json
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from slack_sdk.signature import SignatureVerifier
from yarl import URL

from bot.app import running
from bot.slack.client import StartError
from bot.slack.http import EVENTS_PATH, MAX_BODY_BYTES, MAX_CONNECTIONS, READ_SECONDS
from bot.testing.openai import Answer
from bot.testing.slack.workspace.deliveries import reach_nobody
from tests.process import BotProcess
from tests.world import ANA, SAM, World, free_port, refund_of, shown

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
Send = Callable[[str, dict[str, Any]], Awaitable[int]]


def signed(body: str, secret: str = SECRET, age: int = 0) -> dict[str, str]:
    """Sign a body as Slack does."""
    timestamp = str(int(time.time()) - age)
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body) or ""
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}


async def listening(session: aiohttp.ClientSession, url: str) -> None:
    """Wait until somebody answers there."""
    async with asyncio.timeout(20):
        while True:
            with suppress(aiohttp.ClientConnectionError):
                async with session.get(url):
                    return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def delivering(world: World, url: str) -> AsyncIterator[None]:
    """Deliver the workspace's events there while the context is open."""
    async with aiohttp.ClientSession() as session:

        async def deliver(kind: str, payload: dict[str, Any]) -> dict[str, Any] | bool:
            fields = {"interactive": {"payload": json.dumps(payload)}, "slash_commands": payload}.get(kind)
            body = urlencode(fields) if fields else json.dumps(payload)
            sent = "application/x-www-form-urlencoded" if fields else "application/json"
            headers = signed(body, age=-int(world.workspace.clock_offset_seconds)) | {"Content-Type": sent}
            try:
                async with session.post(url, data=body, headers=headers) as response:
                    said = await response.text()
                    return response.status == 200 and (json.loads(said) if said.startswith("{") else True)
            except (aiohttp.ClientError, RuntimeError):  # the bot has stopped, and so has the session
                return False

        world.workspace.deliveries.deliver = deliver
        yield
        world.workspace.deliveries.deliver = reach_nobody
        await world.workspace.deliveries.stop()


@asynccontextmanager
async def http_bot(world: World, **changes: Any) -> AsyncIterator[str]:
    """Run the bot over HTTP, and have the workspace deliver to it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}{EVENTS_PATH}"
    settings = world.settings(slack_app_token=None, slack_signing_secret=SECRET, **changes)
    async with running(settings, http_port=port), delivering(world, url):
        yield url


async def test_question_and_refund_over_http(world: World) -> None:
    """Events and clicks that are signed do over HTTP what they do over Socket Mode."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with http_bot(world):
        card = await world.card(await world.says(ANA, "@bot refund ORD-10188, broken", copies=2))
        assert await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        assert "✓ Approved by" in shown(await world.settled(card))
    assert world.refunds() == [("ORD-10188", 4200)]


@pytest.mark.parametrize("minutes", [-40, 40])
async def test_clock_that_is_wrong(world: World, caplog: pytest.LogCaptureFixture, minutes: int) -> None:
    """On a host whose clock is wrong by minutes Slack's requests are taken, and the log says which clock is wrong."""
    world.workspace.clock_offset_seconds = 60 * minutes
    world.script += [Answer("Hello.")]
    async with http_bot(world) as url, aiohttp.ClientSession() as session:
        await world.replies(await world.says(ANA, "@bot hello"))
        body = '{"type": "event_callback"}'
        async with session.post(url, data=body, headers=signed(body, age=20 * 60)) as response:
            assert response.status == 401
    assert f"this host's clock is 40 minutes {'behind' if minutes > 0 else 'ahead of'} Slack's" in caplog.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed('{"type": "event_callback"}', "another secret"),
        signed("another body"),
        signed('{"type": "event_callback"}', age=600),
    ],
)
async def test_unsigned_requests_are_refused(world: World, headers: dict[str, str]) -> None:
    """A request without a fresh signature of ours is refused and does nothing."""
    async with http_bot(world) as url, aiohttp.ClientSession() as session:
        sent = headers | {"Content-Type": "application/json"}
        async with session.post(url, data='{"type": "event_callback"}', headers=sent) as response:
            assert response.status == 401


@pytest.mark.parametrize(
    ("body", "is_signed", "status"),
    [
        (b"{", False, 401),
        (b"\xff", False, 401),
        (b"{", True, 400),
        (b"[]", True, 400),
        (b"[" * 100_000, True, 400),
        (b"x" * (MAX_BODY_BYTES + 1), True, 413),
    ],
    ids=["unsigned", "no text", "broken", "no object", "deep", "long"],
)
async def test_refused_in_one_line(
    world: World, caplog: pytest.LogCaptureFixture, *, body: bytes, is_signed: bool, status: int
) -> None:
    """A body that is not signed, cannot be read or is too long is refused in one line of the log."""
    async with http_bot(world) as url, aiohttp.ClientSession() as session:
        sent = (signed(body.decode()) if is_signed else {}) | {"Content-Type": "application/json"}
        with caplog.at_level("WARNING"):
            async with session.post(url, data=body, headers=sent) as response:
                assert response.status == status
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["refused a request of 127.0.0.1"]
    assert not any(record.exc_info for record in caplog.records)


async def test_long_body_of_unknown_length(world: World) -> None:
    """A body that does not say how long it is is read no further than a body may be long."""

    async def without_end() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 100_000

    async with http_bot(world) as url, aiohttp.ClientSession() as session:
        with suppress(aiohttp.ClientOSError):  # the bot may have hung up while we still wrote
            async with session.post(url, data=without_end()) as response:
                assert response.status == 413


async def test_silent_connections(world: World) -> None:
    """Only so many connections may be open: the oldest makes room, and those that ask for nothing are closed."""
    world.script += [Answer("Hello.")]
    async with http_bot(world) as url, AsyncExitStack() as stack:
        port = URL(url).port
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MAX_CONNECTIONS + 1)]
        for _, writer in silent:
            stack.callback(writer.close)
        async with asyncio.timeout(READ_SECONDS / 2):
            assert await silent[0][0].read() == b""
        async with asyncio.timeout(20):
            assert await silent[-1][0].read() == b""
        await world.replies(await world.says(ANA, "@bot hello"))


@pytest.mark.parametrize("asks", ["GET /healthz", "GET /nowhere", f"POST {EVENTS_PATH}", f"PUT {EVENTS_PATH}"])
async def test_connections_of_others(world: World, asks: str) -> None:
    """A connection is kept open for Slack alone: all others are closed after their answer, whatever they ask."""
    async with http_bot(world) as url, aiohttp.ClientSession() as session:
        reader, writer = await asyncio.open_connection("127.0.0.1", URL(url).port)
        writer.write(f"{asks} HTTP/1.1\r\nHost: bot\r\nContent-Length: 0\r\n\r\n".encode())
        async with asyncio.timeout(READ_SECONDS / 2):
            assert (await reader.read()).startswith(b"HTTP/1.1 ")
        writer.close()
        await writer.wait_closed()
        body = json.dumps({"type": "url_verification", "challenge": "abc"})
        async with session.post(url, data=body, headers=signed(body)) as response:
            assert "close" not in response.headers.get("Connection", "")


async def test_nobody_keeps_slack_out(world: World) -> None:
    """Where others have all the connections, each with a body that never ends, Slack gets through at its first try."""
    world.script += [Answer("Hello.")]
    async with http_bot(world) as url, AsyncExitStack() as stack:
        for _ in range(MAX_CONNECTIONS):
            _, writer = await asyncio.open_connection("127.0.0.1", URL(url).port)
            stack.callback(writer.close)
            writer.write(f"POST {EVENTS_PATH} HTTP/1.1\r\nHost: bot\r\nContent-Length: 100\r\n\r\n{{".encode())
        question = await world.says(ANA, "@bot hello", order=("app_mention",))
        assert await world.workspace.deliveries[0].outcome
        await world.replies(question)


@pytest.mark.parametrize(
    "sent",
    [
        "POST / HTTP/9.9\r\n\r\n",
        "GET http://[::1 HTTP/1.1\r\nHost: bot\r\n\r\n",
        f"GET / HTTP/1.1\r\nX: {'x' * 20_000}\r\n\r\n",
        f"POST {EVENTS_PATH} HTTP/1.1\r\nHost: bot\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n",
    ],
    ids=["version", "address", "header", "chunk"],
)
async def test_no_http(world: World, caplog: pytest.LogCaptureFixture, sent: str) -> None:
    """What is no HTTP is refused in one line of the log, without a traceback and without what was sent."""
    async with http_bot(world) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", URL(url).port)
        writer.write(sent.encode())
        assert (await reader.read()).startswith(b"HTTP/1.0 400 ")
        writer.close()
        await writer.wait_closed()
    (line,) = [record for record in caplog.records if record.levelname != "INFO"]
    assert re.fullmatch(r"refused a request of 127\.0\.0\.1: it is no HTTP \(\w+\)", line.getMessage())
    assert line.exc_info is None


async def test_only_one_path(world: World) -> None:
    """Beside the two addresses for supervisors there is the one path of Slack's, and it is only posted to."""
    async with http_bot(world) as url, aiohttp.ClientSession() as session:
        async with session.get(url) as response:
            assert response.status == 405
        for path in ("", "/slack/install", "/slack/events/more"):
            async with session.post(url.replace(EVENTS_PATH, path)) as response:
                assert response.status == 404


@pytest.mark.parametrize("body", [b"", b"Content-Length: 100\r\n\r\n{"], ids=["headers", "body"])
async def test_half_sent_request(world: World, body: bytes) -> None:
    """A request of which half was sent does not hold up the end of the process."""
    port = free_port()
    secret: dict[str, Any] = {"slack_app_token": None, "slack_signing_secret": SECRET}
    async with (
        BotProcess(world, arguments=("--http", str(port)), BOT_STOP_SECONDS=1, **secret) as process,
        aiohttp.ClientSession() as session,
    ):
        await listening(session, f"http://127.0.0.1:{port}/healthz")
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"POST {EVENTS_PATH} HTTP/1.1\r\nHost: bot\r\n".encode() + body)
        await writer.drain()
        async with asyncio.timeout(2.5):  # reading alone may take three seconds
            assert await process.stop() == 0
        writer.close()


async def test_port_in_use(world: World) -> None:
    """A port that is in use stops the start with words for the operator."""
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = world.settings(slack_app_token=None, slack_signing_secret=SECRET)
        with pytest.raises(StartError, match=f"Port {port} cannot be used"):
            async with running(settings, http_port=port):
                pass
