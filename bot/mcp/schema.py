"""Other people's JSON Schemas: whether one can be used, whether arguments fit, what a model server takes of it."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from fractions import Fraction
from functools import cache
from itertools import count
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from referencing import Registry

MAX_SCHEMA_CHARACTERS = 20_000
MAX_ERRORS = 5
MAX_STEPS = 20_000  # a fifth of a second
# Of a schema, and of checks within checks: a library below panics, past any except, where the stack ends in it.
MAX_NESTED, MAX_DEPTH = 60, 205
_BY_NAME = frozenset({"properties", "$defs", "definitions", "dependentSchemas", "dependencies"})
_NOT_AT_THE_TOP = ("oneOf", "anyOf", "allOf", "not", "enum", "$schema", "$id")  # a model server refuses them there


Check = Callable[[Validator, Any, Any, Any], Iterable[ValidationError] | None]
_left: ContextVar[Counter[str]] = ContextVar("left")


class UnusableSchemaError(Exception):
    """The schema is none, or nothing can be held against it; the text says why."""


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raise UnusableSchemaError when arguments could not be checked, or a model not be told of them."""
    try:
        written = json.dumps(schema)
        if len(written) > MAX_SCHEMA_CHARACTERS:
            raise UnusableSchemaError(f"it has more than {MAX_SCHEMA_CHARACTERS} characters")
        if _depth(schema) > MAX_NESTED:
            raise UnusableSchemaError(f"it is nested more than {MAX_NESTED} deep")
        if schema.get("type") != "object":
            raise UnusableSchemaError("it does not describe an object")
        for reference in _references(schema):
            if not reference.startswith("#"):
                raise UnusableSchemaError(f"it refers to {reference[:100]}, which is elsewhere")
    except (ValueError, TypeError, RecursionError) as error:
        raise UnusableSchemaError(f"it cannot be read: {error}") from error
    misfits(schema, {})


def _depth(schema: Mapping[str, Any]) -> int:
    """Count how many objects and lists stand within each other, without a recursion of its own."""
    level: list[Any] = [schema]
    for depth in count():
        inner = [node for node in level if isinstance(node, Mapping | list)]
        if not inner:
            return depth
        level = [part for node in inner for part in (node.values() if isinstance(node, Mapping) else node)]
    raise AssertionError


def misfits(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[str]:
    """Say what of the arguments does not fit. Raises UnusableSchemaError, also when that takes too much work."""
    _left.set(Counter(steps=MAX_STEPS, depth=MAX_DEPTH))
    try:
        errors = sorted(_validator(schema).iter_errors(arguments), key=lambda error: str(error.json_path))
    except UnusableSchemaError:
        raise
    except SchemaError as error:
        raise UnusableSchemaError(f"it is no JSON Schema: {error.message[:200]}") from error
    except RecursionError as error:
        raise UnusableSchemaError(f"it cannot be read: {error}") from error
    except Exception as error:  # what a foreign schema can make of a validator cannot be known
        raise UnusableSchemaError(f"{type(error).__name__}: {error}"[:200]) from error
    return [f"{error.json_path.removeprefix('$.')}: {error.message[:200]}" for error in errors[:MAX_ERRORS]]


def for_model(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model is told of the schema: an object with properties, as model servers want it."""
    return {"properties": {}, **{key: value for key, value in schema.items() if key not in _NOT_AT_THE_TOP}}


def _validator(schema: Mapping[str, Any]) -> Validator:
    named = schema if isinstance(schema.get("$schema", ""), str) else {}
    kind = validator_for(named, default=Draft202012Validator)
    kind.check_schema(dict(schema))
    return _bounded(kind)(_without_patterns(schema), registry=Registry())


@cache
def _bounded(kind: type[Validator]) -> type[Validator]:
    """Return the same kind of validator, which gives up in time and knows that 19.99 is a multiple of 0.01."""
    known = {**kind.VALIDATORS, "multipleOf": _multiple_of}
    counted = {keyword: _counted(check) for keyword, check in known.items()}
    made: type[Validator] = extend(kind, counted)  # type: ignore[no-untyped-call]  # it has no types
    return made


def _counted(check: Check) -> Check:
    def counted(validator: Validator, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        left = _left.get()
        left.subtract(("steps", "depth"))
        if left["steps"] < 0:
            raise UnusableSchemaError(f"it takes more than {MAX_STEPS} steps")
        if left["depth"] < 0:
            raise UnusableSchemaError(f"it leads more than {MAX_DEPTH} deep, as a recursion does")
        try:
            yield from check(validator, value, instance, schema) or ()
        finally:
            left["depth"] += 1

    return counted


def _multiple_of(_validator: Validator, of: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    is_number = isinstance(instance, int | float) and not isinstance(instance, bool)
    if is_number and Fraction(str(instance)) % Fraction(str(of)):
        yield ValidationError(f"{instance!r} is not a multiple of {of!r}")


def _without_patterns(node: Any, *, names: bool = False) -> Any:
    """Return the schema without its regular expressions: one of somebody else's can keep a process busy for ever.

    What of it says that it is of another draft goes as well. With `names` the node is no schema, but has one for each
    of its names, whatever they are.
    """
    if isinstance(node, list):
        return [_without_patterns(part) for part in node]
    if not isinstance(node, Mapping):
        return node
    left_out = set() if names else {"pattern", "$schema"}
    if not names and isinstance(node.get("patternProperties"), Mapping):
        left_out |= {"patternProperties", "additionalProperties", "unevaluatedProperties"}
    return {
        key: _without_patterns(value, names=not names and key in _BY_NAME)
        for key, value in node.items()
        if key not in left_out
    }


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for part in node:
            yield from _references(part)
    elif isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("$ref", "$dynamicRef", "$recursiveRef") and isinstance(value, str):
                yield value
            yield from _references(value)
