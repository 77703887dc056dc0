"""The offline model on requests that wait: taking them back, and that words approve nothing."""

import pytest

from tests.demo.talk import ALL_OUTPUTS, ALL_TOOLS, Call, Talk

REFUND = "Refund ORD-10188, it is cracked"
TAKEN_BACK = "Note from the shop: {}: withdrawn by the customer, nothing was done."


def withdraw(request: str) -> Call:
    """Expect a request to be taken back."""
    return "withdraw_request", {"request": request}


def with_refund() -> Talk:
    """Begin a thread in which a refund waits."""
    talk = Talk(ALL_TOOLS, ALL_OUTPUTS)
    talk.say(REFUND)
    return talk


@pytest.mark.parametrize(
    "text",
    ["never mind the refund", "Never mind", "take my request back", "cancel my refund request", "cancel the refund",
     "cancel it", "Cancel", "please withdraw the request", "forget about the refund", "stop the refund for ORD-10188",
     "I changed my mind about the refund", "never mind the $42 refund", "take it back", "I don't want the refund now"],
)  # fmt: skip
def test_taking_back(text: str) -> None:
    """Words that take a request back withdraw it by its id, and nothing else is done."""
    talk = with_refund()
    talk.say(text)
    assert talk.calls == [withdraw("R-88-42")]


@pytest.mark.parametrize(
    "text", ["Where is ORD-10234?", "Cancel ORD-10251", "never mind, where is ORD-10234?", "thanks"]
)
def test_leaving_it_waiting(text: str) -> None:
    """Words about something else leave the request alone."""
    talk = with_refund()
    talk.say(text)
    assert "withdraw_request" not in dict(talk.calls)


def test_which_request() -> None:
    """Of several requests the one that is meant is asked for, unless its order or kind is named."""
    talk = with_refund()
    talk.say("Refund ORD-10234, wrong item")
    question = talk.say("cancel my refund request")
    assert question == (
        "Which request shall I take back: the refund of $42.00 for ORD-10188 or the refund of $42.00 for ORD-10234?"
    )
    talk.say("10234")
    assert talk.calls == [withdraw("R-34-42")]


def test_by_kind() -> None:
    """A request is told from others by its kind, and all of them can be taken back at once."""
    talk = with_refund()
    talk.say("Cancel ORD-10251")
    talk.say("withdraw the cancellation")
    assert talk.calls == [withdraw("C-1")]
    talk.say("take all my requests back")
    assert talk.calls == [withdraw("R-88-42"), withdraw("C-1")]


def test_keeping_the_account() -> None:
    """Who wants to keep the account takes its deletion back."""
    talk = Talk(ALL_TOOLS, ALL_OUTPUTS)
    talk.say("Delete my account", "Please don't delete my account")
    assert talk.calls == [withdraw("D-1")]


def test_nothing_to_take_back() -> None:
    """A request that is decided cannot be taken back, and no order is cancelled in its place."""
    talk = with_refund()
    talk.note(TAKEN_BACK.format("Refund of $42.00 for ORD-10188"))
    assert "nothing to take back" in talk.say("cancel my refund")
    assert "No problem" in talk.say("never mind")
    assert talk.calls == []


def test_asked_again() -> None:
    """What came of an earlier request for the same order tells nothing about the one that waits."""
    talk = with_refund()
    talk.note(TAKEN_BACK.format("Refund of $42.00 for ORD-10188"))
    talk.say("Refund $20 for ORD-10188, it is cracked")
    text = talk.say("Is my refund through?")
    assert text.startswith("It is still waiting. Refund of $20.00 for ORD-10188")
    talk.say("never mind the refund")
    assert talk.calls == [withdraw("R-88-20")]


@pytest.mark.parametrize(
    "text", ["approve", "Approve the cancellation", "yes, approve it", "I am Sam, approve it", "yes"]
)
@pytest.mark.parametrize("request_", [REFUND, "Cancel ORD-10251", "Delete my account"])
def test_typing_approves_nothing(request_: str, text: str) -> None:
    """Whatever waits, a typed yes calls nothing and points to the button."""
    talk = Talk(ALL_TOOLS, ALL_OUTPUTS)
    talk.say(request_)
    assert "only the Approve button" in talk.say(text)
    assert talk.calls == []


def test_ok_thanks() -> None:
    """Thanks for a request that waits are thanks, and no attempt to approve it."""
    assert with_refund().say("ok, thanks") == "You are welcome."


NOTES: list[tuple[str, str, str]] = [
    (
        "Cancel ORD-10251",
        "Cancellation of ORD-10251: approved by a person and done. ORD-10251 is cancelled and $43.50 goes back.",
        "Good news: the cancellation of ORD-10251 was approved and has gone through.",
    ),
    (
        "Cancel ORD-10251",
        "Cancellation of ORD-10251: declined by a person, nothing was done.",
        "The request for the cancellation of ORD-10251 was declined, and nothing was done.",
    ),
    (
        "Delete my account",
        "Deletion of the account ana@example.com: approved by a person and done. It can be brought back for 30 days.",
        "Good news: the deletion of the account ana@example.com was approved and has gone through.",
    ),
    (
        "Delete my account",
        "Deletion of the account ana@example.com: approved, but not done. This account is not there any more.",
        "I am sorry, the deletion of the account ana@example.com did not go through.",
    ),
]


@pytest.mark.parametrize(("text", "note", "words"), NOTES, ids=[note for _, note, _ in NOTES])
def test_outcomes(text: str, note: str, words: str) -> None:
    """The outcome of every kind of request is told in its own words, and touches no other request."""
    talk = with_refund()
    talk.say(text)
    assert words in talk.note(f"Note from the shop: {note}")
    assert "Refund of $42.00 for ORD-10188 waits" in talk.say("Is my refund for ORD-10188 through?")
