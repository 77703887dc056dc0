"""What one server takes of the Chat Completions API, as far as its refusals have told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

# Each may be left out without the answer being wrong; some are words that a refusal says for other reasons too.
_OF_BODY = (
    "parallel_tool_calls",
    "response_format",
    "max_completion_tokens",
    "max_tokens",
    "reasoning_effort",
    "temperature",
    "stream",
    "stream_options",
)
_OF_SCHEMA = (
    "additionalProperties",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "strict",
    "pattern",
    "minimum",
    "maximum",
    "default",
    "format",
    "anyOf",
)
# What stands for thoughts that were never had, as the servers' own documents and users have it.
STAND_INS: Mapping[str, Any] = {
    "reasoning_content": ".",
    "thought_signature": {"google": {"thought_signature": "skip_thought_signature_validator"}},
}
_AMBIGUOUS = {"stream", "strict", "pattern", "minimum", "maximum", "default", "format"}
_KEPT = re.compile(r"reason|think|thought|signature|extra_content|provider_specific")
_NAMED = re.compile(r"""["'`\u2018\u201c]([\w.\[\]-]+)["'`\u2019\u201d]""")


# What a refusal says of the form that a server wants, by the fields of a dialect.
_FORMS = {
    "short_ids": re.compile(
        r"(?<![a-z])ids?\b.{0,80}(length (of )?9|9 char|pattern|too long|alphanum)"
        r"|length (of )?9.{0,80}(?<![a-z])ids?\b"
    ),
    "null_content": re.compile(
        r"(non-?empty|empty).{0,40}content|content\b.{0,40}(empty|blank|non-?whitespace|too short)"
    ),
    # The templates that want alphanumeric strings show a system message only when the last word is a person's.
    "no_system": re.compile(
        r"(system|developer)[^.]{0,40}(not |un)(support|allow|enable|permit)|not support[^.]{0,30}system"
        r"|only user,? (and|or) (assistant|model)|roles must alternate|should be 'user'|should be alphanumeric strings"
        r"|(unexpected|unknown|invalid|unsupported) role\W{1,3}(system|developer)"
    ),
    "only_streams": re.compile(
        r"only supports?\W+(the )?stream|enable the stream|requires? streaming|streaming is required"
        r"|\bstream\W{1,3}(must|has to|should|needs? to) be (set to )?(true|enabled)|set (the )?stream\W{1,4}(to )?true"
        r"|for non-?stream|non-?stream\w*[^.]{0,40}(not |un)support"
    ),
    "named_results": re.compile(r"(?=.*(required|empty|missing)).*(function_?response|tool)\W{1,3}name\b"),
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one model is asked: the parameters that it does not take, and the forms that it wants."""

    left_out: frozenset[str] = frozenset()
    short_ids: bool = False
    """Whether the id of a call has to be nine letters and digits."""
    null_content: bool = False
    """Whether beside calls it refuses the empty text that others want."""
    no_system: bool = False
    """Whether the instructions have to stand in the words of the first person, for want of a system message."""
    named_results: bool = False
    """Whether a call's result has to name its tool."""
    only_streams: bool = False
    """Whether it gives no answer but as a stream."""
    stand_ins: frozenset[str] = frozenset()
    """Which thoughts and signatures it wants with each turn, also with those that another model wrote."""

    def without(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request's body without what the server does not take."""
        kept = {key: value for key, value in body.items() if key not in self.left_out}
        if "max_completion_tokens" in body and "max_completion_tokens" in self.left_out and not self._takes_no_limit:
            kept["max_tokens"] = body["max_completion_tokens"]
        if self.only_streams:
            kept["stream"] = True
        if "tools" in kept and self.left_out.intersection(_OF_SCHEMA):
            kept["tools"] = [_reduced(tool, self.left_out) for tool in kept["tools"]]
        return kept

    @property
    def _takes_no_limit(self) -> bool:
        return "max_tokens" in self.left_out

    def learn(self, said: str, param: str, body: Mapping[str, Any]) -> "Dialect":
        """Return how to ask from now on after this refusal; the same when it names nothing that could be changed."""
        lower = f"{said} {param}".lower()
        if missing := {name for name in STAND_INS if _missing(name).search(lower)} - self.stand_ins:
            return replace(self, stand_ins=self.stand_ins | missing)
        quoted = {part for name in _NAMED.findall(said) for part in re.split(r"[^\w]+", name)}
        named = quoted | set(re.split(r"[^\w]+", param))
        sent = names_in(body)
        plain = {name for name in sent if _plainly(name).search(said)}
        if refused := ((named & sent) | plain) - self.left_out:
            return replace(self, left_out=self.left_out | refused)
        wanted: dict[str, Any] = {form: True for form, words in _FORMS.items() if words.search(lower)}
        return replace(self, **wanted)

    @property
    def plainest(self) -> "Dialect":
        """The form that the most servers take, for a refusal that names nothing."""
        left_out = self.left_out | {"parallel_tool_calls", "strict", "response_format", "reasoning_effort"}
        return replace(self, left_out=left_out)


def _missing(name: str) -> re.Pattern[str]:
    return re.compile(rf"missing[^.]{{0,30}}{name}|{name}[^.]{{0,50}}(missing|must be)")


def _plainly(name: str) -> re.Pattern[str]:
    """Match a name that stands without quotes, as `parallelToolCalls` too; a common word only if it is refused."""
    word = rf"\b{re.escape(name).replace('_', '[ _-]?')}\b"
    if name in _AMBIGUOUS:
        refused = r"(not |un)(support|permit|allow|recogni|known)"
        kind = r"(field|parameter|argument|property|key(word)?)s?"
        word = (
            rf"{word}[^.]{{0,30}}{refused}|(un(known|supported|expected|recogni[sz]ed)|extra|invalid) {kind}:? {word}"
        )
    return re.compile(word, re.IGNORECASE)


def wanted_back(part: Any) -> dict[str, Any]:
    """Return what of an answer, or of a call in it, a server may want back: thoughts and their signatures."""
    if not isinstance(part, dict):
        return {}
    return {key: value for key, value in part.items() if value and isinstance(key, str) and _KEPT.search(key.lower())}


def names_in(body: Mapping[str, Any]) -> set[str]:
    """Return which parts of a request could be left out of it."""
    names = {name for name in _OF_BODY if name in body}
    for tool in body.get("tools") or ():
        names |= _keywords(tool) & set(_OF_SCHEMA)
    for message in body.get("messages") or ():
        names |= set(wanted_back(message))
        for call in message.get("tool_calls") or ():
            names |= set(wanted_back(call))
    return names


def _keywords(node: Any) -> set[str]:
    match node:
        case dict():
            return set(node).union(*map(_keywords, node.values()))
        case list():
            return set().union(*map(_keywords, node))
    return set()


def _reduced(node: Any, left_out: frozenset[str]) -> Any:
    if isinstance(node, list):
        return [_reduced(part, left_out) for part in node]
    if not isinstance(node, dict):
        return node
    if "anyOf" in node and "anyOf" in left_out:
        arms = [arm for arm in node["anyOf"] if arm.get("type") != "null"]
        node = {key: value for key, value in node.items() if key != "anyOf"} | (arms[0] if arms else {})
    return {
        key: {name: _reduced(part, left_out) for name, part in value.items()}
        if key == "properties"
        else _reduced(value, left_out)
        for key, value in node.items()
        if key not in left_out
    }
