"""The subset of JSON Schema that OpenAI's strict mode accepts."""

import re
from collections.abc import Iterator
from typing import Any

_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
# fmt: off
_NOT_PERMITTED = (
    "default", "oneOf", "allOf", "not", "if", "then", "else", "discriminator", "dependentRequired", "dependentSchemas",
    "patternProperties", "propertyNames", "minProperties", "maxProperties", "unevaluatedProperties",
    "prefixItems", "uniqueItems", "contains", "minContains", "maxContains", "unevaluatedItems",
    "minLength", "maxLength", "writeOnly",
)
# fmt: on


def schema_faults(schema: Any, *, strict: bool) -> Iterator[str]:
    """Say what OpenAI would not accept about the schema of a tool's arguments or of an answer."""
    root = schema.get("type") if isinstance(schema, dict) else None
    if root != "object":
        yield f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{root}\"'."
    elif strict:
        yield from _faults(schema, ())


def _faults(schema: Any, context: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield f"In context={context}, {schema!r} is not a schema."
        return
    for fault in (*_keyword_faults(schema), *_object_faults(schema)):
        yield f"In context={context}, {fault}"
    for key in ("properties", "$defs"):
        for name, child in (schema.get(key) or {}).items():
            yield from _faults(child, (*context, key, name))
    for index, child in enumerate(schema.get("anyOf") or ()):
        yield from _faults(child, (*context, "anyOf", str(index)))
    if "items" in schema:
        yield from _faults(schema["items"], (*context, "items"))


def _keyword_faults(schema: dict[str, Any]) -> Iterator[str]:
    yield from (f"'{key}' is not permitted." for key in _NOT_PERMITTED if key in schema)
    if "$ref" in schema and len(schema) > 1:
        yield f"$ref cannot have keywords {sorted(schema.keys() - {'$ref'})}."
    if not schema.keys() & {"type", "anyOf", "$ref", "enum", "const"}:
        yield "schema must have a 'type' key."
    if schema.get("format", "date") not in _FORMATS:
        yield f"'{schema['format']}' is not a valid format."
    if re.search(r"\(\?<?[=!]", schema.get("pattern", "")):
        yield "'pattern' may not look ahead or behind."
    if schema.get("type") == "array" and "items" not in schema:
        yield "array schema missing items."


def _object_faults(schema: dict[str, Any]) -> Iterator[str]:
    if schema.get("type") != "object":
        return
    if schema.get("additionalProperties") is not False:
        yield "'additionalProperties' is required to be supplied and to be false."
    optional = [name for name in schema.get("properties") or {} if name not in (schema.get("required") or ())]
    for name in optional:
        rule = "'required' is required to be supplied and to be an array including every key in properties."
        yield f"{rule} Missing '{name}'."
