"""The tools, one file each; a file that is put here is found, and so are those of the modules in BOT_TOOLS."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType

from bot.imports import described, import_own
from bot.settings import Settings, SettingsError, variable
from bot.tools.tool import Rules, Tool


def load(settings: Settings, others: Sequence[type[Tool]] = ()) -> Mapping[str, type[Tool]]:
    """Find every tool that the settings allow, by name, in an order that never changes; `others` come last.

    Raises SettingsError with one line for the operator.
    """
    found = {tool.name: tool for module in _modules(importlib.import_module(__name__)) for tool in _tools(module)}
    for name in settings.tools:
        own = [tool for module in _own_modules(name) for tool in _checked_tools(module)]
        if not own:
            raise SettingsError(f"{variable('tools')}: there is no tool in {name}: no class that derives from Tool.")
        for tool in own:
            if found.setdefault(tool.name, tool) is not tool:
                raise SettingsError(f"{variable('tools')}: {_where(tool)} has the name of another tool, {tool.name}.")
    for tool in others:
        if found.setdefault(tool.name, tool) is not tool:
            raise SettingsError(f"{variable('mcp')}: there is another tool with the name {tool.name}.")
    unknown = [name for name in settings.tools_off if name not in found]
    if unknown:
        raise SettingsError(
            f"{variable('tools_off')}: there is no tool {unknown[0]}. The tools are: {', '.join(found)}."
        )
    return {
        name: tool
        for name, tool in found.items()
        if name not in settings.tools_off and (tool.needs is None or getattr(settings, tool.needs))
    }


def rules(settings: Settings) -> Rules:
    """Return of the settings what a tool may know."""
    return Rules(account_undo_days=settings.account_undo_days, help_folder=settings.help_folder)


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        yield importlib.import_module(f"{package.__name__}.{module.name}")


def _own_modules(name: str) -> Iterator[ModuleType]:
    """Import a module of the operator's, and what is in it where it is a package."""
    module = import_own(variable("tools"), name)
    yield module
    for inner in sorted(pkgutil.iter_modules(getattr(module, "__path__", ())), key=lambda module: module.name):
        yield import_own(variable("tools"), f"{name}.{inner.name}")


def _classes(module: ModuleType) -> Iterator[type[Tool]]:
    for value in vars(module).values():
        if inspect.isclass(value) and issubclass(value, Tool) and value.__module__ == module.__name__:
            yield value


def _tools(module: ModuleType) -> Iterator[type[Tool]]:
    return (tool for tool in _classes(module) if not inspect.isabstract(tool))


def _checked_tools(module: ModuleType) -> Iterator[type[Tool]]:
    """Find the tools of a module, each of which a model can be told of and the bot can run. Raises SettingsError."""
    classes = list(_classes(module))
    for tool in classes:
        derived = any(other is not tool and issubclass(other, tool) for other in classes)
        if derived and inspect.isabstract(tool):
            continue  # what others of the module have in common
        fault = next(_faults(tool), None)
        if fault:
            raise SettingsError(f"{variable('tools')}: {_where(tool)} {fault}.")
        try:
            tool.definition()
        except Exception as error:  # it is anybody's code
            what = f"{_where(tool)} cannot be described to a model: {described(error)}"
            raise SettingsError(f"{variable('tools')}: {what}.") from error
        yield tool


def _faults(tool: type[Tool]) -> Iterator[str]:
    """Say what about a tool keeps a model from being told of it or the bot from running it."""
    if inspect.isabstract(tool):
        yield f"lacks {' and '.join(sorted(tool.__abstractmethods__))}"
    for name in ("run", "preview"):
        if not inspect.iscoroutinefunction(getattr(tool, name, tool.run)):
            yield f"has a {name} that is not “async def”"
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", tool.name):
        yield "needs a class name of ASCII letters, and no more than 64"
    if not (tool.__dict__.get("__doc__") or "").strip():
        yield "needs a docstring: it is what the model reads"
    for name, field in tool.model_fields.items():
        if not field.description:
            yield f"needs a description of {name}: Field(description=…)"
    if tool.needs is not None and tool.needs not in Settings.model_fields:
        yield f"needs the setting {tool.needs}, which there is not"


def _where(tool: type[Tool]) -> str:
    return f"{tool.__name__} in {tool.__module__}"
