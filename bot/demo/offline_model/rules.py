"""The rules: which words of a customer lead to which tool or text, as one table read from top to bottom."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.demo.offline_model.calls import call
from bot.demo.offline_model.history import History, read
from bot.demo.offline_model.intents import intent
from bot.demo.offline_model.outcomes import outcome_in_words, undecided
from bot.demo.offline_model.people import call_a_person
from bot.demo.offline_model.reading import any_of, email_in, orders_in, words_in
from bot.demo.offline_model.refunds import ask_for_refund, offer_refund, take_up_offer
from bot.demo.offline_model.requests import ask_anew, change_amount, take_back, where_it_stands
from bot.demo.offline_model.wishes import asks_about_shop, wants_account_deleted, wants_list, wants_to_cancel
from bot.demo.offline_model.writing import outputs_in_words
from bot.testing.openai import Answer, Request

MODEL_NAME = "offline-model"

_STAND_IN = "I am the demo's offline stand-in, a set of rules, not a language model."
_BUTTON = "Typing approves nothing: only the Approve button on the card does, for a person who may decide."
_SKILLS = {
    "get_order_status": "look up an order",
    "find_orders": "list your orders",
    "initiate_refund": "ask for a refund",
    "cancel_order": "ask to cancel an order",
    "delete_account": "ask to delete your account",
    "withdraw_request": "take a request back",
    "search_help": "answer from the help articles",
    "escalate_to_human": "call a person",
}
_NEEDS_APPROVAL = ("initiate_refund", "cancel_order", "delete_account")
_ANYTHING = re.compile("")
_TRACKING = any_of(r"track\w*", "parcels?", "packages?", "shipment", "events?", "courier", "carrier")


@dataclass(frozen=True, slots=True)
class Rule:
    """When the words are found in what was said, this answers, unless it has nothing to say."""

    words: re.Pattern[str]
    answer: Callable[[History], Answer | None]


def respond(request: Request) -> Answer:
    """Answer the last turn of a thread, by nothing but its messages and the tools that are offered."""
    history = read(request)
    if (request.response_format or {}).get("type") == "json_schema":
        return intent(history)
    if history.new_outputs:
        return ask_anew(history) or _go_on_with_found(history) or Answer(outputs_in_words(history.new_outputs))
    if history.said.strip():
        return _by_rules(history) or _not_understood(history)
    told = [sentence for note in history.new_notes if (sentence := outcome_in_words(note, history))]
    if history.new_notes:
        return Answer(" ".join(told) or "There is news about your request; its card shows it.")
    return _not_understood(history)


def _by_rules(history: History) -> Answer | None:
    answers = (rule.answer(history) for rule in RULES if rule.words.search(history.said))
    return next(filter(None, answers), None)


def _go_on_with_found(history: History) -> Answer | None:
    """Read what was asked again, now that the list of orders tells which one is meant."""
    if history.new_outputs[-1].tool != "find_orders" or wants_list(history.asked):
        return None
    again = replace(history, said=history.asked, new_outputs=())
    return _by_rules(again) if again.orders else None


def _introduce(history: History) -> Answer:
    return Answer(f"{_STAND_IN} {_skills(history)}")


def _not_understood(history: History) -> Answer:
    return Answer(f"I am sorry, I did not understand that. {_STAND_IN} {_skills(history)}")


def _skills(history: History) -> str:
    skills = [words for tool, words in _SKILLS.items() if tool in history.request.tool_names]
    if not skills:
        return "There is nothing that I can do for you at the moment."
    listed = skills[0] if len(skills) == 1 else f"{', '.join(skills[:-1])} and {skills[-1]}"
    asked_for = any(tool in history.request.tool_names for tool in _NEEDS_APPROVAL)
    approval = " What I ask for is only done once a person approves it." if asked_for else ""
    return f"I can {listed}.{approval} An order number such as ORD-10234 helps me most."


def _typed_yes(history: History) -> Answer | None:
    if taken_up := take_up_offer(history):
        return taken_up
    return Answer(_BUTTON if undecided(history) else f"There is nothing here that waits for a yes. {_BUTTON}")


def _look_up(history: History) -> Answer | None:
    if not history.orders:
        return _list_orders(history) or Answer("Which order is it? The number looks like ORD-10234.")
    tracking = bool(_TRACKING.search(history.said))
    known = ({"order_id": order, "include_tracking": tracking} for order in history.orders)
    return call(history.request, "get_order_status", *known) or Answer(
        "I cannot look up orders at the moment, I am sorry."
    )


def _look_up_named(history: History) -> Answer | None:
    return _look_up(history) if orders_in(history.said) else None


def _list_orders(history: History) -> Answer | None:
    return call(history.request, "find_orders", {"email": email_in(history.said)})


def _list_wanted(history: History) -> Answer | None:
    return _list_orders(history) if wants_list(history.said) else None


def _cancel_order(history: History) -> Answer | None:
    listed = bool(history.outputs) and history.outputs[-1].tool == "find_orders"
    goes_on = listed and bool(orders_in(history.said)) and any(map(wants_to_cancel, history.earlier[:2]))
    if not wants_to_cancel(history.said) and not goes_on:
        return None
    if "cancel_order" not in history.request.tool_names:
        return Answer("I cannot cancel an order. I can look it up, or ask for your money back.")
    if not history.orders:
        return _list_orders(history) or Answer("Which order shall be cancelled? The number looks like ORD-10234.")
    return call(history.request, "cancel_order", *({"order_id": order} for order in history.orders))


def _delete_account(history: History) -> Answer | None:
    if not wants_account_deleted(history.said):
        return None
    return call(history.request, "delete_account", {}) or Answer(
        "I cannot delete an account. A person of the support team can."
    )


def _search_help(history: History) -> Answer | None:
    words = " ".join(word for word in re.findall(r"\w+", history.said.lower()) if words_in(word))
    return call(history.request, "search_help", {"question": words}) if words else None


def _answer_about_shop(history: History) -> Answer | None:
    return _search_help(history) if asks_about_shop(history.said) else None


def _ok_thanks(history: History) -> Answer:
    return take_up_offer(history) or _thanks(history)


def _thanks(_: History) -> Answer:
    return Answer("You are welcome.")


def _hello(history: History) -> Answer:
    return Answer(f"Hello, good to hear from you. {_skills(history)}")


_APPROVE = "approved?(?: (?:it|this|that|(?:the|my) (?:refund|request|cancellation|deletion)))?"
_YES = f"(?:yes|yep|yeah|yup|ok|okay|sure|confirm(?:ed)?|go ahead|do it|please do|{_APPROVE})"
_ONLY_YES = (
    rf"^\W*(?:[\w.'-]+(?: [\w.'-]+){{0,3}}:\W*)?(?:i |please |just )?{_YES}(?:[\s,.!]+(?:please|thanks|{_YES}))*\W*$"
)
_WHO_ARE_YOU = any_of(
    "(?:who|what|which model) are you",
    "what(?:'s| is) your name",
    "(?:are you|is this|am i talking to) (?:an? |really )*"
    "(?:real|human|person|ro?bot|ai|machine|llm|(?:large )?language model|(?:chat)?gpt)",
)
_IS_IT_DECIDED = any_of(
    "(?:where is|where's|is|has|was|what about|status of|news on) (?:my|the|that) (?:refund|money|request)",
    "(?:when|did) (?:(?:do|will|can) )?i (?:get|see) (?:my|the) (?:refund|money)",
    "did (?:you|they|anyone|someone) approve",
    "(?:been|it|get|got|was) (?:already )?(?:approved|refunded|decided)",
    "waiting for (?:my |the |an )?(?:refund|approval|money)",
    "pending",
)
_WHERE_IS_IT = any_of(
    "where",
    r"track\w*",
    "status",
    "(?:my|the|an|our) (?:last )?orders?",
    "parcels?",
    "packages?",
    "shipment",
    r"deliver\w*",
    r"arriv\w*",
    "ship(?:s|ped|ping)?",
    "news",
    "update",
)

RULES = (
    Rule(_WHO_ARE_YOU, _introduce),
    Rule(any_of("what can you do", "what do you do(?=\\W*$)", "how does (?:this|it) work"), _introduce),
    Rule(re.compile(r"^\W*(?:ok|okay|sure|great)[\s,.!]+(?:thanks|thank you|thx)\W*$", re.IGNORECASE), _ok_thanks),
    Rule(any_of(_ONLY_YES, r"(?:^\W*|(?<=[,.;:!] )|(?:please|i|can you|you (?:can|may)) )approve"), _typed_yes),
    Rule(_ANYTHING, change_amount),
    Rule(_ANYTHING, take_back),
    Rule(_IS_IT_DECIDED, where_it_stands),
    Rule(_IS_IT_DECIDED, _look_up_named),
    Rule(_ANYTHING, call_a_person),
    Rule(_ANYTHING, _answer_about_shop),
    Rule(_ANYTHING, _delete_account),
    Rule(_ANYTHING, _cancel_order),
    Rule(_ANYTHING, ask_for_refund),
    Rule(_ANYTHING, offer_refund),
    Rule(_ANYTHING, _list_wanted),
    Rule(_WHERE_IS_IT, _look_up),
    Rule(_ANYTHING, _look_up_named),
    Rule(any_of("thanks?", "thank you", "thx", "cheers", "great", "perfect", "awesome", "bye", "goodbye"), _thanks),
    Rule(any_of("hi", "hello", "hey", "howdy", "good (?:morning|afternoon|evening|day)"), _hello),
    Rule(any_of("help"), _introduce),
    Rule(re.compile(r"\?"), _search_help),
)
