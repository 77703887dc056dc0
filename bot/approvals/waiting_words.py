"""What was said in words of a request that waits: drawn over with what came of it, where it still stands."""

import json
import logging
from dataclasses import replace
from typing import Any

from bot.blocks.text import Mrkdwn, escape
from bot.store.calls import ToolCall
from bot.store.errors import DatabaseError
from bot.store.records import Block, new_id
from bot.store.store import Outbox

logger = logging.getLogger(__name__)

WAITING = "waiting_for_approval"


async def redraw_waiting(outbox: Outbox, call: ToolCall, line: Mrkdwn) -> None:
    """Put the line in place of the sentence by which the model heard that the call waits, wherever that was repeated.

    The call's own cards are drawn by who settles it; that these words are not is no reason to fail.
    """
    if sentence := _sentence_of(call):
        try:
            await _redraw(outbox, call, sentence, line)
        except DatabaseError as error:
            logger.warning("words of call %s are left as they were: %s", call.id, error)


async def _redraw(outbox: Outbox, call: ToolCall, sentence: str, line: Mrkdwn) -> None:
    for post in await outbox.about(call.thread, json.dumps(sentence)[1:-1]):
        blocks = tuple(_with(block, sentence, line) for block in post.blocks)
        if post.call_id is None and blocks != post.blocks:
            text = post.text.replace(sentence, line)
            drawn = replace(post, id=new_id(), replaces=post.id, text=text, blocks=blocks, ts=None, draft_ts=None)
            await outbox.add(drawn, call.thread)


def _sentence_of(call: ToolCall) -> str:
    """Return the words that told of the call while it waited, as they stand in Slack."""
    try:
        told = json.loads(call.result or "")
    except ValueError:
        return ""
    is_waiting = isinstance(told, dict) and told.get("status") == WAITING
    return escape(str(told.get("message") or "")) if is_waiting else ""


def _with(block: Block, sentence: str, line: Mrkdwn) -> Block:
    """Return the block with the line in its text, if that is the kind of text in which a mention is one."""
    text: Any = block.get("text")
    if isinstance(text, dict) and text.get("type") == "mrkdwn" and sentence in str(text.get("text")):
        return {**block, "text": {**text, "text": str(text["text"]).replace(sentence, line)}}
    return block
