"""The model's side of a check: is it there, does it call a tool, does it keep a schema, how much does it read."""

import asyncio
from http import HTTPStatus
from time import monotonic
from typing import Any, NamedTuple

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.intent import INSTRUCTIONS, CustomerIntent
from bot.model.chat_completions import OpenAIModel
from bot.model.model import ModelError, Reason, Turn
from bot.model_settings import ModelSettings
from bot.operator.check.finding import Finding, Level, fatal, ok, warning
from bot.operator.text import printable
from bot.settings import Settings
from bot.tools.get_order_status import GetOrderStatus
from bot.tools.tool import ToolError

OPENAI = "https://api.openai.com/v1"
LIST_TIMEOUT_SECONDS = 5.0
_QUESTION = "Where is my order ORD-10234?"
_TASK = "You answer customers of a shop. Look an order up with the tool before you say anything about it."


class _Variables(NamedTuple):
    model: str
    address: str
    key: str


_VARIABLES = {
    "model": _Variables("OPENAI_MODEL", "OPENAI_BASE_URL", "OPENAI_API_KEY"),
    "fallback": _Variables("OPENAI_FALLBACK_MODEL", "OPENAI_FALLBACK_BASE_URL", "OPENAI_FALLBACK_API_KEY"),
}
# What servers call the number of tokens that a model reads: OpenRouter, vLLM, llama.cpp, LM Studio, Mistral, Together.
_CONTEXT = ("context_length", "max_model_len", "n_ctx", "loaded_context_length", "max_context_length", "context_window")


async def check_models(settings: Settings, *, thorough: bool) -> list[Finding]:
    """Ask for the model and for the fallback, side by side; only a `thorough` check has them answer."""
    if settings.openai_api_key is None and settings.openai_base_url is None:
        return [fatal("model", "OPENAI_API_KEY is not set.", "Set it, or OPENAI_BASE_URL for a server of your own.")]
    named = zip(("model", "fallback"), settings.models, strict=False)
    checks = [_check(about, model, thorough=thorough) for about, model in named]
    return [finding for findings in await asyncio.gather(*checks) for finding in findings]


async def _check(about: str, settings: ModelSettings, *, thorough: bool) -> list[Finding]:
    name = settings.name
    listed, details = await _listed(about, settings)
    if details is None or not thorough:
        return [listed] if listed.level is not Level.OK or thorough else []
    model = OpenAIModel(settings)
    try:
        began = monotonic()
        answered = await _calls_a_tool(about, name, model)
        first = round((monotonic() - began) * 1000)
        if answered.level is Level.FATAL or answered.found.startswith("It did not answer"):
            return [answered]
        schema = await _keeps_a_schema(about, model)
    finally:
        await model.close()
    size = _context(details)
    reads = f"reads {size:,} tokens" if size else "its server does not say how many tokens it reads"
    faults = [finding for finding in (listed, answered, schema) if finding.level is not Level.OK]
    if faults:
        return faults
    return [ok(about, f"{name} answers in {first} ms, calls a tool, keeps a schema; {reads}.")]


async def _listed(about: str, model: ModelSettings) -> tuple[Finding, dict[str, Any] | None]:
    """Look for the model in its server's list, which costs nothing; a server without a list is none the worse.

    Beside the finding, return what the list says of the model; None when there is no use in asking it anything.
    """
    base, name = (model.base_url or OPENAI).rstrip("/"), model.name
    variables = _VARIABLES[about]
    try:
        status, listed = await _fetch_models(base, model)
    except (ClientError, OSError, TimeoutError) as error:
        why = printable(str(error) or type(error).__name__)
        advice = f"Look at {variables.address} and at the server."
        return warning(about, f"{base} does not answer: {why}.", advice), None
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return fatal(about, f"{base} refuses {variables.key} ({status}).", "Copy the key again."), None
    if listed and name not in listed:
        some = printable(", ".join(sorted(listed)[:5]))
        return warning(about, f"{base} lists no model {name}.", f"Correct {variables.model}; it has {some}."), {}
    return ok(about, f"{name} at {base}."), listed.get(name, {})


async def _fetch_models(base: str, model: ModelSettings) -> tuple[int, dict[str, dict[str, Any]]]:
    """Return a server's status and its list of models by id; an empty one when it has none that can be read."""
    headers = {"Authorization": f"Bearer {model.key or 'none'}", **dict(model.headers)}
    async with (
        ClientSession(timeout=ClientTimeout(total=LIST_TIMEOUT_SECONDS)) as session,
        session.get(f"{base}/models", headers=headers) as response,
    ):
        if response.status != HTTPStatus.OK:
            return response.status, {}
        try:
            body = await response.json(content_type=None)
        except ValueError:
            body = None
    models = body.get("data") if isinstance(body, dict) else None
    return response.status, {
        str(one["id"]): one
        for one in (models if isinstance(models, list) else ())
        if isinstance(one, dict) and "id" in one
    }


async def _calls_a_tool(about: str, name: str, model: OpenAIModel) -> Finding:
    messages = [{"role": "system", "content": _TASK}, {"role": "user", "content": _QUESTION}]
    try:
        turn = await _answer(messages, model)
    except ModelError as error:
        return _failed(about, name, error)
    if not turn.calls:
        return warning(about, f"{name} answers, but called no tool when it should have.", "Choose a model with tools.")
    try:
        GetOrderStatus.parse(turn.calls[0].arguments)
    except ToolError as error:
        return warning(about, f"{name} calls a tool with arguments that do not fit: {error}", "Choose another model.")
    return ok(about, "It calls a tool.")


async def _answer(messages: list[dict[str, str]], model: OpenAIModel) -> Turn:
    """Ask until the model is asked as its server will have it."""
    while True:
        try:
            return await model.respond(messages, [GetOrderStatus.definition()])
        except ModelError as error:
            if error.reason is not Reason.ADAPTED:
                raise


async def _keeps_a_schema(about: str, model: OpenAIModel) -> Finding:
    messages = [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": _QUESTION}]
    try:
        await model.classify(messages, CustomerIntent)
    except ModelError as error:
        return warning(
            about,
            f"{model.name} does not keep a schema: {printable(error)}.",
            "Threads are not sorted by what customers want; all else works.",
        )
    return ok(about, "It keeps a schema.")


def _failed(about: str, name: str, error: ModelError) -> Finding:
    text = printable(error)
    variables = _VARIABLES[about]
    if text.startswith(("status 401", "status 403")):
        return fatal(about, f"The server refuses {variables.key}: {text}.", "Copy the key again.")
    if text.startswith("status 404"):
        return fatal(about, f"There is no model {name}: {text}.", f"Correct {variables.model}, or {variables.address}.")
    return warning(about, f"It did not answer: {text}.", "Look at the server, the key and what it may spend.")


def _context(details: dict[str, Any]) -> int | None:
    meta = details.get("meta")
    sources = [details, meta if isinstance(meta, dict) else {}]
    found = (source.get(key) for source in sources for key in _CONTEXT)
    return next((size for size in found if isinstance(size, int) and size > 0), None)
