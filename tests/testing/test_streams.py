"""Messages that are streamed: how they grow, and what Slack refuses about them."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.testing.slack.workspace import Message, Workspace

READERS = {"recipient_user_id": "U0ANA", "recipient_team_id": "T0ACME"}


def task(status: str = "in_progress", **more: Any) -> dict[str, Any]:
    """Make the chunk of a task."""
    return {"type": "task_update", "id": "1", "title": "Looking", "status": status} | more


async def begun(client: AsyncWebClient, workspace: Workspace) -> Message:
    """Begin a stream in a thread of Ana's."""
    root = await workspace.say("U0ANA", "C0SUPPORT", "hello")
    answer = await client.chat_startStream(channel=root.channel, thread_ts=root.ts, chunks=[task()], **READERS)
    message = workspace.message(root.channel, answer["ts"])
    assert message
    return message


async def test_a_timeline(client: AsyncWebClient, workspace: Workspace) -> None:
    """A task is drawn again in its place, its details are appended to, and the end may have blocks below."""
    message = await begun(client, workspace)
    at: Any = {"channel": message.channel, "ts": message.ts}
    await client.chat_appendStream(**at, chunks=[task(details="one, "), task(details="two")])
    await client.chat_stopStream(**at, chunks=[task("complete")], blocks=[{"type": "divider"}])
    ended = workspace.message(message.channel, message.ts)
    assert ended
    assert ended.streaming is None
    shown, divider = ended.blocks
    assert (shown["type"], shown["status"], divider["type"]) == ("task_card", "complete", "divider")
    assert shown["details"]["elements"][0]["elements"][0]["text"] == "one, two"
    for call in (client.chat_appendStream(**at, chunks=[task()]), client.chat_stopStream(**at)):
        with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
            await call


async def test_a_plan(client: AsyncWebClient, workspace: Workspace) -> None:
    """As a plan the tasks are below one title."""
    root = await workspace.say("U0ANA", "D0ANA", "hello")
    at = {"channel": root.channel, "thread_ts": root.ts}
    chunks = [task(), {"type": "plan_update", "title": "Your order"}]
    answer = await client.chat_startStream(**at, task_display_mode="plan", chunks=chunks)
    message = workspace.message("D0ANA", answer["ts"])
    assert message
    assert [(one["type"], one["title"], len(one["tasks"])) for one in message.blocks] == [("plan", "Your order", 1)]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"thread_ts": ""}, "invalid_thread_ts"),
        ({"recipient_user_id": ""}, "missing_recipient_user_id"),
        ({"recipient_team_id": ""}, "missing_recipient_team_id"),
        ({"task_display_mode": "list"}, "invalid_arguments"),
        ({"chunks": [task(title="x" * 257)]}, "invalid_chunks"),
        ({"chunks": [task("completed")]}, "invalid_chunks"),
        ({"chunks": [{"type": "text", "text": "x"}]}, "invalid_chunks"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
    ],
)
async def test_refused(client: AsyncWebClient, workspace: Workspace, changes: dict[str, Any], error: str) -> None:
    """What Slack refuses of a stream's beginning is refused, each with its error, and nothing is posted."""
    root = await workspace.say("U0ANA", "C0SUPPORT", "hello")
    with pytest.raises(SlackApiError, match=error):
        await client.chat_startStream(**{"channel": root.channel, "thread_ts": root.ts, **READERS, **changes})
    assert len(workspace.messages) == 1


async def test_no_update_while_it_is_streamed(client: AsyncWebClient, workspace: Workspace) -> None:
    """What is streamed cannot be updated until it is ended, which a person's Stop does as well."""
    message = await begun(client, workspace)
    with pytest.raises(SlackApiError, match="streaming_state_conflict"):
        await client.chat_update(channel=message.channel, ts=message.ts, text="x")
    await workspace.surfaces.stop("U0ANA", message.channel, message.root_ts)
    await client.chat_update(channel=message.channel, ts=message.ts, text="x")
