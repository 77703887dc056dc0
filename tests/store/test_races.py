"""What is read first and written then, raced between processes; one transaction at a time made it right before."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from bot.agent.escalation import unreached
from bot.store.bounds import Bound, Resource
from bot.store.calls import CallStatus
from bot.store.records import InboxMessage, ThreadId, new_id
from bot.store.store import Store
from bot.store.tables.database import Database, Transaction
from bot.store.tables.outbox import POSTS_IN_A_BURST
from bot.store.tables.seals import verify
from tests.store.conftest import OpenDatabase, OpenStore
from tests.store.rows import ANA, ANSWER, BEN, SAM, THREAD, TURN, message, park, post, propose, refund, take, take_over

ROUNDS = 12


async def open_all(open_process: OpenStore, count: int = 3) -> list[Store]:
    """Open the store of several processes."""
    return [await open_process(60) for _ in range(count)]


def in_thread(number: int, ts: str | None = None, user: str = ANA) -> InboxMessage:
    """Make a message in a thread of its own."""
    root = f"{number}.0"
    return InboxMessage(ThreadId("T", f"C{number}", root), ts or root, user, "hello", "T")


async def test_receive(open_process: OpenStore) -> None:
    """A message that Slack tells three processes of at once is kept once, and one of them answers it."""
    stores = await open_all(open_process)
    for number in range(ROUNDS):
        told = in_thread(number)
        await asyncio.gather(*(one.inbox.receive(told, addressed=True, mentioned=True) for one in stores))
        taken = await asyncio.gather(*(one.inbox.next(told.thread) for one in stores))
        assert len([one for one in taken if one]) == 1


async def test_reply_and_mention(open_process: OpenStore) -> None:
    """A reply that comes while another process is told of the mention before it is not left unclaimed."""
    first, second = await open_all(open_process, 2)
    for number in range(ROUNDS):
        mention, reply = in_thread(number), in_thread(number, f"{number}.5", BEN)
        await asyncio.gather(
            first.inbox.receive(mention, addressed=True, mentioned=True),
            second.inbox.receive(reply, addressed=False, mentioned=False),
        )
        owner = first if await first.inbox.next(mention.thread) else second
        taken = await owner.inbox.next(mention.thread)
        assert taken
        assert await owner.conversations.finish(taken, ANSWER, []) is (taken.ts == mention.ts)


async def test_more_at_the_end(open_process: OpenStore) -> None:
    """A message that comes while another process ends the thread's run is seen by the one or taken by the other."""
    first, second = await open_all(open_process, 2)
    for number in range(ROUNDS):
        thread, later = in_thread(number).thread, in_thread(number, f"{number}.5", BEN)
        await first.inbox.receive(in_thread(number), addressed=True, mentioned=True)
        taken = await first.inbox.next(thread)
        assert taken
        await first.conversations.begin(taken)
        more, _ = await asyncio.gather(
            first.conversations.finish(taken, ANSWER, []),
            second.inbox.receive(later, addressed=False, mentioned=False),
        )
        left = await first.inbox.next(thread) if more else await second.inbox.next(thread)
        assert left
        assert left.ts == later.ts


async def test_join(open_process: OpenStore) -> None:
    """What comes while a run takes in what came is taken in by it or waits; it is never both and never neither."""
    first, second = await open_all(open_process, 2)
    for number in range(ROUNDS):
        thread, later = in_thread(number).thread, in_thread(number, f"{number}.5")
        await first.inbox.receive(in_thread(number), addressed=True, mentioned=True)
        taken = await first.inbox.next(thread)
        assert taken
        await first.conversations.begin(taken)
        await first.conversations.add_turn(thread, TURN, [])
        conversation, _ = await asyncio.gather(
            first.conversations.add_results(thread),
            second.inbox.receive(later, addressed=False, mentioned=False),
        )
        joined = sum(said["role"] == "user" for said in conversation.messages) == 2
        assert await first.conversations.finish(taken, ANSWER, []) is not joined


async def test_limit_of_a_day(open_process: OpenStore) -> None:
    """Of requests that one person makes in several threads at once none is counted as if the others were not there."""
    stores = await open_all(open_process)
    for number, one in enumerate(stores):
        await one.inbox.receive(in_thread(number), addressed=True, mentioned=True)
        taken = await one.inbox.next(in_thread(number).thread)
        assert taken
        await one.conversations.begin(taken)
    for turn in range(ROUNDS):

        async def ask(number: int, one: Store, position: int) -> int:
            arguments = f'{{"n": {position}}}'
            asked = replace(refund(), id=new_id(), thread=in_thread(number).thread, arguments=arguments)
            (call,) = await one.conversations.add_turn(asked.thread, TURN, [asked])
            counted = await one.calls.requests_today(call)
            one.calls.finish(call, CallStatus.REJECTED, "{}")
            return counted[1]

        counts = await asyncio.gather(*(ask(number, one, turn) for number, one in enumerate(stores)))
        assert sorted(counts) == [3 * turn + 1, 3 * turn + 2, 3 * turn + 3]


async def test_limit_of_an_hour(open_process: OpenStore) -> None:
    """A person who writes to every process at once uses no more than they may, and is told of it once."""
    stores = await open_all(open_process)
    bound = Bound(Resource.RUNS, 10)
    reached = await asyncio.gather(*(stores[n % 3].usage.take(ANA, f"key {n}", bound) for n in range(30)))
    assert len([one for one in reached if one is None]) == 10
    assert len([one for one in reached if one and one.is_news]) == 1


async def speaking(one: Store, ts: str, channel: str) -> InboxMessage:
    """Begin the run of a thread of its own in a channel."""
    asked = InboxMessage(ThreadId("T", channel, ts), ts, ANA, "hello", "T")
    await one.inbox.receive(asked, addressed=True, mentioned=True)
    taken = await one.inbox.next(asked.thread)
    assert taken
    await one.conversations.begin(taken)
    return taken


async def test_first_post_of_a_channel(open_process: OpenStore) -> None:
    """Of several processes that have something to say in a quiet channel one sends, and has all of it to send."""
    stores = await open_all(open_process)
    for number in range(ROUNDS):
        channel = f"C{number}"
        runs = [await speaking(one, f"{index}.0", channel) for index, one in enumerate(stores)]
        ends = (
            one.conversations.finish(run, ANSWER, [post(channel=channel)])
            for one, run in zip(stores, runs, strict=True)
        )
        await asyncio.gather(*ends)
        taken = await asyncio.gather(*(one.outbox.next(channel) for one in stores))
        (sender,) = [index for index, one in enumerate(taken) if one]
        sent, following = 0, taken[sender]
        while following:
            sent, following = sent + 1, await stores[sender].outbox.sent(following, f"{sent}.0")
        assert sent == 3


async def test_team_is_told_once(open_process: OpenStore) -> None:
    """Of several processes that find a message urgent at once one tells the team."""
    stores = await open_all(open_process)
    run = await speaking(stores[0], "1.0", "C")
    ways = (one.conversations.set_intent(run, '{"urgency": "high"}', [post(channel="C2")]) for one in stores)
    await asyncio.gather(*ways)
    assert await stores[0].outbox.waiting_posts() == 1


async def test_pace(open_process: OpenStore) -> None:
    """However many processes post in a channel, more than a burst has to wait, a second for each."""
    first, second = await open_all(open_process, 2)
    waits, begun = [], monotonic()
    for number in range(8):
        one = (first, second)[number % 2]
        told = replace(in_thread(1), ts=f"1.{number}", thread=ThreadId("T", "C1", f"1.{number}"))
        await one.inbox.receive(told, addressed=True, mentioned=True)
        taken = await one.inbox.next(told.thread)
        assert taken
        await one.conversations.begin(taken)
        await one.conversations.finish(taken, ANSWER, [post(channel="C1")])
        queued = await one.outbox.next("C1")
        assert queued
        waits.append(queued.wait_seconds)
        assert monotonic() - begun + queued.wait_seconds > number - POSTS_IN_A_BURST
        await one.outbox.sent(queued, f"{number}.0")
    assert waits[:5] == [0.0] * 5
    assert max(waits) < 3


async def test_claimed_and_expired(open_process: OpenStore) -> None:
    """Of hundreds of clicks on one request, in three processes, and its expiry one has it."""
    stores = await open_all(open_process)
    call = await park(stores[0])
    (seen,) = await stores[1].open_requests.open()
    ends = asyncio.gather(
        *(
            one.approval_requests.settle(seen, CallStatus.EXPIRED, "x", redrawn=post(), announcement=None)
            for one in stores
        )
    )
    claims = await asyncio.gather(*(stores[n % 3].approval_requests.claim(seen, SAM) for n in range(200)))
    assert len([one for one in claims if one]) + sum(await ends) == 1
    kept = await stores[2].calls.get(call.id)
    assert kept
    assert kept.status in (CallStatus.RUNNING, CallStatus.EXPIRED)


async def test_begun_once(open_process: OpenStore) -> None:
    """Of processes that find at once that a change has not reached the shop one makes it, and one that slept none."""
    stores = await open_all(open_process)
    call = await park(stores[0])
    claimed = await stores[0].approval_requests.claim(call, SAM)
    assert claimed
    await stores[0].open_requests.not_begun(claimed)
    (seen,) = await stores[1].open_requests.open()
    begun = [one for one in await asyncio.gather(*(one.open_requests.begin(seen) for one in stores)) if one]
    assert len(begun) == 1
    await stores[2].open_requests.not_begun(claimed)
    assert await stores[0].open_requests.begin(seen) is None
    await stores[1].open_requests.not_begun(begun[0])
    assert await stores[0].open_requests.begin(seen)


async def test_reminded_once(open_process: OpenStore) -> None:
    """Of several processes that look after a request at once one reminds, and one asks the next group."""
    stores = await open_all(open_process)
    await park(stores[0])
    (call,) = await stores[0].open_requests.open()
    card = await stores[0].outbox.waiting_posts()
    await asyncio.gather(*(one.open_requests.remind(call, [post(channel="C5")]) for one in stores))
    assert await stores[0].outbox.waiting_posts() == card + 1
    ways = (one.yeses.escalate(call, [post(channel="C5")], lambda _, drawn: drawn) for one in stores)
    assert sum(await asyncio.gather(*ways)) == 1
    assert await stores[0].outbox.waiting_posts() == card + 2


async def test_edited_while_it_is_parked(open_process: OpenStore) -> None:
    """A message that is changed while its request is parked stops it, or finds the request to close."""
    first, second = await open_all(open_process, 2)
    (call,) = await propose(first, refund())
    parked, found = await asyncio.gather(
        first.approval_requests.park(call, []),
        second.open_requests.mark_message_edited("T", "C", "1.0"),
        return_exceptions=True,
    )
    assert isinstance(found, list)
    assert (parked is None) == (len(found) == 1)


async def test_last_two_cards(open_process: OpenStore) -> None:
    """Of two cards that are deleted at once one is the last, so that the request is closed."""
    first, second = await open_all(open_process, 2)
    (call,) = await propose(first, refund())
    cards = [replace(post("card", call.id, channel), decidable=True) for channel in ("C", "C2")]
    await first.approval_requests.park(call, cards)
    for number, channel in enumerate(("C", "C2")):
        card = await first.outbox.next(channel)
        assert card
        await first.outbox.sent(card, f"{number}.5")
    closed = await asyncio.gather(
        first.open_requests.mark_card_deleted("T", "C", "0.5"),
        second.open_requests.mark_card_deleted("T", "C2", "1.5"),
    )
    assert sorted(map(len, closed)) in ([0, 1], [1, 1])


async def test_chain_of_seals(open_database: OpenDatabase, open_process: OpenStore) -> None:
    """Calls that several processes finish at once are one chain, without a gap and without a fork."""
    stores = await open_all(open_process)
    calls = []
    for number, one in enumerate(stores):
        await one.inbox.receive(in_thread(number), addressed=True, mentioned=True)
        taken = await one.inbox.next(in_thread(number).thread)
        assert taken
        await one.conversations.begin(taken)
        asked = [replace(refund(n, gated=False), thread=taken.thread) for n in range(ROUNDS)]
        calls += [(one, call) for call in await one.conversations.add_turn(taken.thread, TURN, asked)]
    for one, call in calls:
        one.calls.finish(call, CallStatus.SUCCEEDED, "{}")
    await asyncio.gather(*(one.calls.get(call.id) for one, call in calls))
    database, _ = await open_database(60)
    verdict = await database.read(verify)
    assert (verdict.sealed, verdict.broken) == (3 * ROUNDS, ())


async def test_fence(open_process: OpenStore) -> None:
    """A run that slept through a take-over writes nothing, even when its process has taken the thread back since."""
    sleeper = await open_process(60)
    asleep = await take(sleeper)
    await take_over(await open_process(0))
    await sleeper.inbox.receive(message("2.0", BEN), addressed=False, mentioned=False)
    with pytest.raises(Exception, match="is in the hands of"):
        await sleeper.conversations.finish(asleep, ANSWER, [post("twice")])
    assert await sleeper.outbox.next("C") is None
    fresh = await sleeper.inbox.next(THREAD)
    assert fresh
    assert (await sleeper.conversations.begin(fresh)).messages


async def test_post_that_was_taken_over(open_process: OpenStore) -> None:
    """Who slept with a post in hand says nothing of it any more, even when its process has taken it back since."""
    sleeper, other = await open_process(0), await open_process(0)
    await sleeper.conversations.finish(await take(sleeper), ANSWER, [post(channel="C1")])
    asleep = await sleeper.outbox.next("C1")
    theirs = await other.outbox.next("C1")
    again = await sleeper.outbox.next("C1")
    assert asleep
    assert theirs
    assert again
    for who, late in ((sleeper, asleep), (other, theirs)):
        await who.outbox.failed(late, "too_late", unreached)
        await who.outbox.sent(late, "1.0")
    assert await sleeper.outbox.waiting_posts() == 1
    await sleeper.outbox.sent(again, "2.0")
    assert await sleeper.outbox.posted("T", "C1", "1.0") is None
    assert await sleeper.outbox.posted("T", "C1", "2.0")


async def test_old_clock(open_database: OpenDatabase) -> None:
    """Whether a process lives is told by a clock that all have in common, whatever time a machine takes it to be."""
    database, leases = await open_database(60)
    _, others = await open_database(60)

    def seen(db: Transaction) -> bool:
        return others.lives(db, leases.process)

    async def lives(tables: Database) -> bool:
        return await tables.read(seen)

    assert await lives(database)
    before = (datetime.now(UTC) - timedelta(seconds=61)).isoformat()
    await database.commit(lambda db: db.execute("UPDATE processes SET seen_at = ?", [before]))
    assert not await lives(database)
    await leases.renew()
    assert await lives(database)
