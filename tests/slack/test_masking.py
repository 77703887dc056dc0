"""Card numbers and secrets that people paste reach neither the log nor the model; order numbers do."""

import json
import re
from functools import reduce
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.masking import mask
from bot.testing.openai import Answer, Request
from tests.slack.masking_corpus import CARDS, HARMLESS, NOT_FOUND, SECRETS, TAKEN_FOR_ONE
from tests.world import ANA, SUPPORT, World

README = Path(__file__).parents[2] / "README.md"
SEPARATORS = st.sampled_from([" ", "-", ".", "/", ", ", " - ", "\u00a0", "_", "\u2013"])
BEFORE = st.sampled_from(["", "my card is ", "card:", "(", "order 10234, ", "7 ", "№", "visa", "VISA ", "*"])
AFTER = st.sampled_from(["", ".", " 12/27 123", " 123", " exp 12/27", ")", "_", "x", ", order 10234", "\n10"])
KINDS = [("4", 16, (4, 4, 4, 4)), ("55", 16, (4, 4, 4, 4)), ("37", 15, (4, 6, 5)), ("36", 14, (4, 6, 4))]
PIECES = [
    "4242 ",
    "5555-",
    "password is ",
    "pin:",
    "-----BEGIN PRIVATE KEY-----",
    "sk_",
    "4 ",
    ",",
    "9" * 15,
    "eyJ",
    ":",
]


def luhn(digits: str) -> str:
    """Add the digit that makes a number pass the check."""
    total = sum(sum(divmod(int(one) * (2 - place % 2), 10)) for place, one in enumerate(reversed(digits)))
    return digits + str(-total % 10)


@st.composite
def cards(draw: st.DrawFn) -> tuple[str, str]:
    """Make the number of a card, and the number as it is on its face or in one piece."""
    prefix, length, grouping = draw(st.sampled_from(KINDS))
    rest = length - len(prefix) - 1
    digits = luhn(prefix + draw(st.text("0123456789", min_size=rest, max_size=rest)))
    if draw(st.booleans()):
        return digits, digits
    starts = [sum(grouping[:number]) for number in range(len(grouping))]
    groups = [digits[start : start + size] for start, size in zip(starts, grouping, strict=True)]
    return digits, reduce(lambda written, group: written + draw(SEPARATORS) + group, groups)


@given(cards(), BEFORE, AFTER)
def test_cards(card: tuple[str, str], before: str, after: str) -> None:
    """The number of a payment card is masked, whatever is beside it; its last four digits stay."""
    digits, written = card
    masked = mask(before + written + after)
    assert digits not in re.sub(r"\D", "", masked)
    assert written not in masked
    assert f"[card number ending {digits[-4:]} removed]" in masked


@given(cards(), cards())
def test_two_cards(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Two numbers in one message are both masked."""
    masked = re.sub(r"\D", "", mask(f"{one[1]} or {other[1]}"))
    assert one[0] not in masked
    assert other[0] not in masked


@given(st.lists(st.integers(1, 999_999).map(str), min_size=1, max_size=8), st.sampled_from(["\n", ", ", " "]))
def test_short_order_numbers(numbers: list[str], separator: str) -> None:
    """Order numbers of up to six digits stay, however many are listed, unless four groups of four are a card."""
    text = separator.join(number if len(number) != 4 else f"{number}0" for number in numbers)
    assert mask(text) == text


@given(st.text(max_size=200))
def test_other_text(text: str) -> None:
    """A text without digits or the word for a secret is left alone, and masking twice is masking once."""
    few = re.sub(r"[0-9:=>]", "", text)
    assert mask(few) == few
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_stays(text: str) -> None:
    """Numbers of orders and parcels, dates, phones, prices and ordinary words stay."""
    assert mask(text) == text


@pytest.mark.parametrize(("text", "secret"), [*CARDS, *SECRETS])
def test_what_goes(text: str, secret: str) -> None:
    """Everyday writings of cards and secrets are masked."""
    masked = mask(text)
    assert secret not in masked
    assert "removed]" in masked


def test_rates() -> None:
    """The README says how many of the corpus are masked, of those that should be and of those that should not."""
    meant, others = [*CARDS, *SECRETS, *NOT_FOUND], [*HARMLESS, *TAKEN_FOR_ONE]
    masked = sum(secret not in mask(text) for text, secret in meant)
    left = sum(mask(text) == text for text in others)
    found = re.search(
        r"(\d+) of (\d+) with a card or a secret are masked, and (\d+) of (\d+)", README.read_text("utf-8")
    )
    assert found is not None
    assert tuple(map(int, found.groups())) == (masked, len(meant), left, len(others))


@settings(max_examples=25)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6))
def test_any_shape_costs_in_proportion(pieces: list[str]) -> None:
    """Whatever is repeated to 40,000 characters is masked in one pass: each pattern is bounded."""
    text = ("".join(pieces) * 40_000)[:40_000]
    assert len(mask(text)) <= 20 * len(text)


async def test_nothing_is_kept_of_files(world: World) -> None:
    """What is said in a voice message, what a file begins with and how it is called are kept without secrets, too."""
    said = {"status": "complete", "preview": {"content": "My card is 5454 5454 5454 5454."}}
    files = [
        {"id": "F1", "mimetype": "audio/mp4", "subtype": "slack_audio", "transcription": said, "user": ANA},
        {"id": "F2", "name": "n.txt", "mimetype": "text/plain", "preview": "password: hunter2"},
        {
            "id": "F3",
            "name": "4242424242424242.jpg",
            "mimetype": "image/jpeg",
            "size": 9,
            "url_private": "https://files.slack.com/4242424242424242.jpg",
        },
    ]
    world.script += [Answer("Hello.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot look", files=files))
    (row,) = world.rows("SELECT text, files FROM inbox")
    for secret in ("5454 5454", "hunter2", "4242424242424242"):
        assert secret not in row["text"] + row["files"]
    assert "[card number ending 5454 removed]" in row["text"]


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
