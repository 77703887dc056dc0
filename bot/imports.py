"""Python of the operator's own, named by a setting: imported, and what is wrong with it told in one line."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from bot.settings import SettingsError


def import_own(variable: str, name: str) -> ModuleType:
    """Import the module that a setting names, also from the folder that we are in. Raises SettingsError."""
    here = str(Path.cwd())
    if here not in sys.path:  # a console script does not look there, and an operator's file most often lies there
        sys.path.append(here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise SettingsError(f"{variable}: there is no module {name}, neither installed nor in {here}.") from error
        raise SettingsError(f"{variable}: {name} needs {error.name}, which is not installed.") from error
    except (Exception, SystemExit) as error:  # it is anybody's code, maybe a script
        raise SettingsError(f"{variable}: {name} cannot be imported: {described(error)}.") from error


def described(error: BaseException) -> str:
    """Say in one line what kind of error it is, and what it says."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]
