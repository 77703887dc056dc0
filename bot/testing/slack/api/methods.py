"""The methods of Slack's Web API that the bot may call: what each does to the workspace, and how it can be refused."""

from collections.abc import Callable

from bot.testing.slack.api.arguments import Arguments, SlackError
from bot.testing.slack.api.finding import channel_in, own_channel, own_message, thread_in, user_in
from bot.testing.slack.workspace import Workspace
from bot.testing.slack.workspace.objects import Json, Message

Method = Callable[[Workspace, Arguments], Json]
METHODS: dict[str, Method] = {}

TEXT_LIMIT = 40_000  # a longer new message is cut
UPDATE_LIMIT = 4_000  # a longer text of an update is refused
LOADING_MESSAGES = 10
LOADING_CHARACTERS = 50
PROMPTS = 4
SESSION_STATES = ("active", "processing", "suspended", "closed")
SESSION_TITLE = 200


def method(name: str) -> Callable[[Method], Method]:
    """Make a function the method of that name."""

    def register(function: Method) -> Method:
        METHODS[name] = function
        return function

    return register


# Who is who


@method("auth.test")
def auth_test(workspace: Workspace, _arguments: Arguments) -> Json:
    """Say whose token it is."""
    return {
        "url": "https://acme-shop.example/",
        "team": workspace.name,
        "user": workspace.people[workspace.bot_user_id].name,
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    } | ({"enterprise_id": workspace.enterprise_id} if workspace.enterprise_id else {})


@method("bots.info")
def bots_info(workspace: Workspace, arguments: Arguments) -> Json:
    """Describe the bot, and name its app."""
    if arguments.get("bot", workspace.bot_id) != workspace.bot_id:
        raise SlackError("bot_not_found")
    bot = workspace.people[workspace.bot_user_id]
    ids = {"id": workspace.bot_id, "app_id": workspace.app_id, "user_id": bot.id}
    return {"bot": ids | {"name": bot.real_name, "deleted": False}}


@method("users.info")
def users_info(workspace: Workspace, arguments: Arguments) -> Json:
    """Describe one person."""
    return {"user": workspace.people[user_in(workspace, arguments, "user")].as_json()}


@method("users.list")
def users_list(workspace: Workspace, arguments: Arguments) -> Json:
    """Describe everybody, page by page."""
    people, cursor = arguments.page(list(workspace.people.values()))
    return {"members": [person.as_json() for person in people]} | cursor


@method("usergroups.users.list")
def usergroups_users_list(workspace: Workspace, arguments: Arguments) -> Json:
    """List the members of a user group."""
    usergroup = arguments.required("usergroup")
    if usergroup not in workspace.usergroups:
        raise SlackError("no_such_subteam")
    return {"users": workspace.usergroups[usergroup]}


@method("files.info")
def files_info(workspace: Workspace, arguments: Arguments) -> Json:
    """Describe a file as it is by now: each time as the next of its descriptions does, and the last one stays."""
    described = workspace.described.get(arguments.required("file"))
    if not described:
        raise SlackError("file_not_found")
    return {"file": described.pop(0) if len(described) > 1 else described[0]}


# Conversations


@method("conversations.open")
def conversations_open(workspace: Workspace, arguments: Arguments) -> Json:
    """Open the direct message with one person."""
    if arguments.get("channel"):
        return {"channel": {"id": channel_in(workspace, arguments).id}}
    user = user_in(workspace, arguments, "users")
    if workspace.people[user].is_bot:
        raise SlackError("cannot_dm_bot")
    return {"channel": {"id": workspace.open_im(user).id}}


@method("conversations.info")
def conversations_info(workspace: Workspace, arguments: Arguments) -> Json:
    """Describe a conversation."""
    return {"channel": channel_in(workspace, arguments).as_json(workspace.bot_user_id)}


@method("conversations.members")
def conversations_members(workspace: Workspace, arguments: Arguments) -> Json:
    """List the members of a conversation, page by page."""
    members, cursor = arguments.page(sorted(channel_in(workspace, arguments).members))
    return {"members": members} | cursor


@method("conversations.history")
def conversations_history(workspace: Workspace, arguments: Arguments) -> Json:
    """List the messages of a conversation that are no replies, the newest first."""
    channel = own_channel(workspace, arguments)
    roots = [m for m in workspace.messages if m.channel == channel.id and not m.thread_ts and not m.ephemeral_for]
    return _messages(workspace, roots[::-1], arguments)


@method("conversations.replies")
def conversations_replies(workspace: Workspace, arguments: Arguments) -> Json:
    """List a thread, its root first; the `ts` of a reply gives that reply alone."""
    channel = own_channel(workspace, arguments)
    message = workspace.message(channel.id, arguments.required("ts"))
    if message is None:
        raise SlackError("thread_not_found")
    found = [message] if message.thread_ts else workspace.thread(channel.id, message.ts)
    return _messages(workspace, found, arguments)


# Messages


@method("chat.postMessage")
def chat_post_message(workspace: Workspace, arguments: Arguments) -> Json:
    """Post a message; the id of a person stands for the direct message with them."""
    channel = own_channel(workspace, arguments)
    thread_ts = thread_in(workspace, channel, arguments)
    text, blocks = arguments.content()
    message = workspace.post(
        workspace.bot_user_id,
        channel.id,
        text[:TEXT_LIMIT],
        thread_ts=thread_ts,
        blocks=blocks,
        metadata=arguments.metadata(),
        subtype="thread_broadcast" if thread_ts and arguments.flag("reply_broadcast") else None,
    )
    workspace.announce(message)
    return {"channel": channel.id, "ts": message.ts, "message": message.as_json(with_metadata=True)}


@method("chat.update")
def chat_update(workspace: Workspace, arguments: Arguments) -> Json:
    """Change a message of the bot; a text without blocks takes its blocks away, metadata stays unless given."""
    message = own_message(workspace, arguments, "cant_update_message")
    if message.streaming is not None:
        raise SlackError("streaming_state_conflict")
    text, blocks = arguments.content()
    if len(text) > UPDATE_LIMIT:
        raise SlackError("msg_too_long")
    metadata = arguments.metadata() if "metadata" in arguments else message.metadata
    message = workspace.update(
        message.channel,
        message.ts,
        text=text or message.text,
        blocks=blocks,
        metadata=metadata,
        edited=message.edited or not blocks,  # Slack shows "(edited)" only when a text was replaced
    )
    written = message.as_json(with_metadata=True)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": written}


@method("chat.postEphemeral")
def chat_post_ephemeral(workspace: Workspace, arguments: Arguments) -> Json:
    """Show one member of a conversation a message that nobody else sees."""
    channel, user = own_channel(workspace, arguments), arguments.required("user")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    thread_ts = thread_in(workspace, channel, arguments)
    text, blocks = arguments.content()
    bot = workspace.bot_user_id
    message = workspace.post(bot, channel.id, text, thread_ts=thread_ts, blocks=blocks, ephemeral_for=user)
    return {"message_ts": message.ts}


@method("chat.delete")
def chat_delete(workspace: Workspace, arguments: Arguments) -> Json:
    """Delete a message of the bot."""
    message = own_message(workspace, arguments, "cant_delete_message")
    workspace.delete(message.channel, message.ts)
    return {"channel": message.channel, "ts": message.ts}


# The assistant


@method("assistant.threads.setStatus")
def set_status(workspace: Workspace, arguments: Arguments) -> Json:
    """Show what the bot is doing in a thread; an empty status clears it."""
    channel = own_channel(workspace, arguments, "channel_id")
    thread_ts = arguments.required("thread_ts")
    if workspace.message(channel.id, thread_ts) is None:
        raise SlackError("invalid_thread_ts")
    loading = arguments.array("loading_messages")
    if "status" not in arguments or len(loading) > LOADING_MESSAGES:
        raise SlackError("invalid_arguments")
    if any(not 1 <= len(str(one)) <= LOADING_CHARACTERS for one in loading):
        raise SlackError("invalid_arguments")
    workspace.set_status(channel.id, thread_ts, str(arguments["status"]))
    return {}


@method("assistant.threads.setSuggestedPrompts")
def set_suggested_prompts(workspace: Workspace, arguments: Arguments) -> Json:
    """Suggest what to write at the top of a conversation."""
    channel = own_channel(workspace, arguments, "channel_id")
    prompts = arguments.array("prompts")
    if not 1 <= len(prompts) <= PROMPTS or any(not {"title", "message"} <= set(prompt) for prompt in prompts):
        raise SlackError("invalid_arguments")
    workspace.suggest(channel.id, [(str(prompt["title"]), str(prompt["message"])) for prompt in prompts])
    return {}


@method("agents.sessions.setStatus")
def set_session_status(workspace: Workspace, arguments: Arguments) -> Json:
    """Set how a thread of a direct message stands; a title counts only when the session begins."""
    channel = own_channel(workspace, arguments, "channel_id")
    if not arguments.get("thread_ts"):
        raise SlackError("thread_ts_required")
    state, title = arguments.required("status"), str(arguments.get("title") or "")
    if state not in SESSION_STATES:
        raise SlackError("invalid_status")
    if len(title) > SESSION_TITLE:
        raise SlackError("invalid_arguments")
    if workspace.message(channel.id, str(arguments["thread_ts"])) is None:
        raise SlackError("invalid_thread_ts")
    workspace.set_session(channel.id, str(arguments["thread_ts"]), state, title)
    return {}


# How messages are listed


def _messages(workspace: Workspace, messages: list[Message], arguments: Arguments) -> Json:
    oldest, latest = arguments.number("oldest", 0), arguments.number("latest", float("inf"))
    ends = {oldest, latest} if arguments.flag("inclusive") else set()
    within = [m for m in messages if oldest < float(m.ts) < latest or float(m.ts) in ends]
    found, cursor = arguments.page(within)
    with_metadata = arguments.flag("include_all_metadata")
    written = [_written(workspace, message, with_metadata=with_metadata) for message in found]
    return {"messages": written, "has_more": bool(cursor["response_metadata"]["next_cursor"])} | cursor


def _written(workspace: Workspace, message: Message, *, with_metadata: bool) -> Json:
    written = message.as_json(with_metadata=with_metadata)
    replies = [] if message.thread_ts else workspace.thread(message.channel, message.ts)[1:]
    if replies:
        users = sorted({reply.user for reply in replies})
        written |= {"thread_ts": message.ts, "reply_count": len(replies), "latest_reply": replies[-1].ts}
        written |= {"reply_users": users, "reply_users_count": len(users)}
    return written
