"""An operator finds out which model does the job: `support-bot eval` as a process, against models that are scripted."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from bot.__main__ import main
from bot.testing.openai import Answer, CompletionsServer, Failure, Request
from bot.testing.openai.turn import text_of
from tests.evaluation.evaluator import TWO, Evaluator, good, open_evaluator
from tests.world import sorted_as, status_of


@pytest.fixture
async def evaluator(tmp_path: Path) -> AsyncIterator[Evaluator]:
    """Give an operator with a file of two conversations."""
    async with open_evaluator(tmp_path) as opened:
        yield opened


async def test_a_model_that_does_its_job(evaluator: Evaluator) -> None:
    """A model that calls what it must passes: exit status 0, figures and costs, JSON, and JUnit without a failure."""
    # The operator's own bot is set up here, and nothing of it is used or touched.
    (evaluator.folder / ".env").write_text("SLACK_BOT_TOKEN=xoxb-1\nBOT_APPROVERS=U0OTHER\nBOT_DATABASE=mine.db\n")
    prices, files = ("--price-in", "1", "--price-out", "2"), ("--json", "a.json", "--junit", "a.xml")
    run = await evaluator.evaluates(good, "two.yaml", "--model", "good-1", *prices, *files)
    assert run.code == 0, run
    assert "1/2 ✓ two/where" in run.progress
    assert {request.model for request in evaluator.requests} == {"good-1"}
    assert evaluator.rows(run)["two"][:6] == ["2", "100%", "100%", "0", "0", "0"]
    assert "good-1 at 127.0.0.1:" in run.output
    assert "2 of 2 conversations passed." in run.output
    assert "1,000 conversations cost $" in run.output
    written = json.loads((evaluator.folder / "a.json").read_text())
    [where, refund] = written["results"]
    assert where["attempts"][0]["prompt_tokens"] > 100
    assert [line["by"] for line in refund["attempts"][0]["transcript"][:3]] == ["ana", "call", "bot"]
    suite = ET.parse(evaluator.folder / "a.xml").getroot()[0]  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "0", "0")
    assert sorted(path.name for path in evaluator.folder.iterdir()) == [".env", "a.json", "a.xml", "two.yaml"]


async def test_a_flaky_model(evaluator: Evaluator) -> None:
    """A model that is right every other time passes half of its attempts and no conversation always."""
    asked = 0

    def flaky(request: Request) -> Answer:
        nonlocal asked
        if request.response_format or request.messages[-1]["role"] == "tool":
            return good(request)
        asked += 1
        return good(request) if asked % 2 else Answer("I do not know.")

    once = ("two.yaml", "--only", "where", "--jobs", "1")
    run = await evaluator.evaluates(flaky, *once, "--repeat", "4")
    assert (run.code, "✗ two/where 2 of 4" in run.progress) == (1, True)
    assert evaluator.rows(run)["all"][:3] == ["1", "50%", "0%"]
    assert "0 of 1 conversations passed all 4 times." in run.output
    lenient = await evaluator.evaluates(flaky, *once, "--repeat", "2", "--pass-rate", "50")
    assert lenient.code == 0


async def test_soft_checks(evaluator: Evaluator) -> None:
    """What is soft lowers a figure and fails no conversation, but the run where the operator is strict."""

    def terse(request: Request) -> Answer:
        return Answer("See the card.") if request.messages[-1]["role"] == "tool" else status_of("ORD-10234")

    run = await evaluator.evaluates(terse, "two.yaml", "--only", "where", "--strict")
    assert (run.code, evaluator.rows(run)["all"][1:3]) == (1, ["100%", "50%"])


async def test_two_models_side_by_side(evaluator: Evaluator) -> None:
    """Two written runs are compared: figures, what only one always passes, and whether that can be chance."""

    def never_refunds(request: Request) -> Answer:
        return Answer("No.") if "broken" in text_of(request.messages[-1]) else good(request)

    await evaluator.evaluates(good, "two.yaml", "--model", "model-a", "--json", "a.json")
    await evaluator.evaluates(never_refunds, "two.yaml", "--model", "model-b", "--json", "b.json")
    files = [str(evaluator.folder / name) for name in ("a.json", "b.json")]
    worse = CliRunner().invoke(main, ["eval", "--compare", *files])
    assert worse.exit_code == 1
    lines = [" ".join(line.split()) for line in worse.output.splitlines()]
    assert "model-a model-b" in lines
    assert "attempts that pass 100 % 50 %" in lines
    assert "Only model-a always passes:\n  two/refund" in worse.output
    assert "model-a is ahead by 1 of 2 conversations." in worse.output
    assert "by chance in 100 % of such runs: too often to rely on" in worse.output


async def test_stopped_half_way(evaluator: Evaluator) -> None:
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
            cwd=evaluator.folder,
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
    assert [result["name"] for result in json.loads((evaluator.folder / "a.json").read_text())["results"]] == ["where"]


async def test_a_model_that_does_not_answer(evaluator: Evaluator) -> None:
    """Of a model that refuses every request nothing is said but that, with its reason, at once."""
    run = await evaluator.evaluates(lambda _: Failure(401, "invalid_api_key", "Wrong key."), "two.yaml")
    assert (run.code, run.output) == (2, "")
    assert "does not answer" in run.progress
    assert "Wrong key." in run.progress or "401" in run.progress


def refused(*arguments: str) -> str:
    """Run a command that says at once why it cannot say anything, and return that."""
    result = CliRunner().invoke(main, ["eval", *arguments], env={"OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""})
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    return result.stderr


def test_no_model(tmp_path: Path) -> None:
    """Without a model the operator is told how to name one, and nothing passes for a result."""
    (tmp_path / "two.yaml").write_text(TWO)
    assert "set OPENAI_API_KEY or OPENAI_BASE_URL" in refused(f"{tmp_path}/two.yaml")


def test_a_cost_needs_two_prices() -> None:
    """One price alone is refused before anything is played, in place of half a cost."""
    assert "needs both --price-in and --price-out" in refused("--price-in", "1")


def test_results_that_cannot_be_written(tmp_path: Path) -> None:
    """A file for the results that cannot be written is told before anything is played."""
    told = refused("--offline", "--only", "hello", "--json", str(tmp_path / "none" / "a.json"))
    assert told == f"Error: {tmp_path}/none/a.json cannot be written.\n"


def test_a_wrong_file(tmp_path: Path) -> None:
    """A file with a mistake is told by file, line and field, before any model is asked."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(TWO.replace("[initiate_refund: {order_id: ORD-10188, r", "[initiate_refnd: {r"))
    assert refused(str(wrong)) == (
        f"Error: {wrong}:12: refund, step 1, calls.0: there is no tool initiate_refnd; did you mean initiate_refund?\n"
    )


async def test_the_conversations_that_ship(evaluator: Evaluator) -> None:
    """The offline model passes all that is marked for it, and the files of the others are in order."""
    run = await evaluator.evaluates(None, "--offline", "--jobs", "8")
    assert run.code == 0, run.output
    assert "more need a language model; their files are in order." in run.output
