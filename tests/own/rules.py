"""Rules of one's own for approvals, and slips in them."""

import asyncio

from bot.approvals.policy import APPROVER, AS_USUAL, REQUESTER, TWO_APPROVERS, Answer, Refusal
from bot.identity import Person
from bot.shop.changes import CancelOrder, Change, ChangePayment, Quote, Refund

NUMBER = 7


def strict(change: Change, quote: Quote, asked_by: Person) -> Answer:
    """Want two for any refund, an approver for cancellations of one address, and no change of payment."""
    if isinstance(change, ChangePayment):
        return Refusal("How an order is paid can't be changed this week.")
    if isinstance(change, CancelOrder) and asked_by.email == quote.customer.email:
        return APPROVER
    return TWO_APPROVERS if isinstance(change, Refund) else AS_USUAL


async def lax(change: Change, quote: Quote, asked_by: Person) -> Answer:  # noqa: ARG001 - it looks at nothing
    """Want no approver for anything."""
    await asyncio.sleep(0)
    return REQUESTER if isinstance(change, CancelOrder) else AS_USUAL


def crashes(change: Change, quote: Quote, asked_by: Person) -> Answer:  # noqa: ARG001 - as above
    """Break."""
    raise RuntimeError("not today")


def forgets(change: Change, quote: Quote, asked_by: Person) -> None:
    """Answer nothing."""


def says_yes(change: Change, quote: Quote, asked_by: Person) -> bool:  # noqa: ARG001 - as above
    """Answer in a way that means nothing here."""
    return True


async def hangs(change: Change, quote: Quote, asked_by: Person) -> Answer:  # noqa: ARG001 - as above
    """Never answer."""
    await asyncio.Event().wait()
    return AS_USUAL


def takes_one(change: Change) -> Answer:  # noqa: ARG001 - as above
    """Take too little."""
    return AS_USUAL
