"""The change behind a request, at the shop or at the server of the operator's own that it belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import clock
from bot.failpoints import reach
from bot.identity import Identity, Person, plain_address
from bot.shop.changes import Applied, CallTool, Change, Quoted, When
from bot.shop.shop import LookFirst, Safe, Shop
from bot.store.calls import ToolCall
from bot.tools.foreign import ForeignCalls
from bot.tools.tool import OUTDATED, Tool, ToolCrashError, ToolError, is_gated, within

LOOK_INTERVAL = timedelta(days=1)
NOT_AS_SHOWN = "Something about it is not as it was shown any more, so it has to be asked for again."


@dataclass(frozen=True, slots=True)
class Standing:
    """What a request would do as of now, for whom."""

    quoted: Quoted
    requester: Person
    as_shown: bool


class Effects:
    """Quotes, makes and finds the changes of requests; whatever the tool, each is waited for no longer than so long."""

    def __init__(self, *, tools: Mapping[str, type[Tool]], shop: Shop, identity: Identity, seconds: float) -> None:
        self._tools = tools
        self._shop = shop
        self._identity = identity
        self._seconds = seconds
        self._foreign = ForeignCalls(tools)

    async def standing(self, call: ToolCall) -> Standing:
        """Quote what was shown again: an equal quote says that it still holds. Raises ToolError when it can't be done.

        Raises ToolCrashError, ShopUnavailableError and IdentityError when in doubt.
        """
        requester, shown = await self._identity.person(call.requester), quoted_of(call)
        if not self.offers(call):
            raise ToolError("I can't do this any more since I was changed.")
        quote = await within(self._seconds, self._maker(shown.change).quote(shown.change))
        if quote.customer != shown.quote.customer or quote.subject != shown.quote.subject:
            raise ToolError(NOT_AS_SHOWN)
        is_call = isinstance(shown.change, CallTool)  # of which the one who asked is all there is
        if not (is_call or requester.is_staff or requester.email == plain_address(quote.customer.email)):
            raise ToolError(NOT_AS_SHOWN)
        # By what would be done, never by looks: a deploy may have laid the card out again.
        return Standing(Quoted(shown.change, quote), requester, as_shown=quote == shown.quote)

    async def apply(self, call: ToolCall, shown: Quoted) -> Applied:
        """Make the change exactly as it was shown, under the call's key. Raises as the shop does."""
        doing = self._maker(shown.change).apply(shown.change, shown.quote, key=_key(call))
        applied = await within(self._seconds, doing)
        reach("shop answered")
        return applied

    async def applied(self, call: ToolCall, shown: Quoted) -> Applied | None:
        """Find out what became of an earlier attempt; None when nothing is known of it.

        Raises ToolCrashError and ShopUnavailableError when it is not told.
        """
        try:
            return await within(self._seconds, self._maker(shown.change).applied(shown.change, _key(call)))
        except ToolError as error:  # that it does not tell says nothing of whether it was done
            raise ToolCrashError(f"the shop refuses to tell: {error}") from error

    async def is_about(self, call: ToolCall, person: Person) -> bool:
        """Return whether the call is about an order or the account of this person, by account or by e-mail address.

        An address counts here though nobody has confirmed it.
        Raises ToolCrashError and ShopUnavailableError when in doubt.
        """
        try:
            customer = quoted_of(call).quote.customer
        except ToolError:
            return False  # it is too old to be done at all
        address = person.profile_email
        if address is None:
            return False
        account = await within(self._seconds, self._shop.customer(address))
        return plain_address(customer.email) == address or (account is not None and account.id == customer.id)

    def offers(self, call: ToolCall) -> bool:
        """Return whether what was asked for can still be asked for, in this version and with these settings."""
        return is_gated(self._tools, call.tool)

    def may_repeat(self, call: ToolCall) -> bool:
        """Return whether making the change again can do nothing twice."""
        replay = self.replay(call)
        if call.money_pending:
            return False
        if call.begun_at is None:
            return True
        if isinstance(replay, LookFirst):
            return False
        return replay.key_lifetime is None or clock.now() - call.begun_at < replay.key_lifetime

    def replay(self, call: ToolCall) -> Safe | LookFirst:
        """Return how a repeat of the change is safe."""
        try:
            return self._maker(quoted_of(call).change).replay
        except ToolError:
            return self._shop.replay

    def _maker(self, change: Change) -> Shop | ForeignCalls:
        return self._foreign if isinstance(change, CallTool) else self._shop


def quoted_of(call: ToolCall) -> Quoted:
    """Return exactly what was shown, whatever the model or a payload says now. Raises ToolError when it is too old."""
    try:
        return Quoted.read(call.quote or "")
    except ValueError as error:
        raise ToolError(OUTDATED) from error


def first_look(call: ToolCall, days: float) -> datetime | None:
    """Return when a call that was done just now is looked at first, to see that money which went back has not failed.

    None where no money has gone back, or where nothing is looked at for so many `days`.
    """
    quote = quoted_of(call).quote
    gives_back = quote.balance is not None and quote.balance.minor > 0 and quote.when == When.NOW
    return clock.now() + LOOK_INTERVAL if gives_back and timedelta(days=days) >= LOOK_INTERVAL else None


def _key(call: ToolCall) -> str:
    """Return the key under which the change of this call is made once, at whatever shop."""
    return f"support-bot:{call.id}"
