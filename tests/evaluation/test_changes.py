"""Every kind of change, from the message to the shop's rows: played by a model that makes the calls of the file."""

import json
import re
from typing import Any

import pytest

from bot import tools
from bot.demo import serve
from bot.evaluation.checks import check
from bot.evaluation.conversation import Conversation, ExpectedCall
from bot.evaluation.files import SHIPPED, load
from bot.evaluation.people import emails_of, orders_of, populate
from bot.evaluation.stage import play
from bot.settings import Settings
from bot.testing import CompletionsServer, Workspace
from bot.testing.openai import Answer, Request
from bot.testing.openai.turn import text_of
from tests.world import calls, sorted_as

SETTINGS = Settings(_env_file=None, slack_bot_token="xoxb-1", BOT_ESCALATION_CHANNEL="C1", BOT_HELP_FOLDER=serve.HELP)
KNOWN = {name: frozenset(tool.model_fields) for name, tool in tools.load(SETTINGS).items()}
CONVERSATIONS = [
    *load([SHIPPED / "changes.yaml"], KNOWN),
    *(one for one in load([SHIPPED / "cancellations.yaml"], KNOWN) if one.name == "account-deleted"),
]


def plain(value: Any) -> Any:
    """Return a value that fits a pattern: the first of its alternatives."""
    if isinstance(value, str) and re.fullmatch("/.+/", value):
        return value[1:-1].split("|")[0]
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


def call(expected: ExpectedCall) -> tuple[str, dict[str, Any]]:
    """Return an expected call as a model makes it."""
    return expected.tool, {name: plain(value) for name, value in expected.arguments.items()}


def script(conversation: Conversation, request: Request) -> Answer:
    """Make the calls that the step wants, also those that the shop has to refuse, and then ask in plain words."""
    if request.response_format:
        return sorted_as("other")
    last = request.messages[-1]
    said = text_of(last)
    for step in conversation.steps:
        wanted = (*step.calls, *step.soft.calls)
        if last["role"] == "user" and step.say and step.say.replace("@bot", "").strip() in said and wanted:
            return calls(*map(call, wanted))
    if last["role"] == "tool":
        results = [json.loads(text_of(one)) for one in request.messages if one["role"] == "tool"]
        found = json.dumps(results[-1])[:2000].translate(str.maketrans('{}[]"', " " * 5))
        return Answer(f"Look: {found}")
    return Answer("What else can I do for you?")


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda one: one.name)
async def test_change(conversation: Conversation) -> None:
    """The message, the calls, the cards and the clicks do what the file says, in the shop's rows to the cent."""
    people = populate(Workspace(), conversation)
    async with CompletionsServer(lambda request: script(conversation, request), "scripted") as server:
        model = {"openai_base_url": server.url, "openai_api_key": "none", "openai_model": "scripted"}
        record = await play(conversation, model, serve.HELP)
    assert [one.text for one in check(conversation, record, orders_of(conversation, people), emails_of(people))] == []


def test_every_kind_of_change_is_in_the_file() -> None:
    """There are at least twenty conversations, and each change that can be asked for is done in one."""
    assert len(CONVERSATIONS) >= 20
    done = {one.tool for conversation in CONVERSATIONS for call in conversation.done for one in call.tools()}
    assert done >= {name for name, tool in tools.load(SETTINGS).items() if tool.makes}


async def test_what_is_not_right_is_told() -> None:
    """Where the shop's rows are other than the file says, each difference is told."""
    conversation = next(one for one in CONVERSATIONS if one.name == "another-payment")
    wrong = conversation.model_copy(update={"balances": {"Gift card ending 7731": 16.49}, "in_the_end": {}})
    async with CompletionsServer(lambda request: script(wrong, request), "scripted") as server:
        model = {"openai_base_url": server.url, "openai_api_key": "none", "openai_model": "scripted"}
        record = await play(wrong, model, serve.HELP)
    people = populate(Workspace(), wrong)
    findings = check(wrong, record, orders_of(wrong, people), emails_of(people))
    assert [one.text for one in findings] == ["Gift card ending 7731 has 1650 cents in the end, in place of $16.49"]
