"""Declining a request in one's own words, which the customer is told."""

from bot.approvals.cards import Cards
from bot.approvals.clicks import TOO_MANY_CLICKS, Click, Clicks
from bot.approvals.decide import UNSURE
from bot.approvals.execute import Executor
from bot.blocks.decisions import DECLINE_TITLE, MAX_REASON_CHARACTERS, decline_form
from bot.blocks.forms import Field, View, words
from bot.blocks.text import Mrkdwn
from bot.identity import Identity, IdentityError
from bot.store.calls import ToolCall

NO_REASON = "Write what the customer should be told."
YOURS = "You asked for this yourself: Cancel on its card takes it back. The request stays open."


class FormError(Exception):
    """What was filled in is not taken, and the form stays; the text is for who filled it in, plain."""

    def __init__(self, sentence: str, field: Field) -> None:
        super().__init__(sentence)
        self.field = field


class Declining:
    """Opens the form of a no with a reason, and takes it; one of all decisions of a request is the first."""

    def __init__(self, clicks: Clicks, executor: Executor, cards: Cards, identity: Identity) -> None:
        self._clicks = clicks
        self._executor = executor
        self._cards = cards
        self._identity = identity

    async def form(self, click: Click) -> View:
        """Return the form, or words that say why this person cannot decline it."""
        try:
            found = await self._declinable(click)
        except FormError as error:
            found = str(error)
        if isinstance(found, str):
            return self._refused(click, found)
        return decline_form(found, click.place, public=await self._is_public(found.thread.channel))

    async def decline(self, click: Click, reason: str) -> View:
        """Decline for this reason, if nobody was faster, and return what to say instead of the form.

        Raises FormError without a reason, and when Slack does not tell who may.
        """
        reason = reason.strip()[:MAX_REASON_CHARACTERS]
        if not reason:
            raise FormError(NO_REASON, Field.REASON)
        found = await self._declinable(click)
        if isinstance(found, str):
            return self._refused(click, found)
        if not await self._executor.decline(found, click.user, reason):
            return self._refused(click, await self._clicks.too_late(found.id))
        return words(DECLINE_TITLE, "Declined. The thread is told why, in your words.")

    async def _declinable(self, click: Click) -> ToolCall | str:
        if await self._clicks.count(click) is not None:
            return TOO_MANY_CLICKS
        found = await self._clicks.find(click)
        if isinstance(found, str):
            return found
        try:
            if not await self._clicks.may_approve(click, found):
                return f"Only {self._cards.approvers(found)} can decline this. The request stays open."
        except IdentityError as error:
            raise FormError(UNSURE, Field.REASON) from error
        return YOURS if click.user == found.requester else found

    def _refused(self, click: Click, told: str) -> View:
        self._clicks.logged(click, "decline", told)
        return words(DECLINE_TITLE, Mrkdwn(told))

    async def _is_public(self, channel: str) -> bool:
        try:
            return await self._identity.is_public(channel)
        except IdentityError:
            return True
