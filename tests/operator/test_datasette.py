"""The stored queries and charts, in the Datasette that people install."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from bot.testing.openai import Answer
from tests.test_readme import README, ROOT
from tests.world import ANA, SAM, World, free_port, refund_of

QUERIES = ROOT / "bot" / "operator" / "datasette.yml"
FETCH_TIMEOUT_SECONDS = 60
COMMAND = "uvx --with datasette-dashboards datasette support.db -m bot/operator/datasette.yml"


def uvx() -> str | None:
    """Find uvx, which comes with uv."""
    beside = Path(sys.executable).with_name("uvx")
    return (
        str(beside) if beside.exists() else shutil.which("uvx") or shutil.which("uvx", path=str(ROOT / ".venv" / "bin"))
    )


@pytest.fixture
async def datasette(world: World) -> AsyncIterator[str]:
    """Serve the log of a refund with README's command, on a port of its own; skip where it cannot be installed."""
    world.script += [refund_of("ORD-10188"), Answer("Asked.")]
    async with world.bot():
        question = await world.says(ANA, "@bot my mug came broken")
        card = await world.card(question)
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
        await world.replies(question, 3)
    command = uvx()
    if command is None:
        pytest.skip("uvx is not installed here")
    words = COMMAND.replace("bot/operator/datasette.yml", str(QUERIES)).split()[1:]
    quiet = asyncio.subprocess.DEVNULL
    with suppress(TimeoutError):
        async with asyncio.timeout(FETCH_TIMEOUT_SECONDS):
            fetched = await asyncio.create_subprocess_exec(command, *words[:3], "--version", stdout=quiet, stderr=quiet)
            if await fetched.wait() != 0:
                pytest.skip("datasette cannot be fetched from here")
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        command, *words, "--port", str(port), cwd=world.database.parent, stdout=quiet, stderr=quiet
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(FETCH_TIMEOUT_SECONDS), aiohttp.ClientSession() as session:
            while True:
                with suppress(aiohttp.ClientConnectionError):
                    async with session.get(f"{url}/-/versions.json"):
                        break
                await asyncio.sleep(0.2)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def fetch(url: str) -> Any:
    """Read an address as JSON or as text."""
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200, (url, await response.text())
        return await (response.json() if ".json" in url else response.text())


@pytest.mark.sqlite_file
async def test_queries_and_charts(datasette: str) -> None:
    """Every stored query and every chart's query runs in the stable Datasette, and foreign keys are links."""
    assert COMMAND in README
    config = yaml.safe_load(QUERIES.read_text("utf-8"))
    given = "_shape=array&order_id=ORD-10188&reference=0&user=U0SAM"
    rows = {
        name: await fetch(f"{datasette}/support/{name}.json?{given}")
        for name in config["databases"]["support"]["queries"]
    }
    assert [row["decided_by"] for row in rows["story_of_an_order"]] == [SAM]
    assert rows["refunds_by_day"][0]["amount"] == 42.0
    assert len(rows["decided_by"]) == 1
    charts = config["plugins"]["datasette-dashboards"]["support"]["charts"]
    for name, chart in charts.items():
        async with aiohttp.ClientSession() as session:
            address = f"{datasette}/support.json"
            async with session.get(address, params={"sql": chart["query"], "_shape": "array"}) as response:
                assert response.status == 200, (name, await response.text())
                assert await response.json(), name
    assert charts["messages_by_hour"]["title"] in await fetch(f"{datasette}/-/dashboards/support")
    keys = {
        (table["name"], key["column"], key["other_table"])
        for table in (await fetch(f"{datasette}/support.json"))["tables"]
        for key in table["foreign_keys"]["outgoing"]
    }
    assert keys >= {
        ("tool_calls", "run_id", "inbox"),
        ("model_calls", "run_id", "inbox"),
        ("outbox", "call_id", "tool_calls"),
        ("messages", "inbox_id", "inbox"),
    }
