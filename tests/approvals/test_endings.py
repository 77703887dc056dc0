"""The table of endings: each says what happened, on the card and to the model, in words that others cannot forge."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.approvals.endings import Ending
from bot.store.calls import CallStatus
from tests.approvals.test_gated_call_machine import proposed_refund

NOTHING_MOVED = (CallStatus.CANCELLED, CallStatus.DECLINED, CallStatus.EXPIRED)


@pytest.mark.parametrize("ending", Ending)
def test_words(ending: Ending) -> None:
    """Each ending names the request to the model, and one in which nothing moved says so to both."""
    call = proposed_refund()
    card, model = ending.on_card(call, "U0SAM", "because"), ending.for_model(call, "because")
    assert model.startswith("Refund of $42.00 for ORD-10188")
    assert ("Nothing was done." in card) == (ending.value.status in NOTHING_MOVED)
    assert ("nothing was done" in model) == (ending.value.status in NOTHING_MOVED)
    assert ("✓" in card) == (ending.value.status == CallStatus.SUCCEEDED)


@given(st.sampled_from(Ending), st.text(max_size=80), st.text(max_size=80))
def test_any_words(ending: Ending, what: str, why: str) -> None:
    """Whatever a summary or a reason holds, the card's line is one line, and braces in it are only braces."""
    line = ending.on_card(replace(proposed_refund(), summary=what), None, why)
    assert "\n" not in line
    ending.for_model(replace(proposed_refund(), summary=what), why)
