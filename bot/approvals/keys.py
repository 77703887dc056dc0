"""Whose yes a change needs, by the settings and by the operator's own policy."""

from datetime import UTC, datetime, timedelta

from bot.approval_settings import Limit
from bot.approvals.gate import gate
from bot.approvals.policy import OwnPolicy
from bot.currencies import exponent
from bot.identity import Person, plain_address
from bot.settings import Settings
from bot.shop.changes import Quoted
from bot.store.calls import DayLimit, DayLimits, Needs


class Keys:
    """Says for each change how many have to agree. Nothing makes that less than what the bot wants itself."""

    def __init__(self, settings: Settings) -> None:
        """Raise SettingsError when the operator's own policy cannot be asked."""
        self._settings = settings
        self._policy = OwnPolicy(settings)
        per_day = settings.refunds_per_day
        self.limits = DayLimits(_in_minor(settings.customer_may_confirm), _in_minor(per_day) if per_day else None)

    async def needed(self, quoted: Quoted, asked_by: Person) -> Needs:
        """Return whose yes the change needs. Raises ToolError when it is refused, and PolicyError when in doubt."""
        is_customers = asked_by.email == plain_address(quoted.quote.customer.email)
        needs = gate(quoted, self._settings, is_customers=is_customers)
        return needs | await self._policy.needs(quoted, asked_by)

    def deadline(self) -> datetime:
        """Return until when a request that is asked now waits."""
        return datetime.now(UTC) + timedelta(hours=self._settings.approval_hours)


def _in_minor(limit: Limit) -> DayLimit:
    return DayLimit(int(limit.amount.scaleb(exponent(limit.currency))), limit.currency)
