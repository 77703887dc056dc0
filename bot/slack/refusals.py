"""Slack's words for what is wrong with a post itself; of all others nobody knows whether they pass."""

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
