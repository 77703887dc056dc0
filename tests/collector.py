"""A collector of OpenTelemetry's on localhost: it takes spans and metrics as they are sent, and keeps them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bot.testing.serving import serving


@dataclass(frozen=True, slots=True)
class SeenSpan:
    """A span as it arrived."""

    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    links: tuple[str, ...]
    is_error: bool


class Collector:
    """What has arrived."""

    def __init__(self) -> None:
        self.spans: list[SeenSpan] = []
        self.metrics: dict[str, Any] = {}
        self.raw = b""
        self._news = asyncio.Event()

    async def until(self, found: Callable[[], Any], seconds: float = 20) -> Any:
        """Wait until this finds something."""
        async with asyncio.timeout(seconds):
            while not (it := found()):
                await self._news.wait()
                self._news.clear()
        return it

    def named(self, name: str, trace: str = "") -> list[SeenSpan]:
        """List the spans of a name, in one trace or in all."""
        return [span for span in self.spans if span.name == name and trace in ("", span.trace)]

    async def take_traces(self, request: web.Request) -> web.Response:
        """Take spans."""
        body = await request.read()
        self.raw += body
        self.spans += _spans(ExportTraceServiceRequest.FromString(body))
        self._news.set()
        return web.Response()

    async def take_metrics(self, request: web.Request) -> web.Response:
        """Take metrics; those of a name are replaced by the next."""
        body = await request.read()
        self.raw += body
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for scope in resource.scope_metrics:
                self.metrics |= {metric.name: metric for metric in scope.metrics}
        self._news.set()
        return web.Response()


@asynccontextmanager
async def collecting() -> AsyncIterator[tuple[Collector, dict[str, str]]]:
    """Serve a collector, and give it with the variables that make a program send there at once."""
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take_traces)
    app.router.add_post("/v1/metrics", collector.take_metrics)
    async with serving(app) as url:
        yield (
            collector,
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": url,
                "OTEL_BSP_SCHEDULE_DELAY": "20",
                "OTEL_METRIC_EXPORT_INTERVAL": "100",
            },
        )


def _spans(request: ExportTraceServiceRequest) -> Iterator[SeenSpan]:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield SeenSpan(
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    {pair.key: _value(pair.value) for pair in span.attributes},
                    tuple(link.trace_id.hex() for link in span.links),
                    span.status.code == span.status.STATUS_CODE_ERROR,
                )


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [_value(one) for one in value.array_value.values] if kind == "array_value" else getattr(value, kind)
