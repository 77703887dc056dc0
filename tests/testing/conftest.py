"""A Slack server on localhost, and clients that speak to it."""

from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.testing.slack.api import SlackServer
from bot.testing.slack.api.scopes import DEFAULT_SCOPES
from bot.testing.slack.workspace import Workspace


@pytest.fixture
def workspace() -> Workspace:
    """Give an empty workspace of the demo."""
    return Workspace()


@pytest.fixture
async def slack(workspace: Workspace) -> AsyncIterator[SlackServer]:
    """Serve the workspace, and send again at once what was not acked in time."""
    async with SlackServer(workspace, scopes=DEFAULT_SCOPES | {"im:read"}, retry_delays=(0.0, 0.01, 0.01)) as server:
        yield server


@pytest.fixture
def client(slack: SlackServer) -> AsyncWebClient:
    """Call the Web API with the bot's token, and without any retries."""
    return AsyncWebClient(slack.bot_token, base_url=slack.url, retry_handlers=[])
