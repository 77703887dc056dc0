"""What keeps a request from being carried out now: the operator's pause, and other requests of the same thing."""

import json

from bot.settings import Settings
from bot.store.calls import CallStatus, ToolCall
from bot.store.store import Store


class Conflicts:
    """Looks at what else is open, and whether anything may be done at all."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._calls = store.open_requests
        self._switches = store.admin
        self._paused = settings.paused

    async def is_paused(self) -> bool:
        """Return whether nothing may be done now, approved or not."""
        return self._paused or await self._switches.is_paused()

    async def open_beside(self, call: ToolCall) -> ToolCall | None:
        """Return another open request of the customer whose account the call would delete, if there is one."""
        if not call.quote or json.loads(call.quote)["change"]["kind"] != "delete_account":
            return None
        others = [one for one in await self._calls.open() if one.id != call.id and one.customer == call.customer]
        return others[0] if others else None

    async def under_way(self, call: ToolCall) -> ToolCall | None:
        """Return another change of the same order or account that is being done, if there is one."""
        doing = (CallStatus.RUNNING, CallStatus.UNKNOWN)
        others = [one for one in await self._calls.open() if one.id != call.id and one.subject == call.subject]
        return next((one for one in others if one.status in doing and not one.money_pending), None)
