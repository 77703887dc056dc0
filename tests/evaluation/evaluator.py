"""An operator with `support-bot eval`, a file of two conversations, and models that are scripted."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.testing.openai import Answer, CompletionsServer, Failure, Request
from bot.testing.openai.turn import text_of
from tests.world import calls, refund_of, sorted_as

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


class Evaluator:
    """An operator who runs `support-bot eval` in an empty folder, with nothing in the environment but a model."""

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


@asynccontextmanager
async def open_evaluator(folder: Path) -> AsyncIterator[Evaluator]:
    """Give an operator whose models are served until the context is left."""
    async with AsyncExitStack() as stack:
        yield Evaluator(folder, stack)
