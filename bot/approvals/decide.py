"""Who may decide a parked call, and that it is decided once."""

import logging

from bot.approvals.clicks import CHANGED, Click, Clicks
from bot.approvals.effects import Effects
from bot.approvals.endings import Ending
from bot.approvals.execute import Executor, fields_of
from bot.approvals.policy import PolicyError
from bot.approvals.requests import Requests
from bot.approvals.two_approvers import YOURS_COUNTS, TwoApprovers
from bot.blocks.text import mention
from bot.failpoints import reach
from bot.identity import IdentityError
from bot.logs import tell
from bot.shop.shop import ShopUnavailableError
from bot.store.calls import Gate, ToolCall
from bot.store.errors import AboveDayLimitError
from bot.tools.tool import ToolCrashError, ToolError

logger = logging.getLogger(__name__)

UNSURE = "I could not check with Slack whether you may do this, so nothing was done. Please try again."
SHOP_SILENT = "The shop does not answer right now, so nothing was done. The request stays open; please try again."
ABOVE_DAY_LIMIT = (
    "So much has come back to this person within a day that more people have to agree, so nothing was done. The new "
    "card says who."
)
NEEDS_MORE = (
    "More people have to agree to this by now than when it was asked for, so nothing was done. The new card says who."
)
POLICY_SILENT = (
    "The shop's own rule for this could not be asked, so nothing was done. The request stays open; the operator's log "
    "says why."
)


class Approvals:
    """Decides over parked calls. Every method that takes a click answers in words for the clicker alone, or nothing."""

    def __init__(
        self, *, clicks: Clicks, requests: Requests, effects: Effects, executor: Executor, two: TwoApprovers
    ) -> None:
        self._clicks = clicks
        self._requests = requests
        self._effects = effects
        self._executor = executor
        self._two = two

    async def approve(self, click: Click) -> str | None:
        """Run the call that the click is about, if this person may, it stands as shown, and nobody was faster."""
        return await self._clicks.bounded(click, "approve", self._approve)

    async def cancel(self, click: Click) -> str | None:
        """Withdraw the request for who asked, or decline it for who may approve it, if nobody was faster."""
        return await self._clicks.bounded(click, "cancel", self._cancel)

    async def take_back(self, click: Click) -> str | None:
        """Take back the yes of who was the first of two to approve."""
        return await self._clicks.bounded(click, "cancel", self._take_back)

    async def _approve(self, click: Click) -> str | None:
        found = await self._clicks.find(click)
        if isinstance(found, str):
            return found
        try:
            return await self._clicks.refusal(click, found) or await self._checked(click, found)
        except ToolError as error:
            await self._executor.close(found, Ending.NOT_DONE, by=click.user, why=str(error))
        except (ToolCrashError, ShopUnavailableError, IdentityError) as error:
            logger.warning("could not check call %s: %s", found.id, error, exc_info=isinstance(error, ToolCrashError))
            return UNSURE if isinstance(error, IdentityError) else SHOP_SILENT
        except PolicyError:
            return POLICY_SILENT
        return None

    async def _checked(self, click: Click, call: ToolCall) -> str | None:
        """Look at the world again; then do it, have the next one asked, or ask again if it is not as it was shown."""
        now = await self._effects.standing(call)
        if not now.as_shown or await self._requests.needs_more(call, now):
            asked = await self._requests.ask_again(call, now)
            return (NEEDS_MORE if now.as_shown else CHANGED) if asked else await self._clicks.too_late(call.id)
        if call.gate == Gate.BOTH and call.waits_for_requester:
            passed = await self._requests.pass_on(call, now)
            if passed:
                tell(logger, "request confirmed", **fields_of(call), by=click.user)
            return None if passed else await self._clicks.too_late(call.id)
        if call.approvals_needed > 1 and not await self._two.has_first(call):
            return None if await self._two.take_first(call, click.user) else await self._after_another(click, call)
        if call.approvals_needed > 1 and call.first_approved_by == click.user:
            return YOURS_COUNTS
        try:
            return await self._claim(click, call)
        except AboveDayLimitError as above:
            asked = await self._requests.ask_again(call, now, above.needs)
            return ABOVE_DAY_LIMIT if asked else await self._clicks.too_late(call.id)

    async def _after_another(self, click: Click, call: ToolCall) -> str | None:
        """Decide on the call as it is since somebody else's yes was taken as the first."""
        now = await self._clicks.pending(call.id)
        if now and now.first_approved_by not in (None, call.first_approved_by):
            return await self._checked(click, now)
        return await self._clicks.too_late(call.id)

    async def _claim(self, click: Click, call: ToolCall) -> str | None:
        claimed = await self._requests.claim(call, click.user)
        if claimed is None:
            return await self._clicks.too_late(call.id)
        reach("call claimed")
        said = "request confirmed" if claimed.gate == Gate.REQUESTER else "request approved"
        tell(logger, said, **fields_of(claimed), by=click.user, waited_seconds=_waited(claimed))
        await self._executor.execute(claimed)
        return None

    async def _cancel(self, click: Click) -> str | None:
        found = await self._clicks.find(click)
        if isinstance(found, str):
            return found
        try:
            if click.user != found.requester and not await self._clicks.may_approve(click, found):
                return f"Only {mention(found.requester)} or {self._requests.approvers(found)} can end this."
        except IdentityError:
            return UNSURE
        ending = Ending.WITHDRAWN if click.user == found.requester else Ending.DECLINED
        ended = await self._executor.close(found, ending, by=click.user)
        return None if ended else await self._clicks.too_late(found.id)

    async def _take_back(self, click: Click) -> str | None:
        found = await self._clicks.find(click)
        return found if isinstance(found, str) else await self._two.take_back(found, click.user)


def _waited(call: ToolCall) -> float | None:
    return round((call.decided_at - call.created_at).total_seconds(), 3) if call.decided_at else None
