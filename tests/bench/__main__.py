"""Measure bot and floor in one run, and print what was measured as a table."""

import asyncio
import os
import platform
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path

import click

from bot.shop import sample as sample_shop
from bot.shop.sqlite import shop_migrations
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.migrations import bot_migrations
from tests.bench.subject import Subject, running, slow_disk
from tests.bench.world import BenchWorld, Times
from tests.postgres import serving

BOT = ["-m", "bot", "run", "--sample-orders", "ana@example.com"]
FLOOR = ["-m", "tests.bench.floor"]
Row = dict[str, str]


def percentiles(seconds: list[float]) -> str:
    """Write the median and the 99th percentile in milliseconds."""
    hundredths = statistics.quantiles(seconds, n=100, method="inclusive")
    return f"{hundredths[49] * 1000:.1f} / {hundredths[98] * 1000:.1f}"


async def answers(events: list[Times]) -> list[float]:
    """Wait for the answers; seconds from event to answer."""
    await asyncio.wait_for(asyncio.gather(*(event.answered for event in events)), 120)
    return [event.answered.result() - event.sent for event in events]


async def one_by_one(world: BenchWorld, count: int) -> list[float]:
    """Ask one message after the other; seconds from event to answer, without the model's own."""
    world.model_seconds = 0.1
    return [(await answers([await world.say()]))[0] - 2 * world.model_seconds for _ in range(count)]


async def at_a_rate(world: BenchWorld, a_second: int, seconds: int) -> list[float]:
    """Send events at a steady rate to a model that takes a second; seconds from event to ack."""
    world.model_seconds = 1
    events = []
    start = time.perf_counter()
    for number in range(a_second * seconds):
        await asyncio.sleep(max(0.0, start + number / a_second - time.perf_counter()))
        events.append(await world.say())
    await answers(events)
    return [event.acked.result() - event.sent for event in events]


async def at_once(world: BenchWorld, threads: int) -> float:
    """Send many messages at one instant; seconds until the last is answered, where 2 are the model's."""
    world.model_seconds = 1
    start = time.perf_counter()
    await answers([await world.say() for _ in range(threads)])
    return time.perf_counter() - start


async def measure(world: BenchWorld, subject: Subject, *, quick: bool) -> Row:
    """Put a running bot through everything."""
    await one_by_one(world, 10)
    row = {
        "start to connected, s": f"{subject.seconds_to_connect:.2f}",
        "memory idle, MB": f"{subject.memory_mb():.0f}",
    }
    before = subject.cpu_seconds()
    turns = await one_by_one(world, 10 if quick else 150)
    row["added to a turn, ms (p50 / p99)"] = percentiles(turns)
    row["CPU a turn, ms"] = f"{(subject.cpu_seconds() - before) / len(turns) * 1000:.1f}"
    for rate in (10, 50):
        row[f"ack at {rate} a second, ms (p50 / p99)"] = percentiles(await at_a_rate(world, rate, 2 if quick else 10))
    most = 0.0
    for threads in (1, 50, 200, 500):
        if not quick or threads <= 50:
            seconds = await at_once(world, threads)
            row[f"{threads} threads at once, s (ideal 2)"] = f"{seconds:.2f}"
            most = max(most, threads / seconds)
    row["answers a second, at most"] = f"{most:.0f}"
    row["memory at the peak, MB"] = f"{subject.memory_mb(peak=True):.0f}"
    return row


async def fill_log(path: Path, rows: int) -> None:
    """Make a database whose log holds so many tool calls of other threads."""
    database = DatabaseThread(path, bot_migrations, shop_migrations)
    await database.open()
    await sample_shop.fill(database, email="ana@example.com")
    await database.close()
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            f"""{numbers} INSERT INTO messages (team, channel, thread_ts, role, message, created_at)
                SELECT 'T0ACME', 'C' || (i / 10), '1.0', 'assistant', '{{"role": "assistant"}}', '2026-01-01' FROM n""",  # noqa: S608 - the text is ours
            [rows],
        )
        db.execute(
            """INSERT INTO tool_calls (id, team, channel, thread_ts, tool, status, requester, arguments_sent, arguments,
                                       result, gated, card, created_at, finished_at, message_id, position, tool_call_id)
               SELECT 'old' || id, team, channel, thread_ts, 'get_order_status', 'succeeded', 'U' || (id % 1000), '{}',
                      '{}', '{}', 0, '[]', created_at, created_at, id, 0, 'call_' || id FROM messages"""
        )
        db.commit()


async def measure_replicas(world: BenchWorld, table: dict[str, Row], *, quick: bool) -> None:
    """Measure the bot on a PostgreSQL of its own, as one replica and as three."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, serving(Path(folder) / "data", durable=True) as server:
        for replicas in (1, 3):
            async with running(world, BOT, database=server.new_database(), replicas=replicas) as subject:
                table[f"PostgreSQL, {replicas}"] = await measure(world, subject, quick=quick)


async def measure_all(*, quick: bool) -> dict[str, Row]:
    """Measure floor and bot in turn: on this disk, on a slow one, beside a long log, and on PostgreSQL."""
    table: dict[str, Row] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        long_log = folder / "long.db"
        await fill_log(long_log, 10_000 if quick else 1_000_000)
        shim = slow_disk(folder)
        async with BenchWorld() as world:
            async with running(world, FLOOR) as subject:
                table["floor"] = await measure(world, subject, quick=quick)
            async with running(world, BOT) as subject:
                table["bot"] = await measure(world, subject, quick=quick)
            async with running(world, BOT, database=long_log) as subject:
                table["bot, long log"] = await measure(world, subject, quick=quick)
            await measure_replicas(world, table, quick=quick)
            if shim:
                async with running(world, BOT, preload=shim) as subject:
                    table["bot, fsync + 5 ms"] = await measure(world, subject, quick=quick)
    return table


@click.command()
@click.option("--quick", is_flag=True, help="Few repetitions: to see that it works, not to quote.")
def main(*, quick: bool) -> None:
    """Print what floor and bot cost on this machine."""
    table = asyncio.run(measure_all(quick=quick))
    click.echo(
        f"{platform.platform()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {cores()} cores"
    )
    click.echo("")
    click.echo("| measured | " + " | ".join(table) + " |")
    click.echo("|---|" + "---|" * len(table))
    for measured in table["floor"]:
        click.echo(f"| {measured} | " + " | ".join(row.get(measured, "") for row in table.values()) + " |")


def cores() -> int:
    """Count the cores that we may use."""
    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    main()
