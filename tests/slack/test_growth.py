"""No text makes work that grows faster than it: not before the ack, and not where it is read or shown later."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.agent.instructions import without_instructions
from bot.blocks.messages import answer_messages
from bot.blocks.text import bare, one_line
from bot.intent import CustomerIntent, topic_turned
from bot.shop.sqlite.reading import order_number
from bot.slack.content import MAX_TEXT_CHARACTERS, kept_text
from bot.tools.naming import names

KNOWN = CustomerIntent(category="other", urgency="low", order_id=None, summary="")
READERS: dict[str, Callable[[str], Any]] = {
    "before the ack": lambda text: kept_text(text, "U0BOT"),
    "an answer": lambda text: answer_messages(without_instructions(text), (), ("shop.example.com",)),
    "a line of a card": one_line,
    "a plain text": bare,
    "another topic": lambda text: topic_turned(KNOWN, text, order_number),
    "an order's number": order_number,
    "a named order": lambda text: names(text, "ORD-10188"),
    "a named address": lambda text: names(text, "ana@example.com"),
}
WORDS = """
    eyJ - . / : @ a 1 1234 < > | & &lt; # <http: <#C| <@ -----BEGIN~PRIVATE~KEY----- -----BEGIN~ sk- xoxb- bearer~ pin~
    cvv~ password = 4242~ 4242424242424242 visa order~ ORD- www. :// a. com + ( [ ]( * ** _ ` , $ mailto: tel: x@y ~
"""
PIECES = st.sampled_from(
    [*(word.replace("~", " ") for word in WORDS.split()), "\n", "\t", "\u00a0", "\u200b", "\u3002", "\uff0e"]
)
PUMPS = st.lists(PIECES, min_size=1, max_size=4).map("".join)
LENGTHS = [(750, 3_000), (3_000, MAX_TEXT_CHARACTERS)]
FACTOR, NOISE_SECONDS = 4, 0.0003


def seconds(read: Callable[[str], Any], text: str) -> float:
    """Measure the thread's own time for a text, as the least of some tries."""

    def once() -> float:
        began = time.thread_time()
        read(text)
        return time.thread_time() - began

    return min(once() for _ in range(3))


@pytest.mark.parametrize("what", READERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(PIECES, PUMPS, PIECES)
@example("", "eyJ-", "")
@example("", "-----BEGIN PRIVATE KEY-----", "")
@example("", "a.", "")
@example("", "1-1 ", "")
def test_work_grows_with_the_text(what: str, prefix: str, pump: str, suffix: str) -> None:
    """Four times the text is about four times the work, whatever is repeated in it."""
    read = READERS[what]
    for short, long in LENGTHS:
        little = much = 0.0
        texts = [prefix + (pump * length)[:length] + suffix for length in (short, long)]
        for _ in range(4):  # measured again: others may have had the processor
            little, much = (seconds(read, text) for text in texts)
            if much <= 2.5 * FACTOR * max(little, NOISE_SECONDS):
                break
        assert much <= 2.5 * FACTOR * max(little, NOISE_SECONDS), f"{little:.4f} s became {much:.4f} s"
