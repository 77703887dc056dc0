"""A model's Markdown becomes blocks that Slack takes, and what could act in it does not, whatever it is in."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.blocks.messages import answer_messages, in_words
from bot.store.records import Block
from bot.testing.slack.block_kit import problems, too_long

HOSTS = ("shop.example.com",)
TABLE = "| Order | Total |\n|---|---:|\n| **1001** | $42.00 |\n| 1002 | |"
LINES = st.sampled_from(
    [
        *("", " ", "# Title", "- one", "  - two **bold**", "* `code`", "1. first", "12) x", "```", "~~~ python"),
        *("| a | b |", "|---|---|", "|:-:|", "a|b|c", "---|---|---", "|" * 40, "-|" * 30, "> quoted", "\ue0000\ue001"),
        *("[Track it](https://shop.example.com/t)", "[x](https://evil.example/)", "<!channel> <@U0ANA>", "✓ Refunded"),
        *("**", "&amp;" * 300, '"\\' * 900, "x" * 3_100, "字" * 2_000, "- " + "y" * 2_900, "|" + "z" * 900 + "|"),
    ]
)
TEXTS = st.lists(LINES | st.text(max_size=60), max_size=40).map("\n".join)


def blocks_of(text: str) -> list[Block]:
    """Show a text, all of whose blocks fit into one message."""
    ((_, blocks),) = answer_messages(text, (), HOSTS)
    return list(blocks)


@settings(deadline=None)
@given(TEXTS)
def test_any_answer_is_valid(text: str) -> None:
    """Whatever a model writes, Slack takes its messages, and each has words for who cannot see its blocks."""
    for fallback, blocks in answer_messages(text, (), HOSTS):
        assert problems([dict(block) for block in blocks]) == []
        assert not too_long([dict(block) for block in blocks])
        assert bool(fallback.strip("… \n")) >= bool(in_words(blocks).strip())
        assert "<!" not in json.dumps(blocks) or '"rich_text"' in json.dumps(blocks)
        assert "evil.example" not in json.dumps(blocks)
        assert "✓" not in json.dumps(blocks, ensure_ascii=False)


def test_table() -> None:
    """A table is a table, with its numbers at the right and no empty cell, between what stands around it."""
    before, table, after = blocks_of(f"These:\n\n{TABLE}\n\nWhich one?")
    assert (before["text"]["text"], after["text"]["text"]) == ("These:", "Which one?")
    assert [[cell["text"] for cell in row] for row in table["rows"]] == [
        ["Order", "Total"],
        ["1001", "$42.00"],
        ["1002", "\N{EN DASH}"],
    ]
    assert [column["align"] for column in table["column_settings"]] == ["left", "right"]
    assert in_words([table]).splitlines()[1] == "1001 | $42.00"


def test_long_table() -> None:
    """A long table has pages, goes on in the next message under the same heads, and loses no row."""
    rows = "\n".join(f"| {number} | {'x' * 60} |" for number in range(120))
    messages = answer_messages(f"| No | What |\n|---|---|\n{rows}", ())
    tables = [block for _, blocks in messages for block in blocks]
    assert len(messages) == len(tables) > 1
    assert {(table["type"], table["page_size"], table["caption"]) for table in tables[:-1]} == {
        ("data_table", 10, ", ".join(cell["text"] for cell in tables[0]["rows"][0]))
    }
    assert len(in_words([tables[0]]).splitlines()) == len(tables[0]["rows"])
    assert {table["rows"][0][0]["text"] for table in tables} == {"No"}
    assert [row[0]["text"] for table in tables for row in table["rows"][1:]] == [str(one) for one in range(120)]


def test_list() -> None:
    """Lists are lists: nested, numbered from where they begin, with their bold words and links."""
    (block,) = blocks_of("3. Open **Orders**\n4. See [how](https://shop.example.com/how)\n  - or write")
    numbered, nested = block["elements"]
    assert (numbered["style"], numbered["offset"], numbered["indent"]) == ("ordered", 2, 0)
    assert numbered["elements"][0]["elements"][1] == {"type": "text", "text": "Orders", "style": {"bold": True}}
    assert numbered["elements"][1]["elements"][1]["url"] == "https://shop.example.com/how"
    assert (nested["style"], nested["indent"]) == ("bullet", 1)
    assert in_words([block]).splitlines()[0] == "• Open Orders"


def test_code() -> None:
    """Code keeps its marks and its spaces, and still loses other people's addresses."""
    (block,) = blocks_of("```json\n{\n  '**a**': 'https://evil.example'\n}\n```")
    (code,) = block["elements"]
    assert code["type"] == "rich_text_preformatted"
    assert code["elements"][0]["text"] == "{\n  '**a**': '[link removed]'\n}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "See [your parcel](https://shop.example.com/t?a=1&b=2).",
            "See <https://shop.example.com/t?a=1&amp;b=2|your parcel>.",
        ),
        ("See [your parcel](https://evil.example/t).", "See your parcel ([link removed])."),
        ("[evil.com](https://shop.example.com/)", "<https://shop.example.com/|[link removed]>"),
        ("[javascript](javascript:x)", "javascript ([link removed])"),
    ],
)
def test_links(text: str, shown: str) -> None:
    """A link to an allowed host can be followed; of others the label stays."""
    assert blocks_of(text)[0]["text"]["text"] == shown


def test_struck_words_and_rules() -> None:
    """Struck words are struck, and a line across the page is a break between paragraphs, never three hyphens."""
    before, after = blocks_of("It was ~~$5~~ $4.\n\n---\n\nThat is all.\n***\n")
    assert (before["text"]["text"].strip(), after["text"]["text"].strip()) == ("It was ~$5~ $4.", "That is all.")


def test_long_answers_split_at_paragraphs() -> None:
    """A long text is cut between its paragraphs, and a message that follows has words of its own."""
    paragraphs = [f"{number} " + "word " * 150 for number in range(14)]
    messages = answer_messages("\n\n".join(paragraphs), ())
    assert len(messages) > 1
    for _, blocks in messages:
        for block in blocks:
            assert block["text"]["text"].rstrip().endswith("word")
            assert block["text"]["text"].split()[0].isdigit()
    assert messages[1][0].split()[0].isdigit()
