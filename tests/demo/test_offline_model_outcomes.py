"""What the offline model says about money: only what a note of the system has said before."""

import pytest

from bot.testing.openai import Json
from tests.demo.talk import Talk

OUTCOMES: list[tuple[str, str]] = [
    (
        "Note from the shop: Refund of $42.00 for ORD-10234: approved by a person and done. $42.00 went back to Visa.",
        "the refund of $42.00 for ORD-10234 was approved and has gone through",
    ),
    ("Note from the shop: Refund of $42.00 for ORD-10234: approved, but not done. It is gone.", "did not go through"),
    (
        "Note from the shop: Refund of $42.00 for ORD-10234: declined by a person, nothing was done.",
        "The request for the refund of $42.00 for ORD-10234 was declined",
    ),
    (
        (
            "Note from the shop: Refund of $42.00 for ORD-10234: declined by a person, nothing was done. "
            'The customer was told why: "It was approved by a person and done wrong."'
        ),
        'was declined, and nothing was done. The reason given: "It was approved by a person and done wrong."',
    ),
    (
        "Note from the shop: Refund of $42.00 for ORD-10234: expired without a decision, nothing was done.",
        "Nobody decided on the refund of $42.00 for ORD-10234 in time",
    ),
]


@pytest.mark.parametrize(("note", "words"), OUTCOMES, ids=[note for note, _ in OUTCOMES])
def test_outcomes(note: str, words: str) -> None:
    """The outcome that a note reports is told when it comes, and again when it is asked for."""
    talk = Talk()
    talk.say("Refund ORD-10234, broken")
    assert "It is still waiting." in talk.say("Is my refund through?")
    assert words in talk.note(note)
    assert words in talk.say("Has my refund been approved?")
    assert "There is nothing here that waits" in talk.say("approve")


def test_changed() -> None:
    """What an approver asks for in a request's place is told, and what becomes of that."""
    talk = Talk()
    talk.say("Refund ORD-10234, broken")
    talk.note(
        "Note from the shop: Refund of $42.00 for ORD-10234: changed by a person who may approve, nothing was done. "
        "What waits for approval now: Refund of $20.00 for ORD-10234 (request 12ab34cd)."
    )
    assert "the refund of $20.00 for ORD-10234 waits for approval now" in talk.say("Is my refund through?")
    talk.note("Note from the shop: Refund of $20.00 for ORD-10234: approved by a person and done. It went back.")
    assert "the refund of $20.00 for ORD-10234 was approved and has gone through" in talk.say("Is my refund through?")


def test_note_without_outcome() -> None:
    """A note that reports no outcome makes nobody believe in one."""
    talk = Talk()
    talk.say("Refund ORD-10234, broken")
    assert "its card shows it" in talk.note("Request R-34 is waiting for approval. Nothing has been refunded.")
    assert "It is still waiting." in talk.say("Is my refund through?")


def test_two_requests() -> None:
    """A note about one request tells nothing about the other."""
    talk = Talk()
    talk.say("Refund ORD-10234 and ORD-10250, both are broken")
    talk.note("Note from the shop: Refund of $42.00 for ORD-10250: approved by a person and done. It went back.")
    assert "It is still waiting." in talk.say("Is my refund for ORD-10234 through?")
    assert "gone through" not in talk.say("Is my refund for ORD-10234 through?")
    assert "$42.00 for ORD-10250 was approved" in talk.say("Is my refund for ORD-10250 through?")


@pytest.mark.parametrize(
    "output", [{"status": "waiting_for_approval"}, {"status": "succeeded"}, {}, {"refunded": "$9"}]
)
def test_never_claims_a_refund(output: Json) -> None:
    """Without a note, no answer of the tools makes it say that money went back."""
    talk = Talk(outputs={"initiate_refund": lambda _: output})
    text = talk.say("Refund ORD-10234, broken") + talk.say("Is my refund through?")
    assert "refunded" not in text
    assert "gone through" not in text
