"""What the model is given to read of a thread: whole turns, every call answered, cut where it stays cut."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.agent.conversation import ConversationError, check, cut, seen_by, size
from bot.store.records import NOTE, ChatMessage


def call(call_id: str, order: str = "ORD-10234") -> dict[str, Any]:
    """Write a call as it stands in the history."""
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": "look", "arguments": json.dumps({"order_id": order})},
    }


def asked(*calls: dict[str, Any]) -> ChatMessage:
    """Write a turn of calls."""
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


def result(call_id: str, **content: Any) -> ChatMessage:
    """Write a call's result."""
    return {"role": "tool", "tool_call_id": call_id, "content": json.dumps(content)}


def said(text: str, role: str = "user") -> ChatMessage:
    """Write what somebody said."""
    return {"role": role, "content": text}


@st.composite
def turns(draw: st.DrawFn) -> list[list[ChatMessage]]:
    """Make a thread's turns: a message, rounds of calls with their results and notes, and mostly an answer."""
    thread = []
    for number in range(draw(st.integers(1, 12))):
        turn = [said("x" * draw(st.integers(0, 400)))]
        for step in range(draw(st.integers(0, 3))):
            ids = [f"call_{number}_{step}_{position}" for position in range(draw(st.integers(1, 3)))]
            turn += [asked(*map(call, ids)), *(result(one, text="y" * draw(st.integers(0, 200))) for one in ids)]
            if draw(st.booleans()):
                turn.append(said(f"{NOTE}Refund {number}.{step} was paid.", "system"))
        if draw(st.booleans()):
            turn.append(said("z" * draw(st.integers(1, 100)), "assistant"))
        thread.append(turn)
    return thread


def joined(thread: list[list[ChatMessage]]) -> list[ChatMessage]:
    """Put turns one behind the other."""
    return [item for turn in thread for item in turn]


def without_facts(items: list[ChatMessage]) -> list[ChatMessage]:
    """Leave out the line of facts at the beginning."""
    return items[1:] if items[0]["role"] == "system" else items


@given(turns(), st.integers(1, 800))
def test_cut_keeps_calls_and_results_together(thread: list[list[ChatMessage]], tokens: int) -> None:
    """A history whose calls are all answered is still that after a cut, and ends as it did."""
    items = joined(thread)
    check(items)
    kept = cut(items, tokens)
    check(kept)
    assert without_facts(kept) == items[len(items) - len(without_facts(kept)) :]
    assert without_facts(kept)[0]["role"] == "user"


@given(turns(), st.integers(1, 800))
def test_cut_fits(thread: list[list[ChatMessage]], tokens: int) -> None:
    """What is kept is within the budget, except for the last turn, which is always kept whole."""
    kept = without_facts(cut(joined(thread), tokens))
    assert len(kept) >= len(thread[-1])
    assert kept == thread[-1] or size(kept) <= tokens + len(thread)  # each turn's size is rounded down


@given(turns())
def test_what_fits_stays_as_it_is(thread: list[list[ChatMessage]]) -> None:
    """A history within the budget is not touched."""
    items = joined(thread)
    assert cut(items, size(items) + 1) == items


@given(turns(), st.integers(200, 800))
def test_cut_is_stable(thread: list[list[ChatMessage]], tokens: int) -> None:
    """As a thread grows the beginning of the request stays, until at least half of the budget is cut off at once."""
    before = cut(joined(thread[:1]), tokens)
    for length in range(2, len(thread) + 1):
        now = cut(joined(thread[:length]), tokens)
        if now[: len(before)] != before:
            assert size(without_facts(now)) <= tokens // 2 + size(thread[length - 1]) + length
        before = now


def test_facts() -> None:
    """What is cut off leaves its facts: the orders, what was asked for, and what became of it."""
    waiting = result("call_1", status="waiting_for_approval", message="Refund of $5.00 for ORD-10188 waits.")
    items = [
        said("please " * 100),
        asked(call("call_1", "ORD-10188"), call("call_2", "WEB-2026-#77-A")),
        waiting,
        result("call_2", error="There is no order."),
        said(f"{NOTE}Refund of $5.00 for ORD-10188: approved by a person and done.", "system"),
        said("and now?"),
    ]
    facts, last = cut(items, 50)
    assert last == said("and now?")
    assert facts == said(
        "The beginning of this conversation is left out. Its facts: Orders: ORD-10188, WEB-2026-#77-A. "
        "Asked for: Refund of $5.00 for ORD-10188 waits. "
        "Refund of $5.00 for ORD-10188: approved by a person and done.",
        "system",
    )


@pytest.mark.parametrize(
    "items",
    [
        [asked(call("a"))],
        [asked(call("a")), said("what?")],
        [asked(call("a"), call("b")), result("a"), said("and b?")],
        [asked(call("a"), call("b")), result("b"), result("a")],
        [asked(call("a")), result("a"), result("a")],
        [asked(call("a")), result("b")],
        [result("a")],
        [asked(call("a")), asked(call("b")), result("a"), result("b")],
    ],
)
def test_check_refuses(items: list[ChatMessage]) -> None:
    """A call without its result, or a result twice, out of order, late or of no call, is never sent."""
    with pytest.raises(ConversationError):
        check(items)


def test_ids_may_come_again() -> None:
    """An id that stands in several turns is answered in each of them."""
    check([said("look"), asked(call("a")), result("a"), said("again"), asked(call("a")), result("a")])


@given(st.lists(st.tuples(st.sampled_from(["U0ANA", "U0BEN", "U0SAM"]), turns()), min_size=1, max_size=5))
def test_others_look_ups_are_not_seen(runs: list[tuple[str, list[list[ChatMessage]]]]) -> None:
    """In one person's run, calls for others and their results are a line; all else stays, and it may be sent."""
    thread = [
        {**message, "of": user} | ({"name": user} if message["role"] == "user" else {})
        for user, conversation in runs
        for message in joined(conversation)
    ]
    seen = seen_by("U0ANA", thread)
    check(seen)
    look_ups = [message for message in seen if message["role"] == "tool" or message.get("tool_calls")]
    assert all(message["of"] == "U0ANA" for message in look_ups)
    kept = [message for message in thread if message["of"] == "U0ANA" or message["role"] in ("user", "system")]
    assert [message for message in seen if "of" in message] == kept
    others = {user for user, conversation in runs if any("tool_calls" in one for one in joined(conversation))}
    lines = [message["content"] for message in seen if message["role"] == "system" and "of" not in message]
    assert {user for user in others for line in lines if line.startswith(f"For {user} ")} == others - {"U0ANA"}


def test_line_about_others() -> None:
    """The line names what was called and what was asked for, and nothing that was found or that a model made up."""
    invented = {"id": "x", "type": "function", "function": {"name": "Ben lives at 5 Elm St", "arguments": "{}"}}
    waiting = result("call_1", status="waiting_for_approval", message="Refund of $5.00 for ORD-10188 waits.")
    items: list[ChatMessage] = [
        {**said("refund?"), "name": "U0BEN"},
        asked(call("call_1"), invented),
        waiting,
        result("x", secret="5 Elm St"),
        {**said("and me?"), "name": "U0ANA"},
    ]
    assert seen_by("U0ANA", items)[1] == said(
        "For U0BEN there were calls here: look. Their results are for U0BEN alone. "
        "Asked for: Refund of $5.00 for ORD-10188 waits.",
        "system",
    )
