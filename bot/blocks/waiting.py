"""What is said of a request while it waits: for whom, why, and what is there already."""

from collections.abc import Sequence

from bot.blocks.text import Mrkdwn, mention
from bot.shop.changes import CallTool, ChangeAddress, DeleteAccount, Quote, Quoted
from bot.store.calls import ToolCall

_NOTHING_YET = "Nothing has happened yet."
_MAX_NAMED = 5


def named(people: Sequence[str]) -> str:
    """Mention those who may approve, some of them if they are many."""
    return ", ".join(mention(one) for one in people[:_MAX_NAMED]) or "a workspace admin"


def for_approvers(call: ToolCall, people: Sequence[str]) -> Mrkdwn:
    """Say below the buttons who may press them, who has, and how many have to."""
    has = two = ""
    if call.approvals_needed > 1 and call.first_approved_by:
        has = f"✓ {mention(call.first_approved_by)} has approved, and one more person has to. "
    elif call.approvals_needed > 1:
        two = "Two different people have to approve this. "
    return Mrkdwn(f"{has}{two}Waiting for {named(people)}. {_NOTHING_YET}")


def for_requester(call: ToolCall, quoted: Quoted) -> Mrkdwn:
    """Say in the thread, where nobody approves, why it waits, for whom, and what who asked may do."""
    whom = "two people of the support team have" if call.approvals_needed > 1 else "somebody of the support team has"
    return Mrkdwn(
        f"{_why(quoted)}, so {whom} to agree; they were asked where they decide. {_NOTHING_YET} "
        f"{mention(call.requester)} can take it back here."
    )


def _why(quoted: Quoted) -> str:
    change, quote = quoted.change, quoted.quote
    if _comes_back(quote):
        return "Money goes back with this"
    if isinstance(change, DeleteAccount):
        return "This ends an account"
    if isinstance(change, ChangeAddress):
        return "This sends the goods elsewhere"
    if isinstance(change, CallTool):
        return "What this does I can't tell in advance"
    return "This is nothing that one person decides alone"


def _comes_back(quote: Quote) -> bool:
    return quote.balance is not None and quote.balance.minor > 0
