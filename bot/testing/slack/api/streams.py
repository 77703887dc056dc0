"""Messages that are streamed: a timeline of tasks, and text, in chunks; see https://docs.slack.dev/reference/methods."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.testing.slack import block_kit
from bot.testing.slack.api.arguments import MARKDOWN_LIMIT, Arguments, SlackError
from bot.testing.slack.api.finding import own_channel, own_message, thread_in
from bot.testing.slack.block_kit.shape import Check, items, one_of, shape, string, typed
from bot.testing.slack.workspace import Workspace
from bot.testing.slack.workspace.objects import Json, Message

MAX_TASK_CHARACTERS = 256
DISPLAY_MODES = ("timeline", "plan")
_TEXT = string(MAX_TASK_CHARACTERS)
_SOURCES = items(typed({"url": shape({"url": string(3000), "text": _TEXT})}), 100)
_CHUNK: Check = typed(
    {
        "markdown_text": shape({"text": string(MARKDOWN_LIMIT)}),
        "task_update": shape(
            {
                "id": string(255),
                "title": _TEXT,
                "status": one_of("pending", "in_progress", "complete", "error"),
            },
            details=_TEXT,
            output=_TEXT,
            sources=_SOURCES,
        ),
        "plan_update": shape({"title": _TEXT}),
        "blocks": shape({"blocks": lambda blocks, _: iter(block_kit.problems(blocks))}),
    }
)


def start_stream(workspace: Workspace, arguments: Arguments) -> Json:
    """Begin a message in a thread, to which chunks are appended; outside of direct messages somebody is to read it."""
    channel = own_channel(workspace, arguments)
    thread_ts = thread_in(workspace, channel, arguments)
    if thread_ts is None:
        raise SlackError("invalid_thread_ts")
    if channel.kind != "im":
        for name in ("recipient_user_id", "recipient_team_id"):
            if not arguments.get(name):
                raise SlackError(f"missing_{name}")
    mode = str(arguments.get("task_display_mode") or DISPLAY_MODES[0])
    if mode not in DISPLAY_MODES:
        raise SlackError("invalid_arguments")
    blocks = _appended((), arguments, mode)
    message = workspace.post(workspace.bot_user_id, channel.id, "", thread_ts=thread_ts, blocks=blocks, streaming=mode)
    return {"channel": channel.id, "ts": message.ts}


def append_stream(workspace: Workspace, arguments: Arguments) -> Json:
    """Append chunks to a message that is streamed."""
    message = _streamed(workspace, arguments)
    if not _chunks(arguments):
        raise SlackError("no_text")
    workspace.update(message.channel, message.ts, blocks=_appended(message.blocks, arguments, message.streaming or ""))
    return {"channel": message.channel, "ts": message.ts}


def stop_stream(workspace: Workspace, arguments: Arguments) -> Json:
    """End a message that is streamed, with last chunks, and blocks below them."""
    message = _streamed(workspace, arguments)
    below = arguments.content()[1] if arguments.get("blocks") else []
    blocks = [*_appended(message.blocks, arguments, message.streaming or ""), *below]
    metadata = arguments.metadata() or message.metadata
    ended = workspace.update(message.channel, message.ts, blocks=blocks, streaming=None, metadata=metadata)
    return {"channel": ended.channel, "ts": ended.ts, "message": ended.as_json()}


def _streamed(workspace: Workspace, arguments: Arguments) -> Message:
    message = own_message(workspace, arguments, "message_not_owned_by_app")
    if message.streaming is None:
        raise SlackError("message_not_in_streaming_state")
    return message


def _chunks(arguments: Arguments) -> list[Json]:
    chunks, text = arguments.array("chunks"), arguments.get("markdown_text")
    if text and len(str(text)) > MARKDOWN_LIMIT:
        raise SlackError("msg_too_long")
    if problems := list(items(_CHUNK, 100, least=0)(chunks, "/chunks")):
        messages = [f"[ERROR] {problem}" for problem in problems]
        raise SlackError("invalid_chunks", response_metadata={"messages": messages})
    return [*([{"type": "markdown_text", "text": str(text)}] if text else []), *chunks]


def _appended(before: tuple[Json, ...], arguments: Arguments, mode: str) -> list[Json]:
    """Draw the message with the chunks of a call: a task again in its place, whatever else at the end."""
    blocks = [dict(block) for block in before]
    for chunk in _chunks(arguments):
        if chunk["type"] == "blocks":
            blocks += chunk["blocks"]
        elif chunk["type"] == "task_update":
            _draw_task(blocks, chunk, mode)
        elif chunk["type"] == "plan_update":
            _plan_in(blocks)["title"] = chunk["title"]
        elif blocks and blocks[-1]["type"] == "markdown":
            blocks[-1]["text"] += chunk["text"]
        else:
            blocks.append({"type": "markdown", "text": chunk["text"]})
    if problems := block_kit.problems(blocks):
        raise SlackError("invalid_blocks", errors=problems)
    return blocks


def _draw_task(blocks: list[Json], chunk: Mapping[str, Any], mode: str) -> None:
    known = {"type": "task_card", "task_id": chunk["id"], "title": chunk["title"], "status": chunk["status"]}
    tasks = _plan_in(blocks).setdefault("tasks", []) if mode == "plan" else blocks
    for position, task in enumerate(tasks):
        if task.get("task_id") == chunk["id"]:
            details = _joined(task.get("details"), chunk.get("details"))
            tasks[position] = task | known | ({"details": details} if details else {})
            return
    details = _joined(None, chunk.get("details"))
    tasks.append(known | ({"details": details} if details else {}))


def _joined(before: Json | None, more: str | None) -> Json | None:
    """Append details to those that a task has, as Slack does: they are not replaced."""
    if not more:
        return before
    text = (before["elements"][0]["elements"][0]["text"] if before else "") + more
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [section]}


def _plan_in(blocks: list[Json]) -> Json:
    for block in blocks:
        if block["type"] == "plan":
            return block
    blocks.append({"type": "plan", "title": "Working on it", "tasks": []})
    return blocks[-1]


STREAM_METHODS: dict[str, Callable[[Workspace, Arguments], Json]] = {
    "chat.startStream": start_stream,
    "chat.appendStream": append_stream,
    "chat.stopStream": stop_stream,
}
