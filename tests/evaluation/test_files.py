"""Files of conversations: what is read of them, and how a mistake is told."""

from pathlib import Path

import pytest

from bot import tools
from bot.evaluation.files import SHIPPED, ConversationError, load
from bot.settings import Settings
from tests.tools.test_contract import BUILT_IN, BUILT_IN_GATED

SETTINGS = Settings(_env_file=None, slack_bot_token="xoxb-1", BOT_ESCALATION_CHANNEL="C1", BOT_HELP_FOLDER=Path("help"))
TOOLS = tools.load(SETTINGS)
KNOWN = {name: frozenset(tool.model_fields) for name, tool in TOOLS.items()}

STEPS = "a:\n  about: x\n  steps:\n    - say: hi\n"
MISTAKES = {
    "a: {about: x, steps: [{say: hi}]": "1: expected ',' or '}', but got '<stream end>'",
    "a: {about: x, steps: []}": "1: a: the first step is something that is said",
    "a: {about: x, steps: [{say: 5}]}": "1: a, step 1, say: it has to be a text; put it in quotes",
    "? [1]\n: x\n": "1: a key is a word",
    "a:\n\t- x": "2: found character '\\t' that cannot start any token",
    "- a": "1: a file is a mapping of names to conversations",
    "a:\n  about: x\n": "1: a, steps: it is missing",
    STEPS + "      awnser_has: x\n": "5: a, step 1, awnser_has: there is no such field",
    STEPS + "    - by: sam\n": "5: a, step 2: a step is either `say` or `click`",
    STEPS + "      by: sma\n": "5: a, step 1, by: there is no person sma; did you mean sam?",
    STEPS + "      answer_has: /(/\n": "5: a, step 1, answer_has.0: the pattern is malformed: missing )",
    STEPS + "      calls: [get_order_status: {order: 1}]\n": (
        "5: a, step 1, calls.0: there is no argument of get_order_status order; did you mean order_id?"
    ),
    STEPS + "      waits: {cancel: sam}\n": "5: a, step 1, waits: there is no tool cancel; did you mean cancel_order?",
    STEPS + "  never: [shell]\n": "5: a, never: there is no tool shell; there are: ",
    STEPS + "a: {about: y, steps: [{say: hi}]}\n": "5: a: this key stands twice",
    STEPS + "  orders: [{id: ORD-1, customer: chloee, status: paid, items: [{name: x, price: 1}]}]\n": (
        "5: a, orders.0.customer: there is no person chloee; did you mean chloe?"
    ),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str) -> None:
    """A mistake in a file is told with the file, the line, the conversation and the field, and what would be right."""
    (tmp_path / "f.yaml").write_text(text)
    with pytest.raises(ConversationError) as error:
        load([tmp_path], KNOWN)
    assert str(error.value).startswith(f"{tmp_path}/f.yaml:{MISTAKES[text]}")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Each mistake of each file has its own line, so that one run finds them all."""
    (tmp_path / "a.yaml").write_text("a: {about: x}\nb: {about: x}\n")
    (tmp_path / "b.yaml").write_text("c: {steps: [{say: hi}]}\n")
    with pytest.raises(ConversationError) as error:
        load([tmp_path], KNOWN)
    assert [line.split("/")[-1] for line in str(error.value).splitlines()] == [
        "a.yaml:1: a, steps: it is missing",
        "a.yaml:2: b, steps: it is missing",
        "b.yaml:1: c, about: it is missing",
    ]


def test_words_that_yaml_takes_for_something_else(tmp_path: Path) -> None:
    """What people say is a text as it stands, also yes, no and on."""
    (tmp_path / "f.yaml").write_text("a: {about: x, steps: [{say: yes}, {say: no}, {say: on}, {say: Off}]}\n")
    [conversation] = load([tmp_path], KNOWN)
    assert [step.say for step in conversation.steps] == ["yes", "no", "on", "Off"]


def test_what_ships_covers_what_there_is() -> None:
    """What ships calls every built-in tool, has each gated one approved, and covers what kinds of thing people do."""
    conversations = load([SHIPPED], KNOWN)
    assert len(conversations) >= 60
    called = {
        one.tool for c in conversations for step in c.steps for call in step.calls for one in call.tools()
    }  # fmt: skip
    done = {one.tool for c in conversations for call in c.done for one in call.tools()}
    assert BUILT_IN - called == set(), "add a conversation that calls it"
    assert BUILT_IN_GATED - done == set(), "add a conversation in which it is done"
    tags = {tag for c in conversations for tag in c.tags}
    assert tags >= {"approved", "declined", "typed-yes", "several-orders", "dm"}
    assert {c.place for c in conversations} == {"channel", "dm"}
    groups = {c.group for c in conversations}
    assert groups >= {"refunds", "injections", "privacy", "languages", "small_talk", "staff", "approvals"}
