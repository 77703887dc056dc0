"""What a tool answers when a call cannot be done is a sentence that a customer can read."""

import re

import pytest

from bot import tools
from bot.tools.tool import ToolError
from tests.test_readme import SETTINGS

EVERYTHING = tools.load(SETTINGS.model_copy(update={"escalation_channel": "C1", "help_folder": "help"}))
TECHNICAL = re.compile(r"JSON|argument|null|tool|field|valid|_|Value error|\bid\b|string|type", re.IGNORECASE)


@pytest.mark.parametrize("name", EVERYTHING)
@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "{",
        "[]",
        '{"order_id": []}',
        '{"order_id": "§§"}',
        '{"order_id": "ORD-1", "amount": -1, "x": 1}',
        '{"x": 1}',
    ],
)
def test_sentence(name: str, arguments: str) -> None:
    """Whatever is wrong with the arguments, the sentence has no word of the trade; the model's hint has them."""
    with pytest.raises(ToolError) as raised:
        EVERYTHING[name].parse(arguments)
    sentence = str(raised.value)
    assert not TECHNICAL.search(sentence), sentence
    assert sentence.endswith(".")
    assert raised.value.content["error"] == sentence
    assert raised.value.content["hint"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ('{"order_id": "§§", "include_tracking": false}', "That can't be right: an order number is"),
        ('{"order_id": {}, "include_tracking": false}', "I did not get right what is wanted."),
    ],
)
def test_what_is_wrong(arguments: str, sentence: str) -> None:
    """What is wrong with a value is said in our words, and anything else in general ones."""
    with pytest.raises(ToolError) as raised:
        EVERYTHING["get_order_status"].parse(arguments)
    assert str(raised.value).startswith(sentence)
    assert "order_id" in raised.value.content["hint"]
