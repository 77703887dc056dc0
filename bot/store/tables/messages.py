"""The rows of a conversation: how they are written, joined and corrected, and read as one."""

import json
from collections.abc import Iterable, Sequence

from bot import clock
from bot.store.calls import Conversation, ToolCall
from bot.store.records import NOTE, WITHOUT_TEXT, Block, ChatMessage, ThreadId
from bot.store.tables.calls import calls_of_turn
from bot.store.tables.database import Transaction
from bot.store.tables.inbox_rows import mark_corrected, mark_running, read_files, without_name
from bot.store.tables.outbox_rows import take_unreached
from bot.store.tables.refund_checks import take_failures
from bot.store.tables.runs import spent, start_of_run
from bot.store.tables.threads import get_intent

UNREACHED = "the team could not be told, so nobody was called and nobody will answer; the customer has been told so."


def said(user: str, text: str) -> ChatMessage:
    """Return what a person said as the model reads it."""
    return {"role": "user", "name": user, "content": text or WITHOUT_TEXT}


def correct_running(db: Transaction, thread: ThreadId) -> bool:
    """Bring what a running message says for the model up to what it says now, and return whether that was another."""
    rows = db.query(
        """SELECT messages.id, inbox.id AS inbox_id, user, text || coalesce(context, '') AS said
           FROM inbox JOIN messages ON inbox_id = inbox.id
           WHERE inbox.thread = ? AND status IN ('waiting', 'running') AND status = 'running'
           AND json_extract(message, '$.content') != coalesce(nullif(text || coalesce(context, ''), ''), ?)""",
        [thread.key, WITHOUT_TEXT],
    )
    corrected = list(rows)
    for row in corrected:
        message = json.dumps(said(row["user"], row["said"]), ensure_ascii=False)
        db.execute("UPDATE messages SET message = ? WHERE id = ?", [message, row["id"]])
        mark_corrected(db, row["inbox_id"])
    return bool(corrected)


def say_again(db: Transaction, inbox_id: int) -> None:
    """Free a message to join the conversation once more, behind what was said since."""
    db.execute("UPDATE messages SET inbox_id = NULL WHERE inbox_id = ?", [inbox_id])


def is_gone(db: Transaction, thread: ThreadId) -> bool:
    """Return whether all that a run answers was deleted since the model read it."""
    # Named twice, the status lets SQLite use the index of open messages, as in `finish_running`.
    rows = db.query(
        """SELECT finished_at, changed_at FROM inbox
           WHERE thread = ? AND status IN ('waiting', 'running') AND status = 'running'""",
        [thread.key],
    )
    deleted = [row["finished_at"] is not None and row["changed_at"] is not None for row in rows]
    return bool(deleted) and all(deleted)


def join_waiting(db: Transaction, thread: ThreadId) -> bool:
    """Add what the same person wrote next to the run: what somebody else wrote is asked in their own name, later.

    A form has a run of its own. Returns whether anything was added.
    """
    rows = db.query(
        """SELECT id, user, text, status, form, traceparent FROM inbox WHERE thread = ?
           AND status IN ('waiting', 'running') ORDER BY status = 'waiting', ts""",
        [thread.key],
    )
    asking, *waiting = list(rows)
    joined = False
    for row in waiting:
        if row["user"] != asking["user"] or row["form"] or asking["form"]:
            break
        if row["status"] == "waiting":
            append(db, thread, said(row["user"], row["text"]), inbox_id=row["id"])
            mark_running(db, row["id"], asking["traceparent"])
            joined = True
    return joined


def append(
    db: Transaction, thread: ThreadId, message: ChatMessage, *, inbox_id: int | None = None, call_id: str | None = None
) -> int:
    """Add a message to the end of the conversation and return its row's id."""
    inserted = db.execute(
        """INSERT INTO messages (team, channel, thread_ts, role, message, inbox_id, call_id, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id""",
        [
            *(thread.team, thread.channel, thread.ts, message["role"], json.dumps(message, ensure_ascii=False)),
            *(inbox_id, call_id, clock.now().isoformat()),
        ],
    )
    return int(inserted.fetchall()[0][0])


def answer_calls(db: Transaction, thread: ThreadId, unanswered: Sequence[ToolCall]) -> None:
    """Add the results of a turn's calls, of one that has none that it was cut off, and then the notes."""
    for call in unanswered:
        content = call.result or json.dumps({"error": "This call was cut off; it had no effect."})
        append(db, thread, {"role": "tool", "tool_call_id": call.tool_call_id, "content": content})
    _add_notes(db, thread)


def _add_notes(db: Transaction, thread: ThreadId) -> None:
    rows = db.query(
        """SELECT id, summary, decision_reason FROM tool_calls WHERE thread = ? AND gated
           AND expires_at IS NOT NULL AND status IN ('succeeded', 'failed', 'cancelled', 'declined', 'expired')
           AND NOT EXISTS (SELECT 1 FROM messages WHERE call_id = tool_calls.id) ORDER BY finished_at""",
        [thread.key],
    )
    for row in list(rows):
        append(db, thread, _note(row["summary"], row["decision_reason"]), call_id=row["id"])
    for words in take_failures(db, thread):
        append(db, thread, _note(words))
    add_unreached(db, thread)


def add_unreached(db: Transaction, thread: ThreadId) -> bool:
    """Tell, once, that the team could not be told, and return whether that was so."""
    unreached = take_unreached(db, thread)
    if unreached:
        append(db, thread, _note(UNREACHED))
    return unreached


def _note(summary: str, reason: str | None = None) -> ChatMessage:
    """Tell the model how a request ended, and why in the words that the customer was told."""
    told = f' The customer was told why: "{" ".join(reason.split())}"' if reason else ""
    return {"role": "system", "content": f"{NOTE}{summary}{told}"}


def read_conversation(db: Transaction, thread: ThreadId) -> Conversation:
    """Return the conversation as the model is to read it, with what its run has found and spent."""
    rows = db.execute("SELECT message FROM messages WHERE thread = ? ORDER BY id", [thread.key])
    begin = start_of_run(db, thread)
    rows_of_run = db.execute(
        """SELECT card, private_card FROM tool_calls WHERE NOT gated AND (card != '[]' OR private_card IS NOT NULL)
           AND message_id > ? AND thread = ? ORDER BY message_id, position""",
        [begin.message_id, thread.key],
    ).fetchall()
    sent = db.execute(
        """SELECT user, status, files FROM messages JOIN inbox ON inbox.id = inbox_id
           WHERE messages.thread = ? AND files IS NOT NULL ORDER BY messages.id""",
        [thread.key],
    ).fetchall()
    return Conversation(
        messages=tuple(json.loads(message) for (message,) in rows),
        unanswered=unanswered_calls(db, thread),
        cards=_unlike(card for card, _ in rows_of_run),
        private_cards=_unlike(card for _, card in rows_of_run),
        spent=spent(db, thread, begin),
        intent=get_intent(db, thread),
        files=tuple((user, file) for user, _, files in sent for file in read_files(files)),
        new_files=tuple(file for _, status, files in sent if status == "running" for file in read_files(files)),
        stopped=is_stopped(db, thread),
    )


def is_stopped(db: Transaction, thread: ThreadId) -> bool:
    """Return whether the thread was stopped after the newest of the messages that its run answers."""
    # Named twice, the status lets SQLite use the index of open messages, as in `finish_running`.
    found = db.execute(
        """SELECT stopped_at > (SELECT max(ts) FROM inbox WHERE thread = threads.thread
                                AND status IN ('waiting', 'running') AND status = 'running')
           FROM threads WHERE thread = ?""",
        [thread.key],
    ).fetchone()
    return bool(found and found[0])


def _unlike(cards: Iterable[str | None]) -> tuple[tuple[Block, ...], ...]:
    """Read the cards, each that is there once."""
    return tuple(tuple(json.loads(card)) for card in dict.fromkeys(cards) if card and card != "[]")


def unanswered_calls(db: Transaction, thread: ThreadId) -> tuple[ToolCall, ...]:
    """Return the calls of the last turn while their results are not in the conversation."""
    last = db.execute(
        "SELECT id, role FROM messages WHERE thread = ? ORDER BY id DESC LIMIT 1",
        [thread.key],
    ).fetchone()
    return tuple(calls_of_turn(db, last[0])) if last and last[1] == "assistant" else ()


def leave_out(db: Transaction, thread: ThreadId) -> None:
    """Mark the messages of the run as ones that the model is not given again; notes stay."""
    first_id = start_of_run(db, thread).message_id
    if first_id:
        said = "SELECT id, message FROM messages WHERE thread = ? AND id >= ? AND role != 'system'"
        for row_id, message in db.execute(said, [thread.key, first_id]).fetchall():
            marked = json.dumps({**json.loads(message), "left_out": True}, ensure_ascii=False)
            db.execute("UPDATE messages SET message = ? WHERE id = ?", [marked, row_id])


def erase_reasons(db: Transaction, user: str) -> None:
    """Erase from notes what this person has said of their decisions, before `forget_approver` erases who it was."""
    given = """SELECT messages.id, summary FROM messages JOIN tool_calls ON tool_calls.id = call_id
               WHERE decided_by = ? AND decision_reason IS NOT NULL"""
    for row_id, summary in db.execute(given, [user]).fetchall():
        note = json.dumps(_note(summary), ensure_ascii=False)
        db.execute("UPDATE messages SET message = ? WHERE id = ?", [note, row_id])


def erase_names_in_messages(db: Transaction, user: str) -> None:
    """Take the person's name out of the conversations of others, once their messages are without it."""
    rows = db.execute(
        """SELECT messages.id, message, text || coalesce(context, '')
           FROM messages LEFT JOIN inbox ON inbox.id = inbox_id WHERE instr(message, ?) > 0""",
        [user],
    ).fetchall()
    for row_id, written, words in rows:
        message = json.loads(without_name(written, user))
        if words is not None:
            message["content"] = words or WITHOUT_TEXT
        db.execute("UPDATE messages SET message = ? WHERE id = ?", [json.dumps(message, ensure_ascii=False), row_id])


def erase_messages(db: Transaction, thread: ThreadId) -> None:
    """Erase what was said in the thread; of a turn whose requests stay, after `erase_calls`, an empty row does."""
    db.execute(
        """DELETE FROM messages WHERE thread = ? AND NOT EXISTS (
               SELECT 1 FROM tool_calls WHERE message_id = messages.id)""",
        [thread.key],
    )
    db.execute(
        "UPDATE messages SET message = '{}', channel = 'forgotten', thread_ts = 'forgotten' WHERE thread = ?",
        [thread.key],
    )
