"""The code keeps to its layout: imports run one way, and only the files that may know a library know it."""

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from bot.store.postgres.migrations import TABLES
from tests.conftest import LONG

ROOT = Path(__file__).parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "bot").rglob("*.py")
}
KNOWS = {
    "openai": {"bot.model.chat_completions"},
    "slack_bolt": {"bot.listening", "bot.slack"},
    "slack_sdk": {"bot.ground", "bot.slack", "bot.operator", "bot.demo", "bot.testing"},
    "psycopg": {"bot.store.postgres"},
    "psycopg_pool": {"bot.store.postgres"},
    "sqlite_utils": {"bot.store.opening", "bot.store.sqlite", "bot.shop", "bot.help", "bot.demo"},
    "prometheus_client": {"bot.metrics"},
    "opentelemetry": {"bot.tracing.exporter"},
    "click": {
        "bot.__main__",
        "bot.commands",
        "bot.evaluation.command",
        "bot.operator.commands",
        "bot.operator.console",
    },
    "mcp": {"bot.mcp.session", "bot.mcp.transports"},
    "mcp_types": {"bot.mcp.session", "bot.mcp.transports"},
    "jsonschema": {"bot.mcp.schema"},
    "yaml": {"bot.evaluation.files"},
}


@cache
def imports(path: Path) -> frozenset[str]:
    """List all that a file imports, lazy imports included; a name of a module counts as that module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{name.name}" for name in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return frozenset(found)


def test_no_circles() -> None:
    """No module imports itself by way of others, not even lazily."""
    graph = {name: imports(path) & set(MODULES) for name, path in MODULES.items()}
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("library", KNOWS)
def test_libraries_stay_where_they_belong(library: str) -> None:
    """A foreign library is known to the files that are there for it, and to no others."""
    users = {name for name, path in MODULES.items() if any(one.split(".")[0] == library for one in imports(path))}
    assert {
        name for name in users if not any(name == home or name.startswith(f"{home}.") for home in KNOWS[library])
    } == set()


def test_the_bot_does_not_lean_on_the_demo() -> None:
    """Only the commands, the evaluation (for its offline model) and the demo itself import the demo."""
    leaning = {name for name, path in MODULES.items() if any(one.startswith("bot.demo") for one in imports(path))}
    assert {name for name in leaning if not name.startswith("bot.demo")} == {
        "bot.commands",
        "bot.evaluation.run",
    }


def test_the_test_servers_know_nothing_of_the_bot() -> None:
    """Whatever is below bot.testing imports only what is there, and libraries; the tests for shops import the port."""
    port = {"bot.shop.changes", "bot.shop.money", "bot.shop.orders", "bot.shop.shop"}
    for name, path in MODULES.items():
        if name.startswith("bot.testing"):
            allowed = port if name.startswith("bot.testing.shop") else set()
            used = {one for one in imports(path) if one.split(".")[0] == "bot" and not one.startswith("bot.testing.")}
            assert used <= allowed, name


def test_imports_resolve_to_what_is_declared() -> None:
    """Every library that is imported is one that pyproject.toml names, or Python's own."""
    declared = {
        "aiohttp",
        "anyio",
        "click",
        "httpx2",
        "jsonschema",
        "mcp",
        "mcp_types",
        "openai",
        "opentelemetry",
        "prometheus_client",
        "psycopg",
        "psycopg_pool",
        "pydantic",
        "pydantic_settings",
        "pytest",
        "referencing",
        "slack_bolt",
        "slack_sdk",
        "sqlite_utils",
        "yaml",
    }
    used = {one.split(".")[0] for path in MODULES.values() for one in imports(path)}
    assert used - set(sys.stdlib_module_names) - {"bot"} <= declared


def rooms_from_the_top_down() -> list[str]:
    """Return the rooms of the map in the package's docstring, in its order."""
    described = ast.get_docstring(ast.parse((ROOT / "bot" / "__init__.py").read_text("utf-8"))) or ""
    return re.findall(r"^    ([a-z_]+) {2,}\S", described.split("\nA message:")[0], re.MULTILINE)


def test_the_map_names_each_room_once() -> None:
    """The map in the package's docstring has a line for each file and folder of it, and for nothing else."""
    there = {path.stem for path in (ROOT / "bot").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert sorted(rooms_from_the_top_down()) == sorted(there - {"__init__"})


def test_imports_run_downward() -> None:
    """A room imports only rooms that the map has below it."""
    height = {room: place for place, room in enumerate(rooms_from_the_top_down())}
    upward = {
        (name, used)
        for name, path in MODULES.items()
        for used in imports(path) & set(MODULES) - {"bot"}
        if name != "bot" and (room := name.split(".")[1]) != (other := used.split(".")[1])
        if height[other] < height[room]
    }
    assert upward == set()


def test_the_journeys_name_files() -> None:
    """Each arrow of the two journeys is a file that is there."""
    described = ast.get_docstring(ast.parse((ROOT / "bot" / "__init__.py").read_text("utf-8"))) or ""
    arrows = re.findall(r"-> (\w+)/(\w+) ", described)
    assert len(arrows) == 14
    assert all((ROOT / "bot" / room / f"{file}.py").exists() for room, file in arrows)


def test_the_map_names_each_callback() -> None:
    """Each call that no import shows stands in the map by its name."""
    described = ast.get_docstring(ast.parse((ROOT / "bot" / "__init__.py").read_text("utf-8"))) or ""
    of_file = ast.parse(MODULES["bot.callbacks"].read_text("utf-8")).body
    protocols = {
        one.name for one in of_file if isinstance(one, ast.ClassDef) and "Protocol" in map(ast.unparse, one.bases)
    }
    assert protocols
    assert protocols <= set(re.findall(r"\w+", described))


def test_one_table_has_one_owner() -> None:
    """The map of the store names each table once, and its owner alone writes it, with those beside it for a part."""
    beside = {
        "threads": {"leases"},
        "inbox_rows": {"inbox"},
        "calls": {"approval_requests", "yeses", "open_requests", "erased_calls"},
        "outbox": {"erased_posts"},
        "outbox_rows": {"outbox", "erased_posts"},
    }
    described = ast.get_docstring(ast.parse(MODULES["bot.store"].read_text("utf-8"))) or ""
    owners = dict(re.findall(r"^    ([a-z_]+) +([a-z_]+) {2,}", described.split("\nWays to write")[0], re.MULTILINE))
    assert owners.keys() == set(TABLES)
    for name, path in MODULES.items():
        if name.startswith("bot.store.tables."):
            module = name.rpartition(".")[2]
            words = re.findall(r"(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)", path.read_text("utf-8"))
            theirs = {one: {owners[one], *beside.get(owners[one], ())} for one in words if one in owners}
            assert {table for table, modules in theirs.items() if module not in modules} == set(), module


def test_help_is_fast() -> None:
    """The command line loads the libraries of the bot only for the command that needs them."""
    seen = "import sys, bot.__main__; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", seen], capture_output=True, text=True, check=True
    ).stdout
    for library in ("openai", "slack_bolt", "slack_sdk", "aiohttp", "sqlite_utils", "pydantic", "prometheus_client"):
        assert f"'{library}'" not in loaded


def test_one_clock() -> None:
    """Whatever is written down and compared goes by the one clock; only what judges this machine's own asks it."""
    judges = {"bot.clock", "bot.operator.check.server", "bot.slack.client", "bot.slack.http"}
    asks = re.compile(r"\b(?:datetime\.(?:now|utcnow|today)|date\.today|time\.time)\(|from time import .*\btime\b")
    asking = {name for name, path in MODULES.items() if asks.search(path.read_text("utf-8"))}
    assert {name for name in asking if not name.startswith("bot.testing")} <= judges


def test_what_the_suite_leaves_out_is_run_by_ci() -> None:
    """Whatever is left out where no tests are named is named by the script for a new machine."""
    script = (ROOT / ".ci" / "run").read_text("utf-8").replace("\\\n", " ")
    named = [word for line in script.splitlines() if line.startswith("check ") for word in line.split()]
    run = set()
    for path in (word.removeprefix("tests/") for word in named if word.startswith("tests/")):
        before, many, after = re.fullmatch(r"([^{]*)(?:\{(.*)\})?(.*)", path).groups("")  # type: ignore[union-attr]  # it takes anything
        run |= {f"{before}{one}{after}" for one in many.split(",")}
    assert set(LONG) <= run
