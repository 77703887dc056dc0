"""The requests that are open: what the sweeper does with them, and which of them a change in Slack is about."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot import clock
from bot.store.calls import CallStatus, ToolCall
from bot.store.records import Post, ThreadId
from bot.store.tables.calls import call_of, get_call
from bot.store.tables.database import Database, Transaction
from bot.store.tables.inbox_rows import is_known_text, mark_changed, thread_of
from bot.store.tables.outbox import Outbox
from bot.store.tables.outbox_rows import cards_of, mark_deleted


class OpenRequests:
    """Rows of `tool_calls` that wait for a person, or for their outcome."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def begin(self, call: ToolCall) -> ToolCall | None:
        """Note that a change may reach the shop from now on; None when it is settled, or somebody else has begun it.

        A call that was begun before keeps its time, and may be begun by several: their key is the same.
        """
        begun = replace(call, begun_at=call.begun_at or clock.now())
        return begun if await self._set_begun(call, begun.begun_at) else None

    async def not_begun(self, call: ToolCall) -> None:
        """Note that the change has not reached the shop after all, unless it was begun once more since."""
        await self._set_begun(call, None)

    async def _set_begun(self, call: ToolCall, at: datetime | None) -> bool:
        sql = """UPDATE tool_calls SET begun_at = ?
                 WHERE id = ? AND status IN ('running', 'unknown') AND begun_at IS ?"""
        values = [at and at.isoformat(), call.id, call.begun_at and call.begun_at.isoformat()]
        return await self._database.commit(lambda db: bool(db.execute(sql, values).rowcount == 1))

    async def look_later(self, call: ToolCall, at: datetime) -> None:
        """Note when the shop is asked next."""
        sql = """UPDATE tool_calls SET look_at = ?, looks = looks + 1
                 WHERE id = ? AND status IN ('running', 'unknown')"""
        await self._database.commit(lambda db: db.execute(sql, [at.isoformat(), call.id]))

    async def report(self, call: ToolCall, posts: Sequence[Post]) -> None:
        """Queue, once, what tells people that a call's outcome is unknown."""

        def write(db: Transaction) -> None:
            marked = db.execute(
                """UPDATE tool_calls SET reported_at = ?
                   WHERE id = ? AND status IN ('running', 'unknown') AND reported_at IS NULL""",
                [clock.now().isoformat(), call.id],
            )
            if marked.rowcount == 1:
                self._outbox.insert(db, posts, call.thread)

        await self._database.commit(write, lock=call.thread.key)

    async def find(self, reference: str) -> list[ToolCall]:
        """Return the gated calls whose outcome is not known and whose id begins so."""
        sql = "SELECT * FROM tool_calls WHERE gated AND status IN ('running', 'unknown') AND substr(id, 1, ?) = ?"
        return await self._database.read(
            lambda db: [call_of(row) for row in db.query(sql, [len(reference), reference])]
        )

    async def cards(self, call_id: str) -> list[Post]:
        """List the messages in which the call's buttons stand or stood."""
        return await self._database.read(lambda db: cards_of(db, call_id))

    async def open(self) -> list[ToolCall]:
        """List the gated calls that wait for a decision or whose outcome is not known."""
        return await self._database.read(
            lambda db: [
                call_of(row)
                for row in db.query(
                    "SELECT * FROM tool_calls WHERE gated AND status IN ('pending', 'running', 'unknown')"
                )
            ]
        )

    async def remind(self, call: ToolCall, posts: Sequence[Post]) -> None:
        """Queue the reminder of the approvers, unless that was done or the call is decided."""

        def write(db: Transaction) -> None:
            marked = db.execute(
                "UPDATE tool_calls SET reminded_at = ? WHERE id = ? AND status = 'pending' AND reminded_at IS NULL",
                [clock.now().isoformat(), call.id],
            )
            if marked.rowcount == 1:
                self._outbox.insert(db, posts, call.thread)

        await self._database.commit(write, lock=call.thread.key)

    async def show_paused(self, call: ToolCall, draw: Callable[[Post], Post], *, paused: bool) -> None:
        """Redraw every card of a pending call as what `draw` makes of it, unless that was done."""

        def write(db: Transaction) -> None:
            marked = db.execute(
                "UPDATE tool_calls SET shown_paused = ? WHERE id = ? AND status = 'pending' AND shown_paused != ?",
                [paused, call.id, paused],
            )
            if marked.rowcount == 1:
                self._outbox.insert(db, [draw(card) for card in cards_of(db, call.id)], call.thread)

        await self._database.commit(write, lock=call.thread.key)

    async def mark_card_deleted(self, team: str, channel: str, ts: str) -> list[ToolCall]:
        """Note that a message of ours is gone, and return the pending call that cannot be decided without it."""

        def write(db: Transaction) -> list[ToolCall]:
            gone = "SELECT id, call_id FROM outbox WHERE (team, channel, ts) = (?, ?, ?) AND call_id IS NOT NULL"
            found = db.execute(gone, [team, channel, ts]).fetchone()
            if found is None:
                return []
            if (gone_of := get_call(db, found[1])) is not None:
                db.lock(gone_of.thread.key)  # two cards that go at once: the second to look sees that none is left
            mark_deleted(db, found[0])
            call = get_call(db, found[1])
            is_left = any(card.decidable for card in cards_of(db, found[1]))
            return [call] if call and call.status == CallStatus.PENDING and not is_left else []

        return await self._database.commit(write)

    async def mark_message_edited(
        self,
        team: str,
        channel: str,
        ts: str,
        text: str | None = None,
        tell: Callable[[ThreadId, str], Post] | None = None,
    ) -> list[ToolCall]:
        """Note that the message says something else now, or is gone, and list the calls that wait and answered it.

        A call that is not made yet cannot be parked after this, unless the model reads the new words first. Who gets
        no answer to these any more is told so with what `tell` makes of the thread and the person.
        """

        def write(db: Transaction) -> list[ToolCall]:
            if (thread := thread_of(db, team, channel, ts)) is None:
                return []
            db.lock(thread.key)  # a call is parked before this and found, or after it and refused
            if text is not None and is_known_text(db, team, channel, ts, text):
                return []  # such as when Slack does not say how a message was before
            answered = mark_changed(db, team, channel, ts, text)
            # Asked with this message: by its author, in its thread, by the run that answered it. A run's messages are
            # those after the last answer that came before the call: a message of the assistant that asks for no tool.
            rows = db.query(
                """SELECT tool_calls.* FROM tool_calls JOIN inbox ON requester = inbox.user AND inbox.id IN (
                       SELECT inbox_id FROM messages m WHERE inbox_id IS NOT NULL AND m.id < message_id AND m.id > (
                           SELECT coalesce(max(a.id), 0) FROM messages a WHERE a.id < message_id
                           AND a.thread = m.thread
                           AND a.role = 'assistant' AND json_extract(a.message, '$.tool_calls') IS NULL))
                   WHERE gated AND tool_calls.status = 'pending'
                   AND (inbox.team, inbox.channel, inbox.ts) = (?, ?, ?)
                   AND inbox.thread = tool_calls.thread""",
                [team, channel, ts],
            )
            calls = [call_of(row) for row in rows]
            if answered and tell and not calls:
                self._outbox.insert(db, [tell(*answered)], answered[0])
            return calls

        return await self._database.commit(write)
