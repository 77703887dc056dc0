"""The rules: which words of a customer lead to which tool or text, as one table read from top to bottom."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.demo.offline_model import goods, words
from bot.demo.offline_model.calls import call
from bot.demo.offline_model.intents import intent
from bot.demo.offline_model.thread import Thread, read
from bot.demo.offline_model.writing import (
    articles_in_words,
    either,
    outcome_in_words,
    outputs_in_words,
    standing,
    undecided,
)
from bot.store.records import QUOTED
from bot.testing.openai import Answer, Request

MODEL_NAME = "offline-model"
SECONDS_A_WORD = 0.06  # as a language model takes, where there is something to be read meanwhile

_STAND_IN = "I am the demo's offline stand-in, a set of rules, not a language model."
_BUTTON = "Typing approves nothing: only the Approve button on the card does, for a person who may decide."
_SKILLS = {
    "get_order_status": "look up an order",
    "find_orders": "list your orders",
    "initiate_refund": "ask for a refund",
    "cancel_order": "ask to cancel an order",
    "return_items": "note a return",
    "exchange_items": "exchange something",
    "change_address": "send an order elsewhere",
    "delete_account": "ask to delete your account",
    "withdraw_request": "take a request back",
    "search_help": "answer from the help articles",
    "escalate_to_human": "call a person",
}
_MAX_LOOKED_UP = 3
_WHY = "did it arrive broken, was it the wrong item, did it never arrive, or did you change your mind?"
_OFFER = "Would you like your money back for"


def _introduce(thread: Thread) -> Answer:
    skills = [skill for tool, skill in _SKILLS.items() if tool in thread.request.tool_names]
    if not skills:
        return Answer(f"{_STAND_IN} There is nothing that I can do for you at the moment.")
    return Answer(
        f"{_STAND_IN} I can {', '.join(skills)}. What I ask for is only done once a person approves it. "
        "An order number such as ORD-10234 helps me most."
    )


def _typed_yes(thread: Thread) -> Answer:
    if _OFFER in thread.we_said:
        return _ask_for_refund(thread)
    return Answer(_BUTTON if undecided(thread) else f"There is nothing here that waits for a yes. {_BUTTON}")


def _go_on(thread: Thread) -> Answer:
    """Tell what was done after a Confirm, by the notes alone."""
    told = filter(None, map(outcome_in_words, thread.new_notes))
    return Answer(" ".join([*told, "What else can I do for you?"]))


def _take_back(thread: Thread) -> Answer:
    waiting = undecided(thread)
    named = words.orders_in(thread.said)
    if not waiting:
        return Answer("No problem. Nothing here waits, so there is nothing to take back.")
    chosen = [request for request in waiting if request.arguments.get("order_id") in named] or waiting
    kinds = [kind for kind in ("refund", "cancel", "account") if kind in thread.said.lower()]
    chosen = [request for request in chosen if any(kind in request.summary.lower() for kind in kinds)] or chosen
    if len(chosen) > 1 and not words.ALL.search(thread.said):
        return Answer(f"Which request shall I take back: {either(chosen)}?")
    known = ({"request": str(request.content.get("request") or "")} for request in chosen)
    return call(thread.request, "withdraw_request", *known) or Answer(
        "It is yours to take back: press Cancel on its card. Until then it just waits."
    )


def _take_it_back(thread: Thread) -> Answer | None:
    """Take back an "it" that is a request, and not an order that was named since."""
    orders = {request.arguments.get("order_id") for request in undecided(thread)}
    is_meant = not thread.orders or None in orders or orders & set(thread.orders)
    return _take_back(thread) if orders and is_meant else None


def _where_it_stands(thread: Thread) -> Answer:
    named = words.orders_in(thread.said)
    requests = [one for one in thread.waiting if one.arguments.get("order_id") in named] or thread.waiting
    if not requests:
        return _look_up(thread) if named else Answer("I know of no request for a refund in this thread.")
    latest = [one for one in requests if not standing(one)] or requests[-1:]
    told = (standing(one) or f"It is still waiting. {outputs_in_words([one])}" for one in latest)
    return Answer(" ".join(dict.fromkeys(told)))


def _own(said: str) -> str:
    """Return the beginning of what somebody said themselves, without what they attached."""
    return " ".join(said.partition(QUOTED)[0].split())[:200].rstrip(".")


def _call_a_person(thread: Thread) -> Answer:
    before = f" Wrote before: “{_own(thread.earlier[0])}”." if thread.earlier else ""
    summary = f"Asks for a person: “{_own(thread.said)}”.{before}"
    return call(thread.request, "escalate_to_human", {"summary": summary, "share_conversation": None}) or Answer(
        "I cannot call a person from here, I am sorry. The people of the support team read this channel too."
    )


def _search_help(thread: Thread) -> Answer | None:
    question = " ".join(words.SMALL.sub("", thread.said.replace("?", " ")).split())
    known = question and not words.orders_in(thread.said)
    return call(thread.request, "search_help", {"question": question}) if known else None


def _delete_account(thread: Thread) -> Answer:
    return call(thread.request, "delete_account", {}) or Answer("I cannot delete an account. A person can.")


def _cancel_order(thread: Thread) -> Answer:
    known = ({"order_id": order} for order in thread.orders)
    cancel = call(thread.request, "cancel_order", *known) or Answer("I cannot cancel an order.")
    return cancel if thread.orders else _which_order(thread)


def _ask_for_refund(thread: Thread) -> Answer:
    """Ask for the refund, or for what is still missing: an order, a reason, a number of dollars."""
    orders = thread.orders
    reason = next(filter(None, map(words.reason_in, thread.wish)), None)
    amounts = [text for text in thread.wish if words.is_vague(text) or words.dollars_in(text)]
    dollars = words.dollars_in(amounts[0]) if amounts else None
    names = " or ".join(orders)
    if not orders:
        return _which_order(thread)
    if len(orders) > 1 and (dollars or not any(map(words.orders_in, thread.wish))):
        return Answer(f"Which of them is it about: {names}?")
    if reason is None:
        return Answer(f"I can ask for that. What is the reason for {names}: {_WHY}")
    if amounts and dollars is None:
        return Answer("How much is that in US dollars? I can only ask for a number of dollars, or for the whole.")
    known = ({"order_id": order, "reason": reason, "amount": dollars} for order in orders)
    return call(thread.request, "initiate_refund", *known) or Answer("I cannot ask for a refund at the moment.")


def _offer_refund(thread: Thread) -> Answer | None:
    named = words.orders_in(thread.said)
    offer = Answer(f"I am sorry to hear that. {_OFFER} {' or '.join(named)}?")
    return None if words.reason_in(thread.said) in (None, "not_delivered") else offer


def _list_orders(thread: Thread) -> Answer:
    address = re.search(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}", thread.said)
    return call(thread.request, "find_orders", {"email": address[0] if address else None}) or Answer(
        "Which order is it? The number looks like ORD-10234."
    )


def _which_order(thread: Thread) -> Answer:
    known = {"question": "Which order is it about?", "order_id": None}
    asked = None if "@" in thread.said else call(thread.request, "ask_which", known)
    return asked or _list_orders(thread)


def _look_up(thread: Thread) -> Answer:
    if not thread.orders:
        return _which_order(thread)
    tracking = bool(words.TRACKING.search(thread.said))
    known = ({"order_id": order, "include_tracking": tracking} for order in thread.orders)
    return call(thread.request, "get_order_status", *known) or Answer("I cannot look up orders at the moment.")


def _look_at_each(thread: Thread) -> Answer | None:
    """Look up the orders that were found, for who asked where all of them are."""
    [output, *others] = thread.new_outputs
    asked = thread.earlier and words.EVERYTHING.search(thread.earlier[0])
    found = output.content.get("orders")
    if others or output.tool != "find_orders" or not asked or not isinstance(found, list):
        return None
    numbers = [str(order.get("order_id")) for order in found[:_MAX_LOOKED_UP] if isinstance(order, dict)]
    known = ({"order_id": number, "include_tracking": False} for number in numbers)
    return call(thread.request, "get_order_status", *known) if numbers else None


@dataclass(frozen=True)
class Rule:
    """When the words are found, and those of `unless` are not, this answers, unless it has nothing to say."""

    words: re.Pattern[str]
    answer: Callable[[Thread], Answer | None]
    unless: re.Pattern[str] | None = None
    goes_on: bool = False
    """Whether the words may stand in the earlier message that this one goes on with."""

    def fits(self, thread: Thread) -> bool:
        """Return whether the words are there."""
        text = "\n".join(thread.wish) if self.goes_on else thread.said
        return bool(self.words.search(text)) and not (self.unless and self.unless.search(text))


RULES = (
    Rule(words.CONFIRMED, _go_on),
    Rule(words.WHO_ARE_YOU, _introduce),
    Rule(words.YES, _typed_yes),
    Rule(words.APPROVE, _typed_yes),
    Rule(words.THANKS, lambda _: Answer("You are welcome.")),
    Rule(words.HELLO, lambda thread: Answer(f"Hello, good to hear from you. {_introduce(thread).text}")),
    Rule(words.TAKE_BACK, _take_back, goes_on=True),
    Rule(words.TAKE_IT_BACK, _take_it_back),
    Rule(words.IS_IT_DECIDED, _where_it_stands),
    Rule(words.PERSON, _call_a_person, unless=words.NO_PERSON),
    Rule(words.IN_DETAIL, _search_help),
    Rule(words.BACK, goods.send_back, unless=words.HOW, goes_on=True),
    Rule(words.EXCHANGE, goods.exchange, unless=words.HOW, goes_on=True),
    Rule(words.OTHER_ITEMS, goods.change_items, unless=words.HOW, goes_on=True),
    Rule(words.ADDRESS, goods.send_elsewhere, unless=words.HOW, goes_on=True),
    Rule(words.SHOP, _search_help),
    Rule(words.DELETE, _delete_account),
    Rule(words.CANCEL, _cancel_order, unless=words.NO_CANCEL, goes_on=True),
    Rule(words.REFUND, _ask_for_refund, unless=words.NO_REFUND, goes_on=True),
    Rule(words.ORDER, _offer_refund, unless=words.NO_REFUND),
    Rule(words.EVERYTHING, _list_orders),
    Rule(words.LIST, _list_orders),
    Rule(words.WHERE, _look_up),
    Rule(words.ORDER, _look_up),
    Rule(words.OTHER_LANGUAGE, lambda _: Answer("I am sorry, I only understand English.")),
    Rule(words.QUESTION, _search_help),
    Rule(words.ANYTHING, lambda thread: Answer(f"I am sorry, I did not understand that. {_introduce(thread).text}")),
)


def respond(request: Request) -> Answer:
    """Answer the last turn of a thread, by nothing but its messages and the tools that are offered."""
    thread = read(request)
    if (request.response_format or {}).get("type") == "json_schema":
        return intent(thread)
    if thread.new_outputs:
        if any(map(words.IN_DETAIL.search, thread.earlier[:1])) and (articles := articles_in_words(thread.new_outputs)):
            return Answer(articles, pace=SECONDS_A_WORD)
        looked_up = [output for output in thread.new_outputs if output.tool != "find_orders"]
        return _look_at_each(thread) or Answer(outputs_in_words(looked_up or thread.new_outputs))
    if thread.new_notes and not thread.said.strip():
        told = filter(None, map(outcome_in_words, thread.new_notes))
        return Answer(" ".join(told) or "There is news about your request; its card shows it.")
    return next(filter(None, (rule.answer(thread) for rule in RULES if rule.fits(thread))))
