"""The chat templates of many models show all of a conversation as it is rendered for the wire."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jinja2
import jinja2.ext
import pytest

from bot.model.dialect import Dialect
from bot.model.wire import render
from bot.store.records import ChatMessage
from tests.model.items import SYSTEM, answer, call, calling, note, result, said

TEMPLATES = Path(__file__).parents[3] / "shared" / "data" / "chat_templates"
# Templates of models that call no tools: they show none, or have no system message.
WITHOUT_TOOLS = {
    "HuggingFaceTB-SmolLM3-3B",
    "LFM2-8B-A1B",
    "deepseek-ai-DeepSeek-R1-Distill-Llama-8B",
    "google-gemma-2-2b-it",
    "llama-cpp-rwkv-world",
}

STORY = (
    SYSTEM,
    {"role": "system", "content": "The beginning of this conversation is left out. Its facts: FACTS"},
    said("WORDS-1"),
    said("WORDS-2", "U0BEN"),
    calling(call("call_1", order_id="ORD-1"), call("call_2", order_id="ORD-2")),
    result("call_1", "RESULT-1"),
    result("call_2", "RESULT-2"),
    note("NOTE-1"),
    answer("ANSWER-1"),
    said("WORDS-3"),
    calling(call("call_3", "initiate_refund", order_id="ORD-3")),
    result("call_3", "RESULT-3"),
    said("WORDS-4"),
    answer("ANSWER-2"),
    note("NOTE-2"),
    said("WORDS-5"),
)
MARKS = (
    *("INSTRUCTIONS", "FACTS", "U0ANA", "U0BEN", "NOTE-1", "NOTE-2", "ANSWER-1", "ANSWER-2", "ORD-1", "ORD-2", "ORD-3"),
    *("WORDS-1", "WORDS-2", "WORDS-3", "WORDS-4", "WORDS-5", "RESULT-1", "RESULT-2", "RESULT-3"),
)
PENDING = 6  # items, after which the second call of a turn has no result yet
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": "Does something.",
            "parameters": {"type": "object", "properties": {"order_id": {"type": "string", "description": "Which."}}},
        },
    }
    for name in ("get_order_status", "initiate_refund")
]


class Generation(jinja2.ext.Extension):
    """The tag with which some templates mark what the model wrote; it changes nothing."""

    tags = {"generation"}  # noqa: RUF012 - as jinja2 declares it

    def parse(self, parser: Any) -> Any:
        """Take what stands between the tags as it is."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def prompt(template: str, messages: list[dict[str, Any]]) -> str:
    """Render a prompt as a local server does."""

    def refuse(text: str) -> None:
        raise jinja2.TemplateError(text)

    environment = jinja2.Environment(  # noqa: S701 - a prompt is no page
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", Generation]
    )
    environment.filters["tojson"] = lambda value, **how: json.dumps(
        value, **{key: one for key, one in how.items() if key in ("indent", "separators", "sort_keys")}
    )
    environment.globals |= {"raise_exception": refuse, "strftime_now": lambda _: "25 Nov 2026"}
    return environment.from_string(template).render(
        messages=messages, tools=TOOLS, add_generation_prompt=True, bos_token="<s>", eos_token="</s>"
    )


def forms(messages: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Give the messages with arguments as text, and then as objects, as a server gives them to its template."""
    yield messages
    yield [
        {
            **message,
            "tool_calls": [
                {
                    **one,
                    "function": {**one["function"], "arguments": json.loads(one["function"]["arguments"])},
                }
                for one in message["tool_calls"]
            ],
        }
        if "tool_calls" in message
        else message
        for message in messages
    ]


def missing(template: str, story: Sequence[ChatMessage]) -> list[str]:
    """List what a prompt does not show of a story, or why there is none; what the template refuses is learnt."""
    dialect, found = Dialect(), list[list[str]]()
    marks = [mark for mark in MARKS if mark in json.dumps(story)]
    for _ in range(2):
        found = []
        for messages in forms(render(story, dialect, "a-model")):
            try:
                text = prompt(template, messages)
                found.append([mark for mark in marks if mark not in text])
            except (jinja2.TemplateError, TypeError) as error:
                found.append([str(error)])
        dialect = dialect.learn(found[0][0] if found[0] else "", "", {"messages": messages})
    return min(found, key=len)


@pytest.mark.skipif(not TEMPLATES.is_dir(), reason="the chat templates are not beside this repository")
@pytest.mark.parametrize("name", sorted(path.stem for path in TEMPLATES.glob("*.jinja")))
def test_every_template_shows_all_of_it(name: str) -> None:
    """A model's own chat template takes the messages, and shows instructions, words, calls, results and notes.

    So it does at each place of the story at which the model is asked.
    """
    template = (TEMPLATES / f"{name}.jinja").read_text("utf-8")
    asked = [number for number, item in enumerate(STORY, 1) if item["role"] in ("user", "tool") and number > 2]
    lost = {number: missing(template, STORY[:number]) for number in asked if number != PENDING}
    assert (not any(lost.values())) is (name not in WITHOUT_TOOLS), lost
