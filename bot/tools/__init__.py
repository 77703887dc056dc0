"""The tools, one file each; a file that is put here is found."""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping

from bot.settings import Settings
from bot.tools.tool import Tool, ToolSettings


def tool_settings(settings: Settings) -> ToolSettings:
    """Return the part of the settings that tools may read."""
    return ToolSettings(account_undo_days=settings.account_undo_days, help_folder=settings.help_folder)


def load(settings: Settings) -> Mapping[str, type[Tool]]:
    """Find every tool in this folder that the settings allow, by name, in an order that never changes."""
    found: dict[str, type[Tool]] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        contents = importlib.import_module(f"{__name__}.{module.name}")
        for value in vars(contents).values():
            is_tool = inspect.isclass(value) and issubclass(value, Tool) and not inspect.isabstract(value)
            if is_tool and value.__module__ == contents.__name__:
                found[value.name] = value
    return {name: tool for name, tool in found.items() if tool.needs is None or getattr(settings, tool.needs)}
