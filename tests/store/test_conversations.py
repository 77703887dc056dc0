"""What any store holds of messages and of the runs that answer them."""

from dataclasses import replace

import pytest

from bot.store.calls import CallStatus
from bot.store.errors import LostLeaseError
from bot.store.store import Store
from tests.store.conftest import OpenStore
from tests.store.rows import ANA, ANSWER, BEN, THREAD, TURN, message, post, propose, refund, take, take_over


async def test_once(store: Store) -> None:
    """A message that comes again is not answered again."""
    taken = await take(store)
    assert await store.inbox.receive(message(), addressed=True, mentioned=True), "it still waits for its answer"
    assert not await store.conversations.finish(taken, ANSWER, [])
    assert not await store.inbox.receive(message(), addressed=True, mentioned=True)
    assert await store.inbox.next(THREAD) is None


async def test_order(store: Store) -> None:
    """Messages are answered in the order of their ts, whatever the order in which they came."""
    first = await take(store)
    for ts in ("3.0", "2.0"):
        await store.inbox.receive(message(ts, BEN), addressed=True, mentioned=False)
    assert await store.conversations.finish(first, ANSWER, [])
    second = await store.inbox.next(THREAD)
    assert second
    assert second.ts == "2.0"


async def test_unclaimed(store: Store) -> None:
    """A reply that addresses nobody is answered only once a mention before it has opened the thread."""
    assert not await store.inbox.receive(message("2.0"), addressed=False, mentioned=False)
    assert await store.inbox.waiting_threads() == {}
    first = await take(store)
    conversation = await store.conversations.begin(first)
    assert [message["content"] for message in conversation.messages] == ["hello", "hello"]


async def test_join(store: Store) -> None:
    """What the same person writes while the model's calls run joins the run; what another writes waits."""
    (call,) = await propose(store, refund(gated=False))
    await store.inbox.receive(message("2.0", text="and more"), addressed=False, mentioned=False)
    await store.inbox.receive(message("3.0", BEN, "me too"), addressed=False, mentioned=False)
    store.calls.finish(call, CallStatus.SUCCEEDED, '{"ok": true}')
    conversation = await store.conversations.add_results(THREAD)
    assert [message["role"] for message in conversation.messages] == ["user", "assistant", "tool", "user"]
    assert conversation.messages[-1]["content"] == "and more"
    assert conversation.unanswered == ()


async def test_interrupted(store: Store) -> None:
    """A run that was cut off finds the calls of its last turn that have no output yet, and its message once."""
    first = await take(store)
    (call,) = await store.conversations.add_turn(THREAD, TURN, [refund(gated=False)])
    conversation = await store.conversations.begin(first)
    assert [found.id for found in conversation.unanswered] == [call.id]
    assert [message["role"] for message in conversation.messages] == ["user", "assistant"]


async def test_end(store: Store) -> None:
    """The end of a run ends its calls, says what is to be said, and lets the thread go."""
    first = await take(store)
    (call,) = await store.conversations.add_turn(THREAD, TURN, [refund()])
    assert not await store.conversations.finish(first, ANSWER, [post("Done.")])
    ended = await store.calls.get(call.id)
    assert ended
    assert ended.status == CallStatus.FAILED
    said = await store.outbox.next("C")
    assert said
    assert said.text == "Done."
    assert await store.inbox.waiting_threads() == {}


async def test_lease(store: Store, open_process: OpenStore) -> None:
    """A thread is one process's; one that was taken for dead writes nothing more."""
    taken = await take(store)
    living = await open_process(60)
    assert await living.inbox.waiting_threads() == {}
    assert await living.inbox.next(THREAD) is None
    impatient = await open_process(0)
    assert list(await impatient.inbox.waiting_threads()) == [THREAD]
    again = await impatient.inbox.next(THREAD)
    assert again
    assert again.attempts == taken.attempts + 1
    with pytest.raises(LostLeaseError):
        await store.conversations.add_turn(THREAD, TURN, [])
    with pytest.raises(LostLeaseError):
        await store.conversations.finish(taken, ANSWER, [post()])
    assert await store.outbox.next("C") is None


async def test_intent(store: Store) -> None:
    """What a customer wants is kept with the thread."""
    taken = await take(store)
    assert await store.conversations.intent(THREAD) is None
    await store.conversations.set_intent(taken, '{"kind": "refund"}', [])
    assert await store.conversations.intent(THREAD) == '{"kind": "refund"}'


async def test_intent_that_comes_late(open_process: OpenStore) -> None:
    """What a customer wants is kept after the run, too, but not when another process has taken the message up."""
    slow = await open_process(60)
    taken = await take(slow)
    quick = await open_process(0)
    again = await take_over(quick)
    with pytest.raises(LostLeaseError):
        await slow.conversations.set_intent(taken, '{"kind": "refund"}', [post()])
    await quick.conversations.set_intent(again, '{"kind": "return"}', [])
    assert await slow.conversations.intent(THREAD) == '{"kind": "return"}'
    assert await slow.outbox.next("C") is None


async def test_draft(store: Store) -> None:
    """There is one draft of an answer, and what ends the run is drawn over it: its first post, or nothing at all."""
    taken = await take(store)
    assert await store.conversations.keep_draft(THREAD, "7.0")
    assert not await store.conversations.keep_draft(THREAD, "8.0")
    whispered, said, more = replace(post(), ephemeral_for=ANA), post(), post()
    await store.conversations.finish(taken, ANSWER, [whispered, said, more])
    posts, following = [], await store.outbox.next(THREAD.channel)
    while following is not None:
        posts.append(following)
        following = await store.outbox.sent(following, f"{len(posts)}.5")
    assert [(one.id, one.draft_ts, one.ts) for one in posts] == [
        (whispered.id, None, None),
        (said.id, "7.0", "7.0"),
        (more.id, None, None),
    ]
    taken = await take(store, "3.0")
    assert await store.conversations.keep_draft(THREAD, "9.0")
    await store.conversations.finish(taken, None, [])
    left = await store.outbox.next(THREAD.channel)
    assert left
    assert (left.text, left.blocks, left.draft_ts) == ("", (), "9.0")


async def test_timeline(store: Store) -> None:
    """Which message shows what is done is kept once, and forgotten by who has kept it."""
    await take(store)
    keep = store.conversations.keep_timeline
    for ts, before, kept in (("1.5", None, "1.5"), ("1.6", None, "1.5"), (None, "1.6", "1.5"), (None, "1.5", None)):
        await keep(THREAD, ts, before=before)
        assert await store.conversations.timeline(THREAD) == kept
