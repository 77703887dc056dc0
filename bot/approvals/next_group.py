"""The approvers who are asked next, when those who were asked first do not decide."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.approvals.cards import Cards
from bot.approvals.execute import fields_of
from bot.logs import tell
from bot.settings import Settings
from bot.store.calls import ToolCall
from bot.store.records import Post
from bot.store.store import Store

logger = logging.getLogger(__name__)

LATEST = 0.75  # of the time that a request has; the reminder is at half of it


class NextGroup:
    """Asks them once for a request, however many processes look after it; they may decide it from then on."""

    def __init__(self, store: Store, cards: Cards, settings: Settings) -> None:
        self._yeses = store.yeses
        self._cards = cards
        self._is_there = bool(settings.escalate_approvers)
        self._wait = timedelta(minutes=settings.escalate_minutes) if settings.escalate_minutes else timedelta.max

    async def ask_if_due(self, call: ToolCall, cards: Sequence[Post], expires_at: datetime) -> None:
        """Ask them when the request has waited for approvers for so long."""
        if not self._is_there or call.escalated_at is not None or call.waits_for_requester:
            return
        waited = datetime.now(UTC) - call.waits_since
        if waited < min(self._wait, LATEST * (expires_at - call.waits_since)):
            return
        posts = await self._cards.for_next_group(call, cards, expires_at)
        if await self._yeses.escalate(call, posts, self._cards.drawn):
            tell(logger, "next approvers asked", **fields_of(call), waited_seconds=round(waited.total_seconds()))
