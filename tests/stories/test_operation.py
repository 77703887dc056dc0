"""The process as a supervisor sees it: it tells how it is, keeps its connection, and ends as it is told."""

import asyncio
from typing import Any

import aiohttp
import pytest

from bot.app import running
from bot.demo.completions import Answer, Request
from bot.slack.connection import ConnectionLostError
from tests.stories.test_http import free_port, http_bot
from tests.world import ANA, World, shown


async def asked(url: str) -> tuple[int, dict[str, Any]]:
    """Ask one of the two addresses."""
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.json()


async def test_health_with_socket_mode(world: World) -> None:
    """With BOT_HEALTH_PORT a supervisor learns that Slack is heard, the database writes and nothing waits."""
    port = free_port()
    async with world.bot(BOT_HEALTH_PORT=port):
        status, told = await asked(f"http://127.0.0.1:{port}/healthz")
        assert status == 200
        assert told["seconds_since_slack_was_heard"] < 5
        assert told["seconds_oldest_message_waits"] == 0
        assert await asked(f"http://127.0.0.1:{port}/readyz") == (200, {"ready": True, "faults": []})


async def test_health_over_http(world: World) -> None:
    """In HTTP mode both addresses are on the port of the events."""
    async with http_bot(world) as url:
        for path in ("/healthz", "/readyz"):
            assert (await asked(url.replace("/slack/events", path)))[0] == 200


async def test_oldest_message(world: World) -> None:
    """While a message waits for its answer, the address tells for how long."""
    thinking, released = asyncio.Event(), asyncio.Event()

    async def answer(_: Request) -> Answer:
        thinking.set()
        await released.wait()
        return Answer("Hello.")

    world.think = answer
    port = free_port()
    async with world.bot(BOT_HEALTH_PORT=port):
        question = await world.says(ANA, "@bot hello")
        await thinking.wait()
        _, told = await asked(f"http://127.0.0.1:{port}/healthz")
        assert told["seconds_oldest_message_waits"] > 0
        released.set()
        await world.replies(question)


async def test_silent_connection(world: World) -> None:
    """A connection that stays open and says nothing any more is noticed and replaced, and nothing is lost."""
    world.script += [Answer("Hello.")]
    async with world.bot(BOT_SILENCE_SECONDS=0.8):
        world.slack.socket_mode.mute()
        question = await world.says(ANA, "@bot hello")
        (answer,) = await world.replies(question)
    assert shown(answer) == "Hello."


async def test_slack_is_gone(world: World) -> None:
    """When no new connection can be made either, the watch says so, for the process to end and be started anew."""
    async with running(world.settings(BOT_SILENCE_SECONDS=0.2)) as connection:
        await world.slack.connected()
        await world.slack.__aexit__(None, None, None)
        with pytest.raises(ConnectionLostError, match="connecting anew did not help"):
            await connection.lost()


async def test_not_ready_when_slack_is_silent(world: World) -> None:
    """A bot that does not hear Slack is not ready, and says why."""
    port = free_port()
    async with running(world.settings(BOT_SILENCE_SECONDS=0.2, BOT_HEALTH_PORT=port)) as connection:
        await world.slack.connected()
        await world.slack.__aexit__(None, None, None)
        with pytest.raises(ConnectionLostError):
            await connection.lost()
        status, told = await asked(f"http://127.0.0.1:{port}/readyz")
    assert status == 503
    assert "Slack has been silent" in told["faults"][0]
