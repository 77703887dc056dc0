"""What the bot tells on stderr, and what it counts: a line for each event, and nothing that is nobody's business."""

import asyncio
import json
import logging
import re
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest

from bot.logs import configure, without_secrets
from bot.testing.openai import Answer, Failure
from tests.operator.command import environment, start
from tests.world import ANA, BEN, SAM, World, free_port, refund_of, shown, status_of

SECRET_WORDS = ("my mug came broken", "ana@example.com", "xoxb-", "xapp-")


@asynccontextmanager
async def running(world: World, *before: str, **changes: Any) -> AsyncIterator[tuple[Process, list[str]]]:
    """Run the bot as a process while the context is open, and give the lines of its stderr afterwards."""
    process = await start(world.database.parent, *before, "run", **environment(world, **changes))
    lines: list[str] = []
    try:
        await world.slack.connected()
        yield process, lines
        process.terminate()
        _, errors = await process.communicate()
        lines += errors.decode().splitlines()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    assert process.returncode == 0


async def play(world: World) -> str:
    """Play a refund denied to one person and approved by another, and an unanswered message; return its mark."""
    world.script += [
        refund_of("ORD-10188"),
        Answer("Asked."),
        status_of("ORD-10234"),
        Failure(401, code="invalid_api_key"),
    ]
    question = await world.says(ANA, "@bot my mug came broken, write to ana@example.com")
    card = await world.card(question)
    await world.workspace.click(BEN, card.channel, card.ts, "approve_call")
    await world.whisper_to(BEN)
    await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
    await world.settled(card)
    await world.replies(question, 3)
    (apology,) = await world.replies(await world.says(ANA, "@bot and where is my other order?"))
    return shown(apology).rpartition(" ")[2]


async def test_a_line_for_each_event(world: World) -> None:
    """Where stderr is no terminal each event is a JSON object with time, thread, call and reference, and no secret."""
    async with running(world) as (_, lines):
        reference = await play(world)
    events = [json.loads(line) for line in lines]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"]) for event in events)
    by_name: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        by_name.setdefault(event["message"], []).append(event)
    assert next(iter(by_name)) == "started"
    (begun,) = by_name["started"]
    assert {"version", "model", "approvers", "tools", "shop", "database"} <= set(begun)
    asked, approved, done = (by_name[f"request {word}"][0] for word in ("asked", "approved", "done"))
    assert asked["call"] == approved["call"] == done["call"]
    assert asked["thread"] == done["thread"]
    assert asked["reference"] == asked["call"][:8]
    assert (asked["by"], approved["by"], done["by"], asked["order"]) == (ANA, SAM, SAM, "ORD-10188")
    (denied,) = by_name["click denied"]
    assert (denied["by"], denied["decision"], denied["call"]) == (BEN, "approve", asked["call"])
    assert by_name["message not answered"][0]["reference"] == reference
    assert by_name["model call failed"][0]["level"] == "warning"
    assert by_name["posted"][0]["thread"] == asked["thread"]
    for words in SECRET_WORDS:
        assert words not in "\n".join(lines)


async def test_as_text(world: World) -> None:
    """As text a line begins with its time in UTC and ends with its fields; `--verbose` tells more of us alone."""
    world.script += [status_of("ORD-10234"), Answer("It is on its way.")]
    async with running(world, "--log-format", "text", "--verbose") as (_, lines):
        await world.replies(await world.says(ANA, "@bot where is it?"))
    told = "\n".join(lines)
    assert re.search(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO started version=", told, re.MULTILINE)
    assert re.search(r"DEBUG tool call ended tool=get_order_status status=succeeded reference=\w{8} ", told)
    assert re.search(r"DEBUG model answered model=scripted-model .+ prompt_tokens=\d+", told)
    for library in ("slack_sdk", "slack_bolt", "openai", "aiohttp", "httpx"):
        assert library not in told


async def test_post_given_up(world: World) -> None:
    """A post that Slack will never take is one line with Slack's word for it and the reference for `retry`."""
    world.script += [Answer("Hello.")]
    async with running(world) as (_, lines):
        world.workspace.faults.refuse("chat.postMessage", "is_archived")
        await world.says(ANA, "@bot hello")
        await world.workspace.until(lambda: any(call.method == "chat.postMessage" for call in world.workspace.calls))
    (given_up,) = [event for event in map(json.loads, lines) if event["message"] == "post given up"]
    (row,) = world.rows("SELECT id FROM outbox")
    assert (given_up["level"], given_up["error"], given_up["reference"]) == ("error", "is_archived", row["id"][:8])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("token xoxb-12-ab.c refused", "token [removed] refused"),
        ("xoxe.xoxp-1-abc", "[removed]"),
        ("key sk-proj-abcdef123456.", "key [removed]."),
        ("key rk_live_abcdefgh12345678 of Stripe", "key [removed] of Stripe"),
        ("shpat_0123456789abcdef", "[removed]"),
        ("postgresql://bot:hunter2@localhost/bot", "postgresql://[removed]@localhost/bot"),
        ("GET https://shop.example.com/x?token=abc123&page=2", "GET https://shop.example.com/x?token=[removed]&page=2"),
        ("https://hooks.slack.com/commands/T1/2/abc", "https://hooks.slack.com/[removed]"),
        ("Authorization: Bearer abc.def", "Authorization: [removed]"),
        ("to ana.r+shop@mail.example.com, please", "to [removed], please"),
        ("ORD-10188 at 10:30 of task-force", "ORD-10188 at 10:30 of task-force"),
    ],
)
def test_secrets(text: str, left: str) -> None:
    """Tokens, keys and addresses are taken out of whatever an error quotes; nothing else is."""
    assert without_secrets(text) == left


async def test_metrics(world: World) -> None:
    """Prometheus reads counts of calls, tokens and events, how long approvals took, and what waits now."""
    port = free_port()
    async with running(world, BOT_HEALTH_PORT=str(port)):
        await play(world)
        told = ""
        async with aiohttp.ClientSession() as session, asyncio.timeout(20):
            while "support_bot_waiting_posts 0.0" not in told:  # the last one is written once Slack has it
                async with session.get(f"http://127.0.0.1:{port}/metrics") as response:
                    assert response.status == 200
                    assert response.headers["Content-Type"].startswith("text/plain; version=")
                    told = await response.text()
    for line in (
        'support_bot_events_total{event="request asked"} 1.0',
        'support_bot_events_total{event="click denied"} 1.0',
        'support_bot_tool_calls_total{status="succeeded",tool="initiate_refund"} 1.0',
        'support_bot_tool_calls_total{status="succeeded",tool="get_order_status"} 1.0',
        'support_bot_model_calls_total{model="scripted-model",status="failed"} 1.0',
        'support_bot_tokens_total{kind="prompt",model="scripted-model"}',
        'support_bot_approval_wait_seconds_count{tool="initiate_refund"} 1.0',
        "support_bot_open_requests 0.0",
    ):
        assert line in told, (line, told)


async def test_readiness_knows_model_and_shop(world: World) -> None:
    """When model or shop fail again and again, `/readyz` says so, and stays 200: messages must still reach us."""
    world.script += [Failure(401, code="invalid_api_key")] * 3
    port = free_port()
    async with world.bot(BOT_HEALTH_PORT=port):
        for _ in range(3):
            await world.replies(await world.says(ANA, "@bot hello"))
        world.write("ALTER TABLE orders RENAME TO elsewhere")
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/readyz") as response:
            told = await response.json()
    assert (response.status, told["ready"], told["faults"]) == (200, True, [])
    assert told["trouble"] == [
        f"the model scripted-model at {world.model.url}/ does not answer: status 401",
        "the shop does not answer (OperationalError)",
    ]


def test_configured_again() -> None:
    """Each command says for itself how its log is written, and a library's talk stays out of all of them."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogger("bot").level
    try:
        configure("json", verbose=True)
        assert logging.getLogger("bot.app").isEnabledFor(logging.DEBUG)
        assert not logging.getLogger("slack_sdk").isEnabledFor(logging.INFO)
        configure("text", verbose=False, quiet=True)
        assert not logging.getLogger("bot.app").isEnabledFor(logging.INFO)
        assert len(root.handlers) == 1
    finally:
        root.handlers[:], level, ours = before
        root.setLevel(level)
        logging.getLogger("bot").setLevel(ours)
