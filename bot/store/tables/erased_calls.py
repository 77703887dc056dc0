"""What is left of tool calls when somebody is forgotten, or when their time is over."""

import json
from collections.abc import Iterator
from typing import Any

from bot.store.records import ThreadId
from bot.store.tables.database import Transaction
from bot.store.tables.seals import seal_erased

_FORGOTTEN = "forgotten"


def erase_calls(db: Transaction, thread: ThreadId) -> None:
    """Erase the thread's calls. Of a request stays what was done, and who decided it, out of the thread and nameless.

    Only with `final_calls_unlocked`.
    """
    all_of_them = db.execute("SELECT id FROM tool_calls WHERE thread = ?", [thread.key]).fetchall()
    db.execute("DELETE FROM model_calls WHERE thread = ?", [thread.key])
    db.execute("DELETE FROM tool_calls WHERE thread = ? AND NOT gated", [thread.key])
    rows = db.execute("SELECT id, arguments, summary, quote FROM tool_calls WHERE thread = ?", [thread.key]).fetchall()
    for call_id, written, summary, quote in rows:
        # What a tool of somebody else's was called with may be anything, and none of it is known to be no name.
        arguments = "{}" if json.loads(quote or "{}").get("change", {}).get("kind") == "call_tool" else written
        addresses = {*_addresses(json.loads(arguments or "{}")), *_addresses(json.loads(quote or "{}"))}
        db.execute(
            """UPDATE tool_calls SET arguments = ?, summary = ?, requester = ?, channel = ?, thread_ts = ?,
                   arguments_sent = '{}', card = '[]', result = NULL, error = NULL, subject = NULL,
                   quote = NULL, customer = NULL, decision_reason = NULL, traceparent = NULL
               WHERE id = ?""",
            [
                json.dumps(_without(json.loads(arguments), addresses)) if arguments else None,
                _without(summary, addresses),
                *(_FORGOTTEN, _FORGOTTEN, _FORGOTTEN, call_id),
            ],
        )
    seal_erased(db, [call_id for (call_id,) in all_of_them])


def erase_look_ups(db: Transaction, *, user: str | None = None, before: str | None = None) -> None:
    """Erase what this person, or anybody that early, looked up without the model. Only with `final_calls_unlocked`."""
    found = db.execute(
        """DELETE FROM tool_calls WHERE message_id IS NULL AND NOT gated AND (requester = ? OR created_at < ?)
           RETURNING id""",
        [user, before],
    ).fetchall()
    seal_erased(db, [call_id for (call_id,) in found])


def forget_approver(db: Transaction, user: str) -> None:
    """Erase who approved and who decided, and why, where it was this person. Only with `final_calls_unlocked`."""
    db.execute(
        """UPDATE tool_calls SET first_approved_by = NULL, first_approved_at = NULL
           WHERE status = 'pending' AND first_approved_by = ?""",
        [user],
    )  # nobody could say whether the yes of a forgotten person counts
    decided: set[str] = set()
    db.execute("UPDATE tool_calls SET decision_reason = NULL WHERE decided_by = ?", [user])
    for column in ("decided_by", "first_approved_by"):
        forgotten = f"UPDATE tool_calls SET {column} = ? WHERE {column} = ? RETURNING id"  # noqa: S608 - ours
        decided |= {call_id for (call_id,) in db.execute(forgotten, [_FORGOTTEN, user]).fetchall()}
    seal_erased(db, sorted(decided))


def _addresses(value: Any) -> Iterator[str]:
    """Yield each e-mail address of a call's arguments, in whatever shape: a text that holds an @."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _addresses(part)
    elif isinstance(value, str) and "@" in value:
        yield value


def _without(value: Any, addresses: set[str]) -> Any:
    """Return a value of JSON without the addresses. A text that holds an @ even then is erased as a whole."""
    if isinstance(value, dict):
        return {key: _without(part, addresses) for key, part in value.items()}
    if isinstance(value, list):
        return [_without(part, addresses) for part in value]
    if not isinstance(value, str):
        return value
    for address in addresses:
        value = value.replace(address, _FORGOTTEN)
    return _FORGOTTEN if "@" in value else value
