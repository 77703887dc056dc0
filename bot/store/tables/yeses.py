"""The first yes of two, and the approvers that are asked next: what a request has of whom, while it waits."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot import clock
from bot.store.calls import ToolCall
from bot.store.records import Post, new_id
from bot.store.tables.calls import get_call
from bot.store.tables.database import Database, Transaction
from bot.store.tables.outbox import Outbox
from bot.store.tables.outbox_rows import cards_of, redraw
from bot.store.tables.switches import PAUSE

Draw = Callable[[ToolCall, Post], Post]


class Yeses:
    """Columns of `tool_calls` that say who has approved. Every step is one guarded write, taken once by one process."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def first(self, call: ToolCall, by: str, draw: Draw) -> bool:
        """Take the first of two yeses, in place of the one in `call`, cards redrawn; return whether this was it."""

        def write(db: Transaction) -> bool:
            db.lock(PAUSE, shared=True)
            now = db.now().isoformat()
            taken = db.execute(
                """UPDATE tool_calls SET first_approved_by = ?, first_approved_at = ?
                   WHERE id = ? AND status = 'pending' AND expires_at > ? AND quote IS ? AND confirmed_at IS ?
                   AND approvals_needed = 2 AND first_approved_by IS ?
                   AND NOT EXISTS (SELECT 1 FROM switches WHERE name = 'paused')
                   AND (gate != 'both' OR confirmed_at IS NOT NULL)""",
                [
                    *(by, now, call.id, now, call.quote),
                    *(call.confirmed_at and call.confirmed_at.isoformat(), call.first_approved_by),
                ],
            )
            return self._redrawn(db, call, draw, rows=taken.rowcount)

        return await self._database.commit(write, lock=call.thread.key)

    async def take_back(self, call: ToolCall, by: str, draw: Draw) -> bool:
        """Take the person's first yes back, cards redrawn; return whether it was still the only one."""

        def write(db: Transaction) -> bool:
            taken = db.execute(
                """UPDATE tool_calls SET first_approved_by = NULL, first_approved_at = NULL
                   WHERE id = ? AND status = 'pending' AND first_approved_by = ?""",
                [call.id, by],
            )
            return self._redrawn(db, call, draw, rows=taken.rowcount)

        return await self._database.commit(write, lock=call.thread.key)

    async def escalate(self, call: ToolCall, posts: Sequence[Post], draw: Draw) -> bool:
        """Note that the next group is asked, once, cards redrawn; return whether this caller was first."""

        def write(db: Transaction) -> bool:
            marked = db.execute(
                """UPDATE tool_calls SET escalated_at = ?
                   WHERE id = ? AND status = 'pending' AND escalated_at IS NULL AND confirmed_at IS ? AND quote IS ?""",
                [
                    *(clock.now().isoformat(), call.id),
                    *(call.confirmed_at and call.confirmed_at.isoformat(), call.quote),
                ],
            )
            escalated = self._redrawn(db, call, draw, rows=marked.rowcount)
            self._outbox.insert(db, posts if escalated else (), call.thread)
            return escalated

        return await self._database.commit(write, lock=call.thread.key)

    async def ask_elsewhere(self, call: ToolCall, cards: Sequence[Post]) -> bool:
        """Queue cards of a pending call that is left with none to decide on; return whether there are any now.

        Not where Slack has refused one of this call.
        """

        def write(db: Transaction) -> bool:
            now = get_call(db, call.id)
            if now is None or now.status != call.status or any(card.decidable for card in cards_of(db, call.id)):
                return True
            refused = "SELECT channel FROM outbox WHERE call_id = ? AND decidable AND status = 'failed'"
            gone = {channel for (channel,) in db.execute(refused, [call.id]).fetchall()}
            left = [card for card in cards if card.decidable and card.channel not in gone]
            self._outbox.insert(db, left, call.thread)
            return bool(left)

        return await self._database.commit(write, lock=call.thread.key)

    def _redrawn(self, db: Transaction, call: ToolCall, draw: Draw, *, rows: int) -> bool:
        now = get_call(db, call.id) if rows else None
        if now is None:
            return False
        for card in cards_of(db, call.id):
            if card.decidable:
                drawn = draw(now, card)
                redraw(db, card, drawn)
                again = replace(drawn, id=new_id(), replaces=card.id)
                self._outbox.insert(db, () if now.shown_paused else [again], call.thread)
        return True
