"""How known values become a call: put into the shape that the JSON schema of a tool asks for."""

import json
from collections.abc import Mapping

from bot.testing.openai import Answer, Json, Request, ToolCall

Known = Mapping[str, object]


def call(request: Request, tool: str, *known: Known) -> Answer | None:
    """Call a tool once for each set of known values; nothing when it is not offered or asks for what nobody knows."""
    if tool not in request.tool_names:
        return None
    schemas = {offered["function"]["name"]: offered["function"].get("parameters") for offered in request.tools}
    filled = [fill(schemas[tool] or {}, values) for values in known]
    if None in filled:
        return None
    return Answer(tool_calls=tuple(ToolCall("", tool, json.dumps(arguments)) for arguments in filled))


def fill(schema: Json, known: Known) -> Json | None:
    """Give every property its known value, or null where it may be; nothing when a required one is not known."""
    properties = schema.get("properties") or {}
    nullable = [name for name, one in properties.items() if {"type": "null"} in (one.get("anyOf") or ())]
    filled = {name: known.get(name) for name in properties if name in known or name in nullable}
    return None if set(schema.get("required") or ()) - set(filled) else filled
