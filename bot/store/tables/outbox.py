"""What is to be said in Slack, kept until it is said."""

import asyncio
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic

from bot import clock
from bot.store.records import Block, Post, ThreadId
from bot.store.tables.database import Database, Transaction
from bot.store.tables.leases import Leases
from bot.store.tables.outbox_rows import NOWHERE, post_of
from bot.store.tables.threads import give_back, place_of

POST_INTERVAL = timedelta(seconds=1)  # Slack's limit for chat.postMessage is one message a second a channel …
POSTS_IN_A_BURST = 5  # … with short bursts tolerated


def _lock(channel: str) -> str:
    return f"channel {channel}"


class Outbox:
    """Posts in the order they were queued, channel by channel; `news` names the channel of each that is queued."""

    def __init__(self, database: Database, leases: Leases) -> None:
        self._database = database
        self._leases = leases
        self._loop = asyncio.get_running_loop()
        self._preleased: dict[str, float] = {}  # posts leased to us from the start, not handed out yet, and their turn
        self.news: asyncio.Queue[str] = asyncio.Queue()

    def is_about(self, db: Transaction, post_id: str, thread: ThreadId) -> bool:
        """Return whether a post is one about this thread."""
        found = "SELECT 1 FROM outbox WHERE id = ? AND about = ?"
        return db.execute(found, [post_id, thread.key]).fetchone() is not None

    def insert(self, db: Transaction, posts: Iterable[Post], about: ThreadId) -> None:
        """Queue posts within the caller's transaction, so that what happened and what is said of it are one.

        Wherever they are posted, they hold words of the thread that they are about, and are erased with it.

        One that has nothing before it in its channel is marked as ours at once, which spares `next` a write.
        """
        now = clock.now().isoformat()
        for post in posts:
            db.lock(_lock(post.channel))
            waiting = "SELECT 1 FROM outbox WHERE channel = ? AND status = 'waiting'"
            is_first = db.execute(waiting, [post.channel]).fetchone() is None
            db.execute(
                """INSERT INTO outbox (id, team, channel, thread_ts, text, blocks, call_id, replaces, created_at,
                                       sender, attempts, decidable, about, ephemeral_for, traceparent, draft_ts)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                [
                    *(post.id, post.team, post.channel, _thread_ts(db, post), post.text, json.dumps(post.blocks)),
                    *(post.call_id, post.replaces, now, self._leases.process if is_first else None, int(is_first)),
                    *(post.decidable, about.key, post.ephemeral_for, post.traceparent, post.draft_ts),
                ],
            )
            if is_first:
                self._preleased[post.id] = monotonic() + _turn(db, post)
            if post.relays:
                db.execute(
                    "INSERT INTO relays (post_id, thread, to_channel, at) VALUES (?, ?, ?, ?)",
                    [post.id, post.relays.key, post.channel, now],
                )
            # Too early is fine: the one who takes the channel's next post waits until this is written.
            self._loop.call_soon_threadsafe(self.news.put_nowait, post.channel)

    async def waiting_posts(self) -> int:
        """Count the posts that are not in Slack yet."""
        counted = "SELECT count(*) FROM outbox WHERE status = 'waiting'"
        return await self._database.read(lambda db: int(db.execute(counted).fetchone()[0]))

    async def waiting_channels(self) -> list[str]:
        """List the channels in which something is still to be said, and that no other live process has leased."""

        def read(db: Transaction) -> list[str]:
            oldest = db.query(
                """SELECT channel, sender FROM outbox
                   WHERE seq IN (SELECT min(seq) FROM outbox WHERE status = 'waiting' GROUP BY channel)"""
            )
            return [row["channel"] for row in oldest if not self._leases.held_by_another_process(db, row["sender"])]

        return await self._database.read(read)

    async def next(self, channel: str, *, besides: Collection[str] = ()) -> Post | None:
        """Take the oldest waiting post of the channel; one that replaces another carries that one's ts.

        It is in none of the threads `besides` it, in which a post that is in no thread is named by its id.
        From now on until `sent`, `failed` or `refused` the post is in doubt: Slack may have it.
        """
        if not self._leases.hold:
            await self._leases.renew()  # from here on it is known who has it
        return await self._database.commit(lambda db: self._take(db, channel, besides), lock=_lock(channel))

    def is_ours(self) -> bool:
        """Return whether our lease on what was taken still holds; if not, it is to be taken again."""
        return self._leases.hold

    def lapses(self) -> int:
        """Return how often our lease has ended: what was taken at another number may be another process's since."""
        return self._leases.lapses

    async def stands_at(self, post: Post) -> str | None:
        """Return the ts under which a post was posted, by whom ever; None while it waits, and "" when it never was."""

        def read(db: Transaction) -> str | None:
            row = db.execute("SELECT status, ts FROM outbox WHERE id = ?", [post.id]).fetchone()
            return None if row and row[0] == "waiting" else (row and row[1]) or ""

        return await self._database.read(read)

    def _take(self, db: Transaction, channel: str, besides: Collection[str]) -> Post | None:
        others = f"AND coalesce(o.thread_ts, o.id) NOT IN ({', '.join('?' * len(besides))})" if besides else ""
        rows = db.query(
            f"""SELECT o.*, r.ts AS replaced_ts FROM outbox o LEFT JOIN outbox r ON r.id = o.replaces
                WHERE o.channel = ? AND o.status = 'waiting' {others} ORDER BY o.seq LIMIT 1""",  # noqa: S608 - ours
            [channel, *besides],
        )
        for row in rows:
            if self._leases.held_by_another_process(db, row["sender"]):
                return None
            post = replace(post_of(row), ts=row["replaced_ts"] or row["draft_ts"])
            turn = self._preleased.pop(post.id, None)
            if turn is not None and row["sender"] == self._leases.process:
                return replace(post, wait_seconds=max(0.0, turn - monotonic()))
            db.execute(
                "UPDATE outbox SET attempts = attempts + 1, sender = ? WHERE id = ?", [self._leases.process, post.id]
            )
            in_doubt = row["sender"] is not None
            return replace(post, attempts=post.attempts + 1, in_doubt=in_doubt, wait_seconds=_turn(db, post))
        return None

    async def add(self, post: Post, about: ThreadId) -> None:
        """Queue a post, once for its id."""

        def write(db: Transaction) -> None:
            if not db.execute("SELECT 1 FROM outbox WHERE id = ?", [post.id]).fetchone():
                self.insert(db, [post], about)

        await self._database.commit(write, lock=_lock(post.channel))

    async def posted(self, team: str, channel: str, ts: str) -> Post | None:
        """Find a post of ours that stands there, with the blocks of the last that was drawn over it."""

        def read(db: Transaction) -> Post | None:
            found = "SELECT * FROM outbox WHERE (team, channel, ts) = (?, ?, ?) AND replaces IS NULL"
            for row in db.query(found, [team, channel, ts]):
                latest = "SELECT blocks FROM outbox WHERE replaces = ? ORDER BY seq DESC LIMIT 1"
                drawn = db.execute(latest, [row["id"]]).fetchone()
                return post_of(row | {"blocks": drawn[0]} if drawn else row)
            return None

        return await self._database.read(read)

    async def about(self, thread: ThreadId, part: str) -> list[Post]:
        """Find our posts about a thread that everybody there sees and in whose blocks this text stands."""

        def read(db: Transaction) -> list[Post]:
            found = """SELECT o.*, (SELECT r.blocks FROM outbox r WHERE r.replaces = o.id ORDER BY r.seq DESC LIMIT 1)
                       AS drawn FROM outbox o WHERE about = ? AND replaces IS NULL AND ephemeral_for IS NULL
                       AND status != 'failed' AND instr(blocks, ?) > 0 ORDER BY seq"""
            rows = list(db.query(found, [thread.key, part]))
            return [post_of(row | {"blocks": row["drawn"] or row["blocks"]}) for row in rows]

        return await self._database.read(read)

    async def refused(self, post: Post, error: str) -> None:
        """Leave the post waiting, known not to stand in Slack."""
        await self._write(post, "sender = NULL, error = ?", error)

    async def sent(self, post: Post, ts: str, *, besides: Collection[str] = ()) -> Post | None:
        """Remember that the post stands in Slack, and under which ts; take the channel's next one, as `next` does.

        Of one that was taken from us meanwhile nothing is remembered: the process that has the lease now
        looks for it.
        """

        def write(db: Transaction) -> Post | None:
            now = clock.now().isoformat()
            if not self._change(db, post, "status = 'sent', ts = ?, error = NULL, sent_at = ?", ts, now):
                return None
            db.execute("UPDATE relays SET ts = ? WHERE post_id = ?", [ts, post.id])
            return self._take(db, post.channel, besides)

        return await self._database.commit(write, lock=_lock(post.channel))

    async def failed(self, post: Post, error: str, unreached: Callable[[ThreadId, str], Post]) -> None:
        """Give the post up, with the reason for the operator.

        If people were to take a thread over because of it, who waits for them there is told so, and answered again.
        """

        def write(db: Transaction) -> None:
            if self._change(db, post, "status = 'failed', error = ?", error) and (left := give_back(db, post.id)):
                db.execute("UPDATE relays SET to_channel = ? WHERE post_id = ?", [NOWHERE, post.id])
                self.insert(db, [unreached(*left)], left[0])

        await self._database.commit(write)

    async def simplify(self, post: Post, text: str, error: str, blocks: Sequence[Block] = ()) -> None:
        """Queue a simpler form of the post in its place: in plain text, or with fewer blocks and still decidable."""
        changes = "text = ?, blocks = ?, decidable = decidable AND ?, sender = NULL, error = ?"
        await self._write(post, changes, text, json.dumps(blocks), bool(blocks), error)

    async def _write(self, post: Post, changes: str, *values: str | bool) -> None:
        await self._database.commit(lambda db: self._change(db, post, changes, *values))

    def _change(self, db: Transaction, post: Post, changes: str, *values: str | bool) -> bool:
        """Change a post that we have leased, and return whether it was; else it is another's to speak of.

        How often it was taken is its fence: it may have been taken from us, and be ours again since.
        """
        sql = f"UPDATE outbox SET {changes} WHERE id = ? AND sender = ? AND attempts = ?"  # noqa: S608 - words of ours
        return bool(db.execute(sql, [*values, post.id, self._leases.process, post.attempts]).rowcount == 1)


def _turn(db: Transaction, post: Post) -> float:
    """Take a turn for the post at Slack's pace, and return in how many seconds it is; the channel is locked.

    Slack counts what is new, from all processes; what is drawn over has a limit of its own.
    """
    if post.replaces or post.draft_ts:
        return 0.0
    now = db.now()
    found = db.execute("SELECT free_at FROM channels WHERE channel = ?", [post.channel]).fetchone()
    free_at = max(now, datetime.fromisoformat(found[0])) if found else now
    db.execute(
        """INSERT INTO channels (channel, free_at) VALUES (?, ?)
           ON CONFLICT (channel) DO UPDATE SET free_at = excluded.free_at""",
        [post.channel, (free_at + POST_INTERVAL).isoformat()],
    )
    return max(0.0, (free_at - now - POSTS_IN_A_BURST * POST_INTERVAL).total_seconds())


def _thread_ts(db: Transaction, post: Post) -> str | None:
    return place_of(db, post.team, post.channel, post.thread_ts) if post.thread_ts else None
