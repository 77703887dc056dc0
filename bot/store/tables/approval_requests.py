"""The one row of a gated call: its request, the one approval that it can have, and its outcome."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot import clock
from bot.store.calls import NO_CLICKS, CallStatus, DayLimits, ToolCall
from bot.store.errors import MessageChangedError, SubjectTakenError
from bot.store.records import Post
from bot.store.tables.audit import write_audit
from bot.store.tables.calls import get_call, insert_calls, milliseconds, order_of
from bot.store.tables.database import Database, Transaction
from bot.store.tables.day_limits import check_day, lock_people
from bot.store.tables.inbox_rows import go_on
from bot.store.tables.leases import Leases
from bot.store.tables.outbox import Outbox
from bot.store.tables.outbox_rows import cards_of, close_cards, over
from bot.store.tables.refund_checks import watch_refund
from bot.store.tables.seals import seal
from bot.store.tables.switches import PAUSE


class ApprovalRequests:
    """Rows of `tool_calls` through which money may pass. Every step is one guarded write, taken once by one process."""

    def __init__(self, database: Database, outbox: Outbox, leases: Leases) -> None:
        self._database = database
        self._outbox = outbox
        self._leases = leases

    async def park(self, call: ToolCall, cards: Sequence[Post], limits: DayLimits = NO_CLICKS) -> None:
        """Make a proposed call wait for a person, its cards queued with it.

        Raises SubjectTakenError when a pending call of its kind has the same subject, MessageChangedError when the
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
        values = [call_id[:64], user, team, decision, told, clock.now().isoformat()]
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
            db.lock(PAUSE, shared=True)
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
            db.lock(PAUSE, shared=True)
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
        """Park `instead` in place of a pending call, and return whether that was still as it was shown.

        The call ends as cancelled, with its summary: its cards are redrawn like `redrawn`, the announcement is said,
        and then come the new cards. Raises AboveDayLimitError; then nothing is written.
        """

        def write(db: Transaction) -> bool:
            lock_people(db, instead)  # before the row, as a claim does
            now = clock.now().isoformat()
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
            ended_cards = [over(card, redrawn) for card in cards_of(db, call.id)]
            self._outbox.insert(db, [*ended_cards, announcement, *cards], call.thread)
            return True

        return await self._database.commit(write, lock=call.thread.key)

    def _replace_cards(self, db: Transaction, call: ToolCall, cards: Sequence[Post], redrawn: Post) -> None:
        earlier = [card for card in cards_of(db, call.id) if card.decidable]
        close_cards(db, call.id)
        self._outbox.insert(db, [*(over(card, redrawn) for card in earlier), *cards], call.thread)

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
        look_again_at: datetime | None = None,
    ) -> bool:
        """Move a gated call on from the status it has in `call`, and return whether this caller was the one to do it.

        Every card of the call is redrawn like `redrawn`, and `announcement` is posted, in the same transaction.
        `result` joins the row only; the model learns the summary as a note, with the `reason` of who decided. With
        `goes_on` the thread goes on, as if who asked had written that; with `look_again_at` money that went back is
        looked at then. An `operator` who does it by hand is kept in the audit, and `why`.
        """

        def write(db: Transaction) -> bool:
            now = clock.now()
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
            self._outbox.insert(db, [over(card, redrawn) for card in cards_of(db, call.id)], call.thread)
            if announcement is not None:
                self._outbox.insert(db, [announcement], call.thread)
            if look_again_at:
                watch_refund(db, call, look_again_at)
            if goes_on:
                go_on(db, call.thread, call.requester, goes_on)
            return True

        return await self._database.commit(write, lock=call.thread.key)


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
