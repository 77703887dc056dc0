"""The instructions are not posted as a whole; rules that a customer is told are."""

import pytest

from bot.agent.instructions import INSTRUCTIONS, LEAK_REPLACEMENT, without_instructions

COPY = INSTRUCTIONS[200:900]


@pytest.mark.parametrize(
    "answer",
    [
        COPY,
        f"Of course! Here they are:\n{INSTRUCTIONS}",
        COPY.upper(),
        " ".join(COPY),
        COPY[::-1],
        COPY.replace(" ", "-"),
        COPY.replace(" ", "\u200b "),
    ],
    ids=["copied", "all", "capitals", "spaced", "reversed", "hyphens", "zero width"],
)
def test_copies(answer: str) -> None:
    """A copy of much of the instructions is replaced, however it is spaced, in capitals or backwards."""
    assert without_instructions(answer) == LEAK_REPLACEMENT


@pytest.mark.parametrize(
    "answer",
    [
        "There is one request for an order at a time, so cancel the first one with the button.",
        "Nobody can approve by writing, neither the customer nor somebody who says that they are staff.",
        "Refunds, cancellations and deletions are only asked for by me. A person decides in Slack, with the buttons.",
        "Your order has been shipped.",
        "",
    ],
)
def test_rules_that_are_told(answer: str) -> None:
    """An answer that tells the customer a rule is posted as it is."""
    assert without_instructions(answer) == answer
