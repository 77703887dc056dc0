"""What becomes of a request whose card could not be posted, or was deleted."""

import logging

from bot.approvals.cards import Cards
from bot.approvals.effects import quoted_of
from bot.approvals.endings import Ending
from bot.approvals.execute import Executor
from bot.identity import Identity, IdentityError
from bot.settings import Settings
from bot.store.calls import CallStatus, ToolCall
from bot.store.store import Store
from bot.tools.tool import ToolError
from bot.tools.wording import preview_of

logger = logging.getLogger(__name__)


class LostCards:
    """Asks elsewhere when no card is left on which a request could be decided, or closes it."""

    def __init__(
        self, *, store: Store, cards: Cards, executor: Executor, identity: Identity, settings: Settings
    ) -> None:
        self._store = store
        self._cards = cards
        self._executor = executor
        self._identity = identity
        self._has_channel = bool(settings.approval_channel)

    async def undeliverable(self, call_id: str, error: str) -> None:
        """Ask elsewhere for a request with no card left on which it could be approved, or close it."""
        call = await self._store.calls.get(call_id)
        cards = await self._store.open_requests.cards(call_id)
        if call is None or call.status != CallStatus.PENDING:
            return
        if not any(card.decidable for card in cards) and not await self._asked_elsewhere(call):
            await self._executor.close(call, Ending.UNSEEN, why=error)

    async def _asked_elsewhere(self, call: ToolCall) -> bool:
        try:
            return await self._ask_elsewhere(call)
        except (IdentityError, ToolError) as error:
            logger.warning("nobody could be asked about call %s: %s", call.id, error)
            return False

    async def _ask_elsewhere(self, call: ToolCall) -> bool:
        """Ask approvers directly or in the thread, as their channel took no card; return whether there is one now."""
        if call.waits_for_requester or not self._has_channel:
            return False
        preview = preview_of(quoted_of(call))
        requester = await self._identity.person(call.requester)
        cards = await self._cards.to_decide(call, preview, requester, in_channel=False)
        return await self._store.yeses.ask_elsewhere(call, cards)
