"""Reading conversations from YAML: what is wrong is told with its file, its line and its field."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bot.evaluation.conversation import Conversation, ExpectedCall, Step
from bot.evaluation.people import CAST

SHIPPED = Path(__file__).parent / "conversations"
Location = tuple[str | int, ...]
_WORDS = {
    "missing": "it is missing",
    "extra_forbidden": "there is no such field",
    "model_type": "it has to be a mapping of fields to values",
    "dict_type": "it has to be a mapping of names to values",
    "tuple_type": "it has to be a list",
    "string_type": "it has to be a text; put it in quotes",
}


class ConversationError(Exception):
    """A file of conversations cannot be used; the text says where and why, one fault a line."""


def load(paths: Sequence[Path], tools: Mapping[str, frozenset[str]]) -> list[Conversation]:
    """Read every conversation of the files and folders, in their order.

    `tools` are those of the bot, each with its arguments: what a file names has to be among them. Raises
    ConversationError, which tells all faults of all files.
    """
    faults: list[str] = []
    conversations: dict[str, Conversation] = {}
    for path in _files(paths):
        source = _Source(path)
        for conversation in source.conversations(tools):
            if conversation.full_name in conversations:
                source.fault((conversation.name,), f"{conversation.full_name} is there already, in another file")
            conversations[conversation.full_name] = conversation
        faults += source.faults
    if faults:
        raise ConversationError("\n".join(faults))
    return list(conversations.values())


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.suffix in (".yaml", ".yml"))
            if not inside:
                raise ConversationError(f"{path}: there is no .yaml file in this folder")
            yield from inside
        elif path.exists():
            yield path
        else:
            raise ConversationError(f"{path}: there is no such file or folder")


class _Loader(yaml.SafeLoader):
    """YAML in which `no`, `yes` and `on` are words, as in YAML 1.2: people say them."""


_BOOLEAN = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOLEAN, re.compile("^(?:true|false)$"), ["t", "f"])


class _Source:
    """One file: what it holds, on which line each part stands, and what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[Location, int] = {}
        self.faults: list[str] = []

    def conversations(self, tools: Mapping[str, frozenset[str]]) -> Iterator[Conversation]:
        """Yield the conversations that are in order, and collect the faults of the others."""
        data = self._parse()
        if data is not None and not isinstance(data, dict):
            self.fault((), "a file is a mapping of names to conversations")
            return
        for name, fields in (data or {}).items():
            known = {"name": str(name), "group": self._path.stem}
            try:
                conversation = Conversation.model_validate({**fields, **known} if isinstance(fields, dict) else fields)
            except ValidationError as error:
                for one in error.errors():
                    told = _WORDS.get(one["type"], one["msg"].removeprefix("Value error, "))
                    self.fault((name, *one["loc"]), told)
                continue
            faults = list(_unknown(conversation, tools))
            for location, text in faults:
                self.fault((name, *location), text)
            if not faults:
                yield conversation

    def fault(self, location: Location, text: str) -> None:
        """Note a fault of what stands there, with the line of the nearest part that is in the file."""
        inside = next((location[:n] for n in range(len(location), 0, -1) if location[:n] in self._lines), ())
        line = f":{self._lines[inside]}" if inside in self._lines else ""
        where = ", ".join(_names(location))
        self.faults.append(f"{self._path}{line}: {where + ': ' if where else ''}{text}")

    def _parse(self) -> Any:
        try:
            loader = _Loader(self._path.read_text("utf-8"))
            node = loader.get_single_node()
            if node is None:
                return None
            self._note_lines(node, ())
            return None if self.faults else loader.construct_document(node)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = f":{mark.line + 1}" if mark else ""
            self.faults.append(f"{self._path}{line}: {error.problem or error.context}")
        except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
            self.faults.append(f"{self._path}: {' '.join(str(error).split())}")
        except RecursionError:
            self.faults.append(f"{self._path}: it is nested too deeply, or refers to itself")
        return None

    def _note_lines(self, node: yaml.Node, location: Location) -> None:
        self._lines[location] = node.start_mark.line + 1
        if isinstance(node, yaml.SequenceNode):
            for index, part in enumerate(node.value):
                self._note_lines(part, (*location, index))
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    self.faults.append(f"{self._path}:{key.start_mark.line + 1}: a key is a word")
                    continue
                self._note_lines(value, (*location, key.value))
                self._lines[*location, key.value] = key.start_mark.line + 1
                if key.value in seen:
                    self.fault((*location, key.value), "this key stands twice")
                seen.add(key.value)


def _names(location: Location) -> Iterator[str]:
    """Yield the conversation, the step and the field of a location, as a person says them."""
    field: list[str] = []
    for before, part, after in zip((None, *location), location, (*location[1:], None), strict=False):
        if before is None:
            yield str(part)
        elif before == "steps" and isinstance(part, int):
            yield f"step {part + 1}"
        elif part != "steps" or not isinstance(after, int):
            field.append(str(part))
    if field:
        yield ".".join(field)


def _unknown(conversation: Conversation, tools: Mapping[str, frozenset[str]]) -> Iterator[tuple[Location, str]]:
    """Yield where a conversation names a tool, an argument or a person that is not there."""
    people = {*CAST, *conversation.people}
    for location, call in _expected(conversation):
        for one in call.tools():
            yield from ((location, text) for text in _one_of("tool", [one.tool], tools))
            if one.tool in tools:
                named = f"argument of {one.tool}"
                yield from ((location, text) for text in _one_of(named, one.arguments, tools[one.tool]))
    yield from ((("may_call",), text) for text in _one_of("tool", conversation.may_call, tools))
    yield from ((("never",), text) for text in _one_of("tool", conversation.never, tools))
    for index, step in enumerate(conversation.steps):
        here = ("steps", index)
        waits = step.waits or {}
        yield from (((*here, "by"), text) for text in _one_of("person", [step.by], people))
        yield from (((*here, "may_call"), text) for text in _one_of("tool", step.may_call, tools))
        yield from (((*here, "waits"), text) for text in _one_of("tool", waits, tools))
        yield from (((*here, "waits"), text) for text in _one_of("person", waits.values(), people))
    for index, order in enumerate(conversation.orders):
        owner = [order.customer]
        yield from ((("orders", index, "customer"), text) for text in _one_of("person", owner, people))


def _expected(conversation: Conversation) -> Iterator[tuple[Location, ExpectedCall]]:
    def of(step: Step, here: Location) -> Iterator[tuple[Location, ExpectedCall]]:
        yield from (((*here, "calls", index), call) for index, call in enumerate(step.calls))
        yield from (((*here, "soft", "calls", index), call) for index, call in enumerate(step.soft.calls))

    yield from ((("done", index), call) for index, call in enumerate(conversation.done))
    for index, step in enumerate(conversation.steps):
        yield from of(step, ("steps", index))


def _one_of(kind: str, names: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    known = sorted(known)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}"
            yield f"there is no {kind} {name}; {hint}"
