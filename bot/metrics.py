"""What is counted for Prometheus while the process runs; what the database knows is added when it is asked for."""

from collections.abc import Mapping
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.tracing import tracing

CONTENT_TYPE = CONTENT_TYPE_LATEST
_REGISTRY = CollectorRegistry()
_WAITS = (10, 30, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 72 * 3600)
_EVENTS = Counter("support_bot_events", "Lines of the log by what happened", ["event"], registry=_REGISTRY)
_TOOL_CALLS = Counter("support_bot_tool_calls", "Tool calls that ended", ["tool", "status"], registry=_REGISTRY)
_MODEL_CALLS = Counter(
    "support_bot_model_calls", "Requests to a model that ended", ["model", "status"], registry=_REGISTRY
)
_TOKENS = Counter("support_bot_tokens", "Tokens that a model read and wrote", ["model", "kind"], registry=_REGISTRY)
_SECONDS = Histogram("support_bot_model_call_seconds", "Seconds until a model answered", ["model"], registry=_REGISTRY)
_WAITED = Histogram(
    "support_bot_approval_wait_seconds",
    "Seconds until a request was approved",
    ["tool"],
    buckets=_WAITS,
    registry=_REGISTRY,
)
_STATES = {
    "open_requests": Gauge(
        "support_bot_open_requests", "Requests that wait for a person or an outcome", registry=_REGISTRY
    ),
    "waiting_posts": Gauge("support_bot_waiting_posts", "Posts that are not in Slack yet", registry=_REGISTRY),
    "oldest_message_seconds": Gauge(
        "support_bot_oldest_message_seconds", "Age of the oldest message that is not answered", registry=_REGISTRY
    ),
    "slack_silent_seconds": Gauge(
        "support_bot_slack_silent_seconds", "Seconds since Slack was heard", registry=_REGISTRY
    ),
}


def count(event: str, fields: Mapping[str, Any]) -> None:
    """Count an event by its name and by what of its fields has few values."""
    _EVENTS.labels(event).inc()
    match event:
        case "tool call ended":
            _TOOL_CALLS.labels(fields["tool"], fields["status"]).inc()
        case "model answered":
            model = fields["model"]
            _MODEL_CALLS.labels(model, "succeeded").inc()
            _SECONDS.labels(model).observe(fields["seconds"])
            _TOKENS.labels(model, "prompt").inc(fields.get("prompt_tokens") or 0)
            _TOKENS.labels(model, "completion").inc(fields.get("completion_tokens") or 0)
        case "model call failed":
            _MODEL_CALLS.labels(fields["model"], "failed").inc()
        case "request approved" | "request confirmed" if "waited_seconds" in fields:
            _WAITED.labels(fields["tool"]).observe(fields["waited_seconds"])
            tracing.waited(fields["tool"], fields["waited_seconds"])
        case "request done" | "request refused" | "outcome unknown":
            _TOOL_CALLS.labels(fields["tool"], fields["status"]).inc()


def exposition(states: Mapping[str, float]) -> bytes:
    """Write all that is counted in Prometheus' text format, with what the database says now."""
    for name, value in states.items():
        _STATES[name].set(value)
    return generate_latest(_REGISTRY)
