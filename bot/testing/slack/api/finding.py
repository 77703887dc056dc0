"""What the arguments of a call name in the workspace: people, conversations, messages."""

import re

from bot.testing.slack.api.arguments import Arguments, SlackError
from bot.testing.slack.workspace import Workspace
from bot.testing.slack.workspace.objects import Channel, Message


def user_in(workspace: Workspace, arguments: Arguments, name: str) -> str:
    """Find a person."""
    user = arguments.required(name)
    if user not in workspace.people:
        raise SlackError("user_not_found")
    return user


def channel_in(workspace: Workspace, arguments: Arguments, name: str = "channel") -> Channel:
    """Find a conversation that the bot knows of."""
    channel = workspace.channels.get(arguments.required(name))
    if channel is None or (channel.kind != "channel" and workspace.bot_user_id not in channel.members):
        raise SlackError("channel_not_found")
    return channel


def own_channel(workspace: Workspace, arguments: Arguments, name: str = "channel") -> Channel:
    """Find a conversation that the bot is in."""
    person = workspace.people.get(arguments.required(name))
    if person and not person.is_bot:
        return workspace.open_im(person.id)
    channel = channel_in(workspace, arguments, name)
    if workspace.bot_user_id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def own_message(workspace: Workspace, arguments: Arguments, refusal: str) -> Message:
    """Find a message of the bot."""
    message = workspace.message(channel_in(workspace, arguments).id, arguments.required("ts"))
    if message is None or message.ephemeral_for is not None:
        raise SlackError("message_not_found")
    if message.user != workspace.bot_user_id:
        raise SlackError(refusal)
    return message


def thread_in(workspace: Workspace, channel: Channel, arguments: Arguments) -> str | None:
    """Read below which message something is to be posted, if below any."""
    thread_ts = arguments.get("thread_ts")
    if not thread_ts:
        return None
    if not re.fullmatch(r"\d+\.\d{6}", str(thread_ts)):
        raise SlackError("invalid_thread_ts")
    root = workspace.message(channel.id, thread_ts)
    if root and root.thread_ts:
        # Slack only advises against the ts of a reply; here a bot that confuses the two is found out.
        raise SlackError("cannot_reply_to_message")
    return str(thread_ts)
