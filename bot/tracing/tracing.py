"""What the bot tells of its work to OpenTelemetry, if it is told to; if not, each of these does nothing.

A run is one trace, from the message to the post; a click is one of its own, with a link to the run that asked. A
`traceparent` (as W3C has it) is kept in rows, so that a trace goes on after a restart and nothing is held open while
people decide. Nothing that is told has a name, an address or what somebody wrote.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from bot.tracing.exporter import Exporter

logger = logging.getLogger(__name__)

MISSING = "OTEL_… is set, and nothing is exported without the extra: install `support-bot[otel]`."
UNUSABLE = "One of OTEL_… cannot be used, so nothing is exported: {}."
NOT_HTTP = "OTEL_EXPORTER_OTLP_PROTOCOL is {}, and the bot exports by http/protobuf alone (port 4318, as a rule)."
SIGNALS = ("TRACES", "METRICS")
_NOTHING = nullcontext()


class _Switch:
    exporter: "Exporter | None" = None


def is_wanted(signal: str, environment: Mapping[str, str] | None = None) -> bool:
    """Return whether `TRACES` or `METRICS` are to be exported, by OpenTelemetry's own variables."""
    variables = os.environ if environment is None else environment
    if variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    chosen = variables.get(f"OTEL_{signal}_EXPORTER", "").strip().lower()
    return chosen == "otlp" or (not chosen and any(variables.get(name) for name in endpoints))


def fault(environment: Mapping[str, str] | None = None) -> str | None:
    """Return what keeps from being exported what is to be, in words for the operator."""
    variables = os.environ if environment is None else environment
    if not any(is_wanted(signal, variables) for signal in SIGNALS):
        return None
    protocol = variables.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "http/protobuf"
    if protocol != "http/protobuf":
        return NOT_HTTP.format(protocol)
    try:
        from bot.tracing import exporter  # noqa: F401 - whether it is there is the question
    except ModuleNotFoundError:
        return MISSING
    except ValueError as error:  # the SDK reads some of them when it is imported
        return UNUSABLE.format(error)
    return None


def endpoint(signal: str) -> str:
    """Return where a signal goes, without a name and password."""
    given = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    parts = urlsplit(given or "http://localhost:4318")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def is_taken(signal: str) -> bool:
    """Return whether somebody takes what is sent of a signal that can be exported; it takes seconds if not."""
    from bot.tracing.exporter import is_taken as is_taken_there

    return is_taken_there(signal)


@contextmanager
def exporting() -> Iterator[None]:
    """Export while the context is open, if that is wanted and can be; what is left is sent on leaving, for seconds."""
    traces, metrics = is_wanted("TRACES"), is_wanted("METRICS")
    if fault() is not None or not (traces or metrics):
        yield
        return
    from bot.tracing.exporter import Exporter

    try:
        exporter = Exporter(traces=traces, metrics=metrics)
    except ValueError as error:
        logger.warning("telemetry: %s", UNUSABLE.format(error))
        yield
        return
    _Switch.exporter = exporter
    try:
        yield
    finally:
        _Switch.exporter = None
        exporter.close()


def begin() -> str | None:
    """Make the traceparent of a message that has just come in."""
    exporter = _Switch.exporter
    return exporter.begin() if exporter else None


def current() -> str | None:
    """Return the traceparent of what is being done."""
    exporter = _Switch.exporter
    return exporter.current() if exporter else None


def trace_id(traceparent: str | None) -> str | None:
    """Return the trace's id, as one looks it up."""
    return traceparent.split("-")[1] if traceparent else None


def run(thread: str, traceparent: str | None, received_at: datetime, *, first: bool) -> AbstractContextManager[None]:
    """Tell of the answering of a message; at the `first` attempt of its receipt too."""
    exporter = _Switch.exporter
    return exporter.run(thread, traceparent, received_at, first=first) if exporter else _NOTHING


def model_call(model: str, address: str, purpose: str) -> AbstractContextManager[None]:
    """Tell of a request to a model."""
    exporter = _Switch.exporter
    return exporter.model_call(model, address, purpose) if exporter else _NOTHING


def answered(
    model: str, finish_reason: str | None, read: int | None, written: int | None, *, cached: int | None
) -> None:
    """Tell what the model answered, in tokens."""
    if exporter := _Switch.exporter:
        exporter.answered(model, finish_reason, read, written, cached)


def tool_call(tool: str, call_id: str, asked_in: str | None = None) -> AbstractContextManager[None]:
    """Tell of a tool call that is run, and of the run that asked for it if it was another."""
    exporter = _Switch.exporter
    return exporter.tool_call(tool, call_id, asked_in) if exporter else _NOTHING


def click(decision: str) -> AbstractContextManager[None]:
    """Tell of a decision by a button, in a trace of its own."""
    exporter = _Switch.exporter
    return exporter.click(decision) if exporter else _NOTHING


def link(traceparent: str | None) -> None:
    """Tell where what is being decided was asked for."""
    exporter = _Switch.exporter
    if exporter and traceparent:
        exporter.link(traceparent)


def post(post_id: str, traceparent: str | None) -> AbstractContextManager[None]:
    """Tell of a post that goes to Slack."""
    exporter = _Switch.exporter
    return exporter.post(post_id, traceparent) if exporter else _NOTHING


def ended(status: str, *, well: bool) -> None:
    """Tell how what is being done ended."""
    if exporter := _Switch.exporter:
        exporter.ended(status, well=well)


def waited(tool: str, seconds: float) -> None:
    """Tell for how long a request has waited for a yes."""
    if exporter := _Switch.exporter:
        exporter.waited(tool, seconds)
