"""How known values become a call: put into the shape that the JSON schema of a tool asks for."""

import json
from collections.abc import Mapping

from bot.testing.openai import Answer, Json, Request, ToolCall

Known = Mapping[str, object]
_TYPES: dict[type, set[str]] = {str: {"string"}, float: {"number"}, bool: {"boolean"}, type(None): {"null"}}


def call(request: Request, tool: str, *known: Known) -> Answer | None:
    """Call a tool once for each set of known values; nothing when it is not offered or asks for what nobody knows."""
    if tool not in request.tool_names:
        return None
    functions = {offered["function"]["name"]: offered["function"] for offered in request.tools}
    filled = [fill(functions[tool].get("parameters") or {}, values) for values in known]
    if None in filled:
        return None
    return Answer(tool_calls=tuple(ToolCall("", tool, json.dumps(arguments)) for arguments in filled))


def fill(schema: Json, known: Known) -> Json | None:
    """Give every property its known value, or null where that is allowed; nothing when a property can have neither."""
    filled: Json = {}
    for name, shape in (schema.get("properties") or {}).items():
        choices = [value for value in (known.get(name), None) if _allows(schema, shape, value)]
        if choices:
            filled[name] = choices[0]
        elif name in (schema.get("required") or ()):
            return None
    return filled


def _allows(root: Json, shape: Json, value: object) -> bool:
    """Compare as closely as our own few values need: by enum and by type."""
    if reference := shape.get("$ref"):
        return _allows(root, (root.get("$defs") or {}).get(str(reference).rpartition("/")[2]) or {}, value)
    if "anyOf" in shape:
        return any(_allows(root, option, value) for option in shape["anyOf"])
    if "enum" in shape or "const" in shape:
        return value in shape.get("enum", [shape.get("const")])
    wanted = shape.get("type")
    return wanted is None or bool(
        _TYPES.get(type(value), set()) & ({wanted} if isinstance(wanted, str) else set(wanted))
    )
