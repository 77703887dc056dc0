"""Servers that take a conversation in one form only: a thread with a request that is approved goes on at each."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.agent.raw_model import AnyServer, Raw, refusal
from tests.agent.test_servers import call, calls, says
from tests.world import ANA, SAM, World, buttons, shown

Body = dict[str, Any]
Shown = Callable[[Body], str | Raw]
REFUND = json.dumps({"order_id": "ORD-10188", "reason": "defective", "amount": None, "lines": None})
STILL_WAITS, MADE = "It still waits.", "It is on its way back to your card."


def _all_of_it(body: Body) -> str:
    return "\n".join(str(message["content"]) for message in body["messages"])


def system_first(body: Body) -> str | Raw:
    """Refuse instructions anywhere but at the beginning, as the template of Qwen does."""
    if any(message["role"] == "system" for message in body["messages"][1:]):
        return refusal(400, {"error": {"message": "System message must be at the beginning.", "type": "BadRequest"}})
    return _all_of_it(body)


def in_turns(body: Body) -> str | Raw:
    """Refuse two people's words, or two answers, one behind the other, as the templates of Mistral do."""
    said = [one["role"] for one in body["messages"] if one["role"] != "tool" and not one.get("tool_calls")]
    wanted = ["system", *("user", "assistant") * len(said)][: len(said)]
    if said != wanted:
        text = "After the optional system message, conversation roles must alternate user/assistant/user/assistant/..."
        return refusal(400, {"object": "error", "message": text, "type": "BadRequestError", "code": 400})
    return _all_of_it(body)


def later_instructions_unseen(body: Body) -> str | Raw:
    """Show no instructions but the first, as many templates do without a word."""
    return "\n".join(
        str(message["content"])
        for number, message in enumerate(body["messages"])
        if not number or message["role"] != "system"
    )


def no_names(body: Body) -> str | Raw:
    """Refuse what is not in the strictest schema."""
    for number, message in enumerate(body["messages"]):
        if extra := message.keys() - {"role", "content", "tool_calls", "tool_call_id"}:
            loc = ["body", "messages", number, message["role"], *sorted(extra)]
            text = "Extra inputs are not permitted"
            return refusal(422, {"detail": [{"type": "extra_forbidden", "loc": loc, "msg": text}]})
    return _all_of_it(body)


def one_call_a_turn(body: Body) -> str | Raw:
    """Refuse a turn of several calls, as the template of Llama 3 does."""
    if any(len(message.get("tool_calls") or ()) > 1 for message in body["messages"]):
        return refusal(500, {"error": {"message": "This model only supports single tool-calls at once! at row 61"}})
    return _all_of_it(body)


def text_alone(body: Body) -> str | Raw:
    """Refuse content that is no text, also beside calls."""
    if not all(isinstance(message["content"], str) for message in body["messages"]):
        return refusal(400, {"error": {"message": "Invalid value for 'content': expected a string, got null."}})
    return _all_of_it(body)


def objects_as_arguments(body: Body) -> str | Raw:
    """Parse the arguments that are sent back, and break on what is no object, as several templates do."""
    written = [one["function"]["arguments"] for m in body["messages"] for one in m.get("tool_calls") or ()]
    if not all(isinstance(json.loads(one), dict) for one in written):
        return refusal(500, {"error": {"message": "Can only get item pairs from a mapping."}})
    return _all_of_it(body)


SERVERS = (
    system_first,
    in_turns,
    later_instructions_unseen,
    no_names,
    one_call_a_turn,
    text_alone,
    objects_as_arguments,
)


@pytest.mark.parametrize("read", SERVERS, ids=[server.__name__ for server in SERVERS])
async def test_approved_and_thanked(world: World, read: Shown) -> None:
    """A refund is asked for, approved and told as made, whatever a server's template takes and shows."""

    def answer(body: Body) -> Raw:
        seen = read(body)
        if isinstance(seen, Raw):
            return seen
        last = body["messages"][-1]
        if last["role"] == "tool":
            return says("I have asked for it; it waits for a person.")
        if "refund" in str(last["content"]):
            return calls(call(), call("initiate_refund", REFUND, "call_2"), call("find_orders", "[1]", "call_3"))
        return says(MADE if "went back to" in seen else STILL_WAITS)

    async with AnyServer(answer) as server, world.bot(openai_base_url=server.url, BOT_SORTING=False):
        question = await world.says(ANA, "@bot refund ORD-10188, it is broken")
        card = await world.card(question)
        before = await world.replies(question, 2)
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
        told = await world.replies(question, len(before) + 1)
        for number, words in enumerate(("thank you, when do I get it?", "ok\nbye"), len(told) + 1):
            await world.says(ANA, words, thread_ts=question.ts)
            assert shown((await world.replies(question, number))[-1]) == MADE
    assert not buttons(told[-1])
    assert world.refunds() == [("ORD-10188", 4200)]
