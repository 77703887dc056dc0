"""The code keeps to its layout: imports run one way, and only the files that may know a library know it."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "bot").rglob("*.py")
}
KNOWS = {
    "openai": {"bot.model.chat_completions"},
    "slack_bolt": {"bot.app", "bot.slack"},
    "slack_sdk": {"bot.app", "bot.slack", "bot.demo", "bot.testing"},
    "sqlite_utils": {"bot.store.sqlite", "bot.shop", "bot.help", "bot.demo"},
    "click": {"bot.__main__"},
}


def imports(path: Path) -> set[str]:
    """List all that a file imports, lazy imports included; a name of a module counts as that module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{name.name}" for name in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return found


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
    """Only the command line and the demo itself import the demo."""
    leaning = {name for name, path in MODULES.items() if any(one.startswith("bot.demo") for one in imports(path))}
    assert {name for name in leaning if not name.startswith("bot.demo")} == {"bot.__main__"}


def test_imports_resolve_to_what_is_declared() -> None:
    """Every library that is imported is one that pyproject.toml names, or Python's own."""
    declared = {
        "aiohttp",
        "click",
        "openai",
        "pydantic",
        "pydantic_settings",
        "slack_bolt",
        "slack_sdk",
        "sqlite_utils",
    }
    used = {one.split(".")[0] for path in MODULES.values() for one in imports(path)}
    assert used - set(sys.stdlib_module_names) - {"bot"} <= declared


def test_the_rooms_above_know_the_store_by_its_ports() -> None:
    """Agent, approvals and Slack know no database; only health asks how this process's leases are."""
    knowing = {
        name for name, path in MODULES.items() if any(one.startswith("bot.store.sqlite") for one in imports(path))
    }
    rooms = ("bot.agent", "bot.approvals", "bot.slack")
    assert {name for name in knowing if name.startswith(rooms)} == {"bot.slack.health"}
