"""What became of the requests that a person decides: read off the system notes, and never guessed."""

import re

from bot.demo.offline_model.history import History, Output
from bot.demo.offline_model.reading import any_of
from bot.demo.offline_model.writing import output_in_words

# Most cautious first: "approved, but it failed" is a failure.
_OUTCOMES = {
    "waiting": any_of("wait(?:ing|s)", "pending", "open requests?", "has to approve"),
    "unknown": any_of("unknown", "not known", "unclear", "not certain"),
    "failed": any_of("failed", "not done", "could not", "couldn't", "error"),
    "expired": any_of("expired?", "ran out"),
    "withdrawn": any_of("withdr[ae]wn?", "taken back"),
    "done": any_of("and done", "refunded(?! by)", "paid back", "went back"),
    "approved": any_of("(?<!not )approved", "succeeded"),
    "cancelled": any_of("cancell?ed", "declined", "rejected", "denied", "turned down", "not approved"),
}
_NOT_REFUNDED = any_of(r"(?:nothing|no money|not|never)[\w ]{0,20} (?:refunded|paid back)")
_SENTENCES = {
    "unknown": "It is not certain yet whether {it} went through. It is being checked.",
    "failed": "I am sorry, {it} did not go through. The thread says why. Ask me for a person if it helps.",
    "expired": "Nobody decided on {it} in time, so it expired and nothing was done.",
    "withdrawn": "The request for {it} is withdrawn, and nothing was done.",
    "done": "Good news: {it} was approved and has gone through.",
    "approved": "Good news: {it} was approved.",
    "cancelled": "The request for {it} was cancelled, and nothing was done.",
}
_THINGS = {"cancel_order": "the cancellation", "delete_account": "the deletion of your account"}
_SUBJECT = re.compile(r"\b((?:Refund|Cancellation|Deletion) of [^:\n]+?)(?=:| waits until)")


def undecided(history: History) -> list[Output]:
    """Find the requests that still wait for a person."""
    return [request for request in history.waiting if not _news_of(request, history)]


def standing(request: Output, history: History) -> str:
    """Tell where a request stands: decided if a later note says so, waiting otherwise."""
    news = _news_of(request, history)
    return news[-1] if news else f"It is still waiting. {output_in_words(request)}"


def subject(request: Output) -> str:
    """Name what a request asks for, as its own message does."""
    shown = _SUBJECT.search(str(request.content.get("message") or ""))
    thing = _THINGS.get(request.tool, "the refund")
    return f"the {shown[1][0].lower()}{shown[1][1:]}" if shown else f"{thing} for {_order(request)}"


def outcome_in_words(note: str, history: History) -> str | None:
    """Tell the outcome that a note reports, or nothing when it reports none."""
    told = _NOT_REFUNDED.sub("", note)
    outcome = next((name for name, words in _OUTCOMES.items() if words.search(told)), "waiting")
    if outcome == "waiting":
        return None
    if shown := _SUBJECT.search(note):
        return _SENTENCES[outcome].format(it=f"the {shown[1][0].lower()}{shown[1][1:]}")
    about = [request for request in history.waiting if _concerns(note, request, history)]
    order = re.search(r"\bORD-[0-9]+", note)
    name = order[0] if order else _order(about[0]) if len(about) == 1 else ""
    money = re.search(r"\$[0-9][0-9,]*(?:\.[0-9]{2})?", note)
    thing = _THINGS.get(about[0].tool, "the refund") if about else "the refund"
    it = thing + (f" of {money[0]}" if money else "") + (f" for {name}" if name else "")
    return _SENTENCES[outcome].format(it=it)


def _news_of(request: Output, history: History) -> list[str]:
    notes = (note for note in request.notes if _concerns(note, request, history))
    return [news for note in notes if (news := outcome_in_words(note, history))]


def _concerns(note: str, request: Output, history: History) -> bool:
    """Match a note by its reference, its summary or its order; one that names none of them is about all requests."""
    for mark in (_reference, _summary, _order):
        if any(mark(other) and mark(other) in note for other in history.waiting):
            return bool(mark(request)) and mark(request) in note
    return True


def _reference(request: Output) -> str:
    return str(request.content.get("request") or "")


def _order(request: Output) -> str:
    return str(request.arguments.get("order_id") or "")


def _summary(request: Output) -> str:
    shown = _SUBJECT.search(str(request.content.get("message") or ""))
    return f"{shown[1]}:" if shown else ""
