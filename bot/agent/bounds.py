"""What one person may use within an hour, in all threads together, and the words for those who have reached it."""

import math

from bot import clock
from bot.settings import Settings
from bot.store.bounds import Bound, BoundReached, Resource
from bot.store.records import InboxMessage
from bot.store.store import Usage


class Bounds:
    """Counts what is done for each person. What others do in the same thread counts for them alone."""

    def __init__(self, usage: Usage, settings: Settings) -> None:
        self._usage = usage
        self._runs = Bound(Resource.RUNS, settings.runs_per_user_hour)
        self._tokens = Bound(Resource.TOKENS, settings.tokens_per_user_hour, amount=0)  # they are known afterwards
        self._escalations = Bound(Resource.ESCALATIONS, settings.escalations_per_user_hour)

    async def begin_run(self, message: InboxMessage) -> BoundReached | None:
        """Count the run that answers the message, or return the bound because of which it is not answered."""
        return await self._usage.take(message.user, message.key, self._runs, self._tokens)

    async def escalate(self, user: str, key: str) -> BoundReached | None:
        """Count that people are called for somebody, or return the bound because of which they are not."""
        return await self._usage.take(user, key, self._escalations)


def words_for(reached: BoundReached) -> str:
    """Say that a run has to wait, and for how long."""
    why = {
        Resource.RUNS: "You have written to me as often as I may answer one person within an hour.",
        Resource.TOKENS: "Your messages have taken as much work as I may do for one person within an hour.",
    }[reached.bound.resource]
    left = (reached.until - clock.now()).total_seconds()
    return f"{why} Please write again {in_minutes(left)}; what you write before that, I leave unread."


def in_minutes(seconds: float) -> str:
    """Say after how long something is possible again."""
    minutes = math.ceil(seconds / 60)
    return f"in {minutes} minutes" if minutes > 1 else "in a minute"
