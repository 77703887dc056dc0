"""What a person is asked with a menu: the run ends with the question, and their choice begins the next one."""

import json
from collections.abc import Sequence
from dataclasses import replace

from bot.agent import claims
from bot.blocks.choices import IN_WORDS, answered, is_menu, menu_of
from bot.store.records import Block, ChatMessage, ThreadId, new_id
from bot.store.store import Store
from bot.tools.ask_which import ASKED, AskWhich

PLAIN = "Which one do you mean?"


def question_of(messages: Sequence[ChatMessage]) -> str | None:
    """Return what the last turn asks with a menu, unless somebody has written since.

    Of a question that claims what nobody did, the asking is left.
    """
    results: dict[str, str] = {}
    for message in reversed(messages):
        if message["role"] == "tool":
            results[message["tool_call_id"]] = message["content"]
        elif message["role"] == "assistant":
            asking = [call["id"] for call in message.get("tool_calls", ()) if call["function"]["name"] == AskWhich.name]
            asked = [json.loads(results[one]).get(ASKED) for one in asking if one in results]
            question = next((one for one in asked if isinstance(one, str)), None)
            if question is None:
                return None
            return PLAIN if not question or claims.is_unfounded(question, messages) else question
        elif message["role"] == "user":
            return None
    return None


def without_menus(cards: Sequence[Sequence[Block]]) -> list[Sequence[Block]]:
    """Return the cards of a run in which the person has answered already, in words."""
    return [card for card in cards if not is_menu(card)]


async def close_menus(store: Store, thread: ThreadId, user: str, messages: Sequence[ChatMessage]) -> None:
    """Draw the person's menus of the thread over: they have answered in words."""
    turns = (call["function"]["name"] for one in messages for call in one.get("tool_calls", ()))
    if AskWhich.name not in turns:
        return
    for post in await store.outbox.about(thread, f':{user}"'):
        if (block_id := menu_of(post.blocks, user)) is not None:
            blocks = answered(post.blocks, block_id, IN_WORDS)
            await store.outbox.add(replace(post, id=new_id(), replaces=post.id, blocks=blocks, ts=None), thread)
