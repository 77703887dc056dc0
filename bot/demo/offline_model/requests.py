"""The talk about requests that a person decides: where they stand, taking them back, another amount."""

import re
from collections.abc import Sequence

from bot.demo.offline_model.calls import call
from bot.demo.offline_model.history import History, Output
from bot.demo.offline_model.outcomes import outcome_in_words, standing, subject, undecided
from bot.demo.offline_model.reading import Amount, amount_in, any_of, mentions_amount, orders_in
from bot.testing.openai import Answer

_WHICH = "Which request shall I take back:"
_HOW_MUCH = "How many US dollars shall I ask for instead? I can only ask for a number of dollars, or for the whole."
_THE_REQUEST = r"(?:(?:my|the|that|this|your) )?(?:[\w$.-]+ ){0,2}(?:refunds?|requests?|cancell?ation|deletion)"
_TAKE_BACK = any_of(
    r"never ?mind(?=\W*$)",
    rf"(?:never ?mind|forget|drop|stop|cancel|withdraw|retract|revoke|undo)(?: about)? {_THE_REQUEST}",
    rf"take (?:back )?{_THE_REQUEST}(?: back)?",
)
_TAKE_IT_BACK = any_of(
    r"(?:cancel|stop|forget|withdraw|undo|take back|never ?mind)(?: about)? (?:it|that(?! order)|this(?! order))",
    "take (?:it|that|this) back",
    r"^\W*(?:please )?(?:cancel|withdraw|stop|undo)(?: please)?\W*$",
    rf"(?:don'?t|do not|no longer) (?:want|need) {_THE_REQUEST}",
    rf"changed? my mind (?:about|on) {_THE_REQUEST}",
    r"(?:don'?t|do not) (?:cancel|delete) (?:it|my|the|ord)",
    r"keep (?:it|(?:my|the) (?:order|account|money))",
)
_KINDS = {
    "initiate_refund": any_of("refunds?", "money"),
    "cancel_order": any_of("cancell?ation", "don'?t cancel", "do not cancel", "keep (?:my|the) order"),
    "delete_account": any_of("deletion", "account"),
}
_ALL = any_of("all", "both", "everything", "requests", "refunds")
_NUMBER = r"\$?[0-9][0-9,]*(?:\.[0-9]{1,2})?(?: ?(?:dollars?|usd|bucks))?"
_CHANGE = any_of(
    "instead",
    "make (?:it|that|the refund)",
    "(?:change|lower|reduce|raise|increase|correct) (?:it|that|this|(?:the|my) (?:amount|refund|request))",
    rf"(?:only|just|rather|actually|i meant?)(?: (?:want|need))? {_NUMBER}",
    rf"{_NUMBER} (?:back )?(?:is|would be) (?:fine|enough|ok|okay)",
)
_OLD_AMOUNT = re.compile(rf"(?:instead of|rather than|from|not) {_NUMBER}", re.IGNORECASE)
_BARE = re.compile(
    r"(?:make (?:it|that)|to|only|just) ([0-9]{1,4}(?:\.[0-9]{1,2})?)(?=\W*(?:instead|please|then|$))", re.IGNORECASE
)


def take_back(history: History) -> Answer | None:
    """Withdraw what someone takes back; a cancelled "it" may be an order as well, and is left to that rule then."""
    waiting = undecided(history)
    named = _TAKE_BACK.search(history.said)
    asked_which = history.we_said.startswith(_WHICH) and (orders_in(history.said) or _ALL.search(history.said))
    if not waiting:
        return _nothing_waits(history) if named else None
    if not (named or asked_which or (_TAKE_IT_BACK.search(history.said) and _is_meant(history, waiting))):
        return None
    chosen = _chosen(history.said, waiting)
    if len(chosen) > 1 and not _ALL.search(history.said):
        return Answer(f"{_WHICH} {' or '.join(dict.fromkeys(map(subject, chosen)))}?")
    return _withdraw(history, chosen) if chosen else None


def change_amount(history: History) -> Answer | None:
    """Withdraw the refund that waits when another amount is wanted; `ask_anew` follows."""
    chosen = _refunds(history, history.said)
    if len(chosen) != 1:
        return None
    amount = _new_amount(history.said, history.we_said)
    if amount is Amount.VAGUE:
        return Answer(_HOW_MUCH)
    return _withdraw(history, chosen) if amount is not None else None


def ask_anew(history: History) -> Answer | None:
    """Ask for the other amount, once the earlier request is taken back."""
    done = history.new_outputs[-1]
    amount = _new_amount(history.asked, history.we_said)
    if done.tool != "withdraw_request" or "error" in done.content or amount in (None, Amount.VAGUE):
        return None
    reference = done.arguments.get("request")
    before = next((request for request in history.waiting if request.content.get("request") == reference), None)
    if before is None or before.tool != "initiate_refund":
        return None
    dollars = amount if isinstance(amount, float) else None
    return call(history.request, "initiate_refund", {**before.arguments, "amount": dollars})


def where_it_stands(history: History) -> Answer | None:
    """Tell what became of the requests of this thread, or that there is none; nothing when an order is asked about."""
    named = orders_in(history.said)
    requests = [request for request in history.waiting if request.arguments.get("order_id") in named] or history.waiting
    if requests:
        news = [request for request in requests if request in undecided(history)] or requests
        return Answer(" ".join(dict.fromkeys(standing(request, history) for request in news)))
    if told := [sentence for note in history.notes if (sentence := outcome_in_words(note, history))]:
        return Answer(told[-1])
    return None if named else Answer("I know of no request for a refund in this thread. Which order is it about?")


def _nothing_waits(history: History) -> Answer:
    if re.search(r"never ?mind", history.said, re.IGNORECASE):
        return Answer("No problem, I leave it at that.")
    return Answer("There is no request here that still waits, so there is nothing to take back.")


def _is_meant(history: History, waiting: Sequence[Output]) -> bool:
    """Return whether "it" is a request that waits, and not another order that was named since."""
    orders = {request.arguments.get("order_id") for request in waiting}
    return not history.orders or None in orders or bool(orders & set(history.orders))


def _chosen(said: str, waiting: Sequence[Output]) -> list[Output]:
    """Narrow requests down by the orders that are named, else by their kind; all of them when neither is said."""
    if named := orders_in(said):
        return [request for request in waiting if request.arguments.get("order_id") in named]
    kinds = [tool for tool, words in _KINDS.items() if words.search(said)]
    return [request for request in waiting if request.tool in kinds] or list(waiting)


def _refunds(history: History, said: str) -> list[Output]:
    return _chosen(said, [request for request in undecided(history) if request.tool == "initiate_refund"])


def _new_amount(said: str, we_said: str) -> float | Amount | None:
    """Find the amount that is wanted in another's place; nothing when no change is wished."""
    text = _OLD_AMOUNT.sub("", said)
    if not _CHANGE.search(said) and not (we_said == _HOW_MUCH and mentions_amount(text)):
        return None
    if bare := _BARE.search(text):
        return float(bare[1])
    return amount_in([text]) if mentions_amount(text) else None


def _withdraw(history: History, requests: Sequence[Output]) -> Answer:
    known = ({"request": str(request.content.get("request") or "")} for request in requests)
    return call(history.request, "withdraw_request", *known) or Answer(
        "It is yours to take back: press Cancel on its card. Until then it just waits."
    )
