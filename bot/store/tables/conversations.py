"""The model's input for a thread, message by message and verbatim, and how a run's rows join it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from bot.store.calls import Conversation, ToolCall
from bot.store.errors import DatabaseError, LostLeaseError, MessageChangedError
from bot.store.records import ChatMessage, InboxMessage, Post, ThreadId
from bot.store.tables.calls import abandon_calls, call_of, insert_calls
from bot.store.tables.database import Database, Transaction
from bot.store.tables.inbox_rows import finish_running, keep_context
from bot.store.tables.leases import Leases
from bot.store.tables.messages import (
    add_unreached,
    answer_calls,
    append,
    correct_running,
    is_gone,
    is_stopped,
    join_waiting,
    leave_out,
    read_conversation,
    said,
    unanswered_calls,
)
from bot.store.tables.outbox import Outbox
from bot.store.tables.runs import start_of_run
from bot.store.tables.threads import (
    find_thread,
    get_intent,
    get_timeline,
    is_known,
    is_quiet_for,
    keep_draft,
    keep_rating,
    keep_timeline,
    mark_handed_over,
    mark_taken_back,
    over_draft,
    set_intent,
    take_back_older_than,
    team_post,
)


class Conversations:
    """What a run writes, `messages` first of all: a thread has one run at a time, so its messages have one order.

    A process that the thread was taken from writes nothing more: every method raises LostLeaseError then. What
    `begin` and `add_results` tell is not committed yet; when it is not at all, only `begin` goes on.
    """

    def __init__(self, database: Database, outbox: Outbox, leases: Leases) -> None:
        self._database = database
        self._outbox = outbox
        self._leases = leases
        self._rolled_back: set[ThreadId] = set()  # threads in which what a run was told was not committed after all

    async def begin(self, message: InboxMessage, context: str = "") -> Conversation:
        """Add the message that a run answers, unless an earlier attempt did, and read the whole thread.

        The outcomes of gated calls since the last run are told first, as a note of role system. The context is what
        the message answers to, as it was said by others; it is kept with it.
        """

        def write(db: Transaction) -> Conversation:
            self._leases.check(db, message.thread)
            self._rolled_back.discard(message.thread)
            if not db.execute("SELECT 1 FROM messages WHERE inbox_id = ?", [message.id]).fetchone():
                answer_calls(db, message.thread, unanswered_calls(db, message.thread))
                if context:
                    keep_context(db, message.id, context)
                append(db, message.thread, said(message.user, message.text + context), inbox_id=message.id)
            correct_running(db, message.thread)
            conversation = read_conversation(db, message.thread)
            if not conversation.unanswered and (join_waiting(db, message.thread) or add_unreached(db, message.thread)):
                conversation = read_conversation(db, message.thread)
            return conversation

        return await self._database.run_ahead(
            write, on_rollback=partial(self._rolled_back.add, message.thread), lock=message.thread.key
        )

    async def add_turn(self, thread: ThreadId, turn: ChatMessage, calls: Sequence[ToolCall]) -> tuple[ToolCall, ...]:
        """Add the model's turn together with a row for each of its calls, before any of them runs; give these back."""

        def write(db: Transaction) -> tuple[ToolCall, ...]:
            self._check(db, thread)
            # Of one person's requests none gets a lower number than one that is counted already, in any thread.
            for requester in sorted({call.requester for call in calls}):
                db.lock(f"person {requester}")
            message_id = append(db, thread, turn)
            rows = tuple(replace(call, message_id=message_id) for call in calls)
            insert_calls(db, rows)
            return rows

        return await self._database.commit(write, lock=thread.key)

    async def add_results(self, thread: ThreadId) -> Conversation:
        """Answer every call of the last turn with its row's result, in the model's order, and tell what else came.

        What the person has written meanwhile joins the run here.
        """

        def write(db: Transaction) -> Conversation:
            self._check(db, thread)
            answer_calls(db, thread, unanswered_calls(db, thread))
            correct_running(db, thread)
            join_waiting(db, thread)
            return read_conversation(db, thread)

        return await self._database.run_ahead(
            write, on_rollback=partial(self._rolled_back.add, thread), lock=thread.key
        )

    async def finish(
        self,
        message: InboxMessage,
        reply: ChatMessage | None,
        posts: Sequence[Post],
        *,
        error: str | None = None,
        escalation: Post | None = None,
        left_out: bool = False,
    ) -> bool:
        """End a run: its last message, what is said, and the end of the message and of those that joined it are one.

        Return whether another message waits in the thread; with none left the thread is let go. Raises
        MessageChangedError when the answer is to words that the person has corrected since the model read them.
        """
        thread = message.thread

        def write(db: Transaction) -> bool:
            if reply is not None and error is None and correct_running(db, thread):
                raise MessageChangedError(message.user)
            gone = is_gone(db, thread)  # who deleted what they asked wants no answer to it
            if reply is None:
                self._leases.check(db, thread)
            else:
                self._check(db, thread)
                answer_calls(db, thread, unanswered_calls(db, thread))
                if left_out:
                    leave_out(db, thread)
                if not gone:
                    append(db, thread, reply)
            abandon_calls(db, thread)
            self._outbox.insert(db, over_draft(db, thread, () if gone else posts), thread)
            if escalation:
                told = team_post(db, thread, escalation, escalates=True)
                self._outbox.insert(db, [told] if told else [], thread)
                mark_handed_over(db, thread, message.user)
            more = finish_running(db, thread, error)
            if not more:
                self._leases.let_go(db, thread)
            return more

        return await self._database.commit(write, lock=thread.key)

    async def is_stopped(self, thread: ThreadId) -> bool:
        """Return whether the thread was stopped after the newest of the messages that its run answers."""
        return await self._database.read(partial(is_stopped, thread=thread))

    async def stopped(self) -> list[ThreadId]:
        """Find the threads that were stopped after the newest of the messages that their runs answer."""
        # Named twice, the status lets SQLite use the index of open messages, as in `finish_running`.
        sql = """SELECT t.thread FROM inbox AS i JOIN threads AS t ON t.thread = i.thread
                 WHERE i.status IN ('waiting', 'running') AND i.status = 'running' AND t.stopped_at IS NOT NULL
                 GROUP BY t.thread, t.stopped_at HAVING t.stopped_at > max(i.ts)"""
        rows = await self._database.read(lambda db: db.execute(sql, []).fetchall())
        return [ThreadId.of_key(key) for (key,) in rows]

    async def is_with_people(self, thread: ThreadId, user: str) -> bool:
        """Return whether people have the thread, so that this person is not answered there."""
        return await self._database.read(lambda db: is_quiet_for(db, find_thread(db, thread), user))

    async def hand_over(self, thread: ThreadId, user: str, told: Post, said: Post) -> bool:
        """Leave the thread to people for this person, told there and to the team; False when there is none."""

        def write(db: Transaction) -> bool:
            found = find_thread(db, thread)
            db.lock(found.key)
            if not is_known(db, found):
                return False
            post = team_post(db, found, told, escalates=True)
            self._outbox.insert(db, [*([post] if post else []), said], found)
            mark_handed_over(db, found, user)
            return True

        return await self._database.commit(write)

    async def give_back(self, thread: ThreadId, said: Post) -> bool:
        """Answer in the thread again, told there once, and return whether people had it."""

        def write(db: Transaction) -> bool:
            found = find_thread(db, thread)
            db.lock(found.key)
            was_theirs = mark_taken_back(db, found)
            if was_theirs:
                self._outbox.insert(db, [said], found)
            return was_theirs

        return await self._database.commit(write)

    async def give_back_older_than(self, hours: float) -> None:
        """Answer again in threads that people have had for so long."""
        await self._database.commit(lambda db: take_back_older_than(db, hours))

    async def rate(self, thread: ThreadId, post_id: str, user: str, worth: str, reason: str | None = None) -> bool:
        """Keep a rating in place of the person's earlier one; False when it is of no post of that thread."""

        def write(db: Transaction) -> bool:
            found = find_thread(db, thread)
            if not self._outbox.is_about(db, post_id, found):
                return False
            keep_rating(db, found, post_id, user, worth=worth, reason=reason)
            return True

        return await self._database.commit(write)

    async def is_undecided(self, thread: ThreadId) -> bool:
        """Return whether a request of the thread is pending."""
        sql = "SELECT 1 FROM tool_calls WHERE thread = ? AND status = 'pending' LIMIT 1"
        return await self._database.read(lambda db: db.execute(sql, [thread.key]).fetchone()) is not None

    async def calls_of_run(self, thread: ThreadId) -> list[ToolCall]:
        """Read the calls of the thread's run, and all requests that wait in the thread."""

        def read(db: Transaction) -> list[ToolCall]:
            rows = db.query(
                """SELECT * FROM tool_calls WHERE thread = ?
                   AND (message_id > ? OR gated AND status IN ('pending', 'running', 'unknown'))
                   ORDER BY message_id, position""",
                [thread.key, start_of_run(db, thread).message_id],
            )
            return [call_of(row) for row in rows]

        return await self._database.read(read)

    async def timeline(self, thread: ThreadId) -> str | None:
        """Read which message shows what is done in the thread."""
        return await self._database.read(lambda db: get_timeline(db, find_thread(db, thread)))

    async def keep_timeline(self, thread: ThreadId, ts: str | None, *, before: str | None) -> None:
        """Keep which message shows it, or that none does any more, unless it is another than the one before."""
        await self._database.commit(lambda db: keep_timeline(db, find_thread(db, thread), ts, before=before))

    async def keep_draft(self, thread: ThreadId, ts: str) -> bool:
        """Keep which message shows the answer while it is being written; what ends the run is drawn over it.

        Return False when there is such a message already.
        """

        def write(db: Transaction) -> bool:
            own = find_thread(db, thread)
            self._leases.check(db, own)
            return keep_draft(db, own, ts)

        return await self._database.commit(write)

    async def intent(self, thread: ThreadId) -> str | None:
        """Read what the thread's customer wants, as it was stored last."""
        return await self._database.read(lambda db: get_intent(db, find_thread(db, thread)))

    async def set_intent(self, message: InboxMessage, intent: str, posts: Sequence[Post]) -> None:
        """Store what the thread's customer wants by this message, with what is said because of it.

        Its run may be over by then. How often it was taken up tells whether that was somebody else's.
        """
        thread = message.thread

        def write(db: Transaction) -> None:
            if not set_intent(db, message, intent):
                raise LostLeaseError(f"message {message.ts} in {thread.channel} was taken up again")
            told = [team_post(db, thread, post, escalates=False) for post in posts]
            self._outbox.insert(db, filter(None, told), thread)

        await self._database.commit(write, lock=thread.key)

    def _check(self, db: Transaction, thread: ThreadId) -> None:
        """Refuse to go on when our lease on the thread is over, or what the run builds on was not written."""
        self._leases.check(db, thread)
        if thread in self._rolled_back:
            raise DatabaseError("What the run builds on was not written.")
