"""How often one person may press buttons, open forms and ask by commands, in all places together."""

from bot.settings import Settings
from bot.store.bounds import Bound, BoundReached, Resource
from bot.store.records import new_id
from bot.store.store import Usage


class Presses:
    """Counts within the last hour, over all processes."""

    def __init__(self, usage: Usage, settings: Settings) -> None:
        self._usage = usage
        self._bound = Bound(Resource.CLICKS, settings.clicks_per_user_hour)

    async def count(self, user: str) -> BoundReached | None:
        """Count a press; return the bound when the person has pressed as often as they may. Raises DatabaseError."""
        return await self._usage.take(user, new_id(), self._bound)
