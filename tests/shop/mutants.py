"""Shops that are wrong in one thing each, made of one that is right, and what of the tests for shops finds them out."""

import string
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.shop.changes import Applied, AppliedStatus, Change, Quote
from bot.shop.orders import Customer, Order
from bot.shop.shop import Shop, ShopRefusedError, ShopUnavailableError
from bot.testing.shop import cancellations, failures, reading, refunds, returns
from bot.testing.shop.stage import Stage

Behaviour = Callable[[Stage], Awaitable[None]]


class Mutant:
    """A shop that passes everything on but what a mutant does otherwise."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def __getattr__(self, name: str) -> Any:
        """Return what the shop behind has."""
        return getattr(self.shop, name)


class FindsByPart(Mutant):
    """Takes the beginning of a number for the number."""

    async def order(self, number: str) -> Order | None:
        """Find what begins so."""
        alike = [await self.shop.order(f"{number}{end}") for end in ("", *string.digits, *string.ascii_uppercase)]
        return next(filter(None, alike), None)


class TellsLettersApart(Mutant):
    """Finds a customer by the address as it is written alone."""

    async def customer(self, email: str) -> Customer | None:
        """Find small letters."""
        return await self.shop.customer(email) if email == email.strip().lower() else None


class ListsAll(Mutant):
    """Lists no more and no fewer orders than it likes."""

    async def orders(self, customer: Customer, *, most: int) -> list[Order]:
        """List one too many."""
        return await self.shop.orders(customer, most=most + 1)


class SilentIsNone(Mutant):
    """Says that there is no order when it was not told."""

    async def order(self, number: str) -> Order | None:
        """Find nothing where nothing is answered."""
        try:
            return await self.shop.order(number)
        except ShopUnavailableError:
            return None


class ForgetsItsDeeds(Mutant):
    """Finds nothing of what it has done."""

    async def applied(self, change: Change, key: str) -> Applied | None:  # noqa: ARG002 - the port's
        """Find nothing."""
        return None


class FindsAnyKey(Mutant):
    """Takes the beginning of a key for the key."""

    async def applied(self, change: Change, key: str) -> Applied | None:
        """Find what was done under any key that there was."""
        return await self.shop.applied(change, key) or await self.shop.applied(change, self.key or key)

    key = ""

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Remember the key."""
        self.key = key
        return await self.shop.apply(change, quote, key=key)


class EachTimeAnew(Mutant):
    """Takes every repeat for another wish."""

    times = 0

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:  # noqa: ARG002 - the port's
        """Do it under a key of its own."""
        self.times += 1
        return await self.shop.apply(change, await self.shop.quote(change), key=f"{key}{self.times}")


class DoesWhatIsNow(Mutant):
    """Makes the change as it would be now, whatever was shown."""

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:  # noqa: ARG002 - the port's
        """Look away from what was shown."""
        if applied := await self.shop.applied(change, key):
            return applied
        return await self.shop.apply(change, await self.shop.quote(change), key=key)


class TakesAnyAmount(Mutant):
    """Shows less than it gives back."""

    async def quote(self, change: Change) -> Quote:
        """Show a cent less."""
        quote = await self.shop.quote(change)
        return replace(quote, balance=replace(quote.balance, minor=quote.balance.minor - 1)) if quote.balance else quote

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:  # noqa: ARG002 - the port's
        """Give back what it would."""
        return await DoesWhatIsNow(self.shop).apply(change, await self.shop.quote(change), key=key)


class BelievesErrors(Mutant):
    """Takes every error for a no."""

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Say that nothing has moved."""
        try:
            return await self.shop.apply(change, quote, key=key)
        except ShopUnavailableError:
            raise
        except Exception as error:
            raise ShopRefusedError("It failed.") from error


class HasNoPatience(Mutant):
    """Does not hand on when to come back."""

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Say nothing of when."""
        try:
            return await self.shop.apply(change, quote, key=key)
        except ShopUnavailableError as error:
            raise ShopUnavailableError(str(error)) from error


class AllIsDone(Mutant):
    """Says that all has succeeded."""

    async def apply(self, change: Change, quote: Quote, *, key: str) -> Applied:
        """Do it, and say that it is done."""
        return replace(await self.shop.apply(change, quote, key=key), status=AppliedStatus.SUCCEEDED)


ON_ANY: Mapping[type[Mutant], Behaviour] = {
    FindsByPart: reading.test_a_part_of_a_number_is_no_order,
    TellsLettersApart: reading.test_a_customer_is_found_in_any_case,
    ListsAll: reading.test_only_ones_own_orders_are_listed_the_latest_first,
    ForgetsItsDeeds: refunds.test_a_refund_is_found_by_its_key,
    FindsAnyKey: refunds.test_a_refund_is_found_by_its_key,
    EachTimeAnew: refunds.test_the_same_key_again_is_the_first_refund,
    DoesWhatIsNow: refunds.test_an_outdated_quote_is_refused,
    TakesAnyAmount: refunds.test_a_part_is_refunded_to_the_cent,
}
WITH_GOODS: Mapping[type[Mutant], Behaviour] = {
    ForgetsItsDeeds: returns.test_a_return_moves_no_money_and_is_noted_once,
    EachTimeAnew: cancellations.test_what_has_not_left_is_cancelled_with_its_money,
}


async def lost_answer(stage: Stage) -> None:
    """Be the behaviour with its first fault."""
    await failures.test_a_deed_whose_answer_is_lost_is_found(stage, "answer lost")


async def lost_request(stage: Stage) -> None:
    """Be the behaviour with its first fault."""
    await failures.test_a_request_that_got_lost_is_unknown_and_done_once(stage, "request lost")


async def silent_look(stage: Stage) -> None:
    """Be the behaviour with its first fault."""
    await failures.test_a_look_that_fails_is_unavailable(stage, "request lost")


BEHIND_HTTP: Mapping[type[Mutant], Behaviour] = {
    SilentIsNone: silent_look,
    ForgetsItsDeeds: lost_answer,
    BelievesErrors: lost_request,
    HasNoPatience: failures.test_too_many_requests_tell_when_to_come_back,
    AllIsDone: refunds.test_pending_is_pending_and_counts_as_gone,
}


async def dies(behaviour: Behaviour, stage: Stage) -> bool:
    """Return whether the behaviour is found missing."""
    try:
        await behaviour(stage)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - however it shows
        return True
    return False
