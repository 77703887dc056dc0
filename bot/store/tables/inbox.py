"""Which messages came in, which threads are ours, and which messages still wait for their run."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot import clock
from bot.store.calls import ToolCall
from bot.store.records import Form, InboxMessage, PassOn, Post, ThreadId
from bot.store.tables.database import Database, Transaction
from bot.store.tables.inbox_rows import (
    complete,
    delay,
    go_on,
    insert_message,
    is_answered,
    open_thread,
    placed,
    read_by_model,
    read_files,
    was_erased,
    write_files,
)
from bot.store.tables.leases import Leases
from bot.store.tables.outbox import Outbox
from bot.store.tables.outbox_rows import relayed_to_customer, relayed_to_team
from bot.store.tables.threads import (
    find_thread,
    insert_thread,
    is_quiet_for,
    mark_stopped,
    mark_taken_back,
    place_of,
)
from bot.tracing import tracing

NEIGHBOURS = 50  # messages around one, by which it is known how late it is
TIME_TO_CLAIM = timedelta(minutes=10)  # Slack's last redelivery comes after about six
TIME_TO_REDELIVER = timedelta(days=3)  # where an app has asked Slack to deliver late events, for a day


class Inbox:
    """Messages that are for us, each once, in the order of Slack's ts."""

    def __init__(self, database: Database, leases: Leases, outbox: Outbox | None = None) -> None:
        self._database = database
        self._outbox = outbox or Outbox(database, leases)
        self._leases = leases
        self._preleased_ids: set[int] = set()  # messages leased to us from the start, and not handed out yet

    async def receive(
        self,
        message: InboxMessage,
        *,
        addressed: bool,
        mentioned: bool,
        goes_on_for: timedelta = timedelta(),
        pass_on: PassOn | None = None,
        only_known: bool = False,
    ) -> ThreadId | None:
        """Keep the message if it is for us, once, and return its conversation while it is still to be answered.

        A message that addresses nobody is for us only in a thread that we are in already. One that came before the
        mention which makes the thread ours is left unclaimed for a while. A thread that was handed over to people is
        ours again when we are mentioned there. In a direct message a conversation goes on for so long after our last
        word in it. Of the two copies of a mention one may have the files alone, whichever comes first.

        A copy that comes later for another reason completes one that is known, and is nothing new. What the team says
        below the post about a thread is passed on to that, and back where the team cannot look.
        """
        first = _to_lock(message.thread)

        def write(db: Transaction) -> ThreadId | None:
            if was_erased(db, message):
                return None
            kept = "SELECT status FROM inbox WHERE (team, channel, ts) = (?, ?, ?)"
            status = db.execute(kept, [message.thread.team, message.thread.channel, message.ts]).fetchone()
            if only_known and status is None:
                return None
            found = placed(db, message, goes_on_for if status is None else timedelta())
            thread = found.thread
            if thread != first:
                db.lock(thread.key)
            if addressed:
                open_thread(db, found)
            if mentioned and status in (None, ("unclaimed",)):
                mark_taken_back(db, thread)
            handed_over = is_quiet_for(db, thread, message.user)
            is_for_others = status is None and (handed_over or not addressed)
            if pass_on and is_for_others and self._pass_on(db, found, pass_on, handed_over=handed_over):
                return None
            if handed_over:
                return None
            row = db.execute("SELECT owner FROM threads WHERE thread = ?", [thread.key]).fetchone()
            if status is None:
                insert_message(db, found, "waiting" if row else "unclaimed")
            else:
                complete(db, found, claimed=addressed)
            return thread if row is not None and self._is_open(db, found, owner=row[0]) else None

        return await self._database.commit(write, lock=first.key)

    async def submit(self, message: InboxMessage) -> None:
        """Keep what somebody asked for by a form, for its run, in a thread that is ours from now on."""

        def write(db: Transaction) -> None:
            placed_there = replace(message, thread=find_thread(db, message.thread))
            insert_thread(db, placed_there.thread, message.user)
            insert_message(db, placed_there, "waiting")

        await self._database.commit(write, lock=_to_lock(message.thread).key)

    async def choose(self, call: ToolCall, words: str, redrawn: Sequence[Post]) -> bool:
        """Keep what was chosen as the words of who was asked, once; False when they have answered in other words.

        Also where people have the thread: nobody would answer there. The menu is drawn over with the answer.
        """

        def write(db: Transaction) -> bool:
            if is_answered(db, call) or is_quiet_for(db, call.thread, call.requester):
                return False
            go_on(db, call.thread, call.requester, words)
            self._outbox.insert(db, redrawn, call.thread)
            return True

        return await self._database.commit(write, lock=call.thread.key)

    def _pass_on(
        self,
        db: Transaction,
        message: InboxMessage,
        pass_on: PassOn,
        *,
        handed_over: bool,
    ) -> bool:
        if handed_over and message.private and (team := relayed_to_team(db, message.thread)):
            target, about = team, message.thread
        elif not handed_over and (customer := relayed_to_customer(db, message.thread)):
            target, about = customer, customer
        else:
            return False
        insert_message(db, message, "done")
        self._outbox.insert(db, [pass_on(target, message)], about)
        return True

    def _is_open(self, db: Transaction, message: InboxMessage, *, owner: str | None) -> bool:
        """Return whether the message is to be answered; one that can be at once is leased, sparing `next` a write."""
        thread = message.thread
        row_id, status, others = db.execute(
            """SELECT id, status, (SELECT count(*) FROM inbox AS o
                                   WHERE o.thread = inbox.thread
                                   AND o.status IN ('waiting', 'running') AND o.id != inbox.id)
               FROM inbox WHERE (team, channel, ts) = (?, ?, ?)""",
            [thread.team, thread.channel, message.ts],
        ).fetchone()
        if status == "waiting" and owner is None and not others:
            db.execute("UPDATE inbox SET status = 'running', attempts = attempts + 1 WHERE id = ?", [row_id])
            self._leases.take(db, thread)
            self._preleased_ids.add(row_id)
        return status in ("waiting", "running")

    async def stop(self, thread: ThreadId, ts: str) -> None:
        """Note when a person has stopped the bot in the thread."""

        def write(db: Transaction) -> None:
            mark_stopped(db, find_thread(db, thread), ts)
            db.hint()

        await self._database.commit(write)

    async def drop_unclaimed(self) -> None:
        """Forget what was not for us after all."""
        now = clock.now()

        def write(db: Transaction) -> None:
            unclaimed = "DELETE FROM inbox WHERE status = 'unclaimed' AND received_at < ?"
            db.execute(unclaimed, [(now - TIME_TO_CLAIM).isoformat()])
            db.execute("DELETE FROM erased_messages WHERE at < ?", [(now - TIME_TO_REDELIVER).isoformat()])

        await self._database.commit(write)

    async def waiting_threads(self) -> dict[ThreadId, str]:
        """Return threads with unprocessed or interrupted messages that no other living process has leased.

        With each is who wrote the oldest of them.
        """

        def read(db: Transaction) -> dict[ThreadId, str]:
            rows = db.query(
                """SELECT t.thread, t.owner, inbox.user FROM inbox JOIN threads t ON t.thread = inbox.thread
                   WHERE id IN (SELECT min(id) FROM inbox WHERE status IN ('waiting', 'running') GROUP BY thread)
                   ORDER BY id"""
            )
            return {
                ThreadId.of_key(row["thread"]): row["user"]
                for row in rows
                if not self._leases.held_by_another_process(db, row["owner"])
            }

        return await self._database.read(read)

    async def next(self, thread: ThreadId) -> InboxMessage | None:
        """Take the thread into our hands and the oldest message that waits in it; `attempts` counts how often.

        A run that was cut off goes on before anything older that came late: it ends all that is running. With none left
        the thread is let go, in the same transaction. One in other hands is left alone.
        """

        def write(db: Transaction) -> InboxMessage | None:
            owner = db.execute("SELECT owner FROM threads WHERE thread = ?", [thread.key]).fetchone()
            if owner is None or self._leases.held_by_another_process(db, owner[0]):
                return None
            row = db.execute(
                """SELECT ts, user, text, user_team, shared, id, attempts, status, form, files, received_at,
                       traceparent, called_in OR (ts != thread_ts
                           AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.thread = inbox.thread))
                   FROM inbox WHERE thread = ?
                   AND status IN ('waiting', 'running') ORDER BY status = 'waiting', ts LIMIT 1""",
                [thread.key],
            ).fetchone()
            if row is None:
                self._leases.let_go(db, thread)
                return None
            ts, user, text, user_team, shared, row_id, attempts, status, form, files, received_at, *rest = row
            traceparent, called_in = rest
            is_ours = status == "running" and owner[0] == self._leases.process
            if not (is_ours and row_id in self._preleased_ids):
                attempts, traceparent = attempts + 1, traceparent or tracing.begin()
                taken = "UPDATE inbox SET status = 'running', attempts = ?, traceparent = ? WHERE id = ?"
                db.execute(taken, [attempts, traceparent, row_id])
                self._leases.take(db, thread)
            self._leases.begin(db, thread)
            self._preleased_ids.discard(row_id)
            return InboxMessage(
                thread=thread,
                ts=ts,
                user=user,
                text=text,
                user_team=user_team,
                shared=bool(shared),
                id=row_id,
                attempts=attempts,
                form=Form(**json.loads(form)) if form else None,
                files=read_files(files),
                place=place_of(db, thread.team, thread.channel, thread.ts),
                called_in=bool(called_in),
                received_at=datetime.fromisoformat(received_at),
                traceparent=traceparent,
            )

        return await self._database.commit(write, lock=thread.key)

    async def describe(self, message: InboxMessage, *, instead_of: str) -> None:
        """Keep what a message's files say, unless the person has corrected the words meanwhile."""

        def write(db: Transaction) -> None:
            db.execute(
                "UPDATE inbox SET text = ?, files = ? WHERE id = ? AND text = ?",
                [message.text, write_files(message.files), message.id, instead_of],
            )

        await self._database.commit(write)

    async def read_by_model(self, thread: ThreadId) -> tuple[str, frozenset[str]]:
        """Return up to where a thread was read in Slack, and which of its messages the model has read."""
        return await self._database.read(lambda db: read_by_model(db, thread))

    async def lateness(self, message: InboxMessage) -> timedelta:
        """Return for how long a message has waited, on its way and here, however wrong the clock of this host is.

        How long it was on its way is known by those around it that came and went without delay: what was received
        nearest to when Slack says that it was sent shows by how much the two clocks differ.
        """

        def read(db: Transaction) -> list[tuple[str, str]]:
            around = "SELECT received_at, ts FROM inbox WHERE id != ? AND id BETWEEN ? AND ?"
            said = """SELECT sent_at, ts FROM outbox WHERE status = 'sent' AND replaces IS NULL AND ts IS NOT NULL
                      ORDER BY seq DESC LIMIT ?"""
            ids = [message.id, message.id - NEIGHBOURS, message.id + NEIGHBOURS]
            return [*db.execute(around, ids).fetchall(), *db.execute(said, [NEIGHBOURS]).fetchall()]

        known = [delay(datetime.fromisoformat(at), ts) for at, ts in await self._database.read(read)]
        on_its_way = delay(message.received_at, message.ts) - min(known) if known else timedelta()
        return max(on_its_way, timedelta()) + max(clock.now() - message.received_at, timedelta())

    async def oldest_waiting_seconds(self) -> float:
        """Tell for how long the oldest message has waited for its run, or for the rest of it; 0 when none does."""
        sql = "SELECT min(received_at) FROM inbox WHERE status IN ('waiting', 'running')"
        (oldest,) = await self._database.read(lambda db: db.execute(sql).fetchone())
        return (clock.now() - datetime.fromisoformat(oldest)).total_seconds() if oldest else 0.0


def _to_lock(thread: ThreadId) -> ThreadId:
    """Return what to lock before it is known in which conversation of a direct message something belongs."""
    return replace(thread, ts="") if thread.channel.startswith("D") else thread
