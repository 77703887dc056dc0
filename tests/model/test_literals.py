"""Arguments that are nearly JSON are read as what they mean, or not at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.literals import alone, as_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_dicts_of_python(value: dict[str, Any]) -> None:
    """What Python writes of a dict means the same."""
    read = as_json(repr(value))
    assert read is not None
    assert json.loads(read) == value


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('{"order_id": "1", "lines": [1, 2,],}', {"order_id": "1", "lines": [1, 2]}),
        ('{"amount": null, \'all\': true, "no": false,}', {"amount": None, "all": True, "no": False}),
        ("{}", {}),
    ],
)
def test_nearly_json(text: str, meant: dict[str, Any]) -> None:
    """A comma too many, and quotes of either kind, do not matter."""
    read = as_json(text)
    assert read is not None
    assert json.loads(read) == meant


def test_numbers_to_the_letter() -> None:
    """A number stays as it is written, however many digits it has."""
    assert as_json("{'amount': 42.10000000000000000001}") == '{"amount": 42.10000000000000000001}'


@pytest.mark.parametrize(
    "text",
    [
        "{'a': 1, 'a': 2}",
        "{'a': __import__('os').getcwd()}",
        "{'a': 1 + 1}",
        "{'a': 1_000}",
        "{'a': 0x10}",
        "{'a': 1e999999999999j}",
        "{'a': b'x'}",
        "{'a': ...}",
        "{1: 2}",
        "{**{}}",
        "{'a'}",
        "['a']",
        "{'a': [x for x in y]}",
        "{'a': 'b'",
        "{" * 5_000,
        "{'a': " + "[" * 5_000,
        "{'a': '" + "b" * 30_000 + "'}",
        "42",
        "",
    ],
)
def test_nothing_else(text: str) -> None:
    """What is no object of plain values, has a key twice, is too deep or too long, is not read."""
    assert as_json(text) is None


OBJECT = '{"order_id": "ORD-1"}'


@pytest.mark.parametrize(
    "behind",
    ["}", "</tool_call>", "<|im_end|>", OBJECT, f"\n{OBJECT}", "\n```", "<\uff5ctool\u2581call\u2581end\uff5c>"],
)
def test_nothing_more(behind: str) -> None:
    """An object behind which the same stands again, or marks that end it, is that object."""
    assert alone(OBJECT + behind) == OBJECT


@pytest.mark.parametrize(
    "text",
    [
        OBJECT + '{"order_id": "ORD-2"}',
        OBJECT[:-1],
        OBJECT + ' {"amount": 1}',
        OBJECT + " but not this one",
        f"[{OBJECT}]",
        "{" * 5_000,
        OBJECT + " " * 30_000 + "x",
        OBJECT * 2_000,
        "",
    ],
)
def test_something_more(text: str) -> None:
    """Another object, words, or half of an object make it none."""
    assert alone(text) is None
