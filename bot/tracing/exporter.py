"""OpenTelemetry: spans and metrics by the conventions for generative AI, over OTLP. The only code that knows it."""

import hashlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from importlib import metadata
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry._logs import NoOpLoggerProvider
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import Span, SpanContext, SpanKind, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.genai.handler import TelemetryHandler
from opentelemetry.util.genai.invocation import GenAIInvocation, InferenceInvocation
from opentelemetry.util.genai.types import Error

AGENT = "support-bot"
PROVIDER = "openai"  # as the conventions have it for any server that speaks as OpenAI's does
RECEIVED, POSTED, CLICKED = "receive message", "post message", "click {}"
CLOSING_SECONDS, REACHING_SECONDS = 3.0, 2.0
WAIT_BUCKETS = (10, 30, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 72 * 3600)
_PROPAGATOR = TraceContextTextMapPropagator()


@dataclass
class _Open:
    """What is being done: its span, and what is known of how it ended."""

    span: Span
    invocation: GenAIInvocation | None = None
    error: str | None = None
    told: dict[str, str | int] = field(default_factory=dict)


class _Ids(RandomIdGenerator):
    """Random ids, but for a span whose ids were told to others before it was made."""

    def __init__(self) -> None:
        self.given: ContextVar[SpanContext | None] = ContextVar("given", default=None)

    def generate_trace_id(self) -> int:
        """Return the id of a new trace."""
        given = self.given.get()
        return given.trace_id if given else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """Return the id of a new span."""
        given = self.given.get()
        return given.span_id if given else super().generate_span_id()


class Exporter:
    """Sends what is told to where OpenTelemetry's own variables say, in the background."""

    def __init__(self, *, traces: bool, metrics: bool) -> None:
        version = metadata.version(AGENT)
        ours = {"service.name": AGENT, "service.version": version}
        resource = Resource.create({**ours, **OTELResourceDetector().detect().attributes})
        self._ids = _Ids()
        self._tracers = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        if traces:
            self._tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        readers = [PeriodicExportingMetricReader(OTLPMetricExporter())] if metrics else []
        self._meters = MeterProvider(readers, resource=resource, shutdown_on_exit=False)
        self._told = TelemetryHandler(
            self._tracers,
            self._meters if metrics else NoOpMeterProvider(),
            NoOpLoggerProvider(),
            instrumentation_scope_name=AGENT,
            instrumentation_scope_version=version,
        )
        self._tracer = self._tracers.get_tracer(AGENT, version)
        self._waits = self._meters.get_meter(AGENT, version).create_histogram(
            "support_bot.approval.wait",
            unit="s",
            description="How long a request has waited until it was confirmed or approved.",
            explicit_bucket_boundaries_advisory=WAIT_BUCKETS,
        )
        self._open: ContextVar[_Open | None] = ContextVar("open", default=None)

    def close(self) -> None:
        """Send what is left, for some seconds at most."""
        closing = threading.Thread(target=self._shut_down, daemon=True)
        closing.start()
        closing.join(CLOSING_SECONDS)

    def _shut_down(self) -> None:
        self._tracers.shutdown()
        self._meters.shutdown()

    def begin(self) -> str:
        """Choose the ids of a trace and its first span, and whether it is sampled, before either is made."""
        trace_id, span_id = self._ids.generate_trace_id(), self._ids.generate_span_id()
        sampled = self._tracers.sampler.should_sample(None, trace_id, RECEIVED).decision is Decision.RECORD_AND_SAMPLE
        return _traceparent(SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(int(sampled))))

    def current(self) -> str | None:
        """Return the traceparent of the current span."""
        context = trace.get_current_span().get_span_context()
        return _traceparent(context) if context.is_valid else None

    @contextmanager
    def run(self, thread: str, traceparent: str | None, received_at: datetime, *, first: bool) -> Iterator[None]:
        """Hold the span of a run; what is in the row is made a span with it, when it is the first time."""
        if first and traceparent and (promised := _span_context(traceparent)).is_valid:
            self._make_first(promised, received_at)
        conversation = hashlib.sha256(thread.encode()).hexdigest()[:32]
        invocation = self._told.invoke_local_agent(
            agent_name=AGENT, context=_context(traceparent), conversation_id=conversation
        )
        with self._held(_Open(invocation.span, invocation)):
            yield

    def _make_first(self, promised: SpanContext, received_at: datetime) -> None:
        token = self._ids.given.set(promised)
        try:
            span = self._tracer.start_span(
                RECEIVED,
                Context(),
                SpanKind.CONSUMER,
                {"messaging.system": "slack", "messaging.operation.type": "receive"},
                start_time=int(received_at.timestamp() * 1e9),
            )
        finally:
            self._ids.given.reset(token)
        span.end()

    @contextmanager
    def model_call(self, model: str, address: str, purpose: str) -> Iterator[None]:
        """Hold the span of a request to a model."""
        server = urlsplit(address)
        port = server.port or {"http": 80, "https": 443}.get(server.scheme)
        invocation = self._told.inference(
            PROVIDER, request_model=model, server_address=server.hostname, server_port=port
        )
        with self._held(_Open(invocation.span, invocation, told={"support_bot.purpose": purpose})):
            yield

    def answered(
        self, model: str, finish_reason: str | None, read: int | None, written: int | None, cached: int | None
    ) -> None:
        """Note what the model answered."""
        opened = self._open.get()
        if opened and isinstance(opened.invocation, InferenceInvocation):
            invocation = opened.invocation
            invocation.response_model_name = model
            invocation.finish_reasons = [finish_reason] if finish_reason else None
            invocation.input_tokens, invocation.output_tokens = read, written
            invocation.cache_read_input_tokens = cached

    @contextmanager
    def tool_call(self, tool: str, call_id: str, asked_in: str | None) -> Iterator[None]:
        """Hold the span of a tool call that is run."""
        invocation = self._told.tool(tool, tool_type="function", agent_name=AGENT)
        invocation.tool_call_id = call_id
        with self._held(_Open(invocation.span, invocation)):
            if asked_in:
                self.link(asked_in)
            yield

    @contextmanager
    def click(self, decision: str) -> Iterator[None]:
        """Hold the span of a click, with which a trace begins."""
        span = self._tracer.start_span(CLICKED.format(decision), Context(), SpanKind.CONSUMER)
        with self._held(_Open(span)):
            yield

    def link(self, traceparent: str) -> None:
        """Link the current span to another trace."""
        trace.get_current_span().add_link(_span_context(traceparent))

    @contextmanager
    def post(self, post_id: str, traceparent: str | None) -> Iterator[None]:
        """Hold the span of a post."""
        about = {"messaging.system": "slack", "messaging.operation.type": "send", "messaging.message.id": post_id}
        span = self._tracer.start_span(POSTED, _context(traceparent), SpanKind.PRODUCER, about)
        with self._held(_Open(span)):
            yield

    def ended(self, status: str, *, well: bool) -> None:
        """Note how what is open ended."""
        if opened := self._open.get():
            opened.told["support_bot.status"] = status
            opened.error = None if well else status

    def waited(self, tool: str, seconds: float) -> None:
        """Count a wait for a person."""
        self._waits.record(seconds, {"gen_ai.tool.name": tool})

    @contextmanager
    def _held(self, opened: _Open) -> Iterator[None]:
        """Make a span the current one, and end it; of an exception no more is told than its kind."""
        token = self._open.set(opened)
        try:
            with trace.use_span(opened.span, record_exception=False, set_status_on_exception=False):
                yield
        except BaseException as error:
            opened.error = opened.error or type(error).__name__
            raise
        finally:
            self._open.reset(token)
            _end(opened)


def is_taken(signal: str) -> bool:
    """Send nothing, and return whether it was taken; what the SDK says of it, nobody has to read."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    if signal == "METRICS":
        sent = OTLPMetricExporter(timeout=REACHING_SECONDS).export(MetricsData(()))
        return sent is MetricExportResult.SUCCESS
    return OTLPSpanExporter(timeout=REACHING_SECONDS).export(()) is SpanExportResult.SUCCESS


def _end(opened: _Open) -> None:
    invocation, error = opened.invocation, opened.error
    if invocation is None:
        opened.span.set_attributes(opened.told)
        if error:
            opened.span.set_attribute("error.type", error)
            opened.span.set_status(StatusCode.ERROR)
        opened.span.end()
        return
    invocation.attributes.update(opened.told)
    if error:
        invocation.fail(Error(message=None, type=error))
    else:
        invocation.stop()


def _traceparent(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _context(traceparent: str | None) -> Context:
    """Return a context in which the traceparent is the parent, or in which nothing is."""
    return _PROPAGATOR.extract({"traceparent": traceparent or ""}, Context())


def _span_context(traceparent: str) -> SpanContext:
    return trace.get_current_span(_context(traceparent)).get_span_context()
