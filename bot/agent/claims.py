"""Whether an answer claims what nobody did: that money went back, or an order was cancelled, or that it was asked for.

The words of some two dozen languages are looked for, and the log decides whether they are true: for this deed, for the
order that is named, and done when it is said to be done. People say it in more ways than could be listed, so about any
other statement of a deed the model is asked once more. It is a net below the model and not the gate: a claim in other
words than these gets through, and moves no money.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources

from bot.agent.grounds import Ground, facts, grounds, objects, orders_in
from bot.store.records import ChatMessage

MAX_SENTENCE_CHARACTERS = 500
MAX_WORDS_OF_CONSENT = 25
MAX_WORDS_ABOUT_IT = 6
CORRECTION = (
    "What you just wrote was not sent, because it says that something was requested or done for the customer that was "
    "not."
)
_THEN = (
    "If the customer wants something else and you know what you need, ask for it now with the tool. If not, answer "
    "anew with only what is true."
)
DOUBT = "Before what you just wrote is sent:"
_IS_IT_ONE = (
    "Does it say that anything else was requested or done for the customer, or is under way? Answer YES or NO, and "
    "nothing more."
)
_YES = re.compile(r"\W*yes\b", re.IGNORECASE)
PLAIN = (
    "Nothing has been requested or changed in this conversation so far: no refund, return or cancellation. "
    "Tell me what you would like and for which order, and I will ask for it."
)
NOTHING_ELSE = "Nothing else has been requested or changed in this conversation."


@dataclass(frozen=True, slots=True)
class _Language:
    claims: re.Pattern[str]
    states: re.Pattern[str]
    finished: re.Pattern[str]
    unless: re.Pattern[str]
    deeds: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a clause says of which deeds; none when it says only that it was asked for, or done."""

    deeds: frozenset[str]
    is_finished: bool
    sentence: str


_DEEDS = ("money", "cancel", "delete", "change")
_QUESTION_MARKS = ("?", "\uff1f", "\u061f", "\u037e")


def _read() -> tuple[dict[str, re.Pattern[str]], list[_Language], re.Pattern[str]]:
    languages = tomllib.loads(resources.files("bot.agent").joinpath("claims.toml").read_text("utf-8"))
    shared = languages.pop("shared")

    def pattern(parts: Iterable[str]) -> re.Pattern[str]:
        text = "|".join(parts) or "(?!)"
        for name, words in shared.items():
            text = text.replace(f"{{{name}}}", words)
        return re.compile(text, re.IGNORECASE)

    kinds = ("claims", "states", "finished", "unless")
    words = {deed: pattern(part for one in languages.values() for part in one[deed]) for deed in _DEEDS}
    read = [{kind: pattern(one[kind]) for kind in kinds} for one in languages.values()]
    deeds = [pattern(part for deed in _DEEDS for part in one[deed]) for one in languages.values()]
    found = [_Language(**one, deeds=of_deeds) for one, of_deeds in zip(read, deeds, strict=True)]
    return words, found, pattern([shared["reassurance"]])


_WORDS, _LANGUAGES, _REASSURANCE = _read()
_SENTENCES = re.compile(
    r"[^.!?\n\u3002\uff01\uff1f]+(?:[.!?\u3002\uff01\uff1f]+(?!\s|$)[^.!?\n\u3002\uff01\uff1f]*)*[.!?\u3002\uff01\uff1f]*"
)
_CONDITION = re.compile(
    r"(?:if|when|once|as soon as|after|until|unless|before|should|whenever|wenn|falls|sobald|nachdem|bevor|si|quand"
    r"|lorsque|une fois|d\u00e8s|cuando|una vez|se|quando|una volta|assim que|als|zodra|wanneer|je\u015bli|gdy"
    r"|\u0435\u0441\u043b\u0438|\u043a\u043e\u0433\u0434\u0430|om|n\u00e4r)\b(?! again)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"[,;:()\u2013\u2014\u3001\uff0c]|\s-\s|\b(?:but|and|so|aber|und|also|pero|mais|et|ma|mas|maar|ale|och|og|ve|i|en|\u0438|\u043d\u043e|\u0430|because|which)\b",
    re.IGNORECASE,
)


def is_unfounded(text: str, messages: Sequence[ChatMessage]) -> bool:
    """Return whether the text says that something was asked for or done which, in this conversation, was not."""
    said = next((str(one["content"]) for one in reversed(messages) if one["role"] == "user"), "")
    return _is_any_unfounded(list(_claims_in(text, said)), messages)


def is_doubtful(text: str, messages: Sequence[ChatMessage], *, is_whole: bool = True) -> bool:
    """Return whether the text may say, in words that are not known for it, that something was done which was not.

    A whole answer to who wants something done may say so without a word of it, as by "All set!"; after a call that was
    refused there is something else to be said shortly.
    """
    asked = max((place for place, one in enumerate(messages) if one["role"] == "user"), default=0)
    results = (str(one["content"]) for one in messages[asked:] if one["role"] == "tool")
    may_consent = is_whole and messages and not any("error" in one for text in results for one in objects(text))
    consent = _consent_in(text, str(messages[asked].get("content"))) if may_consent else ()
    return _is_any_unfounded([*_statements_in(text), *consent], messages)


def states(text: str) -> bool:
    """Return whether the text, in which no claim is found, states something about a deed and so may claim it."""
    return next(_statements_in(text), None) is not None


def claims(text: str, question: str = "") -> bool:
    """Return whether the text, an answer to the question, says that something was asked for or done."""
    return next(_claims_in(text, question), None) is not None


def correction(messages: Sequence[ChatMessage]) -> str:
    """Tell the model what is true, in place of what it claimed."""
    return f"{CORRECTION} What is true: {_told(messages)} {_THEN}"


def doubt(messages: Sequence[ChatMessage]) -> str:
    """Ask the model whether it claimed anything but what is true."""
    return f"{DOUBT} what is true is this: {_told(messages)} {_IS_IT_ONE}"


def is_yes(text: str) -> bool:
    """Return whether the model, asked so, says that it claimed something; whatever else it says is a no."""
    return _YES.match(text) is not None


def truth(messages: Sequence[ChatMessage]) -> str:
    """Return what a customer is told in place of a claim: the requests of the conversation and how they stand."""
    told = facts(messages)
    return f"{' '.join(told)} {NOTHING_ELSE}" if told else PLAIN


def standing(messages: Sequence[ChatMessage]) -> str:
    """Return how the requests of the conversation stand; nothing where there were none."""
    return " ".join(facts(messages))


def _told(messages: Sequence[ChatMessage]) -> str:
    told = facts(messages)
    return f"{' '.join(told)} {NOTHING_ELSE}" if told else "nothing was requested or done in this conversation."


def _is_any_unfounded(found: Sequence[_Claim], messages: Sequence[ChatMessage]) -> bool:
    if not found:
        return False
    borne, orders = list(grounds(messages)), orders_in(messages)
    return any(not any(_bears(ground, claim, orders) for ground in borne) for claim in found)


def _statements_in(text: str) -> Iterator[_Claim]:
    """Find what is said of a deed without a question, a condition or a no in it."""
    for found in _SENTENCES.findall(re.sub(r"[*_~`]|\S+[@/]\S+", "", text)):
        sentence = found.strip()[:MAX_SENTENCE_CHARACTERS]
        languages = [one for one in _LANGUAGES if one.deeds.search(sentence)]
        qualified = sentence.endswith(_QUESTION_MARKS) or _CONDITION.match(sentence)
        if languages and not qualified and not any(_is_none(one, sentence) for one in languages):
            yield _Claim(_deeds_in(sentence), is_finished=False, sentence=sentence)


def _consent_in(text: str, question: str) -> Iterator[_Claim]:
    """Find what who wants a deed may take for done: a short answer that asks nothing and denies nothing."""
    wanted, words = _deeds_in(question), text.split()
    asks = text.rstrip().endswith(_QUESTION_MARKS) or any(_is_none(one, text) for one in _LANGUAGES)
    if wanted and 0 < len(words) <= MAX_WORDS_OF_CONSENT and not asks:
        yield _Claim(wanted, is_finished=False, sentence=text[:MAX_SENTENCE_CHARACTERS])


def _claims_in(text: str, question: str) -> Iterator[_Claim]:
    text = re.sub(r"[*_~`]", "", text)
    about = _deeds_in(text)
    asked = frozenset(() if about else _deeds_in(question))
    for found in _SENTENCES.findall(text):
        sentence = found.strip()[:MAX_SENTENCE_CHARACTERS]
        # "I have requested it." is a claim in answer to who wants a refund; of a long sentence nobody could tell.
        may_claim = about or (asked and len(sentence.split()) <= MAX_WORDS_ABOUT_IT)
        if may_claim and not sentence.endswith(_QUESTION_MARKS):
            yield from _claims_of(sentence, about or asked)


def _claims_of(sentence: str, about: frozenset[str]) -> Iterator[_Claim]:
    if _CONDITION.match(sentence):
        return
    of_sentence = _deeds_in(sentence)
    for language in _LANGUAGES:
        for pattern in (language.claims, language.states) if of_sentence else (language.claims,):
            for found in pattern.finditer(sentence):
                before, clause = _clause(sentence, found)
                deeds = _deeds_in(clause)
                if _is_none(language, before) or (pattern is language.states and not deeds):
                    continue
                yield _Claim(deeds or of_sentence or about, bool(language.finished.search(found[0])), sentence)


def _is_none(language: _Language, text: str) -> bool:
    """Return whether the text has words that make it no claim; the no of "no problem" is none of them."""
    return language.unless.search(_REASSURANCE.sub("", text)) is not None


def _clause(sentence: str, found: re.Match[str]) -> tuple[str, str]:
    """Return the clause in which something was found: up to its end, and as a whole."""
    breaks = [end.end() for end in _CLAUSE.finditer(sentence, 0, found.start())]
    begins, ends = breaks[-1] if breaks else 0, _CLAUSE.search(sentence, found.end())
    return sentence[begins : found.end()], sentence[begins : ends.start() if ends else len(sentence)]


def _deeds_in(text: str) -> frozenset[str]:
    return frozenset(deed for deed in _DEEDS if _WORDS[deed].search(text))


def _bears(ground: Ground, claim: _Claim, orders: frozenset[str]) -> bool:
    of_deed = ground.deeds is None or not claim.deeds or bool(ground.deeds & claim.deeds)
    named = {order for order in orders if order in claim.sentence}
    of_order = not named or any(order in ground.text for order in named) or not re.search(r"\d{3}", ground.text)
    return of_deed and of_order and (ground.is_done or not claim.is_finished)
