"""The first yes of two: that it counts for as long as who said it may approve, and that they can take it back."""

import logging

from bot.approvals.cards import Cards
from bot.approvals.execute import fields_of
from bot.blocks.text import mention
from bot.identity import Identity
from bot.logs import tell
from bot.store.calls import ToolCall
from bot.store.store import Store

logger = logging.getLogger(__name__)

YOURS_COUNTS = "You have approved this already. One more person has to; nothing has happened yet."
TAKEN_BACK = "Your yes is taken back. The request stays open."


class TwoApprovers:
    """Keeps the first of two yeses in the request's row, and has the cards say so."""

    def __init__(self, store: Store, cards: Cards, identity: Identity) -> None:
        self._yeses = store.yeses
        self._cards = cards
        self._identity = identity

    async def has_first(self, call: ToolCall) -> bool:
        """Return whether a first yes is there that still counts. Raises IdentityError when nobody can tell."""
        first, next_group = call.first_approved_by, call.escalated_at is not None
        return first is not None and await self._identity.may_approve(first, next_group=next_group)

    async def take_first(self, call: ToolCall, by: str) -> bool:
        """Take the person's yes as the first, in place of one that does not count any more; False when too late."""
        taken = await self._yeses.first(call, by, self._cards.drawn)
        if taken:
            tell(logger, "request approved by the first of two", **fields_of(call), by=by)
        return taken

    async def take_back(self, call: ToolCall, by: str) -> str:
        """Take the person's first yes back, and return what they are told."""
        if call.first_approved_by is None:
            return "Nobody has approved this yet, so there is nothing to take back. The request stays open."
        if call.first_approved_by != by:
            return f"Only {mention(call.first_approved_by)}, who has approved it, can take that back."
        if not await self._yeses.take_back(call, by, self._cards.drawn):
            return "It was decided a moment ago, so nothing was taken back."
        tell(logger, "first approval taken back", **fields_of(call), by=by)
        return TAKEN_BACK
