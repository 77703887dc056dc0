"""What any store holds of calls that need a person, of what is said, and of what the operator does."""

import asyncio
import json
from dataclasses import replace

import pytest

from bot.agent.escalation import unreached
from bot.store.calls import CallStatus, ToolCall
from bot.store.errors import MessageChangedError, StillOpenError, SubjectTakenError
from bot.store.overviews import Erased
from bot.store.records import new_id
from bot.store.store import Store
from bot.store.tables.store import open_store
from tests.store.conftest import OpenDatabase, OpenStore
from tests.store.rows import ANA, ANSWER, BEN, SAM, THREAD, message, park, post, propose, refund, take


async def test_claimed_once(store: Store, open_process: OpenStore) -> None:
    """Of two processes that approve at once one has the call."""
    call = await park(store)
    other = await open_process(60)
    claims = await asyncio.gather(*(one.approval_requests.claim(call, SAM) for one in (store, other)))
    (claimed,) = [claim for claim in claims if claim]
    assert (claimed.status, claimed.decided_by) == (CallStatus.RUNNING, SAM)


async def test_settled_once(store: Store) -> None:
    """An outcome is written once, draws the card over and is told once."""
    await park(store)
    (call,) = await store.open_requests.open()
    settled = [
        await store.approval_requests.settle(
            call, CallStatus.CANCELLED, "Cancelled", redrawn=post("over"), announcement=post("told"), by=ANA
        )
        for _ in range(2)
    ]
    assert settled == [True, False]
    assert await store.open_requests.open() == []
    assert await store.approval_requests.claim(call, SAM) is None
    said = await store.outbox.next("C")
    texts = []
    while said:
        texts.append(said.text)
        said = await store.outbox.sent(said, f"{len(texts)}.0")
    assert texts == ["card", "over", "told"]


async def test_one_a_subject(store: Store) -> None:
    """Two calls that touch the same thing are never open at once."""
    first, second = await propose(store, refund(0), refund(1))
    await store.approval_requests.park(first, [])
    with pytest.raises(SubjectTakenError):
        await store.approval_requests.park(second, [post("never")])
    assert await store.outbox.next("C") is None


async def test_edited_before(store: Store) -> None:
    """A call cannot wait for a person once the message that it answers was changed."""
    (call,) = await propose(store, refund())
    assert await store.open_requests.mark_message_edited("T", "C", "1.0") == []
    with pytest.raises(MessageChangedError):
        await store.approval_requests.park(call, [])


async def test_edited_after(store: Store) -> None:
    """A call that waits is found by the message that it answers."""
    call = await park(store)
    assert [found.id for found in await store.open_requests.mark_message_edited("T", "C", "1.0")] == [call.id]
    assert await store.open_requests.mark_message_edited("T", "C", "9.0") == []


async def test_requests_of_a_day(store: Store) -> None:
    """Requests of a day count up to the one that is asked about, not those after it in the turn."""
    first, second = await propose(store, refund(0), refund(1))
    assert await store.calls.requests_today(first) == (1, 1)
    store.calls.finish(first, CallStatus.REJECTED, "{}")
    assert await store.calls.requests_today(second) == (2, 2)


async def test_requests_that_are_not_the_persons(store: Store) -> None:
    """What could not be read, is said twice in a turn or was asked by somebody else uses up nobody's requests."""
    unreadable, first, twice, of_ben, last = await propose(
        store,
        replace(refund(0), arguments=None),
        refund(1),
        refund(2),
        replace(refund(3), requester=BEN),
        refund(4),
    )
    for call in (unreadable, first, twice, of_ben):
        store.calls.finish(call, CallStatus.REJECTED, "{}")
    assert await store.calls.requests_today(last) == (2, 2)


async def test_superseded_once(store: Store, open_process: OpenStore) -> None:
    """Of two changes at once one ends the call and waits in its place; what is claimed already is not changed."""
    call = await park(store)
    other = await open_process(60)
    changed = await asyncio.gather(*(supersede(one, call, f"new {one is other}") for one in (store, other)))
    assert sorted(changed) == [False, True]
    (waiting,) = await store.open_requests.open()
    assert (waiting.supersedes, waiting.position, waiting.status) == (call.id, 1, CallStatus.PENDING)
    assert await store.approval_requests.claim(call, SAM) is None
    assert await store.approval_requests.claim(waiting, SAM)
    assert not await supersede(store, waiting, "too late")
    ended = await store.calls.get(call.id)
    assert ended
    assert (ended.status, ended.decided_by, ended.summary) == (CallStatus.CANCELLED, SAM, "changed")


async def test_superseded_within_its_run(store: Store) -> None:
    """The model hears the one result of the call that it made, and a note on what became of that."""
    call = await park(store)
    assert await supersede(store, call, "new")
    conversation = await store.conversations.add_results(THREAD)
    assert [one["role"] for one in conversation.messages] == ["user", "assistant", "tool", "system"]
    assert conversation.messages[-1]["content"] == "Note from the shop: changed"
    (waiting,) = await store.open_requests.open()
    assert await store.calls.requests_today(waiting) == (1, 1)


async def supersede(store: Store, call: ToolCall, card: str) -> bool:
    """Ask for something else in place of a call."""
    instead = replace(refund(), id=new_id(), message_id=call.message_id)
    cards = [post(card, instead.id)]
    return await store.approval_requests.supersede(
        call, instead, summary="changed", by=SAM, redrawn=post("over"), announcement=post("told"), cards=cards
    )


async def test_pause(store: Store) -> None:
    """Nothing is claimed while the bot is paused."""
    call = await park(store)
    await store.admin.pause()
    assert await store.admin.is_paused()
    assert await store.approval_requests.claim(call, SAM) is None
    await store.admin.resume()
    assert await store.approval_requests.claim(call, SAM)


async def test_post_in_doubt(store: Store) -> None:
    """A post that was taken and never confirmed is in doubt when it is taken again; a refused one is not."""
    taken = await take(store)
    await store.conversations.finish(taken, ANSWER, [post("first"), post("second")])
    first = await store.outbox.next("C")
    assert first
    assert not first.in_doubt
    again = await store.outbox.next("C")
    assert again
    assert (again.text, again.in_doubt) == ("first", True)
    await store.outbox.refused(again, "ratelimited")
    known = await store.outbox.next("C")
    assert known
    assert (known.text, known.in_doubt) == ("first", False)
    await store.outbox.failed(known, "channel_not_found", unreached)
    second = await store.outbox.next("C")
    assert second
    assert second.text == "second"


async def send_all(store: Store) -> None:
    """Mark all posts of the channel as sent."""
    waiting = await store.outbox.next("C")
    while waiting:
        waiting = await store.outbox.sent(waiting, "5.0")


async def test_forget(store: Store) -> None:
    """A person is forgotten only when nothing of theirs is open; the call stays, without a name."""
    call = await park(store)
    with pytest.raises(StillOpenError):
        await store.admin.forget(ANA)
    assert await store.approval_requests.settle(call, CallStatus.EXPIRED, "Expired", redrawn=post(), announcement=None)
    taken = await store.inbox.next(call.thread)
    assert taken
    await store.conversations.finish(taken, ANSWER, [])
    with pytest.raises(StillOpenError, match="still to be sent"):
        await store.admin.forget(ANA)
    await send_all(store)
    assert await store.admin.forget(ANA) == Erased(1)
    kept = await store.calls.get(call.id)
    assert kept
    assert (kept.status, kept.requester) == (CallStatus.EXPIRED, "forgotten")
    assert await store.outbox.waiting_channels() == []


async def test_erased_and_delivered_again(store: Store) -> None:
    """A message that Slack delivers again after it was erased is not answered, and its thread is not ours again."""
    await store.conversations.finish(await take(store), ANSWER, [])
    assert await store.admin.forget(ANA) == Erased(1)
    assert not await store.inbox.receive(message(), addressed=True, mentioned=True)
    assert await store.inbox.waiting_threads() == {}
    assert not await store.inbox.receive(message("2.0", BEN), addressed=False, mentioned=False)
    assert await store.inbox.receive(message("3.0"), addressed=True, mentioned=True), "a new message is answered"


async def test_forget_while_another_is_answered(store: Store) -> None:
    """A thread is left alone while somebody else's message in it waits for its answer."""
    await store.conversations.finish(await take(store), ANSWER, [])
    await store.inbox.receive(message("2.0", BEN), addressed=False, mentioned=False)
    with pytest.raises(StillOpenError, match="is being answered"):
        await store.admin.forget(ANA)
    assert await store.inbox.next(message().thread)


async def test_retention_waits_for_posts(store: Store) -> None:
    """A quiet thread is left alone while a post of it waits, wherever that is posted, and is erased after that."""
    await store.conversations.finish(await take(store), ANSWER, [], escalation=post("look here", channel="C"))
    assert await store.admin.erase_older_than(0) == Erased(0)
    await send_all(store)
    assert await store.admin.erase_older_than(0) == Erased(1)
    assert await store.outbox.next("C") is None


async def test_nothing_due(store: Store) -> None:
    """What is young is not erased."""
    await store.inbox.receive(message(), addressed=True, mentioned=True)
    assert await store.admin.erase_older_than(1) == Erased(0)
    assert await store.inbox.next(message().thread)


async def test_nul(open_database: OpenDatabase) -> None:
    """A NUL that stands as an escape in what a tool of others was asked for breaks no query that reads it."""
    database, leases = await open_database(60)
    store = open_store(database, leases)
    words, plain = "a\0b\0\0", "says \\u0000"
    written = json.dumps({"reason": plain, "amount": 5, "said": [words, plain]})
    quote = json.dumps({"quote": {"balance": {"minor": 500, "currency": "USD"}}, "said": {words: plain + words}})
    (call,) = await propose(store, replace(refund(), arguments=written))
    await store.approval_requests.park(replace(call, quote=quote), [])
    rows = await database.read(lambda db: list(db.query("SELECT reason, amount_minor FROM refund_requests")))
    assert rows == [{"reason": plain, "amount_minor": 500}]
    assert (await store.overview.today()).asked == 1
    assert [found.id for found in await store.open_requests.mark_message_edited("T", "C", "1.0")] == [call.id]
