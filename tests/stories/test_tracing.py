"""What is told to OpenTelemetry: one trace a run, one a click, no word of people, and nothing unless it is wanted."""

import subprocess
import sys
from collections.abc import Mapping

import pytest

from bot.testing.openai import Answer, Failure
from tests.collector import Collector, SeenSpan, collecting
from tests.operator.command import ask
from tests.process import BotProcess
from tests.stories.test_kills import SOON
from tests.world import ANA, SAM, World, calls, refund_of, status_of

SAID = ("mug", "Visa", "Ana", "ana@", ANA, SAM, "ORD-10188", "42.00")


def child(collector: Collector, parent: SeenSpan, name: str) -> SeenSpan:
    """Find the one span of a name below another."""
    (found,) = [span for span in collector.named(name, parent.trace) if span.parent == parent.id]
    return found


async def test_a_trace_for_the_run_and_one_for_the_click(world: World) -> None:
    """From message to post is one trace, with tokens and no words; the click is another, linked to it."""
    world.script += [refund_of("ORD-10188"), Answer("I asked for it.")]
    async with collecting() as (collector, variables), BotProcess(world, environment=variables):
        await world.slack.connected()
        question = await world.says(ANA, "@bot my mug came broken")
        card = await world.card(question)
        await world.replies(question, 2)
        (asked,) = world.rows("SELECT traceparent FROM inbox")
        _, run_trace, root, _ = asked["traceparent"].split("-")
        posts = await collector.until(lambda: (found := collector.named("post message", run_trace))[1:] and found)
        (run,) = await collector.until(lambda: collector.named("invoke_agent support-bot"))
        (received,) = collector.named("receive message")
        assert (received.trace, received.id, received.parent) == (run_trace, root, "")
        assert (run.trace, run.parent) == (run_trace, root)
        first, *_ = [span for span in collector.named("chat scripted-model") if span.parent == run.id]
        assert (
            first.attributes
            | {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "scripted-model",
                "gen_ai.conversation.id": run.attributes["gen_ai.conversation.id"],
                "server.address": "127.0.0.1",
            }
            == first.attributes
        )
        assert first.attributes["gen_ai.usage.input_tokens"] > 0
        parked = child(collector, run, "execute_tool initiate_refund")
        assert parked.attributes["support_bot.status"] == "pending"
        assert {post.parent for post in posts} == {run.id, parked.id}

        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
        (click,) = await collector.until(lambda: collector.named("click approve"))
        assert (click.parent, click.links) == ("", (run_trace,))
        assert click.trace != run_trace
        done = child(collector, click, "execute_tool initiate_refund")
        assert done.attributes["support_bot.status"] == "succeeded"
        await collector.until(lambda: len(collector.named("post message", click.trace)) == 2)
        waited = await collector.until(lambda: collector.metrics.get("support_bot.approval.wait"))
        assert [point.count for point in waited.histogram.data_points] == [1]
        assert {"gen_ai.client.token.usage", "gen_ai.client.operation.duration"} <= set(collector.metrics)
        await collector.until(lambda: b"gen_ai.execute_tool.duration" in collector.raw)
        assert [word for word in SAID if word.encode() in collector.raw] == []


async def test_a_trace_goes_on_after_a_kill(world: World) -> None:
    """A run that is killed and taken up by the next process stays in its trace, and so does what it posts."""
    world.script += [status_of("ORD-10188"), Answer("It has arrived."), Answer("It has arrived.")]
    async with collecting() as (collector, variables):
        process = BotProcess(world, environment=variables, BOT_FAILPOINT="call written", **SOON)
        await world.slack.connected()
        question = await world.says(ANA, "@bot where is ORD-10188?")
        await process.ended()
        async with BotProcess(world, environment=variables, **SOON):
            await world.replies(question)
            (asked,) = world.rows("SELECT traceparent, attempts FROM inbox")
            assert asked["attempts"] == 2
            _, trace, root, _ = asked["traceparent"].split("-")
            (run,) = await collector.until(lambda: collector.named("invoke_agent support-bot"))
            assert (run.trace, run.parent) == (trace, root)
            (post, *_) = await collector.until(lambda: collector.named("post message"))
            assert (post.trace, post.parent) == (trace, run.id)
            assert (await ask(world, "log", "--json", "#10188")).out.count(trace) == 1
            (run_row,) = world.rows("SELECT trace_id FROM runs")
            assert run_row == {"trace_id": trace}


async def test_a_failed_run(world: World) -> None:
    """What fails is marked with its kind, and nothing of what the error says."""
    world.script += [Failure(401, code="invalid_api_key", message="no such key: sk-12345678")]
    async with collecting() as (collector, variables), BotProcess(world, environment=variables):
        await world.slack.connected()
        await world.replies(await world.says(ANA, "@bot my mug came broken"))
        (run,) = await collector.until(lambda: collector.named("invoke_agent support-bot"))
        asked = [span for span in collector.named("chat scripted-model") if span.is_error]
    assert (run.is_error, run.attributes["error.type"]) == (True, "not answered")
    assert [span.attributes["error.type"] for span in asked] == ["settings"]
    assert b"sk-12345678" not in collector.raw


async def test_what_goes_on_after_a_confirmation(world: World) -> None:
    """A thread that goes on by itself after the customer's click has a trace of its own, and knows it in its row."""
    world.script += [
        calls(("cancel_order", {"order_id": "ORD-10251"})),
        Answer("Please confirm."),
        Answer("It is done."),
    ]
    async with (
        collecting() as (collector, variables),
        BotProcess(world, environment=variables, BOT_CUSTOMER_MAY_CONFIRM=1000),
    ):
        await world.slack.connected()
        question = await world.says(ANA, "@bot cancel ORD-10251")
        card = await world.card(question)
        await world.workspace.click(ANA, card.channel, card.ts, "approve_call")
        await collector.until(lambda: len(collector.named("invoke_agent support-bot")) == 2)
    traces = [row["traceparent"].split("-")[1] for row in world.rows("SELECT traceparent FROM inbox ORDER BY id")]
    assert len(set(traces)) == 2
    assert [span.trace for span in collector.named("receive message")] == traces
    (click,) = collector.named("click approve")
    assert click.links == (traces[0],)


async def test_check_tells_where_it_goes(world: World) -> None:
    """`support-bot check` says where traces and metrics go, and whether somebody takes them there."""
    async with collecting() as (_, variables):
        url = variables["OTEL_EXPORTER_OTLP_ENDPOINT"]
        assert f"✓ telemetry Traces and metrics go to {url}." in await found(world, variables)
        metrics = {"OTEL_TRACES_EXPORTER": "none", **variables}
        assert f"✓ telemetry Metrics go to {url}." in await found(world, metrics)
    nobody = f"! telemetry Nobody takes traces and metrics at {url}. Look at OTEL_… and at the collector."
    assert nobody in await found(world, variables)


async def found(world: World, variables: Mapping[str, str]) -> list[str]:
    """List what a check finds, however wide its columns are."""
    return [" ".join(line.split()) for line in (await ask(world, "check", **variables)).lines]


@pytest.mark.parametrize("name", ["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_METRIC_EXPORT_INTERVAL"])
def test_a_slip_in_a_variable(name: str) -> None:
    """A variable that the SDK cannot use keeps nothing from starting: it is told, and nothing is exported."""
    code = (
        "import sys; from bot.tracing import tracing; print(tracing.fault(), file=sys.stderr)\n"
        "with tracing.exporting(): print(tracing.begin())"
    )
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", name: "-1"}
    told = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True
    )
    assert told.stdout == "None\n"
    assert "One of OTEL_… cannot be used, so nothing is exported: " in told.stderr


def test_nothing_unless_wanted() -> None:
    """Without OTEL_… none of OpenTelemetry's SDK is imported; what keeps from exporting is said with what to do."""
    code = (
        "import sys, bot.commands; from bot.tracing import tracing\n"
        "with tracing.exporting(): print(tracing.begin(), tracing.fault(), 'opentelemetry.sdk' in sys.modules)\n"
        "sys.modules['opentelemetry.sdk.trace'] = None\n"
        "print(tracing.fault({'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://localhost:4318'}))\n"
        "print(tracing.fault({'OTEL_TRACES_EXPORTER': 'otlp', 'OTEL_EXPORTER_OTLP_PROTOCOL': 'grpc'}))\n"
        "print(tracing.fault({'OTEL_TRACES_EXPORTER': 'otlp', 'OTEL_SDK_DISABLED': 'true'}))\n"
    )
    told = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", code], env={}, capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines() == [
        "None None False",
        "OTEL_… is set, and nothing is exported without the extra: install `support-bot[otel]`.",
        "OTEL_EXPORTER_OTLP_PROTOCOL is grpc, and the bot exports by http/protobuf alone (port 4318, as a rule).",
        "None",
    ]
