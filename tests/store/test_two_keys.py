"""Both keys are turned once, by one process, and on what was looked at."""

import asyncio
from dataclasses import replace

import pytest

from bot.store.calls import Gate, ToolCall
from bot.store.store import Store
from tests.store.conftest import OpenStore
from tests.store.rows import ANA, SAM, post, propose, refund


async def parked(store: Store) -> ToolCall:
    """Add a refund that waits for both, with one card."""
    (call,) = await propose(store, replace(refund(), gate=Gate.BOTH, quote="{}"))
    await store.approval_requests.park(replace(call, gate=Gate.BOTH, quote="{}"), [post("card", call.id)])
    found = await store.calls.get(call.id)
    assert found
    return found


async def test_confirmed_once(store: Store, open_process: OpenStore) -> None:
    """Of two processes in which the customer confirms at once, one has approvers asked, and neither claims."""
    call = await parked(store)
    other = await open_process(60)
    assert await store.approval_requests.claim(call, SAM) is None
    second = replace(post("second", call.id), decidable=True)
    confirmed = await asyncio.gather(
        *(one.approval_requests.confirm(call, [second], post("over")) for one in (store, other))
    )
    assert sorted(confirmed) == [False, True]
    assert [card.text for card in await store.open_requests.cards(call.id) if card.decidable] == ["second"]


@pytest.mark.parametrize("yes", ["first", "second"])
async def test_asked_again_meanwhile(store: Store, yes: str) -> None:
    """A yes to what was looked at is none to what was asked again since, even when both are confirmed."""
    call = await parked(store)
    if yes == "second":
        assert await store.approval_requests.confirm(call, [post("second", call.id)], post("over"))
    looked_at = await store.calls.get(call.id)
    assert looked_at
    anew = replace(looked_at, quote='{"anew": 1}', confirmed_at=None)
    assert await store.approval_requests.ask_again(anew, looked_at.quote or "", [post("anew", call.id)], post("over"))
    if yes == "first":
        assert not await store.approval_requests.confirm(looked_at, [post("second", call.id)], post("over"))
    else:
        assert await store.approval_requests.confirm(anew, [post("again", call.id)], post("over"))
        assert await store.approval_requests.claim(looked_at, SAM) is None
    now = await store.calls.get(call.id)
    assert now
    assert (now.status, now.decided_by, now.requester) == ("pending", None, ANA)
    assert not await store.approval_requests.ask_again(looked_at, "{}", [post("late", call.id)], post("over"))
