"""The model's input for a thread, message by message and verbatim, and how a run's rows join it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from bot.store.errors import DatabaseError, MessageChangedError
from bot.store.records import (
    NOTE,
    WITHOUT_TEXT,
    Block,
    ChatMessage,
    Conversation,
    InboxMessage,
    Post,
    ThreadId,
    ToolCall,
)
from bot.store.tables.calls import abandon_calls, call_of, calls_of_turn, insert_calls
from bot.store.tables.database import Database, Transaction
from bot.store.tables.inbox_rows import finish_running, mark_running, read_files
from bot.store.tables.leases import Leases
from bot.store.tables.outbox import Outbox
from bot.store.tables.runs import spent, start_of_run
from bot.store.tables.threads import (
    find_thread,
    get_intent,
    is_known,
    is_quiet_for,
    keep_rating,
    mark_handed_over,
    mark_taken_back,
    set_intent,
    take_back_older_than,
    team_post,
)


class Conversations:
    """The only writer of `messages`: a thread has one run at a time, so its messages have one order.

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
                _answer(db, message.thread, _unanswered(db, message.thread))
                if context:
                    db.execute("UPDATE inbox SET context = ? WHERE id = ?", [context, message.id])
                _append(db, message.thread, _said(message.user, message.text + context), inbox_id=message.id)
            _correct(db, message.thread)
            conversation = _read(db, message.thread)
            if not conversation.unanswered and _join(db, message.thread):
                conversation = _read(db, message.thread)
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
            message_id = _append(db, thread, turn)
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
            _answer(db, thread, _unanswered(db, thread))
            _correct(db, thread)
            _join(db, thread)
            return _read(db, thread)

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
            if reply is not None and error is None and _correct(db, thread):
                raise MessageChangedError(message.user)
            if reply is None:
                self._leases.check(db, thread)
            else:
                self._check(db, thread)
                _answer(db, thread, _unanswered(db, thread))
                if left_out:
                    _leave_out(db, thread)
                _append(db, thread, reply)
            abandon_calls(db, thread)
            self._outbox.insert(db, posts, thread)
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
        # Named twice, the status lets SQLite use the index of open messages, as in `finish_running`.
        sql = """SELECT stopped_at > (SELECT max(ts) FROM inbox WHERE thread = threads.thread
                                      AND status IN ('waiting', 'running') AND status = 'running')
                 FROM threads WHERE thread = ?"""
        found = await self._database.read(lambda db: db.execute(sql, [thread.key]).fetchone())
        return bool(found and found[0])

    async def is_with_people(self, thread: ThreadId, user: str) -> bool:
        """Return whether people have the thread, so that this person is not answered there."""
        return await self._database.read(lambda db: is_quiet_for(db, find_thread(db, thread), user))

    async def hand_over(self, thread: ThreadId, user: str, told: Post, said: Post) -> bool:
        """Leave the thread to people for this person, and say so there and to the team."""

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
        """Answer in the thread again, and say so there, once."""

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
        """Keep a rating in place of an earlier one of the same person's."""

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

    async def intent(self, thread: ThreadId) -> str | None:
        """Read what the thread's customer wants, as it was stored last."""
        return await self._database.read(lambda db: get_intent(db, thread))

    async def set_intent(self, thread: ThreadId, intent: str, posts: Sequence[Post]) -> None:
        """Store what the thread's customer wants, with what is said because of it."""

        def write(db: Transaction) -> None:
            set_intent(db, thread, intent)
            told = [team_post(db, thread, post, escalates=False) for post in posts]
            self._outbox.insert(db, filter(None, told), thread)

        await self._database.commit(write, lock=thread.key)

    def _check(self, db: Transaction, thread: ThreadId) -> None:
        """Refuse to go on when the thread is not in our hands any more, or what the run builds on was not written."""
        self._leases.check(db, thread)
        if thread in self._rolled_back:
            raise DatabaseError("What the run builds on was not written.")


def _said(user: str, text: str) -> ChatMessage:
    return {"role": "user", "name": user, "content": text or WITHOUT_TEXT}


def _correct(db: Transaction, thread: ThreadId) -> bool:
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
        message = json.dumps(_said(row["user"], row["said"]), ensure_ascii=False)
        db.execute("UPDATE messages SET message = ? WHERE id = ?", [message, row["id"]])
        db.execute("UPDATE inbox SET changed_at = NULL WHERE id = ?", [row["inbox_id"]])
    return bool(corrected)


def _join(db: Transaction, thread: ThreadId) -> bool:
    """Let what the same person wrote next join the run: what somebody else wrote is asked in their own name, later.

    A form has a run of its own.
    """
    rows = db.query(
        """SELECT id, user, text, status, form FROM inbox WHERE thread = ?
           AND status IN ('waiting', 'running') ORDER BY status = 'waiting', ts""",
        [thread.key],
    )
    asking, *waiting = list(rows)
    joined = False
    for row in waiting:
        if row["user"] != asking["user"] or row["form"] or asking["form"]:
            break
        if row["status"] == "waiting":
            _append(db, thread, _said(row["user"], row["text"]), inbox_id=row["id"])
            mark_running(db, row["id"])
            joined = True
    return joined


def _append(
    db: Transaction, thread: ThreadId, message: ChatMessage, *, inbox_id: int | None = None, call_id: str | None = None
) -> int:
    inserted = db.execute(
        """INSERT INTO messages (team, channel, thread_ts, role, message, inbox_id, call_id, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id""",
        [
            *(thread.team, thread.channel, thread.ts, message["role"], json.dumps(message, ensure_ascii=False)),
            *(inbox_id, call_id, datetime.now(UTC).isoformat()),
        ],
    )
    return int(inserted.fetchall()[0][0])


def _answer(db: Transaction, thread: ThreadId, unanswered: Sequence[ToolCall]) -> None:
    for call in unanswered:
        content = call.result or json.dumps({"error": "This call was cut off; it had no effect."})
        _append(db, thread, {"role": "tool", "tool_call_id": call.tool_call_id, "content": content})
    _add_notes(db, thread)


def _add_notes(db: Transaction, thread: ThreadId) -> None:
    rows = db.query(
        """SELECT id, summary, decision_reason FROM tool_calls WHERE thread = ? AND gated
           AND expires_at IS NOT NULL AND status IN ('succeeded', 'failed', 'cancelled', 'declined', 'expired')
           AND NOT EXISTS (SELECT 1 FROM messages WHERE call_id = tool_calls.id) ORDER BY finished_at""",
        [thread.key],
    )
    for row in list(rows):
        _append(db, thread, _note(row["summary"], row["decision_reason"]), call_id=row["id"])


def _note(summary: str, reason: str | None = None) -> ChatMessage:
    """Tell the model how a request ended, and why in the words that the customer was told."""
    told = f' The customer was told why: "{" ".join(reason.split())}"' if reason else ""
    return {"role": "system", "content": f"{NOTE}{summary}{told}"}


def _read(db: Transaction, thread: ThreadId) -> Conversation:
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
        unanswered=_unanswered(db, thread),
        cards=_unlike(card for card, _ in rows_of_run),
        private_cards=_unlike(card for _, card in rows_of_run),
        spent=spent(db, thread, begin),
        intent=get_intent(db, thread),
        files=tuple((user, file) for user, _, files in sent for file in read_files(files)),
        new_files=tuple(file for _, status, files in sent if status == "running" for file in read_files(files)),
    )


def _unlike(cards: Iterable[str | None]) -> tuple[tuple[Block, ...], ...]:
    """Read the cards, each that is there once."""
    return tuple(tuple(json.loads(card)) for card in dict.fromkeys(cards) if card and card != "[]")


def _unanswered(db: Transaction, thread: ThreadId) -> tuple[ToolCall, ...]:
    last = db.execute(
        "SELECT id, role FROM messages WHERE thread = ? ORDER BY id DESC LIMIT 1",
        [thread.key],
    ).fetchone()
    return tuple(calls_of_turn(db, last[0])) if last and last[1] == "assistant" else ()


def _leave_out(db: Transaction, thread: ThreadId) -> None:
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
