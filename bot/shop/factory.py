"""A shop of the operator's own: made by a function that a setting names, open for as long as the bot runs."""

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, get_args, get_type_hints

from pydantic import AliasChoices, ValidationError
from pydantic_settings import BaseSettings

from bot.environment import env_file
from bot.imports import described, import_own
from bot.settings import SettingsError
from bot.shop.shop import Shop

BUILT_IN = "sqlite"
OURS = {
    "shopify": "bot.shop.shopify:open_shopify",
    "vendure": "bot.shop.vendure:open_vendure",
    "stripe": "bot.shop.stripe:open_stripe",
}
NAMES = ", ".join((BUILT_IN, *OURS))
_METHODS = [name for name in vars(Shop) if not name.startswith("_")]


@asynccontextmanager
async def own_shop(variable: str, name: str) -> AsyncIterator[Shop]:
    """Open one of our shops, by its name, or that of `package.module:factory`, and close it on leaving.

    Raises SettingsError with one line. The factory takes nothing, or settings of its own class, which are read as that
    class says, also where it would do without; it returns an async context manager.
    """
    name = OURS.get(name, name)
    factory = _find(variable, name)
    try:
        opening: Any = factory(**_arguments(variable, name, factory))
    except SettingsError:
        raise
    except Exception as error:  # it is anybody's code
        raise SettingsError(f"{variable}: {name} failed: {described(error)}.") from error
    if not isinstance(opening, AbstractAsyncContextManager):
        raise SettingsError(f"{variable}: {name} returns {_a(opening)}; it has to return an async context manager.")
    async with AsyncExitStack() as stack:
        try:
            shop: Any = await stack.enter_async_context(opening)
        except Exception as error:  # as above
            raise SettingsError(f"{variable}: {name} could not open the shop: {described(error)}.") from error
        _check(variable, name, shop)
        yield shop


def variables_of(name: str) -> frozenset[str]:
    """Return what a shop is set by, in capital letters; nothing where it takes no settings, or cannot be looked at."""
    try:
        factory = _find("", OURS.get(name, name))
        hints = get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    except Exception:  # noqa: BLE001 - it is anybody's code, and told of when it is opened
        return frozenset()
    kinds = [kind for hint in hints.values() if (kind := _class_of_settings(hint))]
    return frozenset(word.upper() for kind in kinds for word in _variables(kind))


def _variables(kind: type[BaseSettings]) -> Iterator[str]:
    for name, field in kind.model_fields.items():
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        words = [one for one in choices if isinstance(one, str)]
        yield from words or [f"{kind.model_config.get('env_prefix', '')}{name}"]


def _find(variable: str, name: str) -> Callable[..., Any]:
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise SettingsError(f"{variable}: “{name}” is neither one of {NAMES} nor a package.module:factory.")
    factory = getattr(import_own(variable, module), attribute, None)
    if factory is None:
        raise SettingsError(f"{variable}: there is no {attribute} in {module}.")
    if not callable(factory):
        raise SettingsError(f"{variable}: {name} is {_a(factory)}; it has to be a function that makes the shop.")
    found: Callable[..., Any] = factory
    return found


def _arguments(variable: str, name: str, factory: Callable[..., Any]) -> dict[str, BaseSettings]:
    """Make what the factory takes: nothing, or its own settings."""
    parameters = list(inspect.signature(factory).parameters.values())
    parameters = [one for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    needed = [one for one in parameters if one.default is one.empty]
    try:
        hints = get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    except NameError as error:
        raise SettingsError(f"{variable}: the annotations of {name} cannot be read: {error}.") from error
    first = next(iter(needed or parameters), None)
    kind = _class_of_settings(hints.get(first.name)) if first else None
    if len(needed) > 1 or (needed and kind is None):
        raise SettingsError(
            f"{variable}: {name} has to take nothing, or one argument that is annotated with its own class of settings."
        )
    return {first.name: _read(variable, kind)} if first and kind else {}


def _class_of_settings(hint: Any) -> type[BaseSettings] | None:
    """Return the class that an annotation names, alone or beside None."""
    named = [one for one in (hint, *get_args(hint)) if inspect.isclass(one) and issubclass(one, BaseSettings)]
    return named[0] if named else None


def _read(variable: str, kind: type[BaseSettings]) -> BaseSettings:
    try:
        ours: dict[str, Any] = {"_env_file": env_file()} if kind.model_config.get("env_file") == ".env" else {}
        return kind(**ours)
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:
            raise SettingsError(f"{variable}: {first['msg'].removeprefix('Value error, ')}.") from None
        field = str(first["loc"][0])
        prefix = "" if field not in kind.model_fields else str(kind.model_config.get("env_prefix", ""))
        setting = f"{prefix}{field}".upper()
        if first["type"] == "missing":
            raise SettingsError(f"{setting} is not set; the shop of {variable} needs it.") from None
        raise SettingsError(f"{setting} is malformed: {first['msg'].removeprefix('Value error, ')}.") from None


def _check(variable: str, name: str, shop: Any) -> None:
    missing = [method for method in _METHODS if not hasattr(shop, method)]
    if missing:
        raise SettingsError(f"{variable}: the shop of {name} is {_a(shop)} and lacks {', '.join(missing)}.")


def _a(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
