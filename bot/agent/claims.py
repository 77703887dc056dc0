"""Whether an answer claims what nobody did: that money went back, or an order was cancelled, or that it was asked for.

The words of thirteen languages are looked for, and the log decides whether they are true. It is a net below the model
and not the gate: a claim in other words than these gets through, and moves no money.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from bot.store.records import NOTE, ChatMessage

GROUNDS = (NOTE, "Asked for: ")  # what stands in lines that tell of a request
MAX_SENTENCE_CHARACTERS = 500
MAX_WORDS_ABOUT_IT = 6
CORRECTION = (
    "What you just wrote was not sent, because it says that something was requested or done for the customer, and "
    "nothing was: no request of this kind was made in this conversation. If the customer wants it and you know what "
    "you need, ask for it now with the tool. If not, answer anew with only what is true."
)
PLAIN = (
    "Nothing has been requested or changed in this conversation so far: no refund, return or cancellation. "
    "Tell me what you would like and for which order, and I will ask for it."
)


@dataclass(frozen=True, slots=True)
class _Language:
    claims: re.Pattern[str]
    states: re.Pattern[str]
    unless: re.Pattern[str]


def _read() -> tuple[re.Pattern[str], list[_Language]]:
    languages = tomllib.loads(resources.files("bot.agent").joinpath("claims.toml").read_text("utf-8"))
    shared = languages.pop("shared")

    def pattern(parts: Iterable[str]) -> re.Pattern[str]:
        text = "|".join(parts) or "(?!)"
        for name, words in shared.items():
            text = text.replace(f"{{{name}}}", words)
        return re.compile(text, re.IGNORECASE)

    about = pattern(part for language in languages.values() for part in language["about"])
    kinds = ("claims", "states", "unless")
    return about, [_Language(*(pattern(one[kind]) for kind in kinds)) for one in languages.values()]


_ABOUT, _LANGUAGES = _read()
_SENTENCES = re.compile(
    r"[^.!?\n\u3002\uff01\uff1f]+(?:[.!?\u3002\uff01\uff1f]+(?!\s|$)[^.!?\n\u3002\uff01\uff1f]*)*[.!?\u3002\uff01\uff1f]*"
)
_CLAUSE = re.compile(
    r"[,;:()\u2013\u2014\u3001\uff0c]|\s-\s|\b(?:but|and|so|aber|und|also|pero|mais|et|ma|mas|maar|ale|because|which)\b",
    re.IGNORECASE,
)
_STATES = {"cancelled", "canceled", "refunded", "returned", "deleted", "closed"}


def is_unfounded(text: str, messages: Sequence[ChatMessage]) -> bool:
    """Return whether the text says that something was asked for or done, in a conversation in which nothing was."""
    said = next((str(one["content"]) for one in reversed(messages) if one["role"] == "user"), "")
    return claims(text, said) and not _has_grounds(messages)


def claims(text: str, question: str = "") -> bool:
    """Return whether the text, an answer to the question, says that something was asked for or done."""
    text = re.sub(r"[*_~`]", "", text)
    about, in_question = bool(_ABOUT.search(text)), bool(_ABOUT.search(question))
    for found in _SENTENCES.findall(text):
        sentence = found.strip()[:MAX_SENTENCE_CHARACTERS]
        # "I have requested it." is a claim in answer to who wants a refund; of a long sentence nobody could tell.
        may_claim = about or (in_question and len(sentence.split()) <= MAX_WORDS_ABOUT_IT)
        if may_claim and not sentence.endswith(("?", "\uff1f")) and _claims(sentence):
            return True
    return False


def _claims(sentence: str) -> bool:
    with_states = bool(_ABOUT.search(sentence))
    for language in _LANGUAGES:
        for pattern in (language.claims, language.states) if with_states else (language.claims,):
            for found in pattern.finditer(sentence):
                breaks = [end.end() for end in _CLAUSE.finditer(sentence, 0, found.start())]
                if not language.unless.search(sentence[breaks[-1] if breaks else 0 : found.end()]):
                    return True
    return False


def _has_grounds(messages: Sequence[ChatMessage]) -> bool:
    """Return whether a request was made in the conversation, or the shop told of something that was done before."""
    return any(
        (message["role"] == "system" and any(part in message["content"] for part in GROUNDS))
        or (message["role"] == "tool" and any(map(_tells, _objects(message["content"]))))
        for message in messages
    )


def _objects(content: str) -> Iterator[dict[str, Any]]:
    try:
        left: list[Any] = [json.loads(content)]
    except (ValueError, RecursionError):
        return
    while left:
        match left.pop():
            case dict() as found:
                yield found
                left += found.values()
            case list() as found:
                left += found


def _tells(result: dict[str, Any]) -> bool:
    refunded = result.get("refunded")
    return (
        result.get("status") == "waiting_for_approval"
        or str(result.get("status")).lower() in _STATES
        or (isinstance(refunded, str) and bool(re.search(r"[1-9]", refunded)))
    )
