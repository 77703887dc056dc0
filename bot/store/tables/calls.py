"""The log of tool calls and model calls."""

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.store.bounds import Resource
from bot.store.calls import CallStatus, Gate, ModelCall, ToolCall
from bot.store.records import Block, Post, ThreadId, writable
from bot.store.tables.database import Database, Transaction
from bot.store.tables.inbox_rows import current_run
from bot.store.tables.leases import Leases
from bot.store.tables.outbox import Outbox
from bot.store.tables.seals import seal
from bot.store.tables.threads import find_thread, mark_handed_over, team_post
from bot.store.tables.usage import count_use

MAX_ORDER_CHARACTERS = 100
_COLUMNS = {field.name for field in fields(ToolCall)}


class Calls:
    """Rows of `tool_calls` and `model_calls`. What is finished never changes; a trigger holds it."""

    def __init__(self, database: Database, outbox: Outbox, leases: Leases) -> None:
        self._database = database
        self._outbox = outbox
        self._leases = leases

    async def get(self, call_id: str) -> ToolCall | None:
        """Read one call."""
        return await self._database.read(lambda db: get_call(db, call_id))

    def finish(
        self,
        call: ToolCall,
        status: CallStatus,
        result: str,
        *,
        error: str | None = None,
        card: Sequence[Block] = (),
        private_card: Sequence[Block] = (),
        escalation: Post | None = None,
    ) -> None:
        """End a call that needed nobody's approval: what the model is told, what the log keeps, what is shown.

        With a hand-over, people are told and the thread is theirs, in the same transaction. Nobody waits for the row:
        it is there before whatever is written next, such as the message that tells the model.
        """

        def write(db: Transaction) -> None:
            self._leases.check(db, call.thread)
            finished_at = datetime.now(UTC)
            db.execute(
                """UPDATE tool_calls SET status = ?, result = ?, error = ?, card = ?, private_card = ?, arguments = ?,
                   finished_at = ?, duration_ms = ?, order_id = ? WHERE id = ?""",
                [
                    status,
                    result,
                    error,
                    json.dumps(card),
                    json.dumps(private_card) if private_card else None,
                    call.arguments,
                    finished_at.isoformat(),
                    milliseconds(call.created_at, finished_at),
                    order_of(call),
                    call.id,
                ],
            )
            seal(db, [call.id])
            if escalation:
                told = team_post(db, call.thread, escalation, escalates=True)
                self._outbox.insert(db, [told] if told else [], call.thread)
                mark_handed_over(db, call.thread, call.requester)

        self._database.enqueue(write, lock=call.thread.key)

    async def log_look_up(self, call: ToolCall) -> None:
        """Write what a person has looked up without the model, with its end; durable before they see it."""

        def write(db: Transaction) -> None:
            row = replace(call, thread=find_thread(db, call.thread), status=CallStatus.RUNNING)
            insert_calls(db, [row])
            finished_at = call.finished_at or datetime.now(UTC)
            db.execute(
                """UPDATE tool_calls SET status = ?, result = ?, error = ?, arguments = ?, finished_at = ?,
                   duration_ms = ?, order_id = ?, run_id = NULL WHERE id = ?""",
                [
                    *(call.status, call.result, call.error, call.arguments, finished_at.isoformat()),
                    *(milliseconds(call.created_at, finished_at), order_of(call), call.id),
                ],
            )
            seal(db, [call.id])

        await self._database.commit(write, lock=call.thread.key)

    async def requests_today(self, call: ToolCall) -> tuple[int, int]:
        """Count the person's requests of this tool within a day, in this thread and in all; refused ones count.

        This one counts; those that the model made after it in the same turn do not yet, and neither do those that
        could not be read or that say a thing twice in a turn: they are the model's fault, nor what an approver has
        changed it to. What another run has asked and nobody has read yet counts.
        """

        def read(db: Transaction) -> tuple[int, int]:
            row = db.execute(
                """SELECT count(DISTINCT request) FILTER (WHERE thread = ?), count(DISTINCT request)
                   FROM (SELECT thread, message_id || coalesce(arguments, id) AS request FROM tool_calls
                         WHERE requester = ? AND tool = ? AND gated AND created_at > ? AND supersedes IS NULL
                         AND (message_id, position) <= (?, ?)
                         AND (arguments IS NOT NULL OR id = ? OR (status = 'proposed' AND message_id < ?))) AS asked""",
                [
                    *(call.thread.key, call.requester, call.tool),
                    (datetime.now(UTC) - timedelta(days=1)).isoformat(),
                    *(call.message_id, call.position, call.id, call.message_id),
                ],
            ).fetchone()
            return (row[0], row[1])

        return await self._database.read(read, lock=call.thread.key)

    def log_model_call(self, call: ModelCall) -> None:
        """Write a model call's row, once before it is asked and again when it has answered or failed.

        Nobody waits for it: the row is there before whatever is written next.
        """

        def write(db: Transaction) -> None:
            finished_at = None if call.status == CallStatus.RUNNING else datetime.now(UTC)
            db.execute(
                """INSERT INTO model_calls
                       (id, team, channel, thread_ts, model, purpose, status, finish_reason, prompt_tokens,
                        completion_tokens, cached_tokens, request_id, error, created_at, finished_at, duration_ms,
                        run_id)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                   ON CONFLICT (id) DO UPDATE SET (model, status, finish_reason, prompt_tokens, completion_tokens,
                                                   cached_tokens, request_id, error, finished_at, duration_ms)
                   = (excluded.model, excluded.status, excluded.finish_reason, excluded.prompt_tokens,
                      excluded.completion_tokens, excluded.cached_tokens, excluded.request_id, excluded.error,
                      excluded.finished_at, excluded.duration_ms)""",
                [
                    call.id,
                    *(call.thread.team, call.thread.channel, call.thread.ts),
                    call.model,
                    call.purpose,
                    call.status,
                    call.finish_reason,
                    call.prompt_tokens,
                    call.completion_tokens,
                    call.cached_tokens,
                    call.request_id,
                    call.error,
                    call.created_at.isoformat(),
                    finished_at.isoformat() if finished_at else None,
                    milliseconds(call.created_at, finished_at) if finished_at else None,
                    current_run(db, call.thread),
                ],
            )

            if call.status == CallStatus.SUCCEEDED:
                tokens = (call.prompt_tokens or 0) + (call.completion_tokens or 0)
                count_use(db, call.requester, Resource.TOKENS, call.id, tokens)

        self._database.enqueue(write, lock=call.thread.key)


def insert_calls(db: Transaction, calls: Sequence[ToolCall]) -> None:
    """Write the rows of a turn's calls within the transaction that adds the turn."""
    for call in calls:
        db.execute(
            """INSERT INTO tool_calls (id, team, channel, thread_ts, tool, status, requester, arguments_sent, gated,
                                       card, created_at, message_id, position, tool_call_id, run_id,
                                       order_id, traceparent)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '[]', ?, ?, ?, ?, ?, ?, ?)""",
            [
                call.id,
                *(call.thread.team, call.thread.channel, call.thread.ts),
                call.tool,
                call.status,
                call.requester,
                call.arguments_sent,
                call.gated,
                call.created_at.isoformat(),
                call.message_id,
                call.position,
                call.tool_call_id,
                current_run(db, call.thread),
                order_of(call),
                call.traceparent,
            ],
        )


def order_of(call: ToolCall) -> str | None:
    """Return the number of the order that a call is about: as validated, else as the model sent it."""
    kind, _, number = (call.subject or "").partition(":")
    if kind == "order":
        return number
    for written in (call.arguments, call.arguments_sent):
        try:
            arguments = json.loads(written or "")
        except (ValueError, RecursionError):
            continue
        order_id = arguments.get("order_id") if isinstance(arguments, dict) else None
        if isinstance(order_id, str | int):
            return writable(str(order_id))[:MAX_ORDER_CHARACTERS]
    return None


def calls_of_turn(db: Transaction, message_id: int) -> list[ToolCall]:
    """List the calls of one turn in the model's order, without what people have changed them to since."""
    return [
        call_of(row)
        for row in db.query(
            "SELECT * FROM tool_calls WHERE message_id = ? AND supersedes IS NULL ORDER BY position", [message_id]
        )
    ]


def abandon_calls(db: Transaction, thread: ThreadId) -> None:
    """End the calls that a run left unfinished when it ended; none of them had been approved."""
    abandoned = db.execute(
        """UPDATE tool_calls SET status = 'failed', error = 'the run ended before this call', finished_at = ?
           WHERE thread = ?
           AND (status = 'proposed' OR (status = 'running' AND NOT gated)) RETURNING id""",
        [datetime.now(UTC).isoformat(), thread.key],
    ).fetchall()
    seal(db, (call_id for (call_id,) in abandoned))


def get_call(db: Transaction, call_id: str) -> ToolCall | None:
    """Read one call within a transaction."""
    for row in db.query("SELECT * FROM tool_calls WHERE id = ?", [call_id]):
        return call_of(row)
    return None


def call_of(row: dict[str, Any]) -> ToolCall:
    """Make the value of a row."""
    times = (
        *("created_at", "decided_at", "expires_at", "reminded_at", "finished_at"),
        *("begun_at", "look_at", "reported_at", "confirmed_at", "first_approved_at", "escalated_at"),
    )
    columns = {name: value for name, value in row.items() if name in _COLUMNS}
    columns |= {name: datetime.fromisoformat(row[name]) for name in times if row[name]}
    columns["thread"] = ThreadId.of_key(row["thread"])
    columns["status"] = CallStatus(row["status"])
    columns["gate"] = Gate(row["gate"])
    columns |= {name: bool(row[name]) for name in ("gated", "shown_paused", "money_pending")}
    columns["card"] = tuple(json.loads(row["card"]))
    return ToolCall(**columns)


def open_requests(db: Transaction, thread: ThreadId) -> list[str]:
    """List what waits for a person, or for its outcome, in the thread."""
    rows = db.execute(
        """SELECT summary FROM tool_calls
           WHERE thread = ? AND gated AND status IN ('pending', 'running', 'unknown')""",
        [thread.key],
    )
    return [summary for (summary,) in rows.fetchall()]


def milliseconds(start: datetime, end: datetime) -> float:
    """Count the milliseconds between two times."""
    return round((end - start).total_seconds() * 1000, 3)
