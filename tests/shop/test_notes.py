"""What stands beside a change at a shop, by which it is found again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.shop.notes import MAX_CHARACTERS, is_under, lines_in, note
from bot.shop.shop import ShopRefusedError

KEY = f"support-bot:{'a' * 32}"


@given(st.sets(st.integers(1, 1_000), max_size=400))
def test_lines_come_back(lines: set[int]) -> None:
    """A note tells its lines again, or is refused where it would be too long for its key to stand in it."""
    try:
        written = note("changed_mind", KEY, sorted(lines))
    except ShopRefusedError:
        assert len(lines) > 20
        return
    assert len(written) <= MAX_CHARACTERS
    assert lines_in(written) == lines
    assert is_under(written, KEY)


def test_all_lines_of_a_large_order_have_room() -> None:
    """Three hundred lines in a row are one range."""
    assert note("defective", "k", range(1, 301)) == "defective, lines 1-300 [support-bot:k]"


@pytest.mark.parametrize("text", [None, "", "[support-bot:]", "of staff, lines 1", "lines 1-2 [support-bot:other]"])
def test_what_others_wrote(text: str | None) -> None:
    """A note of somebody else's is under none of our keys, and names no lines."""
    assert not is_under(text, "k")
    assert not is_under(text, "")
    assert lines_in(text) == set()


def test_notes_of_before() -> None:
    """Lines that were written one by one are read as well."""
    assert lines_in("defective, lines 1 2 7 [support-bot:k]") == {1, 2, 7}


def test_notes_of_nobody() -> None:
    """What looks like a note and is none costs no time and names no lines that there cannot be."""
    assert lines_in("x, lines - -3 4- 5-- 9-99999999999 [support-bot:k]") == {4, *range(9, 10_001)}
