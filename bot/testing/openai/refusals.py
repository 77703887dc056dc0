"""What OpenAI's server refuses with status 400, in its own words."""

import re
from typing import Any

from bot.testing.openai.strict_schema import schema_faults
from bot.testing.openai.turn import Failure, Json

_ROLES = ("system", "assistant", "user", "function", "tool", "developer")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MAX_ID = 40


class _RefusedError(Exception):
    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.failure = Failure(400, code, message, param=param)


def refusal(body: Any) -> Failure | None:
    """Name the first reason for which OpenAI would not even ask its model."""
    try:
        _check(body)
    except _RefusedError as refused:
        return refused.failure
    return None


def _check(body: Any) -> None:
    if not isinstance(body, dict):
        raise _RefusedError("We could not parse the JSON body of your request.")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise _RefusedError("you must provide a model parameter")
    _check_messages(body.get("messages"))
    _check_calls_are_answered(body["messages"])
    if body.get("tools") is not None:
        _check_tools(body["tools"])
    if body.get("response_format") is not None:
        _check_response_format(body["response_format"])
    for name in ("tool_choice", "parallel_tool_calls"):
        if name in body and not body.get("tools"):
            raise _RefusedError(f"'{name}' is only allowed when 'tools' are specified.", name)
    if body.get("stream_options") and not body.get("stream"):
        raise _RefusedError(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options"
        )


def _check_messages(messages: Any) -> None:
    _check_filled_list(messages, "messages")
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if not isinstance(message, dict):
            raise _RefusedError(f"Invalid type for '{where}': expected an object.", where, "invalid_type")
        if message.get("role") not in _ROLES:
            supported = ", ".join(f"'{role}'" for role in _ROLES)
            text = f"Invalid value: '{message.get('role')}'. Supported values are: {supported}."
            raise _RefusedError(text, f"{where}.role", "invalid_value")
        calls = message.get("tool_calls")
        if calls is not None:
            _check_tool_calls(calls, f"{where}.tool_calls")
        needs_no_content = message["role"] == "assistant" and (calls or message.get("refusal"))
        if not isinstance(message.get("content"), str | list) and not needs_no_content:
            raise _RefusedError("Invalid value for 'content': expected a string, got null.", f"{where}.content")


def _check_tool_calls(calls: Any, where: str) -> None:
    _check_filled_list(calls, where)
    for index, call in enumerate(calls):
        at = f"{where}[{index}]"
        function = _function(call, at)
        if not isinstance(call.get("id"), str):
            raise _RefusedError(f"Missing required parameter: '{at}.id'.", f"{at}.id", "missing_required_parameter")
        if len(call["id"]) > _MAX_ID:
            text = f"Invalid '{at}.id': string too long. Expected a string with maximum length {_MAX_ID}."
            raise _RefusedError(text, f"{at}.id", "string_above_max_length")
        _check_name(function.get("name"), f"{at}.function.name")
        if not isinstance(function.get("arguments"), str):
            text = f"Invalid type for '{at}.function.arguments': expected a string."
            raise _RefusedError(text, f"{at}.function.arguments", "invalid_type")


def _check_calls_are_answered(messages: list[Json]) -> None:
    waiting: list[str] = []
    for index, message in enumerate([*messages, {"role": "end"}]):
        where = f"messages.[{index}].role"
        if message["role"] == "tool":
            if message.get("tool_call_id") not in waiting:
                text = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
                raise _RefusedError(f"Invalid parameter: {text}", where)
            waiting.remove(message["tool_call_id"])
            continue
        if waiting:
            text = (
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
                " 'tool_call_id'. The following tool_call_ids did not have response messages: "
            )
            raise _RefusedError(text + ", ".join(waiting), where)
        waiting = [call["id"] for call in message.get("tool_calls") or ()]
        if len(set(waiting)) < len(waiting):
            raise _RefusedError(f"Duplicate value for 'tool_call_id' in messages[{index}].", where)


def _check_tools(tools: Any) -> None:
    _check_filled_list(tools, "tools")
    for index, tool in enumerate(tools):
        function = _function(tool, f"tools[{index}]")
        _check_name(function.get("name"), f"tools[{index}].function.name")
        schema, strict = function.get("parameters"), bool(function.get("strict"))
        fault = next(schema_faults(schema, strict=strict), None)
        if fault and (strict or schema is not None):
            text = f"Invalid schema for function '{function['name']}': {fault}"
            raise _RefusedError(text, f"tools[{index}].function.parameters", "invalid_function_parameters")


def _check_response_format(wanted: Any) -> None:
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind not in ("text", "json_object", "json_schema"):
        text = f"Invalid value: '{kind}'. Supported values are: 'json_object', 'json_schema', and 'text'."
        raise _RefusedError(text, "response_format.type", "invalid_value")
    if kind == "json_schema":
        where = "response_format.json_schema"
        described = wanted.get("json_schema")
        if not isinstance(described, dict):
            raise _RefusedError(f"Missing required parameter: '{where}'.", where, "missing_required_parameter")
        _check_name(described.get("name"), f"{where}.name")
        if fault := next(schema_faults(described.get("schema"), strict=bool(described.get("strict"))), None):
            raise _RefusedError(f"Invalid schema for response_format '{described['name']}': {fault}", "response_format")


def _check_filled_list(value: Any, where: str) -> None:
    if value is None:
        raise _RefusedError(f"Missing required parameter: '{where}'.", where, "missing_required_parameter")
    if not isinstance(value, list):
        raise _RefusedError(f"Invalid type for '{where}': expected an array of objects.", where, "invalid_type")
    if not value:
        text = f"Invalid '{where}': empty array. Expected an array with minimum length 1."
        raise _RefusedError(text, where, "empty_array")


def _check_name(name: Any, where: str) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        text = "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]{1,64}$'."
        raise _RefusedError(f"Invalid '{where}': {text}", where, "invalid_value")


def _function(part: Any, where: str) -> Json:
    """Find what a tool or a call of one wraps."""
    function = part.get("function") if isinstance(part, dict) else None
    if not isinstance(function, dict):
        raise _RefusedError(f"Missing required parameter: '{where}.function'.", where, "missing_required_parameter")
    return function
