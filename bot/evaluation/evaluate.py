"""Plays conversations, several at a time and each several times, and judges them."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.evaluation.checks import check, soft_checks
from bot.evaluation.conversation import Conversation
from bot.evaluation.people import emails_of, orders_of, populate
from bot.evaluation.record import Played, Record, Usage
from bot.evaluation.results import Attempt, Finding, Kind, Line, Result
from bot.evaluation.stage import play
from bot.testing import Workspace

logger = logging.getLogger(__name__)


class EvaluationError(Exception):
    """Nothing can be said about the model; the text says why."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The model that is evaluated, as settings of the bot, and the help articles that it may search."""

    model: str
    server: str
    settings: Mapping[str, Any]
    help_folder: Path


async def evaluate(
    conversations: Sequence[Conversation],
    subject: Subject,
    *,
    repeat: int,
    jobs: int,
    on_result: Callable[[Result], None],
) -> None:
    """Play each conversation so often, with so many at a time, and tell `on_result` of each as soon as it is there.

    Raises EvaluationError when the model answers nothing at all.
    """
    first = await _attempt(conversations[0], subject)
    _require_answers([first], subject)
    slots, every_attempt = asyncio.Semaphore(jobs), list[Attempt]()

    async def one(conversation: Conversation) -> Attempt:
        async with slots:
            return await _attempt(conversation, subject)

    async def result(conversation: Conversation, attempts: list[asyncio.Task[Attempt]], *made: Attempt) -> None:
        done = (*made, *[await attempt for attempt in attempts])
        every_attempt.extend(done)
        fields = {name: getattr(conversation, name) for name in ("name", "group", "about", "tags")}
        on_result(Result(**fields, attempts=done))

    async with asyncio.TaskGroup() as group:
        for conversation in conversations:
            made = [first] if conversation is conversations[0] else []
            attempts = [group.create_task(one(conversation)) for _ in range(repeat - len(made))]
            group.create_task(result(conversation, attempts, *made))
    _require_answers(every_attempt, subject)


def _require_answers(attempts: Sequence[Attempt], subject: Subject) -> None:
    asked = [attempt for attempt in attempts if attempt.model_calls]
    if asked and all(attempt.status == "error" for attempt in asked):
        raise EvaluationError(f"{subject.model} at {subject.server} does not answer: {asked[-1].model_error}")


async def _attempt(conversation: Conversation, subject: Subject) -> Attempt:
    began = time.monotonic()
    try:
        record = await play(conversation, subject.settings, subject.help_folder)
    except Exception as error:
        logger.exception("%s could not be played", conversation.full_name)
        record = Record((Played(problem=f"it could not be played: {type(error).__name__}: {error}"),), Usage())
    seconds = time.monotonic() - began
    people = populate(Workspace(), conversation)
    findings = check(conversation, record, orders_of(conversation, people), emails_of(people))
    usage = record.usage
    failed = any(finding.gate for finding in findings)
    unanswered = failed and usage.unanswered
    if unanswered:
        findings = [Finding(step=None, kind=Kind.PROBLEM, gate=True, text=f"the model did not answer: {usage.error}")]
    checks, passed = soft_checks(conversation, findings)
    return Attempt(
        status="passed" if not failed else "error" if unanswered else "failed",
        findings=tuple(findings),
        soft_checks=checks,
        soft_passed=passed,
        model_error=usage.error,
        answer_seconds=tuple(step.seconds for step in record.steps if step.seconds is not None),
        model_calls=usage.calls,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        completion_tokens=usage.completion_tokens,
        seconds=seconds,
        transcript=tuple(_transcript(conversation, record)),
    )


def _transcript(conversation: Conversation, record: Record) -> list[Line]:
    lines: list[Line] = []
    for step, played in zip(conversation.steps, record.steps, strict=False):
        lines.append(Line(by=step.by, text=step.say if step.say is not None else f"[{step.click}]"))
        lines += [Line(by="call", text=f"{call} → {call.status}") for call in played.calls]
        lines += [Line(by="bot", text=" ".join(post.split())) for post in played.posts]
    return lines
