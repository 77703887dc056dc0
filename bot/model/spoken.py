"""What of a model's text may be said to a customer: no thoughts, no calls written as text, no marks of a template."""

import json
import re
from collections.abc import Collection

_THOUGHT = r"(?:seed:)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|scratchpad|analysis|inner_monologue)"
# How each template opens and closes what is not to be said.
_OPEN = re.compile(
    rf"<{_THOUGHT}(?:\s[^<>]*)?>|\[{_THOUGHT}\]|\u25c1{_THOUGHT}\u25b7|<\|(?:START|begin)_(?:of_)?{_THOUGHT}\|>"
    rf"|<\|channel\|>\s*(?:analysis|commentary)[^<]*<\|message\|>|<\|channel>\s*thought\b|<\|inner_prefix\|>",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    rf"</{_THOUGHT}\s*>|\[/{_THOUGHT}\]|\u25c1/{_THOUGHT}\u25b7|<\|(?:END|end)_(?:of_)?{_THOUGHT}\|>"
    r"|<\|end\|>(?:<\|start\|>assistant)?|<channel\|>|<\|inner_suffix\|>",
    re.IGNORECASE,
)
_FINAL = re.compile(r"<\|channel\|>\s*final[^<]*<\|message\|>", re.IGNORECASE)
# Marks around a whole turn, with which a careless server ends or begins it.
_TURN_MARK = (
    r"(?:<\|(?:im_)?start\|>assistant(?:<\|message\|>)?|<\|(?:im_end|eot_id|end_of_text|endoftext|end|return|eom_id|END_OF_TURN_TOKEN|END_RESPONSE"
    r"|START_RESPONSE|begin_of_text|eos)\|>"
    r"|</s>|<s>|<eos>|<bos>|<end_of_turn>|<start_of_turn>model|<turn\|>|<\uff5c(?:begin|end)\u2581of\u2581sentence\uff5c>)"
)
_BEGINS, _ENDS = re.compile(_TURN_MARK), re.compile(rf"{_TURN_MARK}$")
_LONGEST_MARK = 60
_MARKS = re.compile(
    r"<\|[^<>\n]{1,60}>|<[^<>\n|]{1,60}\|>|<\uff5c[^<>\n]{1,60}>|\[/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS?|AVAILABLE_TOOLS"
    r"|TOOL_RESULTS?|TOOL_CONTENT|ARGS|CALL_ID)\]|<<?/?SYS>>?|</?s>|<(?:start|end)_of_turn>|<unused\d+>"
    r"|</?(?:[\w-]+:)?(?:tools?|functions?|invoke|parameters?|args?|arg_key|arg_value)(?:[_-]?(?:calls?|use|code|name"
    r"|response|output|result))?s?(?:[\s=][^<>]*)?>|</?(?:start|end)_function_\w+>"
    r"|^```[ ]?tool_(?:code|call)|^(?:action|tool|function call)[ ]?:[ ]?\w+[ ]*\n(?:action )?(?:input|args)",
    re.IGNORECASE | re.MULTILINE,
)


class UnspeakableError(ValueError):
    """A text that is not for people."""


def spoken(text: str, tools: Collection[str] = ()) -> str:
    """Return what may be said of a text. Raises UnspeakableError when it is a call written out, or not for people."""
    said = _without_thoughts(text)
    while (shorter := _without_mark(said.strip())) != said:
        said = shorter
    if found := _MARKS.search(said):
        raise UnspeakableError(f"it holds a mark of a template or a call as text: {found[0].strip()[:60]}")
    if _is_data(said):
        raise UnspeakableError("it is JSON and no words")
    if tools and (found := _call_of(tools).search(said)):
        raise UnspeakableError(f"it holds a call as text: {found[0].strip()[:60]}")
    return said


def _without_mark(text: str) -> str:
    if begun := _BEGINS.match(text):
        text = text[begun.end() :]
    return text[:-_LONGEST_MARK] + _ENDS.sub("", text[-_LONGEST_MARK:])


def unfenced(text: str) -> str:
    """Return what stands in a fence of Markdown, or the text when it is in none."""
    text = text.strip()
    if not (text.startswith("```") and text.endswith("```") and len(text) > len("``````")):
        return text
    return re.sub(r"^\w+\s", "", text[3:-3].strip(" ")).strip()


def _without_thoughts(text: str) -> str:
    if finals := list(_FINAL.finditer(text)):
        text = text[finals[-1].end() :]
    while opened := _OPEN.search(text):
        closed = _CLOSE.search(text, opened.end())
        text = text[: opened.start()] + (text[closed.end() :] if closed else "")
    if (closings := list(_CLOSE.finditer(text))) and text[closings[-1].end() :].strip():
        text = text[closings[-1].end() :]  # the thought began in the prompt
    elif closings:
        text = text[: closings[0].start()] if re.fullmatch(r"<\|end\|>", closings[0][0]) else ""
    return text


def _is_data(text: str) -> bool:
    inner = unfenced(text)
    if inner[:1] not in ("{", "["):
        return False
    try:
        return isinstance(json.loads(inner), dict | list)
    except RecursionError:
        return True
    except ValueError:
        return bool(re.match(r"""[\[{]\s*["'{]""", inner))


def _call_of(tools: Collection[str]) -> re.Pattern[str]:
    name = "|".join(map(re.escape, sorted(tools)))
    return re.compile(
        rf"""["'](?:name|tool|tool_name|function|action|recipient_name)["']\s*:\s*["'](?:\w+\.)?(?:{name})["']"""
        rf"|\b(?:{name})\s*[({{]|</?(?:{name})\b|=(?:{name})>",
    )
