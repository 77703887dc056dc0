"""What Slack's refusals of a post mean: that it is not well, that the blocks are wrong, or that it is for good."""

from http import HTTPStatus

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.client import slack_error

TRANSIENT_ERRORS = ("internal_error", "fatal_error", "service_unavailable", "request_timeout", "unreadable")
BLOCK_ERRORS = (
    "invalid_blocks",
    "invalid_blocks_format",
    "msg_too_long",
    "msg_blocks_too_long",
    "slack_connect_blocked_file_link",
    "slack_connect_file_link_sharing_blocked",
)
# What Slack says of this very post, and would say again.
FINAL_ERRORS = (
    "cannot_dm_bot",
    "cannot_reply_to_message",
    "cant_update_message",
    "channel_not_found",
    "edit_window_closed",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "invalid_thread_ts",
    "is_archived",
    "message_not_found",
    "messages_tab_disabled",
    "metadata_too_large",
    "no_text",
    "not_in_channel",
    "restricted_action",
    "restricted_action_non_threadable_channel",
    "restricted_action_read_only_channel",
    "restricted_action_thread_locked",
    "restricted_action_thread_only_channel",
    "thread_not_found",
    "update_failed",
    "user_not_in_channel",
)


def is_rate_limit(error: SlackApiError) -> bool:
    """Return whether Slack wants us to wait."""
    status = error.response.status_code if isinstance(error.response, AsyncSlackResponse) else None
    return status == HTTPStatus.TOO_MANY_REQUESTS or slack_error(error) in ("ratelimited", "rate_limited")


def is_transient(error: SlackApiError) -> bool:
    """Return whether Slack itself is not well."""
    return slack_error(error) in TRANSIENT_ERRORS
