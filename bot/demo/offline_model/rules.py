"""The rules: which words of a customer lead to which tool or text, as one table read from top to bottom."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.demo.completions import Answer, Request
from bot.demo.offline_model.calls import call
from bot.demo.offline_model.history import History, read
from bot.demo.offline_model.intents import intent
from bot.demo.offline_model.outcomes import outcome_in_words, standing, undecided
from bot.demo.offline_model.reading import any_of, orders_in, reason_in
from bot.demo.offline_model.refunds import ask_for_refund, offer_refund, take_up_offer
from bot.demo.offline_model.writing import outputs_in_words

MODEL_NAME = "offline-model"

_STAND_IN = "I am the demo's offline stand-in, a set of rules, not a language model."
_BUTTON = "Typing approves nothing: only the Approve button on the card does, for a person who may decide."
_SKILLS = {
    "get_order_status": "look up an order",
    "find_orders": "find your orders",
    "initiate_refund": "ask for a refund, which a person then approves",
    "cancel_order": "ask to cancel an order",
    "search_help": "search the help pages",
    "escalate_to_human": "call a person",
    "withdraw_request": "withdraw a request",
    "delete_account": "ask to delete your account",
}
_ANYTHING = re.compile("")
_CANCEL = any_of("cancel")
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
        return Answer(outputs_in_words(history.new_outputs))
    if history.said.strip():
        return next(filter(None, (_try(rule, history) for rule in RULES)), None) or _not_understood(history)
    told = [sentence for note in history.new_notes if (sentence := outcome_in_words(note, history))]
    if history.new_notes:
        return Answer(" ".join(told) or "There is news about your request; its card shows it.")
    return _not_understood(history)


def _try(rule: Rule, history: History) -> Answer | None:
    return rule.answer(history) if rule.words.search(history.said) else None


def _introduce(history: History) -> Answer:
    return Answer(f"{_STAND_IN} {_skills(history)}")


def _not_understood(history: History) -> Answer:
    return Answer(f"I am sorry, I did not understand that. {_STAND_IN} {_skills(history)}")


def _skills(history: History) -> str:
    skills = [words for tool, words in _SKILLS.items() if tool in history.request.tool_names]
    if not skills:
        return "There is nothing that I can do for you at the moment."
    listed = skills[0] if len(skills) == 1 else f"{', '.join(skills[:-1])} and {skills[-1]}"
    return f"I can {listed}. An order number such as ORD-10234 helps me most."


def _typed_yes(history: History) -> Answer | None:
    if taken_up := take_up_offer(history):
        return taken_up
    return Answer(_BUTTON if undecided(history) else f"There is nothing here that waits for a yes. {_BUTTON}")


def _withdraw(history: History) -> Answer | None:
    waiting = undecided(history)
    if not waiting:
        return None if _CANCEL.search(history.said) else Answer("No problem, I leave it at that.")
    last = waiting[-1]
    reference = str(last.content.get("request") or "")
    known = {"request": reference, "request_id": reference, "order_id": str(last.arguments.get("order_id") or "")}
    return call(history.request, "withdraw_request", {**known, "reason": history.gist}) or Answer(
        "It is yours to take back: press Cancel on its card. Until then it just waits."
    )


def _standing(history: History) -> Answer | None:
    named = orders_in(history.said)
    requests = [request for request in history.waiting if request.arguments.get("order_id") in named] or history.waiting
    if requests:
        return Answer(" ".join(dict.fromkeys(standing(request, history) for request in requests)))
    if told := [sentence for note in history.notes if (sentence := outcome_in_words(note, history))]:
        return Answer(told[-1])
    if named:
        return _look_up(history)
    return Answer("I know of no request for a refund in this thread. Which order is it about?")


def _look_up(history: History) -> Answer | None:
    if not history.orders:
        return call(history.request, "find_orders", {}) or Answer("Which order is it? The number looks like ORD-10234.")
    tracking = bool(_TRACKING.search(history.said))
    known = ({"order_id": order, "include_tracking": tracking} for order in history.orders)
    return call(history.request, "get_order_status", *known) or Answer(
        "I cannot look up orders at the moment, I am sorry."
    )


def _look_up_named(history: History) -> Answer | None:
    return _look_up(history) if orders_in(history.said) else None


def _cancel_order(history: History) -> Answer | None:
    if "cancel_order" not in history.request.tool_names:
        return Answer("I cannot cancel an order. I can look it up, or ask for your money back.")
    if not history.orders:
        return call(history.request, "find_orders", {}) or Answer(
            "Which order shall be cancelled? The number looks like ORD-10234."
        )
    known = ({"order_id": order, "reason": history.gist} for order in history.orders)
    return call(history.request, "cancel_order", *known)


def _search_help(history: History) -> Answer | None:
    if orders_in(history.said) or reason_in(history.said):
        return None
    return call(history.request, "search_help", dict.fromkeys(("query", "question", "topic"), history.gist))


def _escalate(history: History) -> Answer | None:
    known = dict.fromkeys(("reason", "summary", "message", "topic"), history.gist)
    return call(history.request, "escalate_to_human", {**known, "urgency": "medium"}) or Answer(
        "I cannot call a person from here, I am sorry. The people of the support team read this channel too."
    )


def _delete_account(history: History) -> Answer | None:
    return call(history.request, "delete_account", {"reason": history.gist}) or Answer(
        "I cannot delete an account. A person of the support team can."
    )


def _thanks(_: History) -> Answer:
    return Answer("You are welcome.")


def _hello(history: History) -> Answer:
    return Answer(f"Hello, good to hear from you. {_skills(history)}")


_APPROVE = "approved?(?: (?:it|this|that|(?:the|my) (?:refund|request)))?"
_YES = f"(?:yes|yep|yeah|yup|ok|okay|sure|confirm(?:ed)?|go ahead|do it|please do|{_APPROVE})"
_ONLY_YES = (
    rf"^\W*(?:[\w.'-]+(?: [\w.'-]+){{0,3}}:\W*)?(?:i |please |just )?{_YES}(?:[\s,.!]+(?:please|thanks|{_YES}))*\W*$"
)

RULES = (
    Rule(
        any_of(
            "(?:who|what|which model) are you",
            "what(?:'s| is) your name",
            "(?:are you|is this|am i talking to) (?:an? |really )*"
            "(?:real|human|person|ro?bot|ai|machine|llm|(?:large )?language model|(?:chat)?gpt)",
        ),
        _introduce,
    ),
    Rule(any_of(_ONLY_YES, "(?:please|i|can you|you (?:can|may)) approve"), _typed_yes),
    Rule(
        any_of(
            "never ?mind",
            "(?:withdraw|take back|cancel|stop|forget) (?:about )?(?:(?:my|the|that|this) )?(?:refund|request|it|that)",
        ),
        _withdraw,
    ),
    Rule(
        any_of(
            "(?:where is|where's|is|has|was|what about|status of|news on) (?:my|the|that) (?:refund|money|request)",
            "(?:when|did) (?:(?:do|will|can) )?i (?:get|see) (?:my|the) (?:refund|money)",
            "did (?:you|they|anyone|someone) approve",
            "(?:been|it|get|got|was) (?:already )?(?:approved|refunded|decided)",
            "waiting for (?:my |the |an )?(?:refund|approval|money)",
            "pending",
        ),
        _standing,
    ),
    Rule(any_of("(?:delete|close|remove) (?:my |the )?(?:account|profile|data)"), _delete_account),
    Rule(
        any_of(
            "human",
            "real person",
            "supervisor",
            "manager",
            "agent",
            "escalate",
            "complaint",
            "(?:speak|talk) (?:to|with)",
        ),
        _escalate,
    ),
    Rule(_CANCEL, _cancel_order),
    Rule(
        any_of(
            "polic(?:y|ies)",
            "how (?:do|can|long|much|many)",
            "do you (?:ship|deliver|sell|offer|have|take|accept)",
            "warranty",
        ),
        _search_help,
    ),
    Rule(_ANYTHING, ask_for_refund),
    Rule(_ANYTHING, offer_refund),
    Rule(
        any_of(
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
        ),
        _look_up,
    ),
    Rule(_ANYTHING, _look_up_named),
    Rule(any_of("thanks?", "thank you", "thx", "cheers", "great", "perfect", "awesome", "bye", "goodbye"), _thanks),
    Rule(any_of("hi", "hello", "hey", "howdy", "good (?:morning|afternoon|evening|day)"), _hello),
    Rule(any_of("help", "what can you do", "how does (?:this|it) work"), _introduce),
)
