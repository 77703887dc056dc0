"""A message that Slack streams: how it is begun, and what Slack says where it does not stream, or not any more."""

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.store.records import ThreadId

Chunks = list[dict[str, Any]]
TIMEOUT_SECONDS = 3.0
# What says that nothing is streamed here; the status line is all there is then.
NO_STREAMS = ("unknown_method", "method_deprecated", "feature_not_enabled", "missing_scope", "not_allowed_token_type")
# What says that Slack has ended it: after five minutes, or because a person pressed Stop.
ENDED = ("message_not_in_streaming_state", "stopped_by_user", "streaming_state_conflict")


async def begin_stream(client: AsyncWebClient, thread: ThreadId, user: str, chunks: Chunks) -> str:
    """Begin a message that the person reads as it grows, and return its ts. Raises as the client does."""
    response = await client.chat_startStream(
        channel=thread.channel,
        thread_ts=thread.ts,
        recipient_user_id=user,
        recipient_team_id=thread.team,
        task_display_mode="timeline",
        chunks=chunks,
    )
    return str(response["ts"])
