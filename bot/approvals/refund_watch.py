"""Refunds that were made and are looked at for days after it: a payment provider may take one back."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from bot import clock
from bot.approvals.cards import Cards, settled_posts
from bot.approvals.effects import LOOK_INTERVAL, Effects, quoted_of
from bot.approvals.endings import Ending
from bot.approvals.execute import fields_of
from bot.identity import IdentityError
from bot.logs import tell
from bot.shop.changes import AppliedStatus, Quoted
from bot.shop.shop import ShopUnavailableError
from bot.store.calls import ToolCall
from bot.store.store import Store
from bot.tools.tool import ToolCrashError, ToolError
from bot.tools.wording import preview_of

logger = logging.getLogger(__name__)


class RefundWatch:
    """Asks the shop once a day what became of money that has gone back, and tells everybody when that has failed."""

    def __init__(self, *, store: Store, effects: Effects, cards: Cards, days: float) -> None:
        """Look for so many days after a refund."""
        self._checks = store.refund_checks
        self._open = store.open_requests
        self._effects = effects
        self._cards = cards
        self._days = timedelta(days=days)

    async def look(self) -> None:
        """Look at every refund whose time it is."""
        for call in await self._checks.due():
            try:
                await self._look_at(call)
            except (ToolError, ToolCrashError, ShopUnavailableError, IdentityError) as error:
                logger.warning("the refund of call %s is looked at again tomorrow: %s", call.id, error)
                await self._checks.look_later(call, self._next(call))
            except Exception:
                logger.exception("the refund of call %s could not be looked at", call.id)
                await self._checks.look_later(call, self._next(call))

    async def _look_at(self, call: ToolCall) -> None:
        shown = quoted_of(call)
        applied = await self._effects.applied(call, shown)
        if applied is None or applied.status != AppliedStatus.FAILED:
            await self._checks.look_later(call, self._next(call))
            return
        await self._tell(call, shown, applied.why or "The payment provider did not say why")

    async def _tell(self, call: ToolCall, shown: Quoted, why: str) -> None:
        why = f"{why.rstrip('.')}."
        asked = replace(call, summary=preview_of(shown).summary)  # since it was done, the summary says that
        redrawn, announcement = settled_posts(call, Ending.FAILED_LATER.on_card(asked, call.decided_by, why))
        people = await self._cards.failed_later(asked, why, await self._open.cards(call.id))
        note = Ending.FAILED_LATER.for_model(asked, why)
        if await self._checks.fail(call, why, note, redrawn=redrawn, posts=[announcement, *people]):
            tell(logger, "refund failed later", **fields_of(call))

    def _next(self, call: ToolCall) -> datetime | None:
        later = clock.now() + LOOK_INTERVAL
        return later if later <= (call.finished_at or call.created_at) + self._days else None
