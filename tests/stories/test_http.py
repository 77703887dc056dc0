"""The same bot over HTTP: Slack's Events API with signed requests."""

import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_sdk.signature import SignatureVerifier

from bot.app import running
from bot.slack.client import StartError
from bot.slack.http import EVENTS_PATH
from bot.testing.openai import Answer
from bot.testing.slack.workspace.deliveries import reach_nobody
from tests.world import ANA, SAM, World, free_port, refund_of, shown

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
Send = Callable[[str, dict[str, Any]], Awaitable[int]]


def signed(body: str, secret: str = SECRET, age: int = 0) -> dict[str, str]:
    """Sign a body as Slack does."""
    timestamp = str(int(time.time()) - age)
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body) or ""
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}


@asynccontextmanager
async def http_bot(world: World) -> AsyncIterator[str]:
    """Run the bot over HTTP, and have the workspace deliver to it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}{EVENTS_PATH}"
    settings = world.settings(slack_app_token=None, slack_signing_secret=SECRET)
    async with running(settings, http_port=port), aiohttp.ClientSession() as session:

        async def deliver(kind: str, payload: dict[str, Any]) -> bool:
            interactive = kind == "interactive"
            form = aiohttp.FormData({"payload": json.dumps(payload)})() if interactive else None
            body = form.decode() if form else json.dumps(payload)
            sent = "application/x-www-form-urlencoded" if interactive else "application/json"
            headers = signed(body) | {"Content-Type": sent}
            try:
                async with session.post(url, data=body, headers=headers) as response:
                    return response.status == 200
            except (aiohttp.ClientError, RuntimeError):  # the bot has stopped, and so has the session
                return False

        world.workspace.deliveries.deliver = deliver
        yield url
        world.workspace.deliveries.deliver = reach_nobody
        await world.workspace.deliveries.stop()


async def test_question_and_refund_over_http(world: World) -> None:
    """Events and clicks that are signed do over HTTP what they do over Socket Mode."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with http_bot(world):
        card = await world.card(await world.says(ANA, "@bot refund ORD-10188, broken", copies=2))
        assert await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        assert "✓ Approved by" in shown(await world.settled(card))
    assert world.refunds() == [("ORD-10188", 4200)]


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
