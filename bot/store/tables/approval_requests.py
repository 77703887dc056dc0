"""The one row of a gated call: its request, the one approval that it can have, and its outcome."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.store.errors import MessageChangedError, SubjectTakenError
from bot.store.records import NO_CLICKS, CallStatus, DayLimits, Post, ThreadId, ToolCall, new_id
from bot.store.tables.audit import write_audit
from bot.store.tables.calls import call_of, get_call, insert_calls, milliseconds, order_of
from bot.store.tables.database import Database, Transaction
from bot.store.tables.day_limits import check_day
from bot.store.tables.inbox_rows import go_on, is_known_text, mark_changed, thread_of
from bot.store.tables.leases import Leases
from bot.store.tables.outbox import Outbox, cards_of
from bot.store.tables.seals import seal


class ApprovalRequests:
    """Rows of `tool_calls` through which money may pass. Every step is one guarded write, taken once by one process."""

    def __init__(self, database: Database, outbox: Outbox, leases: Leases) -> None:
        self._database = database
        self._outbox = outbox
        self._leases = leases

    async def park(self, call: ToolCall, cards: Sequence[Post], limits: DayLimits = NO_CLICKS) -> None:
        """Make a proposed call wait for a person, its cards queued with it.

        Raises SubjectTakenError when an open call of its kind has the same subject, MessageChangedError when the
        person has changed or deleted what they wrote, and AboveDayLimitError; then nothing is written.
        """
        thread = call.thread

        def write(db: Transaction) -> None:
            self._leases.check(db, thread)
            changed = """SELECT 1 FROM inbox WHERE thread = ? AND user = ?
                         AND status = 'running' AND changed_at IS NOT NULL"""
            if db.execute(changed, [thread.key, call.requester]).fetchone():
                raise MessageChangedError(call.requester)
            check_day(db, call, limits)
            _park(db, call)
            self._outbox.insert(db, cards, thread)

        await self._database.commit(write, lock=thread.key)

    def log_refused_click(self, call_id: str, user: str, team: str, decision: str, told: str) -> None:
        """Keep a click that did nothing, for the operator. Not awaited."""
        values = [call_id[:64], user, team, decision, told, datetime.now(UTC).isoformat()]
        self._database.enqueue(
            lambda db: db.execute(
                "INSERT INTO refused_clicks (call_id, user, team, decision, told, at) VALUES (?, ?, ?, ?, ?, ?)", values
            )
        )

    async def claim(self, call: ToolCall, by: str, limits: DayLimits | None = None) -> ToolCall | None:
        """Take the last approval that a pending call needs; None means that somebody else, time or a pause was faster.

        What was looked at is what is taken: not when it was asked again meanwhile. Raises AboveDayLimitError when
        more came back to the person since than may without more people's yes; then nothing is taken.
        """

        def write(db: Transaction) -> ToolCall | None:
            if limits is not None:
                check_day(db, call, limits, decided_only=True)
            now = db.now().isoformat()
            taken = db.execute(
                """UPDATE tool_calls SET status = 'running', decided_by = ?, decided_at = ?, begun_at = ?
                   WHERE id = ? AND status = 'pending' AND expires_at > ? AND quote IS ? AND confirmed_at IS ?
                   AND NOT EXISTS (SELECT 1 FROM switches WHERE name = 'paused')
                   AND (gate != 'both' OR confirmed_at IS NOT NULL)
                   AND (approvals_needed < 2 OR (first_approved_by IS NOT NULL AND first_approved_by != ?))
                   AND first_approved_by IS ? AND gate = ? AND approvals_needed = ?
                   AND NOT EXISTS (
                       SELECT 1 FROM tool_calls other WHERE other.subject = tool_calls.subject
                       AND other.status IN ('running', 'unknown') AND NOT other.money_pending)
                   AND NOT (json_extract(quote, '$.change.kind') = 'delete_account' AND EXISTS (
                       SELECT 1 FROM tool_calls other WHERE other.customer = tool_calls.customer
                       AND other.id != tool_calls.id AND other.status IN ('pending', 'running', 'unknown')))""",
                [
                    *(by, now, now, call.id, now, call.quote, call.confirmed_at and call.confirmed_at.isoformat()),
                    *(by, call.first_approved_by, call.gate, call.approvals_needed),
                ],
            )
            return get_call(db, call.id) if taken.rowcount == 1 else None

        return await self._database.commit(write, lock=f"subject {call.subject}")

    async def confirm(self, call: ToolCall, cards: Sequence[Post], redrawn: Post) -> bool:
        """Take the yes of who asked, the first of two, and have approvers asked; return whether this was it.

        The requester's card is redrawn, and the request is decided on the others, in the time that `call` has now.
        """

        def write(db: Transaction) -> bool:
            now = db.now().isoformat()
            confirmed = db.execute(
                """UPDATE tool_calls SET confirmed_at = ?, expires_at = coalesce(?, expires_at), card = ?,
                       reminded_at = NULL
                   WHERE id = ? AND status = 'pending' AND expires_at > ? AND quote IS ?
                   AND gate = 'both' AND confirmed_at IS NULL
                   AND NOT EXISTS (SELECT 1 FROM switches WHERE name = 'paused')""",
                [
                    *(now, call.expires_at and call.expires_at.isoformat(), json.dumps(call.card)),
                    *(call.id, now, call.quote),
                ],
            )
            if confirmed.rowcount == 1:
                self._replace_cards(db, call, cards, redrawn)
            return bool(confirmed.rowcount == 1)

        return await self._database.commit(write, lock=call.thread.key)

    async def ask_again(
        self, call: ToolCall, before: str, cards: Sequence[Post], redrawn: Post, limits: DayLimits = NO_CLICKS
    ) -> bool:
        """Show a pending request again with the quote of `call` in place of `before`; return whether this was done.

        Not when it is shown so already. Raises AboveDayLimitError; then nothing is written.
        """

        def write(db: Transaction) -> bool:
            check_day(db, call, limits)
            asked = db.execute(
                """UPDATE tool_calls SET quote = ?, summary = ?, card = ?, gate = ?, approvals_needed = ?, result = ?,
                       confirmed_at = NULL, first_approved_by = NULL, first_approved_at = NULL
                   WHERE id = ? AND status = 'pending' AND quote = ?
                   AND NOT (quote = ? AND gate = ? AND approvals_needed = ?)""",
                [
                    *(call.quote, call.summary, json.dumps(call.card), call.gate, call.approvals_needed, call.result),
                    *(call.id, before, call.quote, call.gate, call.approvals_needed),
                ],
            )
            if asked.rowcount == 1:
                self._replace_cards(db, call, cards, redrawn)
            return bool(asked.rowcount == 1)

        return await self._database.commit(write, lock=call.thread.key)

    async def supersede(
        self,
        call: ToolCall,
        instead: ToolCall,
        *,
        summary: str,
        by: str,
        redrawn: Post,
        announcement: Post,
        cards: Sequence[Post],
        limits: DayLimits = NO_CLICKS,
    ) -> bool:
        """Have `instead` wait in place of a pending call, and return whether that was still as it was shown.

        The call ends as cancelled, with its summary: its cards are redrawn like `redrawn`, the announcement is said,
        and then come the new cards. Raises AboveDayLimitError; then nothing is written.
        """

        def write(db: Transaction) -> bool:
            now = datetime.now(UTC).isoformat()
            ended = db.execute(
                """UPDATE tool_calls SET status = 'cancelled', summary = ?, decided_by = ?, decided_at = ?,
                       finished_at = ?
                   WHERE id = ? AND status = 'pending' AND quote IS ?""",
                [summary, by, now, now, call.id, call.quote],
            )
            if ended.rowcount != 1:
                return False
            check_day(db, instead, limits)
            seal(db, [call.id])
            last = db.execute("SELECT max(position) FROM tool_calls WHERE message_id = ?", [call.message_id]).fetchone()
            proposed = replace(instead, status=CallStatus.PROPOSED, position=last[0] + 1)
            insert_calls(db, [proposed])
            later = call.escalated_at and call.escalated_at.isoformat()
            sql = "UPDATE tool_calls SET supersedes = ?, escalated_at = ? WHERE id = ?"
            db.execute(sql, [call.id, later, instead.id])
            _park(db, proposed)
            over = [_over(card, redrawn) for card in cards_of(db, call.id)]
            self._outbox.insert(db, [*over, announcement, *cards], call.thread)
            return True

        return await self._database.commit(write, lock=call.thread.key)

    def _replace_cards(self, db: Transaction, call: ToolCall, cards: Sequence[Post], redrawn: Post) -> None:
        earlier = [card for card in cards_of(db, call.id) if card.decidable]
        db.execute("UPDATE outbox SET decidable = FALSE WHERE call_id = ? AND replaces IS NULL", [call.id])
        self._outbox.insert(db, [*(_over(card, redrawn) for card in earlier), *cards], call.thread)

    async def settle(
        self,
        call: ToolCall,
        status: CallStatus,
        summary: str,
        *,
        redrawn: Post,
        announcement: Post | None,
        by: str | None = None,
        error: str | None = None,
        reason: str | None = None,
        result: str | None = None,
        money_pending: bool = False,
        operator: str | None = None,
        why: str | None = None,
        goes_on: str | None = None,
    ) -> bool:
        """Move a gated call on from the status it has in `call`, and return whether this caller was the one to do it.

        Every card of the call is redrawn like `redrawn`, and `announcement` is posted, in the same transaction.
        `result` joins the row only; the model learns the summary as a note, with the `reason` of who decided. With
        `goes_on` the thread goes on, as if who asked had written that. An `operator` who does it by hand is kept in the
        audit, and `why`.
        """

        def write(db: Transaction) -> bool:
            now = datetime.now(UTC)
            moved = db.execute(
                """UPDATE tool_calls SET status = ?, summary = ?, error = ?, result = coalesce(?, result),
                       decision_reason = coalesce(?, decision_reason),
                       decided_by = coalesce(decided_by, ?), decided_at = coalesce(decided_at, ?),
                       finished_at = ?, duration_ms = ?, money_pending = ?
                   WHERE id = ? AND status = ? AND money_pending = ?""",
                [
                    *(status, summary, error, result, reason, by, now.isoformat() if by else None),
                    None if status in (CallStatus.UNKNOWN, CallStatus.RUNNING) else now.isoformat(),
                    *(milliseconds(call.decided_at, now) if call.decided_at else None, money_pending),
                    *(call.id, call.status, call.money_pending),
                ],
            )
            if moved.rowcount != 1:
                return False
            seal(db, [call.id])
            if operator:
                write_audit(db, "settle", by=operator, subject=call.id, why=why)
                db.hint()
            self._outbox.insert(db, [_over(card, redrawn) for card in cards_of(db, call.id)], call.thread)
            if announcement is not None:
                self._outbox.insert(db, [announcement], call.thread)
            if goes_on:
                go_on(db, call.thread, call.requester, goes_on)
            return True

        return await self._database.commit(write, lock=call.thread.key)

    async def begin(self, call: ToolCall) -> bool:
        """Note that a change may reach the shop from now on, and return whether it is still open."""
        now = datetime.now(UTC).isoformat()
        sql = """UPDATE tool_calls SET begun_at = coalesce(begun_at, ?)
                 WHERE id = ? AND status IN ('running', 'unknown')"""
        return await self._database.commit(lambda db: db.execute(sql, [now, call.id]).rowcount == 1)

    async def look_later(self, call: ToolCall, at: datetime, *, begun: bool = True) -> None:
        """Note when the shop is asked next, and, where it is known, that the change has not reached it."""
        sql = """UPDATE tool_calls SET look_at = ?, looks = looks + 1, begun_at = CASE WHEN ? THEN begun_at END
                 WHERE id = ? AND status IN ('running', 'unknown')"""
        await self._database.commit(lambda db: db.execute(sql, [at.isoformat(), begun, call.id]))

    async def report(self, call: ToolCall, posts: Sequence[Post]) -> None:
        """Queue, once, what tells people that a call's outcome is unknown."""

        def write(db: Transaction) -> None:
            marked = db.execute(
                """UPDATE tool_calls SET reported_at = ?
                   WHERE id = ? AND status IN ('running', 'unknown') AND reported_at IS NULL""",
                [datetime.now(UTC).isoformat(), call.id],
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
                [datetime.now(UTC).isoformat(), call.id],
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
            db.execute(
                "UPDATE outbox SET status = 'failed', decidable = FALSE, error = 'deleted in Slack' WHERE id = ?",
                [found[0]],
            )
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


def _park(db: Transaction, call: ToolCall) -> None:
    """Make a proposed call wait. Raises SubjectTakenError."""
    try:
        parked = db.execute(
            """UPDATE tool_calls SET status = 'pending', result = ?, arguments = ?, subject = ?, summary = ?,
               card = ?, quote = ?, customer = ?, gate = ?, approvals_needed = ?, expires_at = ?, order_id = ?
               WHERE id = ? AND status = 'proposed'""",
            [
                *(call.result, call.arguments, call.subject, call.summary, json.dumps(call.card), call.quote),
                *(call.customer, call.gate, call.approvals_needed),
                *(call.expires_at and call.expires_at.isoformat(), order_of(call), call.id),
            ],
        )
    except db.conflict as error:
        raise SubjectTakenError(call.subject) from error
    if parked.rowcount != 1:
        raise SubjectTakenError(f"{call.id} is not a proposal any more")


def erase_clicks(db: Transaction, user: str) -> None:
    """Erase the clicks in vain of a person, and what others were told of them."""
    db.execute("DELETE FROM refused_clicks WHERE user = ? OR instr(told, ?) > 0", [user, f"<@{user}>"])


def erase_old_clicks(db: Transaction, before: str) -> int:
    """Erase the clicks in vain from before a time, and return how many there were."""
    return int(db.execute("DELETE FROM refused_clicks WHERE at < ?", [before]).rowcount)


def _over(card: Post, redrawn: Post) -> Post:
    """Return the post that replaces a card where it stands."""
    return replace(
        redrawn, id=new_id(), team=card.team, channel=card.channel, thread_ts=card.thread_ts, replaces=card.id
    )
