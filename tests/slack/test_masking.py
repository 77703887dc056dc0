"""Card numbers and secrets that people paste reach neither the log nor the model."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.masking import mask
from bot.testing.openai import Answer, Request
from tests.world import ANA, SUPPORT, World

SEPARATORS = st.sampled_from(["", "", " ", "-", ".", "/", "  ", " - ", "\u00a0", "\n", "_", "\u2013"])
BEFORE = st.sampled_from(["", "my card is ", "card:", "(", "order 10234, ", "order 10234 ", "7 ", "_", "№", "visa"])
AFTER = st.sampled_from(["", ".", " 12/27 123", " 123", " exp 12/27", ")", "_", "x", ", order 10234", "\n10"])


def luhn(digits: str) -> str:
    """Add the digit that makes a number pass the check."""
    total = sum(sum(divmod(int(one) * (2 - place % 2), 10)) for place, one in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def grouped(draw: st.DrawFn, digits: str) -> str:
    """Write a number in groups of any kind."""
    return digits[0] + "".join(draw(SEPARATORS) + digit for digit in digits[1:])


@st.composite
def cards(draw: st.DrawFn, first: str = "23456") -> tuple[str, str]:
    """Make the number of a card, and the number as somebody writes it."""
    digits = luhn(draw(st.sampled_from(first)) + draw(st.text("0123456789", min_size=11, max_size=17)))
    return digits, grouped(draw, digits)


@given(cards(), BEFORE, AFTER)
def test_cards(card: tuple[str, str], before: str, after: str) -> None:
    """The number of a payment card is masked in any grouping, whatever stands beside it; its last four digits stay."""
    digits, written = card
    masked = mask(before + written + after)
    assert digits not in re.sub(r"\D", "", masked)
    assert written not in masked
    assert "[card number ending " in masked


@given(cards("0123456789"))
def test_any_number_with_a_check_digit(card: tuple[str, str]) -> None:
    """A number that stands alone and passes the check is masked, whoever would issue it."""
    digits, written = card
    assert mask(f"It is {written}!") == f"It is [card number ending {digits[-4:]} removed]!"


@given(cards(), cards())
def test_two_cards(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Two numbers in one message are both masked."""
    masked = re.sub(r"\D", "", mask(f"{one[1]} or {other[1]}"))
    assert one[0] not in masked
    assert other[0] not in masked


@given(st.text(max_size=200))
def test_other_text(text: str) -> None:
    """A text with fewer digits than a card has is left alone, and masking twice is masking once."""
    few = re.sub(r"\d", "", text)
    assert mask(few) == few
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "where is ORD-10234, and ORD-4242424242424242?",
        "1Z999AA10123456784",
        "JD014600006281230704",
        "9400111202555842332669",
        "1234 5678 9012 3456",
        "call +1 415 555 2671 or 0049 30 1234567",
        "it cost $1,234.50 on 2026-11-22",
        "I forgot my password, please help",
    ],
)
def test_what_stays(text: str) -> None:
    """Numbers of orders and parcels, numbers that fail the check, phones, prices and ordinary words stay."""
    assert mask(text) == text


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-1234567890-abcdefghij",
        "xapp-1-A0BOT-1234567890",
        "sk-proj-abcdefghijklmnop1234",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    ],
)
def test_keys(secret: str) -> None:
    """Tokens and keys are masked wherever they stand in a text."""
    assert mask(f"Here: {secret}, ok?") == "Here: [secret removed], ok?"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("my password is hunter2 ok", "hunter2"),
        ("Password: hunter2", "hunter2"),
        ("cvv is 123", "123"),
        ("CVC: 1234", "1234"),
        ("security code 987", "987"),
        ("the PIN is 4711", "4711"),
    ],
)
def test_words_before_a_secret(text: str, secret: str) -> None:
    """What follows the word for a secret is masked."""
    assert secret not in mask(text)
    assert "[secret removed]" in mask(text)


async def test_nothing_is_kept(world: World) -> None:
    """Neither the database file nor any request to the model nor any post holds the card or the password."""
    secrets = (
        "4242 4242 4242 4242",
        "4242424242424242",
        "5454.5454.5454.5454",
        "378282246310005",
        "hunter2",
        "cvv 999",
    )

    def echo(request: Request) -> Answer:
        return Answer(request.messages[-1]["content"])

    world.script += [echo, echo]
    text = f"@bot take {secrets[0]} 12/27, {secrets[2]} or <tel:{secrets[3]}|3782 822463 10005>, {secrets[5]}"
    async with world.bot():
        question = await world.says(ANA, text)
        await world.replies(question)
        await world.says(ANA, f"{secrets[1]} my password is {secrets[4]}", SUPPORT, thread_ts=question.ts)
        await world.replies(question, 2)
        live = b"".join(path.read_bytes() for path in world.database.parent.glob("support.db*"))
    kept = live + world.database.read_bytes()
    sent = json.dumps([request.raw for request in world.model.requests])
    posted = json.dumps([call.arguments for call in world.workspace.calls])
    for secret in secrets:
        assert secret.encode() not in kept
        assert secret not in sent
        assert secret not in posted
    assert "[card number ending 4242 removed]" in sent
