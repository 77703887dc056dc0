"""What comes back to one person within a day, counted in the rows of the log, whoever asks at once."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.store.calls import DayLimit, DayLimits, Gate, Needs, ToolCall
from bot.store.errors import AboveDayLimitError
from bot.store.records import InboxMessage, ThreadId
from bot.store.store import Store
from bot.store.tables.store import open_store
from tests.store.conftest import OpenDatabase, OpenStore
from tests.store.rows import ANA, BEN, SAM, TURN, post, propose, refund

ROUNDS = 4
LIMITS = DayLimits(DayLimit(5000, "USD"), DayLimit(6000, "USD"))
CONFIRMED, TWO = Needs(requester=True, approvers=1), Needs(approvers=2)


def back(minor: int, currency: str = "USD", when: str = "now") -> str:
    """Write a quote by which so much comes back."""
    return json.dumps(
        {"change": {"kind": "refund"}, "quote": {"balance": {"minor": minor, "currency": currency}, "when": when}}
    )


async def proposed(store: Store, *quotes: str, alone: Sequence[int] = ()) -> list[ToolCall]:
    """Propose changes with these quotes, each of another order; some are the customer's to confirm."""
    calls = await propose(store, *(refund(number) for number in range(len(quotes))))
    return [
        replace(
            call,
            quote=quote,
            gate=Gate.REQUESTER if number in alone else Gate.APPROVER,
            approvals_needed=0 if number in alone else 1,
            customer="cus_ana",
            subject=f"order:{number}",
        )
        for number, (call, quote) in enumerate(zip(calls, quotes, strict=True))
    ]


async def park(store: Store, call: ToolCall, limits: DayLimits = LIMITS) -> ToolCall:
    """Park it, and return it as it was written."""
    await store.approval_requests.park(call, [post("card", call.id)], limits)
    parked = await store.calls.get(call.id)
    assert parked
    return parked


async def needed(store: Store, call: ToolCall) -> int:
    """Return how many have to approve the call."""
    try:
        return (await park(store, call)).approvals_needed
    except AboveDayLimitError as error:
        return error.needs.approvers


async def refused(store: Store, call: ToolCall, limits: DayLimits = LIMITS) -> Needs:
    """Return who would have to agree to the call, which is not parked."""
    with pytest.raises(AboveDayLimitError) as error:
        await park(store, call, limits)
    return error.value.needs


@pytest.mark.parametrize(
    ("quotes", "needs"),
    [
        ([back(3000), back(3000)], None),
        ([back(3000), back(3001)], TWO),
        ([back(6001)], TWO),
        ([back(1, "EUR")], TWO),
        ([back(3000), back(9999, when="on_receipt")], None),
        ([back(-9000), back(6000)], None),
        ([back(0, "EUR"), back(6000)], None),
    ],
)
async def test_what_one_approver_may(store: Store, quotes: Sequence[str], needs: Needs | None) -> None:
    """Up to the sum one approver is enough: what waits counts, what is paid or comes with goods does not."""
    *before, last = await proposed(store, *quotes)
    for call in before:
        await park(store, call)
    if needs:
        assert await refused(store, last) == needs
    else:
        await park(store, last)


@pytest.mark.parametrize(("minor", "needs"), [(3000, None), (3001, CONFIRMED)])
async def test_what_a_click_of_ones_own_may(store: Store, minor: int, needs: Needs | None) -> None:
    """A customer's own clicks give back so much within a day, beside what approvers have agreed to."""
    agreed, first, second = await proposed(store, back(4000), back(2000), back(minor), alone=(1, 2))
    limits = replace(LIMITS, one_approver=None)
    await park(store, agreed, limits)
    await park(store, first, limits)
    if needs:
        assert await refused(store, second, limits) == needs
    else:
        await park(store, second, limits)


async def test_of_whom(store: Store) -> None:
    """What counts is what was asked for by the same person, and what is of the same customer, each by itself."""
    first, same, other = await proposed(store, back(4000), back(2001), back(2001))
    await park(store, replace(first, requester=BEN))
    assert await refused(store, replace(same, requester=SAM)) == TWO
    await park(store, replace(other, requester=SAM, customer="cus_chloe"))


async def test_a_day_later(open_database: OpenDatabase) -> None:
    """What was approved more than a day ago does not count any more, and what waits does, however long."""
    database, leases = await open_database(60)
    store = open_store(database, leases)
    first, second = await proposed(store, back(6000), back(6000))
    claimed = await store.approval_requests.claim(await park(store, first), SAM, LIMITS)
    assert claimed
    assert await refused(store, second) == TWO
    old = "UPDATE tool_calls SET decided_at = '2026-01-01T00:00:00+00:00' WHERE id = ?"
    await database.commit(lambda db: db.execute(old, [first.id]))
    await park(store, second)


async def test_lowered_before_the_claim(store: Store) -> None:
    """At the claim the sum is that of now; what only waits does not count, and two approvers may take it."""
    first, second = [await park(store, one) for one in await proposed(store, back(3000), back(3000))]
    lower = replace(LIMITS, one_approver=DayLimit(5000, "USD"))
    assert await store.approval_requests.claim(first, SAM, lower)
    with pytest.raises(AboveDayLimitError):
        await store.approval_requests.claim(second, SAM, lower)
    still = await store.calls.get(second.id)
    assert still
    assert still.status == "pending"


async def test_at_once(open_process: OpenStore) -> None:
    """Of what three processes park for a person at the same time, in three threads, one approver has two at most."""
    for number in range(ROUNDS):
        calls = {}
        for ts in ("1.0", "2.0", "3.0"):
            store = await open_process(60)
            thread = ThreadId("T", f"C{number}", ts)
            await store.inbox.receive(InboxMessage(thread, ts, ANA, "hello", "T"), addressed=True, mentioned=True)
            taken = await store.inbox.next(thread)
            assert taken
            await store.conversations.begin(taken)
            asked = replace(refund(), thread=thread)
            (call,) = await store.conversations.add_turn(thread, TURN, [asked])
            subject, customer = f"order:{number}/{ts}", f"cus_{number}"
            calls[store] = replace(call, quote=back(2500), subject=subject, customer=customer, requester=customer)
        needs = await asyncio.gather(*(needed(store, call) for store, call in calls.items()))
        assert sorted(needs) == [1, 1, 2]
