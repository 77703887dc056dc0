"""A chain of hashes over the finished calls: one that is changed, added or removed behind the bot's back is found."""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.store.tables.database import Transaction

_NOT_FINAL = "('proposed', 'pending', 'running', 'unknown')"
# Named one by one, so that a column which is added later breaks no seal; what was sealed before those at the end were
# there is sealed without them.
_FIRST_SEALED_COLUMNS = (
    "id, channel, thread_ts, tool, status, requester, arguments_sent, arguments, result, error, gated, subject, quote, "
    "customer, summary, card, decided_by, decided_at, created_at, finished_at, message_id, position, tool_call_id"
)
_LATER_SEALED_COLUMNS = (
    "gate, confirmed_at, approvals_needed, first_approved_by, first_approved_at, escalated_at, decision_reason, "
    "supersedes"
)
_SEALED_COLUMNS = f"{_FIRST_SEALED_COLUMNS}, {_LATER_SEALED_COLUMNS}"
_FIRST = len(_FIRST_SEALED_COLUMNS.split(","))
_START = "0" * 64


@dataclass(frozen=True, slots=True)
class BrokenSeal:
    """A call that is not as it was when it was finished, or a place at which the chain itself was changed."""

    call_id: str
    fault: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the chain says of the log; `head` stands for all of it, and `knows_head` for an earlier one."""

    sealed: int
    head: str
    broken: tuple[BrokenSeal, ...]
    knows_head: bool


def seal(db: Transaction, call_ids: Iterable[str]) -> None:
    """Add the calls that are final to the chain, within the transaction that made them so."""
    for call_id in call_ids:
        found = db.execute(
            f"SELECT {_SEALED_COLUMNS} FROM tool_calls WHERE id = ? AND status NOT IN {_NOT_FINAL}",
            [call_id],
        ).fetchone()
        if found is not None:
            _append(db, call_id, "finished", found)


def seal_erased(db: Transaction, call_ids: Sequence[str]) -> None:
    """Seal what an erasure left of the calls; of what they were before, not even a guess can be confirmed any more."""
    for call_id in call_ids:
        found = db.execute(
            f"SELECT {_SEALED_COLUMNS}, status NOT IN {_NOT_FINAL} FROM tool_calls WHERE id = ?",
            [call_id],
        ).fetchone()
        if found is None or found[-1]:
            db.execute("UPDATE sealed_calls SET salt = NULL WHERE call_id = ?", [call_id])
            _append(db, call_id, "erased" if found else "deleted", found and found[:-1])


def seal_all(db: Transaction) -> None:
    """Seal every final call that has no seal, as they are found when the chain begins."""
    rows = db.execute(
        f"""SELECT id FROM tool_calls WHERE status NOT IN {_NOT_FINAL}
            AND NOT EXISTS (SELECT 1 FROM sealed_calls WHERE call_id = tool_calls.id)
            ORDER BY finished_at, message_id, position"""
    ).fetchall()
    seal(db, (call_id for (call_id,) in rows))


def verify(db: Transaction, head: str | None = None) -> Verdict:
    """Hold every finished call against the chain, and return whether an earlier `head` is a part of it."""
    broken = [*_broken_links(db), *_changed_calls(db), *_unsealed_calls(db)]
    sealed, last = db.execute(
        "SELECT count(*), (SELECT hash FROM sealed_calls ORDER BY seq DESC LIMIT 1) FROM sealed_calls"
    ).fetchone()
    known = head is None or bool(db.execute("SELECT 1 FROM sealed_calls WHERE hash = ?", [head.lower()]).fetchone())
    return Verdict(sealed, last or _START, tuple(broken), known)


def _append(db: Transaction, call_id: str, kind: str, row: Sequence[Any] | None) -> None:
    # One at a time, in all processes, from here to the end; and the number of an entry that is removed is known again.
    ((seq,),) = db.execute("UPDATE seal_chain SET entries = entries + 1 RETURNING entries").fetchall()
    last = db.execute("SELECT hash FROM sealed_calls ORDER BY seq DESC LIMIT 1").fetchone()
    salt = secrets.token_hex(16)
    content = _content(salt, row)
    link = _link(last[0] if last else _START, call_id, kind, content)
    db.execute(
        "INSERT INTO sealed_calls (seq, call_id, kind, salt, content, hash) VALUES (?, ?, ?, ?, ?, ?)",
        [seq, call_id, kind, salt, content, link],
    )


def _content(salt: str, row: Sequence[Any] | None) -> str:
    return hashlib.sha256(json.dumps([salt, row and list(row)]).encode()).hexdigest()


def _link(before: str, call_id: str, kind: str, content: str) -> str:
    return hashlib.sha256(f"{before} {call_id} {kind} {content}".encode()).hexdigest()


def _broken_links(db: Transaction) -> Iterator[BrokenSeal]:
    before, place = _START, 0
    for seq, call_id, kind, content, link in db.execute(
        "SELECT seq, call_id, kind, content, hash FROM sealed_calls ORDER BY seq"
    ):
        place += 1
        if seq != place:
            yield BrokenSeal(call_id, "the entry of the chain before its own was removed")
            place = seq
        elif link != _link(before, call_id, kind, content):
            yield BrokenSeal(call_id, "its entry in the chain was changed")
        before = link


def _changed_calls(db: Transaction) -> Iterator[BrokenSeal]:
    columns = ", ".join(f"c.{name.strip()}" for name in _SEALED_COLUMNS.split(","))
    rows = db.execute(
        f"""SELECT s.call_id, s.kind, s.salt, s.content, {columns} FROM sealed_calls s
            LEFT JOIN tool_calls c ON c.id = s.call_id
            WHERE s.seq = (SELECT max(seq) FROM sealed_calls WHERE call_id = s.call_id)"""
    )
    for call_id, kind, salt, content, *row in rows:
        gone = row[0] is None
        if gone and kind != "deleted":
            yield BrokenSeal(call_id, "it was deleted")
        elif not gone and kind == "deleted":
            yield BrokenSeal(call_id, "it was erased, and put back")
        elif not gone and (salt is None or content not in (_content(salt, row), _content(salt, row[:_FIRST]))):
            yield BrokenSeal(call_id, "it was changed after it was finished")


def _unsealed_calls(db: Transaction) -> Iterator[BrokenSeal]:
    rows = db.execute(
        f"""SELECT id FROM tool_calls WHERE status NOT IN {_NOT_FINAL}
            AND NOT EXISTS (SELECT 1 FROM sealed_calls WHERE call_id = tool_calls.id)"""
    )
    for (call_id,) in rows:
        yield BrokenSeal(call_id, "it was finished by something else than this bot")
