"""The same calls to our Slack server and, where a token is set, to a real workspace: the answers agree."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.testing import SlackServer, Workspace
from bot.testing.slack.api.scopes import DEFAULT_SCOPES, NEEDED

TOKEN, CHANNEL = "SUPPORT_BOT_CONTRACT_TOKEN", "SUPPORT_BOT_CONTRACT_CHANNEL"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*Contract test*"}}
MANIFEST = Path(__file__).parents[2] / "manifest.yml"


class Side(NamedTuple):
    """One Slack: a client with a bot token, and a channel that the bot is in."""

    client: AsyncWebClient
    channel: str


@pytest.fixture(params=["ours", "real"])
async def side(request: pytest.FixtureRequest) -> AsyncIterator[Side]:
    """Give our server, then the real workspace if its token and channel are set."""
    if request.param == "ours":
        async with SlackServer(Workspace()) as slack:
            yield Side(AsyncWebClient(slack.bot_token, base_url=slack.url), "C0SUPPORT")
    elif TOKEN in os.environ and CHANNEL in os.environ:
        yield Side(AsyncWebClient(os.environ[TOKEN]), os.environ[CHANNEL])
    else:
        pytest.skip(f"needs {TOKEN} and {CHANNEL} of a real workspace")


async def refusal(client: AsyncWebClient, method: str, **arguments: Any) -> dict[str, Any]:
    """Return the answer of a call that Slack refuses."""
    with pytest.raises(SlackApiError) as caught:
        await client.api_call(method, json=arguments)
    answer = caught.value.response.data
    assert isinstance(answer, dict)
    return answer


async def test_a_token_names_its_bot(side: Side) -> None:
    """auth.test names team, user and bot."""
    me = await side.client.auth_test()
    assert [me[name][0] for name in ("team_id", "user_id", "bot_id")] == ["T", "U", "B"]


async def test_a_message_is_posted_changed_answered_and_deleted(side: Side) -> None:
    """A message with blocks is updated, leads a thread, and goes away with it."""
    client, channel = side
    root = await client.chat_postMessage(channel=channel, text="Contract test", blocks=[SECTION])
    reply = await client.chat_postMessage(channel=channel, text="A reply", thread_ts=root["ts"])
    try:
        assert root["message"]["blocks"][0]["text"]["text"] == "*Contract test*"
        changed = await client.chat_update(channel=channel, ts=root["ts"], text="Changed")
        assert changed["text"] == "Changed"
        thread = (await client.conversations_replies(channel=channel, ts=root["ts"]))["messages"]
        assert [message["text"] for message in thread] == ["Changed", "A reply"]
        assert {message["thread_ts"] for message in thread} == {root["ts"]}
    finally:
        for posted in (reply, root):
            await client.chat_delete(channel=channel, ts=posted["ts"])


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat.shout", {}, "unknown_method"),
        ("chat.postMessage", {}, "no_text"),
        ("chat.postMessage", {"blocks": [{"type": "banner"}]}, "invalid_blocks"),
        ("chat.postMessage", {"channel": "C0NOWHERE", "text": "Hi"}, "channel_not_found"),
        ("chat.update", {"ts": "1.000001", "text": "Hi"}, "message_not_found"),
        ("conversations.replies", {"ts": "1.000001"}, "thread_not_found"),
    ],
)
async def test_wrong_calls_are_refused(side: Side, method: str, arguments: dict[str, Any], error: str) -> None:
    """An unknown method, a wrong block and a wrong argument have the error that Slack gives."""
    answer = await refusal(side.client, method, **({"channel": side.channel} | arguments))
    assert answer["error"] == error
    if error == "invalid_blocks":
        assert answer["response_metadata"]["messages"][0].startswith("[ERROR] ")


async def test_a_token_without_the_scope_is_refused() -> None:
    """A method that the scopes do not allow says what it needs and what was provided."""
    async with SlackServer(Workspace(), scopes={"users:read", "chat:write"}) as slack:
        client = AsyncWebClient(slack.bot_token, base_url=slack.url)
        answer = await refusal(client, "usergroups.users.list", usergroup="S1")
        assert (answer["error"], answer["needed"]) == ("missing_scope", "usergroups:read")
        history = await refusal(client, "conversations.history", channel="D0ANA")
        assert history["needed"] == "im:history"
        assert answer["provided"] == "chat:write,users:read"
        assert (await client.users_info(user="U0ANA"))["ok"]


def test_the_default_scopes_are_those_of_the_manifest() -> None:
    """A token has what manifest.yml asks for, and that is enough for some call of each method."""
    listed = MANIFEST.read_text("utf-8").split("    bot:\n")[1].split("settings:")[0]
    assert {line.strip(" -") for line in listed.splitlines()} == DEFAULT_SCOPES
    assert not [method for method, needed in NEEDED.items() if DEFAULT_SCOPES.isdisjoint(needed)]
