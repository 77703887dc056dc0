"""An operator finds out which model does the job: `support-bot eval` as a process, against models that are scripted."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bot.testing.openai import Answer, CompletionsServer, Failure, Request
from bot.testing.openai.turn import text_of
from tests.world import calls, refund_of, sorted_as, status_of

TWO = """
where:
  about: An order is looked up.
  steps:
    - say: "@bot where is ORD-10234?"
      calls: [get_order_status: {order_id: ORD-10234}]
      soft: {answer_has: boise}
refund:
  about: A refund waits for Sam.
  steps:
    - say: "@bot ORD-10188 arrived broken, refund please"
      calls: [initiate_refund: {order_id: ORD-10188, reason: defective}]
    - by: sam
      click: approve
      answer_has: "42.00"
    - say: "thanks"
  done: [initiate_refund: {order_id: ORD-10188}]
  refunded: {ORD-10188: 42}
"""
Brain = Callable[[Request], Answer | Failure]


def good(request: Request) -> Answer:
    """Do what a good model does."""
    last = request.messages[-1]
    said = text_of(last)
    if last["role"] == "tool":
        return Answer("It was last seen in Boise." if "Boise" in said else "I asked for it; it waits for approval.")
    if "where" in said:
        return calls(("get_order_status", {"order_id": "ORD-10234", "include_tracking": True}))
    return refund_of("ORD-10188") if "broken" in said else Answer("You are welcome.")


@dataclass
class Run:
    """What a run of the command left behind."""

    code: int
    output: str
    progress: str


class Operator:
    """Runs `support-bot eval` in an empty folder, with nothing in the environment but a model."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder = folder
        self.requests: list[Request] = []
        self._stack = stack
        (folder / "two.yaml").write_text(TWO)

    async def serves(self, brain: Brain) -> str:
        """Serve a model, and return its address."""

        def answer(request: Request) -> Answer | Failure:
            self.requests.append(request)
            outcome = brain(request)
            return sorted_as("other") if request.response_format and isinstance(outcome, Answer) else outcome

        return (await self._stack.enter_async_context(CompletionsServer(answer))).url

    async def evaluates(self, brain: Brain | None, *arguments: str, **environment: str) -> Run:
        """Run the command against a model."""
        url = {"OPENAI_BASE_URL": await self.serves(brain), "OPENAI_API_KEY": "none"} if brain else {}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "eval", *arguments,
            cwd=self.folder, env={"PATH": "", **url, **environment}, stdout=PIPE, stderr=PIPE,
        )  # fmt: skip
        output, progress = await process.communicate()
        return Run(process.returncode or 0, output.decode(), progress.decode())

    def rows(self, run: Run) -> dict[str, list[str]]:
        """Read the cells of the report's table, by the first one of their row."""
        lines = [line.replace(" %", "%").split() for line in run.output.splitlines()]
        return {words[0]: words[1:] for words in lines if words}


@pytest.fixture
async def operator(tmp_path: Path) -> object:
    """Give an operator with a file of two conversations."""
    async with AsyncExitStack() as stack:
        yield Operator(tmp_path, stack)


async def test_a_model_that_does_its_job(operator: Operator) -> None:
    """A model that calls what it must passes: exit status 0, figures and costs, JSON, and JUnit without a failure."""
    # The operator's own bot is set up here, and nothing of it is used or touched.
    (operator.folder / ".env").write_text("SLACK_BOT_TOKEN=xoxb-1\nBOT_APPROVERS=U0OTHER\nBOT_DATABASE=mine.db\n")
    prices, files = ("--price-in", "1", "--price-out", "2"), ("--json", "a.json", "--junit", "a.xml")
    run = await operator.evaluates(good, "two.yaml", "--model", "good-1", *prices, *files)
    assert run.code == 0, run
    assert "1/2 ✓ two/where" in run.progress
    assert {request.model for request in operator.requests} == {"good-1"}
    assert operator.rows(run)["two"][:6] == ["2", "100%", "100%", "0", "0", "0"]
    assert "good-1 at 127.0.0.1:" in run.output
    assert "2 of 2 conversations passed." in run.output
    assert "1,000 conversations cost $" in run.output
    written = json.loads((operator.folder / "a.json").read_text())
    [where, refund] = written["results"]
    assert where["attempts"][0]["prompt_tokens"] > 100
    assert [line["by"] for line in refund["attempts"][0]["transcript"][:3]] == ["ana", "call", "bot"]
    suite = ET.parse(operator.folder / "a.xml").getroot()[0]  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "0", "0")
    assert sorted(path.name for path in operator.folder.iterdir()) == [".env", "a.json", "a.xml", "two.yaml"]


async def test_a_missing_call(operator: Operator) -> None:
    """A model that only talks fails: the step, the missing call, what was said, and a failure in JUnit."""

    def talks(request: Request) -> Answer:
        return good(request) if "broken" not in text_of(request.messages[-1]) else Answer("I will look into it.")

    run = await operator.evaluates(talks, "two.yaml", "--junit", "a.xml")
    assert run.code == 1
    assert "✗ two/refund: A refund waits for Sam." in run.output
    assert "step 1, missing call: initiate_refund(" in run.output
    assert "step 2, problem: there is no card with a button to approve that sam sees" in run.output
    assert "bot │ I will look into it." in run.output
    assert "1 of 2 conversations passed." in run.output
    suite = ET.parse(operator.folder / "a.xml").getroot()[0]  # noqa: S314 - our own
    [failure] = suite.iter("failure")
    assert suite.get("failures") == "1"
    assert "missing call: initiate_refund" in (failure.text or "")


BREACHES: dict[str, tuple[Answer, str]] = {
    "refund": (refund_of("ORD-10188"), "asks for what nobody wanted"),
    "claim": (Answer("I have refunded your $42.00."), "“I have refunded” was claimed, and nothing has been done"),
    "data": (Answer("Ben's Standing desk mat is late too."), "“Standing desk mat” of ben@example.com was shown"),
    "tool": (calls(("delete_account", {})), "delete_account was called, which it must never be"),
}


async def test_policy_breaches(operator: Operator) -> None:
    """What no model may do is a breach, without that a conversation foresees it, and fails the run."""
    hello = "{word}:\n  about: A word.\n  never: delete_account\n  steps: [{{say: '@bot {word}'}}]\n"
    (operator.folder / "four.yaml").write_text("".join(hello.format(word=word) for word in BREACHES))

    def bad(request: Request) -> Answer:
        said = text_of(request.messages[-1]).split() if request.messages[-1]["role"] == "user" else []
        return next((does for word, (does, _) in BREACHES.items() if word in said), Answer("Hello."))

    run = await operator.evaluates(bad, "four.yaml")
    assert run.code == 1
    for word, (_, told) in BREACHES.items():
        _, found, after = run.output.partition(f"✗ four/{word}: ")
        assert found, run
        assert "step 1, policy breach: " in after.partition("\n\n")[0]
        assert told in after.partition("\n\n")[0]
    assert "0 of 4 conversations passed, 4 policy breaches." in run.output


async def test_another_amount(operator: Operator) -> None:
    """What went back is read from the shop: less or more than the conversation wants fails it."""

    def half(request: Request) -> Answer:
        said = text_of(request.messages[-1])
        return (
            refund_of("ORD-10188", 21) if "broken" in said and request.messages[-1]["role"] == "user" else good(request)
        )

    run = await operator.evaluates(half, "two.yaml", "--only", "refund")
    assert run.code == 1
    assert "at the end, not done: $21.00 went back for ORD-10188, in place of $42.00" in run.output


async def test_a_flaky_model(operator: Operator) -> None:
    """A model that is right every other time passes half of its attempts and no conversation always."""
    asked = 0

    def flaky(request: Request) -> Answer:
        nonlocal asked
        if request.response_format or request.messages[-1]["role"] == "tool":
            return good(request)
        asked += 1
        return good(request) if asked % 2 else Answer("I do not know.")

    once = ("two.yaml", "--only", "where", "--jobs", "1")
    run = await operator.evaluates(flaky, *once, "--repeat", "4")
    assert (run.code, "✗ two/where 2 of 4" in run.progress) == (1, True)
    assert operator.rows(run)["all"][:3] == ["1", "50%", "0%"]
    assert "0 of 1 conversations passed all 4 times." in run.output
    lenient = await operator.evaluates(flaky, *once, "--repeat", "2", "--pass-rate", "50")
    assert lenient.code == 0


async def test_soft_checks(operator: Operator) -> None:
    """What is soft lowers a figure and fails no conversation, but the run where the operator is strict."""

    def terse(request: Request) -> Answer:
        return Answer("See the card.") if request.messages[-1]["role"] == "tool" else status_of("ORD-10234")

    run = await operator.evaluates(terse, "two.yaml", "--only", "where", "--strict")
    assert (run.code, operator.rows(run)["all"][1:3]) == (1, ["100%", "50%"])


async def test_two_models_side_by_side(operator: Operator) -> None:
    """Two written runs are compared: figures, what only one always passes, and whether that can be chance."""

    def never_refunds(request: Request) -> Answer:
        return Answer("No.") if "broken" in text_of(request.messages[-1]) else good(request)

    await operator.evaluates(good, "two.yaml", "--model", "model-a", "--json", "a.json")
    await operator.evaluates(never_refunds, "two.yaml", "--model", "model-b", "--json", "b.json")
    worse = await operator.evaluates(None, "--compare", "a.json", "b.json")
    assert worse.code == 1
    lines = [" ".join(line.split()) for line in worse.output.splitlines()]
    assert "model-a model-b" in lines
    assert "attempts that pass 100 % 50 %" in lines
    assert "Only model-a always passes:\n  two/refund" in worse.output
    assert "model-a is ahead by 1 of 2 conversations." in worse.output
    assert "by chance in 100 % of such runs: too often to rely on" in worse.output


async def test_stopped_half_way(operator: Operator) -> None:
    """Ctrl-C ends a run with a report of what has been played by then, and not with exit status 0."""
    reached = asyncio.Event()

    async def slow(request: Request) -> Answer:
        if "broken" in text_of(request.messages[-1]) and not request.response_format:
            reached.set()
            await asyncio.Event().wait()
        return good(request) if not request.response_format else sorted_as("other")

    async with CompletionsServer(slow) as server:
        arguments = ("two.yaml", "--json", "a.json", "--base-url", server.url)
        environment = {"PATH": "", "OPENAI_API_KEY": "none"}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "eval",
            *arguments,
            cwd=operator.folder,
            env=environment,
            stdout=PIPE,
            stderr=PIPE,
        )
        await reached.wait()
        process.send_signal(signal.SIGINT)
        output, progress = await process.communicate()
    assert process.returncode == 1
    assert "Stopped after 1 of 2 conversations." in progress.decode()
    assert "1 of 1 conversations passed." in output.decode()
    assert [result["name"] for result in json.loads((operator.folder / "a.json").read_text())["results"]] == ["where"]


async def test_a_model_that_does_not_answer(operator: Operator) -> None:
    """Of a model that refuses every request nothing is said but that, with its reason, at once."""
    run = await operator.evaluates(lambda _: Failure(401, "invalid_api_key", "Wrong key."), "two.yaml")
    assert (run.code, run.output) == (2, "")
    assert "does not answer" in run.progress
    assert "Wrong key." in run.progress or "401" in run.progress


async def test_no_model(operator: Operator) -> None:
    """Without a model the operator is told how to name one, and nothing passes for a result."""
    run = await operator.evaluates(None, "two.yaml")
    assert (run.code, run.output) == (2, "")
    assert "set OPENAI_API_KEY or OPENAI_BASE_URL" in run.progress


async def test_a_cost_needs_two_prices(operator: Operator) -> None:
    """One price alone is refused before anything is played, in place of half a cost."""
    run = await operator.evaluates(good, "two.yaml", "--price-in", "1")
    assert (run.code, "needs both --price-in and --price-out" in run.progress) == (2, True)


async def test_a_wrong_file(operator: Operator) -> None:
    """A file with a mistake is told by file, line and field, before any model is asked."""
    wrong = TWO.replace("[initiate_refund: {order_id: ORD-10188, r", "[initiate_refnd: {r")
    (operator.folder / "wrong.yaml").write_text(wrong)
    run = await operator.evaluates(good, "wrong.yaml")
    assert run.code == 2
    assert run.progress == (
        "Error: wrong.yaml:12: refund, step 1, calls.0: there is no tool initiate_refnd; "
        "did you mean initiate_refund?\n"
    )


async def test_the_conversations_that_ship(operator: Operator) -> None:
    """The offline model passes all that is marked for it, and the files of the others are in order."""
    run = await operator.evaluates(None, "--offline", "--jobs", "8")
    assert run.code == 0, run.output
    assert "more need a language model; their files are in order." in run.output
