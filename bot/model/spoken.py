"""What of a model's text may be said to a customer: no thoughts, no calls written as text, no marks of a template."""

import json
import re
import unicodedata
from collections.abc import Collection

from bot.model.thoughts import is_thought, without_thoughts

# Marks around a whole turn, with which a careless server ends or begins it.
_TURN_MARK = (
    r"(?:<\|(?:im_|header_)?start(?:_header_id)?\|>assistant(?:<\|(?:message|header_end|end_header_id)\|>)?"
    r"|<\|(?![^|]*(?i:tool|call|func|python|action|plugin|channel|message|start|args|api|exec))\w{1,30}\|>"
    r"|<\|START_RESPONSE\|>"
    r"|</?(?:final_?)?(?:answer|response|final|output)>|(?<![\s\S])(?:(?:assistant|model)\s*\n|[UW][A-Z0-9]{2,} wrote:"
    r"|[#* ]{0,6}(?:[Aa]ssistant|[Rr]esponse|(?:[Ff]inal )?[Aa]nswer|[Bb]ot|AI|[Mm]odel"
    r"|[Ss]upport (?:[Bb]ot|[Aa]ssistant|[Aa]gent))[*]{0,2}:[*]{0,2})|</s>|<s>|<eos>|<bos>|<unk>|<pad>"
    r"|\[(?:PAD|EOS|BOS|UNK|CLS|SEP|MASK)\]|<end_of_turn>|<start_of_turn>model|<turn\|>|<\uff5c(?:begin|end)\u2581of\u2581sentence\uff5c>)"
)
# Where a turn ends for its template: what comes after it is somebody else's.
_END_OF_TURN = re.compile(
    r"<\|(?:im_end|eot_id|end_of_text|endoftext|end|return|eom_id|END_OF_TURN_TOKEN|user|end_of_solution)\|>|<end_of_turn>"
    r"|<turn\|>|</s>|<\uff5c(?:end\u2581of\u2581sentence|User|Assistant)\uff5c>|<\|(?:eot|eom|eos)\|>"
)
_BEGINS, _ENDS = re.compile(_TURN_MARK), re.compile(rf"{_TURN_MARK}$")
_MAX_MARK_CHARACTERS = 60
_MARKS = re.compile(
    r"<\|[^<>\n]{1,60}>|<[^<>\n|]{1,60}\|>|<\uff5c[^<>\n]{1,60}>|\[/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS?|AVAILABLE_TOOLS"
    r"|TOOL_RESULTS?|TOOL_CONTENT|ARGS|CALL_ID)\]|<<?/?SYS>>?|</?s>|<(?:start|end)_of_turn>|<unused\d+>"
    r"|</?[\w:-]{0,40}(?:tool|function|api)[_-]?(?:call|code|use|response|result)[\w:-]{0,20}(?:\s[^<>]{0,200})?>"
    r"|</?(?:[\w-]+:)?(?:tools?|functions?|invoke|parameters?|args?|arg_key|arg_value)(?:[_-]?(?:calls?|use|code|name"
    r"|response|output|result))?s?(?:[\s=][^<>]*)?>|</?(?:start|end)_function_\w+>"
    r"|\bto=functions\.|^[\[(*_ ]{0,3}note from the shop\b|\{\s{0,5}(?:[\"'][\w-]{1,60}[\"']|[a-z_]\w{0,60})\s{0,3}:"
    r"|<0x[0-9A-F]{2}>"
    r"|\[(?:your|customer|client|company|insert|agent|recipient)\b[^\]\n]{0,40}\](?!\()"
    r"|^\(something new was written before|^\(what was said before is left out"
    r"|[\"'](?:name|tool|function)[\"']\s*:\s*[\"'][\w.-]+[\"']\s*,\s*[\"'](?:arguments|parameters|args|input)[\"']\s*:"
    r"|\A\[?\w+\((?:\w+=[^\n]*)?\)\]?\Z"
    r"|^```[ ]?tool_(?:code|call)"
    r"|\A(?:user|human|system)\s*\n[\s\S]*?^assistant\s*$"
    r"|^(?:action|tool|function call|tool_call|name)[ ]?:[ ]?\w+(?:[ ]*\n(?:action )?(?:input|arg)|\[)",
    re.IGNORECASE | re.MULTILINE,
)


# The other side's next turn, which a small model goes on to write.
_NEXT_TURN = re.compile(
    r"^[ \t]*(?:(?P<person>[UW][A-Z0-9]{2,} wrote:)|(?:human|user):)|\n\n[ \t]*(?P<alone>human|user):",
    re.IGNORECASE | re.MULTILINE,
)
_AND_OURS = re.compile(r"^[ \t]*assistant:", re.IGNORECASE | re.MULTILINE)
# A result that a small model repeats in the marks of its template before it speaks.
_RESULT = r"(?:(?:tool|function|api|ipython|code)s?[ _-]?)(?:result|response|output|return)s?|results?|observations?"
_ECHO = re.compile(
    rf"\s*(?:<(?P<tag>{_RESULT})(?:\s[^<>]{{0,200}})?>(?P<tagged>[\s\S]*?)</(?P=tag)\s*>"
    rf"|<\|(?P<bar>{_RESULT})\|>(?P<barred>[\s\S]*?)<\|(?:/(?P=bar)|im_end|eot_id|eom_id|end)\|>"
    r"|\[(?P<name>TOOL_RESULTS?)\](?P<bracketed>[\s\S]*?)\[/(?P=name)\]"
    r"|<\uff5ctool\u2581(?P<many>outputs?)\u2581begin\uff5c>(?P<deep>[\s\S]*?)<\uff5ctool\u2581(?P=many)\u2581end\uff5c>)\s*",
    re.IGNORECASE,
)
_OF_A_CALL = re.compile(
    r"(?:tool|function)[ _-]?call|[\"'](?:arguments|parameters)[\"']|<invoke|<function", re.IGNORECASE
)
_NOTHING = {
    *("null", "none", "undefined", "nan", "n/a", "nil", "empty", "blank", "no response", "no output", "no content"),
    *("no answer", "silence", "object object", "empty response"),
}
_HTML = (
    r"a|abbr|b|blockquote|br|code|del|details|div|em|h[1-6]|hr|i|ins|kbd|li|mark|ol|p|pre|q|s|small|span|strong|sub|summary"
    r"|sup|table|tbody|td|th|thead|tr|u|ul"
)
# A pair of tags that no page has is something between a model and its programs.
_OWN_TAG = re.compile(
    rf"</(?!(?:{_HTML})\s{{0,3}}>)[a-z][\w:.-]{{0,60}}\s{{0,3}}>|<[a-z]\w{{0,40}}[_:][\w:.-]{{0,40}}[^<>]{{0,200}}/>",
    re.IGNORECASE,
)


class UnspeakableError(ValueError):
    """A text that is not for people."""


def spoken(text: str, tools: Collection[str] = ()) -> str:
    """Return what may be said of a text. Raises UnspeakableError when it is a call written out, or not for people."""
    said = without_thoughts(text)
    while (shorter := _without_mark(_without_echo(said.strip(), tools))) != said:
        said = shorter
    if (ended := _END_OF_TURN.search(said)) and said[: ended.start()].strip():
        said = said[: ended.start()].strip()
    said = _without_next_turn(re.sub(r"\A\\boxed\{([^{}]*)\}\Z", r"\1", said).replace("\u2581", " ").strip())
    if _is_nothing(said):
        return ""
    if found := _MARKS.search(said):
        raise UnspeakableError(f"it holds a mark of a template or a call as text: {found[0].strip()[:60]}")
    if found := _OWN_TAG.search(said):
        raise UnspeakableError(f"it holds a tag of its own: {found[0][:60]}")
    if is_thought(said):
        raise UnspeakableError("it is a thought and no answer")
    if _is_data(said):
        raise UnspeakableError("it is JSON and no words")
    if tools and (found := _call_of(tools).search(said)):
        raise UnspeakableError(f"it holds a call as text: {found[0].strip()[:60]}")
    return said


def _without_next_turn(text: str) -> str:
    begun = _NEXT_TURN.search(text)
    goes_on = begun and (begun["person"] or begun["alone"] or _AND_OURS.search(text, begun.end()))
    return text[: begun.start()].rstrip() if begun and goes_on else text


def _is_nothing(text: str) -> bool:
    """Return whether there is nothing to read in it: no letter, digit or picture."""
    shown = (unicodedata.category(char)[0] in "LNS" and char not in "`\ufffd" for char in text)
    bare = " ".join(text.strip("()[]<>{}.*_`\"' \n").lower().split())
    return bare in _NOTHING or not any(shown)


def _without_mark(text: str) -> str:
    if begun := _BEGINS.match(text):
        text = text[begun.end() :]
    return text[:-_MAX_MARK_CHARACTERS] + _ENDS.sub("", text[-_MAX_MARK_CHARACTERS:])


def _without_echo(text: str, tools: Collection[str]) -> str:
    """Return a text without a result that is repeated at its head.

    One behind words is a result of what they announce, and so a call that was never made.
    """
    echo = _ECHO.match(text)
    inner = next(filter(None, echo.group("tagged", "barred", "bracketed", "deep")), "") if echo else ""
    if not echo or _OF_A_CALL.search(inner) or (tools and _call_of(tools).search(inner)):
        return text
    return text[echo.end() :] or text


def unfenced(text: str) -> str:
    """Return what stands in a fence of Markdown, or the text when it is in none."""
    text = text.strip()
    if not (text.startswith("```") and text.endswith("```") and len(text) > len("``````")):
        return text
    return re.sub(r"^\w+\s", "", text[3:-3].strip(" ")).strip()


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
    # Of a tool that is called as any word is, only what no sentence holds is a call.
    odd = "|".join(re.escape(tool) for tool in sorted(tools) if not tool.isalpha()) or "(?!)"
    announced = r"(?:(?:i'?m|i am|i'?ll|i will|now|let me)\s)*(?:(?:call|us|invok|run|execut)\w*\s)?"
    return re.compile(
        rf"""["'](?:name|tool|tool_name|function|action|recipient_name)["']\s*:\s*["'](?:\w+\.)?(?:{name})["']"""
        rf"|\b(?:{name})[({{]|\b(?:{odd})\s+[({{]|</?(?:{name})\b|=(?:{name})>"
        rf"|\A\W*(?i:{announced})[`*_]*(?:{odd})(?![a-zA-Z0-9-])"
        rf"|\b(?i:tool|call|action|invok|function|execut|us|run)(?i:\w{{0,6}})\W{{1,4}}(?:\w{{1,12}}\W{{1,4}}){{0,3}}(?:{odd})\b",
    )
