"""What the README says is so: its commands, its settings, its queries, its example."""

import asyncio
import importlib.util
import re
import shlex
import subprocess
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from bot import tools
from bot.__main__ import main
from bot.approval_settings import ApprovalFields
from bot.approvals.policy import AS_USUAL, TWO_APPROVERS, Refusal
from bot.identity import Person
from bot.limit_settings import LimitFields
from bot.settings import Settings, variable
from bot.shop.changes import CancelOrder, Quote, QuotedItem, Refund, RefundReason
from bot.shop.orders import Customer
from bot.shop.sqlite import SqliteShop
from bot.store.records import ThreadId
from bot.testing import shop as tests_for_shops
from bot.testing.openai import Answer
from bot.tools.tool import Context, GatedTool, Tool, ToolError
from tests.tools.test_contract import BUILT_IN
from tests.world import ANA, World, refund_of

SETTINGS = Settings(_env_file=None, slack_bot_token="xoxb-1")


class NoRequests:
    """Somebody who has nothing to take back."""

    async def withdraw(self, request: str, person: Person) -> str:
        """Find nothing."""
        raise ToolError(f"There is no request {request} of {person.id}.")


ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def code(language: str) -> list[str]:
    """List the README's code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def settings_table() -> str:
    """Write the table of settings as the README has to have it: models, the bot itself, approvals, limits."""
    rows = []
    last = (ApprovalFields, LimitFields)
    for name, field in sorted(
        Settings.model_fields.items(), key=lambda item: [item[0] in fields.model_fields for fields in reversed(last)]
    ):
        default = field.get_default()
        shown = "required" if field.is_required() else "" if default in (None, ()) else f"`{str(default).lower()}`"
        rows.append(f"| `{variable(name)}` | {shown} | {field.description} |\n")
    return "".join(rows)


def test_every_setting_has_its_line() -> None:
    """The table of settings is that of the code."""
    assert f"| variable | default | meaning |\n|---|---|---|\n{settings_table()}\n" in README


def test_tools_of_the_table_are_there() -> None:
    """Each tool of the README's table is there, and a person has to approve it only if the table says so."""
    everything = Settings(_env_file=None, slack_bot_token="xoxb-1", BOT_ESCALATION_CHANNEL="C1", BOT_HELP_FOLDER="help")
    told = dict(re.findall(r"^\| `(\w+)` \| .+ \| (at once|when [^|]+) \|$", README, re.MULTILINE))
    gated = {name: issubclass(tool, GatedTool) for name, tool in tools.load(everything).items()}
    assert set(told) >= BUILT_IN
    assert {name: when != "at once" for name, when in told.items()} == {name: gated[name] for name in told}


def test_the_commands_run_what_is_there() -> None:
    """The two commands of the first screen make a virtual environment, bring uv, and run the demo and the tests."""
    demo, tests = code("sh")[:2]
    start = "python3 -m venv .venv && .venv/bin/pip install --quiet uv && .venv/bin/uv run "
    assert demo == start + "--no-dev support-bot demo\n"
    assert tests == start + "pytest\n"


def test_every_command_is_told_of() -> None:
    """Every command of `support-bot` stands in a code block of the README."""
    told = {name for block in code("sh") for name in re.findall(r"support-bot ([\w-]+)", block)}
    assert told == set(main.commands)


def test_pictures_and_links_are_there() -> None:
    """Every file that the README shows or links to exists."""
    for target in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_command_is_run_or_marked() -> None:
    """What README tells to type is our own command, a query that is run below, a line of CI, or marked as not run."""
    marked = [line for block in code("sh") for line in block.splitlines() if "not run by a test" in line]
    before = re.findall(r"neither command here is run by a test:\n\n```sh\n(.*?)```", README, re.DOTALL)
    marked += [line for block in before for line in block.splitlines()]
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    ours = re.compile(
        r"(?:[A-Z_]+=\S+ )*(?:\S+/uv run --no-dev (?:--extra mcp )?)?support-bot |sqlite-utils |uvx .*datasette "
    )
    for block in code("sh")[2:]:
        for line in filter(None, map(str.strip, block.splitlines())):
            what = re.search(r"@vendure/core\S+ \S+|tests[/.]\S+", line)
            in_ci = what is not None and (what[0] in ci or what[0].replace(".", "/") in ci)
            assert ours.match(line) or in_ci or line in marked or re.match(r"[A-Z_]+=\S+$", line), line


@pytest.mark.sqlite_file
async def test_queries_run(world: World) -> None:
    """Every sqlite-utils command of the README runs on the log of a story, and the first ones show it."""
    world.script += [refund_of("ORD-10188"), Answer("I asked for it.")]
    async with world.bot():
        await world.card(await world.says(ANA, "@bot refund"))
    commands = [line for block in code("sh") for line in block.splitlines() if line.startswith("sqlite-utils ")]
    assert len(commands) >= 5
    for line in commands:
        words = ["-m", "sqlite_utils", *shlex.split(line)[1:]]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, cwd=world.database.parent, stdout=PIPE, stderr=PIPE
        )
        output, errors = await process.communicate()
        assert process.returncode == 0, errors
        if "like" not in line:
            assert output.strip() != b"[]", line


def test_example_tool_is_in_the_house_style() -> None:
    """The README's complete tool passes the checks of this repository as a file of `bot/tools`."""
    ruff = str(Path(sys.executable).with_name("ruff"))
    for check in (["check", "--quiet"], ["format", "--check", "--quiet"]):
        command = [ruff, *check, "--stdin-filename", "bot/tools/get_delivery_time.py", "-"]
        subprocess.run(command, cwd=ROOT, input=code("python")[0], text=True, check=True)  # noqa: S603 - our own words


async def test_example_tool_works(tmp_path: Path, shop: SqliteShop) -> None:
    """The README's complete tool is described and parsed as it stands, and does what it says."""
    path = tmp_path / "get_delivery_time.py"
    path.write_text(code("python")[0])
    spec = importlib.util.spec_from_file_location("get_delivery_time", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tool: type[Tool] = module.GetDeliveryTime
    assert tool.definition()["function"]["name"] == "get_delivery_time"
    context = Context(
        "1", ThreadId("T", "C", "1"), Person("U", "T", None, is_staff=False), shop, NoRequests(), tools.rules(SETTINGS)
    )
    assert (await tool.parse('{"country": "US"}').run(context)).content == {"country": "US", "days": 3}
    with pytest.raises(ToolError, match="We do not deliver to FR"):
        await tool.parse('{"country": "FR"}').run(context)


async def test_example_policy_works() -> None:
    """The README's rule for approvals can be asked as it stands, and answers as it says."""
    names: dict[str, Any] = {}
    exec(next(block for block in code("py") if "def approvals(" in block), names)  # noqa: S102 - it is our own README
    ask = names["approvals"]
    quote = Quote(Customer("1", "Ana", "a@example.com"), "1", (QuotedItem(1, 1, "Gift card, $50"),))
    ana = Person("U", "T", "a@example.com", is_staff=False)
    assert ask(Refund("1", RefundReason.CHANGED_MIND), quote, ana) == Refusal("A gift card can't be given back.")
    assert ask(Refund("1", RefundReason.NOT_DELIVERED), quote, ana) == TWO_APPROVERS
    assert ask(CancelOrder("1"), quote, ana) == AS_USUAL


def test_the_behaviours_of_a_shop_are_counted() -> None:
    """There are as many tests for shops as README says."""
    behaviours = [name for name in tests_for_shops.__all__ if name.startswith("test_")]
    assert f"{len(behaviours)} named behaviours" in README


async def test_example_test_passes() -> None:
    """The README's test of another bot runs word for word."""
    names: dict[str, Any] = {}
    for block in code("python")[1:3]:
        exec(block, names)  # noqa: S102 - it is our own README
    await names["test_my_bot_answers"]()


async def test_the_conversation_passes(tmp_path: Path) -> None:
    """The README's conversation is played as it stands, and the demo's rules pass it."""
    [conversation] = code("yaml")
    (tmp_path / "own.yaml").write_text(conversation.replace("  about:", "  offline: true\n  about:"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "eval", "--offline", "own.yaml", cwd=tmp_path, stdout=PIPE, stderr=PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, (output, errors)
