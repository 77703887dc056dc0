"""Rows for the suite: a thread, a message in it, a gated call, and a post."""

from datetime import UTC, datetime, timedelta

from bot.store.calls import CallStatus, ToolCall
from bot.store.records import ChatMessage, InboxMessage, Post, ThreadId, new_id
from bot.store.store import Store

THREAD = ThreadId("T", "C", "1.0")
ANA, BEN, SAM = "UANA", "UBEN", "USAM"
TURN: ChatMessage = {"role": "assistant", "content": None, "tool_calls": []}
ANSWER = {"role": "assistant", "content": "Done."}


def message(ts: str = "1.0", user: str = ANA, text: str = "hello") -> InboxMessage:
    """Make a message that somebody wrote in the thread."""
    return InboxMessage(THREAD, ts, user, text, "T")


def post(text: str = "card", call_id: str | None = None, channel: str = "C") -> Post:
    """Make something to be said in the thread."""
    return Post(new_id(), "T", channel, "1.0", text, (), call_id)


def refund(position: int = 0, *, gated: bool = True) -> ToolCall:
    """Make a call as the model asks for it; a gated one as it is after its preview."""
    now = datetime.now(UTC)
    return ToolCall(
        id=new_id(),
        thread=THREAD,
        message_id=0,
        position=position,
        tool_call_id=f"call_{position}",
        tool="initiate_refund",
        gated=gated,
        arguments_sent="{}",
        status=CallStatus.PROPOSED if gated else CallStatus.RUNNING,
        requester=ANA,
        created_at=now,
        arguments="{}",
        result="{}",
        subject="order:1" if gated else None,
        summary="Refund" if gated else None,
        expires_at=now + timedelta(hours=1) if gated else None,
    )


async def take(store: Store, ts: str = "1.0") -> InboxMessage:
    """Receive a mention and begin its run."""
    await store.inbox.receive(message(ts), addressed=True, mentioned=True)
    taken = await store.inbox.next(THREAD)
    assert taken
    await store.conversations.begin(taken)
    return taken


async def take_over(store: Store) -> InboxMessage:
    """Take a run up again as another process, whose leases are over at once, and bring it to its end."""
    again = await store.inbox.next(THREAD)
    assert again
    await store.conversations.begin(again)
    await store.conversations.finish(again, ANSWER, [])
    return again


async def propose(store: Store, *calls: ToolCall) -> tuple[ToolCall, ...]:
    """Begin a run whose model asks for the calls."""
    await take(store)
    return await store.conversations.add_turn(THREAD, TURN, calls)


async def park(store: Store) -> ToolCall:
    """Add a refund that waits for a person, with one card."""
    (call,) = await propose(store, refund())
    await store.approval_requests.park(call, [post("card", call.id)])
    parked = await store.calls.get(call.id)
    assert parked
    return parked
