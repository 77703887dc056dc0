"""The policy that the model is given, and whether an answer gives it away."""

import re
from importlib import resources

INSTRUCTIONS = resources.files("bot.agent").joinpath("instructions.md").read_text("utf-8")
LEAK_REPLACEMENT = "I can't share how I am set up. What can I do about an order for you?"
_WORDS_IN_A_ROW = 8


def _ngrams(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[start : start + _WORDS_IN_A_ROW]) for start in range(len(words) - _WORDS_IN_A_ROW + 1)}


_OURS = _ngrams(INSTRUCTIONS)


def without_instructions(answer: str) -> str:
    """Return the answer, or other words in its place when it quotes the instructions at length."""
    return LEAK_REPLACEMENT if _ngrams(answer) & _OURS else answer
