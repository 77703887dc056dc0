"""Whatever a model says, anyone who writes meanwhile and whatever is clicked: what must hold, holds."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.agent.conversation import check
from bot.testing.openai import Answer, Failure, Request, ToolCall
from bot.testing.slack.workspace import Message
from tests.world import ANA, BEN, SAM, SUPPORT, World, buttons, open_world, shown, words_in


@dataclass(frozen=True, slots=True)
class Story:
    """What the model says turn by turn, who writes at once in a thread, and who clicks what on each card after."""

    turns: list[Answer | Failure]
    people: list[str]
    clicks: list[tuple[str, str]]
    refunded_elsewhere: bool


ORDERS = st.sampled_from(
    ["ORD-10188", "ORD-10188", "#10142", "ORD-10251", "ORD-10176", "ORD-10131", "ORD-99999", "x y"]
)
AMOUNTS = st.sampled_from([None, 0.01, 20, 41.99, 42, 42.01, 0, -1, 1.005, 1e300, "all"])
LINES = st.lists(st.sampled_from([1, 1, 2, 0, -1, True, "1"]), max_size=2)
VARIANTS = st.sampled_from(["teapot-05", "teapot-12", "candles-tea", "candles-tall", "jacket-m", ""])
SWAPS = st.lists(st.fixed_dictionaries({"line": st.sampled_from([1, 1, 2]), "variant": VARIANTS}), max_size=2)
WAYS = st.sampled_from(["original", "gift card", "pm-ben-gift", ""])
JUNK = st.text(max_size=12) | st.sampled_from(["{}", "null", "[]", '{"order_id": NaN}', "{" * 50, "9" * 5_000])


def arguments(**fields: Any) -> st.SearchStrategy[str]:
    """Make the arguments of a call, mostly of the right shape."""
    return st.fixed_dictionaries(fields).map(json.dumps) | JUNK


CALLS = st.one_of(
    st.tuples(st.just("get_order_status"), arguments(order_id=ORDERS, include_tracking=st.booleans())),
    st.tuples(
        st.just("initiate_refund"),
        arguments(order_id=ORDERS, reason=st.sampled_from(["defective", "because"]), amount=AMOUNTS),
    ),
    st.tuples(st.just("cancel_order"), arguments(order_id=ORDERS)),
    st.tuples(
        st.just("return_items"),
        arguments(order_id=ORDERS, lines=LINES, reason=st.sampled_from(["defective", "changed_mind"]), refund_to=WAYS),
    ),
    st.tuples(
        st.sampled_from(["exchange_items", "change_items"]),
        arguments(order_id=ORDERS, swaps=SWAPS, pay_with=WAYS),
    ),
    st.tuples(st.just("change_payment"), arguments(order_id=ORDERS, pay_with=WAYS)),
    st.tuples(st.sampled_from(["get_profile", "find_products", "change_address", "change_default_address"]), JUNK),
    st.tuples(st.sampled_from(["delete_account", "find_orders", "escalate_to_human", "withdraw_request"]), JUNK),
    st.tuples(st.just("escalate_to_human"), arguments(summary=st.text(max_size=8))),
    st.tuples(st.text(max_size=8) | st.just("multi_tool_use.parallel"), JUNK),
).flatmap(lambda call: st.sampled_from(["", "", "call_1", "\0", "i" * 60]).map(lambda one: ToolCall(one, *call)))
TURNS = st.one_of(
    st.builds(
        Answer,
        st.none() | st.text(max_size=12),
        st.lists(CALLS, min_size=1, max_size=4).map(tuple),
        st.sampled_from([None, None, None, None, "stop", "length"]),
    ),
    st.builds(Answer, st.text(min_size=1, max_size=12).filter(str.strip)),
    st.just(Failure(401)),
)
MESSAGES = st.lists(st.sampled_from([ANA, ANA, BEN, SAM]), min_size=1, max_size=2)
CLICKS = st.lists(
    st.tuples(st.sampled_from([SAM, ANA, BEN]), st.sampled_from(["approve_call", "cancel_call"])), max_size=3
)


STORIES = st.builds(Story, st.lists(TURNS, max_size=5), MESSAGES, CLICKS, st.booleans())


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STORIES)
def test_any_model(story: Story) -> None:
    """Any turns, people and clicks leave one result a call, no effect unapproved, all in the log, the thread alive."""
    with TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder), story))


async def play(folder: Path, story: Story) -> None:
    """Play one story of nonsense, and hold that the invariants hold."""
    async with open_world(folder) as world:
        left = iter(story.turns)

        async def think(request: Request) -> Answer | Failure:
            if "still there?" in words_in(request.messages[-1]):
                return Answer("Alive.")
            return next(left, Answer("Done."))

        world.think = think
        async with world.bot(BOT_REQUESTS_PER_THREAD_DAY=2, BOT_STOP_SECONDS=1):
            root = await world.says(story.people[0], "@bot hello")
            for person in story.people[1:]:
                await world.says(person, "@bot and me", thread_ts=root.ts)
            await world.says(ANA, "@bot still there?", thread_ts=root.ts)
            await world.workspace.until(lambda: any(shown(m).startswith("Alive.") for m in world.said_to(root)))
            if story.refunded_elsewhere:
                world.refund_elsewhere("ORD-10188", 100)
            cards = [m for m in world.workspace.replies_of_bot(root) if buttons(m)]
            await asyncio.gather(*(press(world, card, *click) for card in cards for click in story.clicks))
        assert_invariants(world)


async def press(world: World, card: Message, person: str, action: str) -> None:
    """Press a button, as somebody whose screen may be behind."""
    assert await world.workspace.click(person, SUPPORT, card.ts, action)


def assert_invariants(world: World) -> None:
    """Hold what must hold whatever happened."""
    for request in world.asked:
        check(request.messages)
    calls = world.rows("SELECT * FROM tool_calls")
    asked_for = world.rows(
        "SELECT json_array_length(message, '$.tool_calls') AS n FROM messages WHERE role = 'assistant'"
    )
    answered = world.rows("SELECT count(*) AS n FROM messages WHERE role = 'tool'")
    assert len(calls) == sum(row["n"] or 0 for row in asked_for) == answered[0]["n"]
    assert not [call for call in calls if call["status"] in ("proposed", "running", "unknown")]
    done = [call for call in calls if call["gated"] and call["status"] == "succeeded"]
    assert not [
        call for call in done if call["decided_by"] != (call["requester"] if call["gate"] == "requester" else SAM)
    ]
    approved = [call["id"] for call in calls if call["gated"] and call["status"] == "succeeded"]
    effects = world.rows("SELECT idempotency_key FROM effects WHERE idempotency_key LIKE 'support-bot:%'")
    assert {row["idempotency_key"].removeprefix("support-bot:") for row in effects} <= set(approved)
    assert (
        world.rows(
            """SELECT orders.id FROM orders JOIN refunds ON order_id = orders.id
           GROUP BY orders.id HAVING sum(amount_minor) > total_minor"""
        )
        == []
    )
    unequal = """
        SELECT id FROM orders
        WHERE total_minor != (SELECT sum(amount_minor) FROM payments WHERE order_id = orders.id)
                           + (SELECT coalesce(sum(amount_minor), 0) FROM refunds WHERE order_id = orders.id)"""
    assert world.rows(unequal) == []
    assert world.rows("SELECT id FROM inbox WHERE status IN ('waiting', 'running')") == []
