"""The tools, one file each; a file that is put here is found, and so are those of the modules in BOT_TOOLS."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import ModuleType

from pydantic import PydanticUserError

from bot.imports import described, import_own
from bot.settings import Settings, SettingsError, variable
from bot.shop.shop import Shop
from bot.testing.openai.strict_schema import schema_faults
from bot.tools.tool import Rules, Tool


class ToolFileError(SettingsError):
    """A tool cannot be offered to any model; the text says which one and why."""


def load(settings: Settings, others: Sequence[type[Tool]] = ()) -> Mapping[str, type[Tool]]:
    """Find every tool that the settings allow, by name, in an order that never changes; `others` come last.

    Raises ToolFileError for one that could not be run, whose name is taken, or whose description a model's server would
    refuse, and SettingsError for a name in BOT_TOOLS_OFF that none has.
    """
    built_in = [tool for module in _modules(importlib.import_module(__name__)) for tool in _tools(module)]
    own = [tool for name in settings.tools for tool in _own_tools(name)]
    found = by_name([*built_in, *own])
    for tool in others:
        if found.setdefault(tool.name, tool) is not tool:
            raise ToolFileError(f"{variable('mcp')}: there is another tool with the name {tool.name}.")
    unknown = [name for name in settings.tools_off if name not in found]
    if unknown:
        there = ", ".join(found)
        raise SettingsError(f"{variable('tools_off')}: there is no tool {unknown[0]}. The tools are: {there}.")
    return {
        name: tool
        for name, tool in found.items()
        if name not in settings.tools_off and (tool.needs is None or getattr(settings, tool.needs))
    }


def offered(found: Mapping[str, type[Tool]], shop: Shop) -> Mapping[str, type[Tool]]:
    """Return of the tools those whose change this shop makes, and for which it tells enough."""
    return {
        name: tool
        for name, tool in found.items()
        if (tool.makes is None or tool.makes in shop.changes) and (tool.reads is None or tool.reads in shop.reads)
    }


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
    except (ValueError, TypeError, KeyError, RecursionError, PydanticUserError) as error:
        return f"its arguments cannot be described ({described(error)})."
    if not function["description"]:
        return "it has no docstring, which is what the model reads."
    return next(schema_faults(function["parameters"], strict=True), None)


def rules(settings: Settings) -> Rules:
    """Return of the settings what a tool may know."""
    return Rules(settings.account_undo_days, settings.help_folder, settings.tools_off)


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        yield importlib.import_module(f"{package.__name__}.{module.name}")


def _own_tools(name: str) -> list[type[Tool]]:
    """Find the tools of a module of the operator's, and of those in it where it is a package. Raises ToolFileError."""
    module = import_own(variable("tools"), name)
    inner = sorted(pkgutil.iter_modules(getattr(module, "__path__", ())), key=lambda module: module.name)
    modules = [module, *(import_own(variable("tools"), f"{name}.{one.name}") for one in inner)]
    tools = [tool for one in modules for tool in _runnable_tools(one)]
    if not tools:
        raise ToolFileError(f"{variable('tools')}: there is no tool in {name}: no class that derives from Tool.")
    return tools


def _classes(module: ModuleType) -> Iterator[type[Tool]]:
    for value in vars(module).values():
        if inspect.isclass(value) and issubclass(value, Tool) and value.__module__ == module.__name__:
            yield value


def _tools(module: ModuleType) -> Iterator[type[Tool]]:
    return (tool for tool in _classes(module) if not inspect.isabstract(tool))


def _runnable_tools(module: ModuleType) -> Iterator[type[Tool]]:
    """Find the tools of a module, each of which the bot can run. Raises ToolFileError."""
    classes = list(_classes(module))
    for tool in classes:
        if inspect.isabstract(tool) and any(other is not tool and issubclass(other, tool) for other in classes):
            continue  # what others of the module have in common
        fault = next(_slips(tool), None)
        if fault:
            raise ToolFileError(f"{variable('tools')}: {tool.__name__} of {module.__name__} {fault}.")
        yield tool


def _slips(tool: type[Tool]) -> Iterator[str]:
    """Say what about a tool keeps the bot from running it, or a model from using it rightly."""
    if inspect.isabstract(tool):
        yield f"lacks {' and '.join(sorted(tool.__abstractmethods__))}"
    for name in ("run", "change"):
        if not inspect.iscoroutinefunction(getattr(tool, name, tool.run)):
            yield f"has a {name} that is not “async def”"
    if not (tool.__dict__.get("__doc__") or "").strip():
        yield "needs a docstring: it is what the model reads"
    for name, field in tool.model_fields.items():
        if not field.description:
            yield f"needs a description of {name}: Field(description=…)"
    if tool.needs is not None and tool.needs not in Settings.model_fields:
        yield f"needs the setting {tool.needs}, which there is not"
