"""What `support-bot eval` does: from the operator's options to a text and whether all is well."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from bot import clock, tools
from bot.demo import offline_model, serve
from bot.environment import read_model_settings
from bot.evaluation import evaluate as evaluation
from bot.evaluation import junit, report
from bot.evaluation.conversation import Conversation
from bot.evaluation.evaluate import EvaluationError, Subject
from bot.evaluation.files import SHIPPED, ConversationError, load
from bot.evaluation.results import Evaluation, EvaluationFileError, Prices, Result, figures, read
from bot.evaluation.stage import ScratchSettings
from bot.settings import Settings, SettingsError, variable
from bot.testing import CompletionsServer

ERRORS = (ConversationError, EvaluationError, EvaluationFileError, SettingsError)
# Of the operator's settings, those are taken over that are about the model and what it may cost.
_PREFIXES = ("openai_", "model_")
_LIMITS = ("max_steps", "max_calls", "tokens_per_run", "history_tokens", "run_timeout_seconds", "sorting", "policy")


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator asks for."""

    paths: tuple[Path, ...]
    offline: bool
    model: str | None
    base_url: str | None
    only: tuple[str, ...]
    repeat: int
    jobs: int
    price_in: float | None
    price_out: float | None
    price_cached: float | None
    pass_rate: float
    strict: bool
    json_file: Path | None
    junit_file: Path | None
    verbose: bool

    @property
    def prices(self) -> Prices | None:
        """Return the prices, if there are any. Raises EvaluationError when one is missing."""
        if self.price_in is None and self.price_out is None and self.price_cached is None:
            return None
        if self.price_in is None or self.price_out is None:
            raise EvaluationError("a cost needs both --price-in and --price-out.")
        cached = self.price_in if self.price_cached is None else self.price_cached
        return Prices(prompt=self.price_in, completion=self.price_out, cached=cached)


def evaluate(options: Options, tell: Callable[[str], None]) -> tuple[str, bool]:
    """Evaluate a model, and return the report and whether the model does what it must.

    `tell` hears of each conversation when it has been played. Raises one of ERRORS.
    """
    prices = options.prices
    for file in filter(None, (options.json_file, options.junit_file)):
        if not os.access(file if file.exists() else file.parent, os.W_OK):  # and not after an hour
            raise EvaluationFileError(f"{file} cannot be written.")
    chosen = _choose(options.paths, options.only)
    played = [one for one in chosen if one.offline or not options.offline]
    if not played:
        raise EvaluationError(f"none of the {len(chosen)} conversations is meant for the offline model.")
    subject, began, results = _subject(options), clock.now(), list[Result]()

    def on_result(result: Result) -> None:
        results.append(result)
        tell(report.progress(result, len(results), len(played)))

    async def play() -> None:
        async with _served(subject, offline=options.offline) as ready:
            await evaluation.evaluate(played, ready, repeat=options.repeat, jobs=options.jobs, on_result=on_result)

    if not options.verbose:
        logging.getLogger("bot").setLevel(logging.CRITICAL)  # what goes wrong is part of the report
    times = f", each {options.repeat} times" if options.repeat > 1 else ""
    number = "1 conversation" if len(played) == 1 else f"{len(played)} conversations"
    tell(f"{number}{times}, {options.jobs} at once, with {subject.model} at {subject.server}.")
    try:
        asyncio.run(play())
    except KeyboardInterrupt:
        if not results:
            raise
        tell(f"Stopped after {len(results)} of {len(played)} conversations.")
    order = {conversation.full_name: index for index, conversation in enumerate(played)}
    evaluated = Evaluation(
        version=metadata.version("support-bot"),
        model=subject.model,
        server=subject.server,
        started_at=began,
        repeat=options.repeat,
        prices=prices,
        results=tuple(sorted(results, key=lambda result: order[result.full_name])),
        not_played=len(chosen) - len(played),
    )
    _write(options.json_file, evaluated.model_dump_json(indent=1) + "\n")
    _write(options.junit_file, junit.write(evaluated))
    return report.report(evaluated), len(results) == len(played) and _is_well(results, options)


def compare(first: Path, second: Path) -> tuple[str, bool]:
    """Return two runs side by side, and whether the second always passes what the first does. Raises one of ERRORS."""
    one, other = read(first), read(second)
    shared = {result.full_name for result in one.results} & {result.full_name for result in other.results}
    if not shared:
        raise EvaluationFileError(f"{first} and {second} have no conversation in common.")
    names = (one.model, other.model) if one.model != other.model else (str(first), str(second))
    return report.compare(one, other, names), not report.regressions(one, other)


def listing(paths: Sequence[Path], only: Sequence[str]) -> str:
    """Return the conversations, after all files were checked. Raises one of ERRORS."""
    chosen = _choose(paths, only)
    rows = [(one.full_name, "offline" if one.offline else "", one.about) for one in chosen]
    width = max(len(name) for name, _, _ in rows)
    lines = [f"{name.ljust(width)}  {offline:7}  {about}" for name, offline, about in rows]
    return "\n".join([*lines, f"{len(rows)} conversations, {sum(one.offline for one in chosen)} of them offline."])


def _choose(paths: Sequence[Path], only: Sequence[str]) -> list[Conversation]:
    offered = tools.load(_scratch(BOT_ESCALATION_CHANNEL="C1", BOT_HELP_FOLDER=serve.HELP))
    known = {name: frozenset(tool.model_fields) for name, tool in offered.items()}
    conversations = load(paths or [SHIPPED], known)
    if not conversations:
        raise EvaluationError("there are no conversations in these files.")
    chosen = [one for one in conversations if not only or any(_is_meant(one, pattern) for pattern in only)]
    if not chosen:
        raise EvaluationError(f"no conversation is meant by {', '.join(only)}; --list shows what there is.")
    return chosen


def _is_meant(conversation: Conversation, pattern: str) -> bool:
    names = (conversation.full_name, conversation.name, conversation.group, *conversation.tags)
    return any(fnmatchcase(name, pattern) for name in names)


def _scratch(**values: object) -> Settings:
    return ScratchSettings(slack_bot_token="xoxb-", **values)  # type: ignore[arg-type]  # noqa: S106 - opens nothing


def _subject(options: Options) -> Subject:
    """Say which model is evaluated: the offline one, or that of the options and the environment."""
    if options.offline:
        return Subject(offline_model.MODEL_NAME, "localhost", {}, serve.HELP)
    named = {"openai_model": options.model, "openai_base_url": options.base_url}
    settings = read_model_settings(**{name: value for name, value in named.items() if value})
    if settings.openai_api_key is None and settings.openai_base_url is None:
        raise EvaluationError(
            "there is no model to ask: set OPENAI_API_KEY or OPENAI_BASE_URL in the environment or in .env, "
            "or check the files with --offline."
        )
    names = [name for name in Settings.model_fields if name.startswith(_PREFIXES) or name in _LIMITS]
    values = {variable(name): getattr(settings, name) for name in names} | {"OPENAI_FALLBACK_MODEL": None}
    server = urlsplit(settings.openai_base_url or "https://api.openai.com").netloc.rpartition("@")[2]
    return Subject(settings.openai_model, server, values, serve.HELP)


@asynccontextmanager
async def _served(subject: Subject, *, offline: bool) -> AsyncIterator[Subject]:
    """Serve the offline model for as long as the context is open, if that is the one."""
    if not offline:
        yield subject
        return
    async with CompletionsServer(offline_model.respond, subject.model) as server:
        settings = {"openai_base_url": server.url, "openai_api_key": "none", "openai_model": subject.model}
        yield replace(subject, settings=settings)


def _is_well(results: Sequence[Result], options: Options) -> bool:
    total = figures(results, None)
    soft = not options.strict or total.soft in (None, 1.0)
    return soft and total.passed * 100 >= options.pass_rate - 1e-9


def _write(path: Path | None, text: str) -> None:
    if path is not None:
        try:
            path.write_text(text, "utf-8")
        except OSError as error:
            raise EvaluationFileError(f"{path} cannot be written: {error.strerror}") from None
