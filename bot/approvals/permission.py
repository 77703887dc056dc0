"""Who may say yes to a request now: the customer to their own, and approvers who are somebody else."""

from bot.approvals.cards import Cards
from bot.approvals.conflicts import Conflicts
from bot.approvals.effects import Effects
from bot.blocks.text import mention, one_line
from bot.identity import Identity
from bot.settings import Settings
from bot.store.calls import ToolCall

PAUSED = "The operator has paused approvals, so nothing was done. The request stays open."


class Permission:
    """Tells for one person and one request, as of now; nothing is remembered from when it was asked for."""

    def __init__(
        self, *, identity: Identity, effects: Effects, conflicts: Conflicts, cards: Cards, settings: Settings
    ) -> None:
        self._identity = identity
        self._effects = effects
        self._conflicts = conflicts
        self._cards = cards
        self._allows_own = settings.allow_self_approval

    async def may_approve(self, user: str, call: ToolCall) -> bool:
        """Return whether the person may decide this request, as of now. Raises IdentityError."""
        return await self._identity.may_approve(user, next_group=call.escalated_at is not None)

    async def refusal(self, user: str, call: ToolCall) -> str | None:
        """Return why this person cannot say yes to a request now, if they cannot. Raises as the shop and Slack do."""
        if call.waits_for_requester:
            if user != call.requester:
                return f"Only {mention(call.requester)} can confirm this. The request stays open."
        elif refusal := await self._refusal_to_approve(user, call):
            return refusal
        if await self._conflicts.is_paused():
            return PAUSED
        if (other := await self._conflicts.open_beside(call)) is not None:
            return f"Another request of this customer is open: {one_line(other.summary or '')}. Decide that first."
        if (other := await self._conflicts.under_way(call)) is not None:
            return f"Something else is being done there: {one_line(other.summary or '')}. Please try again in a moment."
        return None

    async def _refusal_to_approve(self, user: str, call: ToolCall) -> str | None:
        if not await self.may_approve(user, call):
            return f"Only {self._cards.approvers(call)} can approve this. The request stays open."
        allows_own = self._allows_own and call.approvals_needed <= 1
        if user == call.requester and not allows_own:
            return "You asked for this yourself, so somebody else has to approve it. The request stays open."
        if not allows_own:
            clicker = await self._identity.person(user)
            if await self._effects.is_about(call, clicker):
                return "This is about your own order or account, so somebody else has to approve it. It stays open."
        return None
