"""Other people's JSON Schemas: whether one can be used, whether arguments fit, what a model server takes of it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, SchemaError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing import Registry

MAX_SCHEMA_CHARACTERS = 20_000
MAX_ERRORS = 5
_NOT_AT_THE_TOP = ("oneOf", "anyOf", "allOf", "not", "enum", "$schema", "$id")  # a model server refuses them there


class UnusableSchemaError(Exception):
    """The schema is none, or nothing can be held against it; the text says why."""


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raise UnusableSchemaError when arguments could not be checked, or a model not be told of them."""
    try:
        written = json.dumps(schema)
        if len(written) > MAX_SCHEMA_CHARACTERS:
            raise UnusableSchemaError(f"it has more than {MAX_SCHEMA_CHARACTERS} characters")
        if schema.get("type") != "object":
            raise UnusableSchemaError("it does not describe an object")
        for reference in _references(schema):
            if not reference.startswith("#"):
                raise UnusableSchemaError(f"it refers to {reference[:100]}, which is elsewhere")
        misfits(schema, {})
    except SchemaError as error:
        raise UnusableSchemaError(f"it is no JSON Schema: {error.message[:200]}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise UnusableSchemaError(f"it cannot be read: {error}") from error


def misfits(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[str]:
    """Say what of the arguments does not fit. Raises UnusableSchemaError."""
    validator = _validator(schema)
    try:
        errors = sorted(validator.iter_errors(arguments), key=lambda error: str(error.json_path))
    except Exception as error:  # what a foreign schema can make of a validator is not in our hands
        raise UnusableSchemaError(f"{type(error).__name__}: {error}"[:200]) from error
    return [f"{error.json_path.removeprefix('$.')}: {error.message[:200]}" for error in errors[:MAX_ERRORS]]


def for_model(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model is told of the schema: an object with properties, as model servers want it."""
    return {"properties": {}, **{key: value for key, value in schema.items() if key not in _NOT_AT_THE_TOP}}


def _validator(schema: Mapping[str, Any]) -> Validator:
    kind = validator_for(schema, default=Draft202012Validator)
    kind.check_schema(dict(schema))
    return kind(_without_patterns(schema), registry=Registry())


def _without_patterns(node: Any) -> Any:
    """Return the schema without its regular expressions: one of somebody else's can keep a process busy for ever."""
    if isinstance(node, list):
        return [_without_patterns(part) for part in node]
    if not isinstance(node, Mapping):
        return node
    left_out = {"pattern"} if isinstance(node.get("pattern"), str) else set()
    if isinstance(node.get("patternProperties"), Mapping):
        left_out |= {"patternProperties", "additionalProperties", "unevaluatedProperties"}
    return {key: _without_patterns(value) for key, value in node.items() if key not in left_out}


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for part in node:
            yield from _references(part)
    elif isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("$ref", "$dynamicRef", "$recursiveRef") and isinstance(value, str):
                yield value
            yield from _references(value)
