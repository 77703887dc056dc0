"""The tools, one file each; a file that is put here is found."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Mapping

from bot.settings import Settings, SettingsError
from bot.testing.openai.strict_schema import schema_faults
from bot.tools.tool import Rules, Tool


class ToolFileError(SettingsError):
    """A tool cannot be offered to any model; the text says which one and why."""


def load(settings: Settings) -> Mapping[str, type[Tool]]:
    """Find every tool in this folder that the settings allow, by name, in an order that never changes.

    Raises ToolFileError for one whose name is taken, or whose description a model's server would refuse.
    """
    found: list[type[Tool]] = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        contents = importlib.import_module(f"{__name__}.{module.name}")
        for value in vars(contents).values():
            is_tool = inspect.isclass(value) and issubclass(value, Tool) and not inspect.isabstract(value)
            if is_tool and value.__module__ == contents.__name__:
                found.append(value)
    return {name: tool for name, tool in by_name(found).items() if tool.needs is None or getattr(settings, tool.needs)}


def by_name(found: Iterable[type[Tool]]) -> dict[str, type[Tool]]:
    """Return the tools by their names. Raises ToolFileError as `load` does."""
    named: dict[str, type[Tool]] = {}
    for tool in found:
        where = f"The tool {tool.name} of {tool.__module__}"
        if other := named.get(tool.name):
            raise ToolFileError(f"{where} has a name that is taken: {other.__module__} has one of the same name.")
        if fault := _fault(tool):
            raise ToolFileError(f"{where} cannot be offered to a model: {fault}")
        named[tool.name] = tool
    return named


def _fault(tool: type[Tool]) -> str | None:
    """Say what a model's server would refuse about the tool: every answer would fail by it."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", tool.name):
        return "a name has 64 letters, digits and underscores at most."
    try:
        function = tool.definition()["function"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        return f"its arguments cannot be described ({type(error).__name__}: {error})."
    if not function["description"]:
        return "it has no docstring, which is what the model reads."
    return next(schema_faults(function["parameters"], strict=True), None)


def rules(settings: Settings) -> Rules:
    """Return of the settings what a tool may know."""
    return Rules(account_undo_days=settings.account_undo_days, help_folder=settings.help_folder)
