"""What all tests share: the world as a fixture, and where pictures for the README go."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bot.shop.sqlite import SqliteShop, shop_migrations
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.migrations import bot_migrations
from tests.postgres import PostgresServer, serving
from tests.world import World, open_world, sample_database

# How long an example takes says something of the machine alone.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

TESTS = Path(__file__).parent
LONG = (
    "agent/test_bounds.py",
    "agent/test_garbage.py",
    "agent/test_model_errors.py",
    "agent/test_non_answers.py",
    "agent/test_servers.py",
    "approvals/test_gated_call_machine.py",
    "demo/test_browser.py",
    "evaluation/test_changes.py",
    "mcp",
    "model/test_templates.py",
    "operator/test_check.py",
    "operator/test_check_shop.py",
    "operator/test_datasette.py",
    "operator/test_log.py",
    "operator/test_logs.py",
    "operator/test_on_postgres.py",
    "shop/shopify",
    "shop/stripe",
    "slack/test_client.py",
    "slack/test_growth.py",
    "store/test_races.py",
    "store/test_server.py",
    "stories/test_acks.py",
    "stories/test_clocks.py",
    "stories/test_corrections.py",
    "stories/test_decisions.py",
    "stories/test_delivery.py",
    "stories/test_disk.py",
    "stories/test_drafts.py",
    "stories/test_erasure.py",
    "stories/test_evaluation.py",
    "stories/test_evaluation_breaches.py",
    "stories/test_failover.py",
    "stories/test_home.py",
    "stories/test_kills.py",
    "stories/test_lost_commits.py",
    "stories/test_pgbouncer.py",
    "stories/test_processes.py",
    "stories/test_refunds_that_fail_later.py",
    "stories/test_replicas.py",
    "stories/test_shops.py",
    "stories/test_slack_is_down.py",
    "stories/test_soak.py",
    "stories/test_sweeper.py",
    "stories/test_tracing.py",
    "stories/test_two_approvers.py",
    "stories/test_two_keys.py",
    "stories/test_what_people_send.py",
    "tools/test_goods.py",
)
"""What is left out where no tests are named, so that they are a matter of minutes; `.ci/run` runs it besides."""


def _leaves_out(config: pytest.Config) -> bool:
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what is long."""
    left_out = _leaves_out(config) and collection_path.relative_to(TESTS).as_posix() in LONG
    return left_out or None


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what is left out."""
    return f"left to .ci/run: {', '.join(LONG)}" if _leaves_out(config) else None


@pytest.fixture
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Open a world of its own for each story; the story starts the bot.

    Its store is that of --store, or, for a story that is told on both, the fixture's parameter.
    """
    postgres = None
    if getattr(request, "param", request.config.getoption("--store")) == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        postgres = server.new_database()
    async with open_world(tmp_path, postgres) as opened:
        yield opened


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[DatabaseThread]:
    """Open a database with the sample orders."""
    path = tmp_path / "support.db"
    shutil.copy(await sample_database(), path)
    opened = DatabaseThread(path, bot_migrations, shop_migrations)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def shop(database: DatabaseThread) -> SqliteShop:
    """Give the built-in shop over that database."""
    return SqliteShop(database)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --pictures, a folder into which the browser test puts the README's pictures, and how long the soak is."""
    parser.addoption("--pictures", type=Path, default=None)
    parser.addoption("--soak-seconds", type=float, default=1, help="How long the soak goes on.")
    parser.addoption("--store", choices=["sqlite", "postgres"], default="sqlite", help="Where the stories' bot keeps.")
    parser.addoption("--refunds-an-order", type=int, default=1, help="How many refunds the replicas make of an order.")
    parser.addoption("--soak-seed", type=int, default=1, help="Where the soak's chance begins.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about the SQLite file where the stories' bot has none."""
    if config.getoption("--store") == "postgres":
        for item in items:
            if item.get_closest_marker("sqlite_file"):
                item.add_marker(pytest.mark.skip(reason="it is about the SQLite file"))


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> Path | None:
    """Give the folder for pictures, if there is to be one."""
    folder: Path | None = request.config.getoption("--pictures")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Run a PostgreSQL for the session, in a short path: its socket is there, too."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder, serving(Path(folder) / "data") as server:
        yield server
