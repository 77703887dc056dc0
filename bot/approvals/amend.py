"""Asking for another amount or other lines than a request has: a new request in its place, which waits like any."""

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.approvals.clicks import TOO_MANY_CLICKS, Click, Clicks
from bot.approvals.decide import POLICY_SILENT, SHOP_SILENT, UNSURE
from bot.approvals.decline import FormError
from bot.approvals.effects import Standing, quoted_of
from bot.approvals.policy import PolicyError
from bot.approvals.requests import Requests
from bot.blocks.decisions import CHANGE_TITLE, amount_of, change_form
from bot.blocks.forms import Field, View, words
from bot.blocks.text import Mrkdwn, one_line
from bot.identity import Identity, IdentityError
from bot.shop.changes import Quoted, Refund, ReturnItems
from bot.shop.money import Money
from bot.shop.orders import Order
from bot.shop.shop import Shop, ShopUnavailableError
from bot.store.calls import ToolCall
from bot.tools.arguments import as_typed_plainly
from bot.tools.tool import ToolCrashError, ToolError, within
from bot.tools.wording import preview_of

logger = logging.getLogger(__name__)

NOT_CHANGEABLE = "Of this nothing can be changed: approve it, or decline it."
SAME = "This is what is asked for already. Change it, or go back with Not now."
NO_LINES = "Choose at least one line, or decline the request."
NO_AMOUNT = "Write an amount such as 42.00."
NOTHING = "That would give nothing back. Write an amount, or decline the request."
_AMOUNT = re.compile(r"([$\u20ac\u00a3]?) ?(\d{1,3}(?:,\d{3})+|\d+)((?:\.\d+)?)(?: ?([A-Z]{3}))?")
_SYMBOLS = {"$": "USD", "\u20ac": "EUR", "\u00a3": "GBP"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody filled in; nothing of it is checked yet."""

    amount: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Found:
    """A request that can be changed, and what it is about."""

    call: ToolCall
    shown: Quoted
    change: Refund | ReturnItems
    order: Order

    @property
    def field(self) -> Field:
        """Where the form says what is wrong."""
        return Field.AMOUNT if isinstance(self.change, Refund) else Field.LINES


class _RefusedError(Exception):
    """This person cannot change it now; the text is Mrkdwn for them."""


class Amending:
    """Opens the form for something else in a request's place, and has that asked for by the same gate."""

    def __init__(self, *, clicks: Clicks, requests: Requests, shop: Shop, identity: Identity, seconds: float) -> None:
        self._clicks = clicks
        self._requests = requests
        self._shop = shop
        self._identity = identity
        self._seconds = seconds

    async def form(self, click: Click) -> View:
        """Return the form, or words that say why this person cannot change it."""
        try:
            found = await self._find(click)
        except _RefusedError as error:
            return self._refused(click, str(error))
        return change_form(found.call, found.change, found.shown.quote, found.order, click.place)

    async def change(self, click: Click, wanted: Wanted) -> View:
        """Ask for that instead, if nobody was faster, and return what to say instead of the form.

        Raises FormError when it cannot be, in the shop's words where it is the shop that refuses.
        """
        try:
            found = await self._find(click)
            now = await self._quoted(found, wanted)
        except _RefusedError as error:
            return self._refused(click, str(error))
        if not await self._ask(click, found, now):
            return self._refused(click, await self._clicks.too_late(found.call.id))
        what = one_line(preview_of(now).summary)
        return words(CHANGE_TITLE, f"{what} waits for approval now, on a new card. Nothing has happened yet.")

    async def _find(self, click: Click) -> _Found:
        if (refusal := await self._clicks.too_often(click, "change")) is not None:
            raise _RefusedError(refusal)
        call = await self._clicks.find(click)
        if isinstance(call, str):
            raise _RefusedError(call)
        try:
            if (refusal := await self._clicks.refusal(click, call)) is not None:
                raise _RefusedError(refusal)
            shown = quoted_of(call)
            if not isinstance(shown.change, Refund | ReturnItems) or call.waits_for_requester:
                raise _RefusedError(NOT_CHANGEABLE)
            order = await within(self._seconds, self._shop.order(shown.change.order_id))
        except ToolError as error:
            raise _RefusedError(one_line(str(error))) from error
        except (ToolCrashError, ShopUnavailableError) as error:
            logger.warning("could not look call %s up to change it: %s", call.id, error)
            raise _RefusedError(SHOP_SILENT) from error
        except IdentityError as error:
            raise _RefusedError(UNSURE) from error
        if order is None:
            raise _RefusedError(NOT_CHANGEABLE)
        return _Found(call, shown, shown.change, order)

    async def _quoted(self, found: _Found, wanted: Wanted) -> Quoted:
        """Quote what was filled in. Raises FormError when it is nothing that the shop would do, or nothing else."""
        change = _instead(found, wanted)
        try:
            quote = await within(self._seconds, self._shop.quote(change))
        except ToolError as error:
            raise FormError(error.content["error"], found.field) from error
        except (ToolCrashError, ShopUnavailableError) as error:
            logger.warning("could not quote a change of call %s: %s", found.call.id, error)
            raise FormError(SHOP_SILENT, found.field) from error
        if quote == found.shown.quote:
            raise FormError(SAME, found.field)
        if (quote.customer, quote.subject) != (found.shown.quote.customer, found.shown.quote.subject):
            raise _RefusedError(NOT_CHANGEABLE)
        return Quoted(change, quote)

    async def _ask(self, click: Click, found: _Found, now: Quoted) -> bool:
        call, change, field = found.call, now.change, found.field
        arguments = json.loads(call.arguments or "{}")
        if isinstance(change, Refund | ReturnItems):
            arguments["lines"] = list(change.lines) or None
        if isinstance(change, Refund):
            arguments["amount"] = float(change.amount.major) if change.amount else None
        written = json.dumps(arguments)
        try:
            requester = await self._identity.person(call.requester)
            instead = replace(call, arguments=written, arguments_sent=written)
            return await self._requests.amend(call, instead, Standing(now, requester, as_shown=False), by=click.user)
        except ToolError as error:
            raise FormError(error.content["error"], field) from error
        except PolicyError as error:
            raise FormError(POLICY_SILENT, field) from error
        except IdentityError as error:
            raise FormError(UNSURE, field) from error

    def _refused(self, click: Click, told: str) -> View:
        if told != TOO_MANY_CLICKS:  # which is kept already
            self._clicks.logged(click, "change", told)
        return words(CHANGE_TITLE, Mrkdwn(told))


def _instead(found: _Found, wanted: Wanted) -> Refund | ReturnItems:
    """Make the change that was filled in. Raises FormError when it is none."""
    change, lines = found.change, tuple(sorted(map(int, wanted.lines)))
    if isinstance(change, ReturnItems):
        if not lines:
            raise FormError(NO_LINES, Field.LINES)
        return replace(change, lines=lines)
    balance = found.shown.quote.balance or Money(0)
    # Other lines under a figure that nobody has touched mean what those cost.
    untouched = wanted.amount.strip() == amount_of(balance) and set(lines) != set(change.lines)
    amount = None if untouched or not wanted.amount.strip() else _money(wanted.amount, balance.currency)
    return replace(change, lines=lines, amount=amount)


def _money(text: str, currency: str) -> Money:
    """Read an amount as people write it. Raises FormError."""
    read = _AMOUNT.fullmatch(" ".join(as_typed_plainly(text).split()))
    if read is None:
        raise FormError(NO_AMOUNT, Field.AMOUNT)
    symbol, whole, part, code = read.groups()
    if {_SYMBOLS.get(symbol, currency), code or currency} != {currency}:
        raise FormError(f"The order was paid in {currency}, so the amount is in {currency} too.", Field.AMOUNT)
    try:
        amount = Money.from_major(Decimal(whole.replace(",", "") + part), currency)
    except ValueError as error:
        raise FormError(f"{error}.", Field.AMOUNT) from error
    if not amount.minor:
        raise FormError(NOTHING, Field.AMOUNT)
    return amount
