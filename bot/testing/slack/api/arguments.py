"""The arguments of Slack's methods: reading them as Slack does, and refusing those that Slack refuses."""

import base64
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from bot.testing.slack import block_kit
from bot.testing.slack.workspace.objects import Json

T = TypeVar("T")

MARKDOWN_LIMIT = 12_000
PAGE = 1000  # items, when a call names no limit


class SlackError(Exception):
    """Slack says no: the error, and whatever else its answer holds."""

    def __init__(self, error: str, **details: Any) -> None:
        super().__init__(error)
        self.answer: Json = {"ok": False, "error": error} | details


class Arguments(dict[str, Any]):
    """What came with a call, by name; lists and objects may be JSON in a text, flags and numbers may be texts."""

    def required(self, name: str) -> str:
        """Read a text that Slack insists on."""
        if self.get(name) in (None, ""):
            messages = [f"[ERROR] missing required field: {name}"]
            raise SlackError("invalid_arguments", response_metadata={"messages": messages})
        return str(self[name])

    def flag(self, name: str) -> bool:
        """Read a flag, which is off unless given."""
        return str(self.get(name, "")).lower() in {"1", "true"}

    def number(self, name: str, default: float) -> float:
        """Read a number, such as a limit or a `ts`."""
        try:
            return float(self.get(name) or default)
        except ValueError:
            raise SlackError("invalid_arguments") from None

    def array(self, name: str, error: str = "invalid_arguments") -> list[Any]:
        """Read a list, which is empty unless given."""
        value = self._json(name, error)
        if value is not None and not isinstance(value, list):
            raise SlackError(error)
        return value or []

    def object(self, name: str) -> Json:
        """Read an object, which is empty unless given."""
        value = self._json(name, "invalid_arguments")
        if value is not None and not isinstance(value, dict):
            raise SlackError("invalid_arguments")
        return value or {}

    def metadata(self) -> Json | None:
        """Read the metadata of a message; an empty object stands for none."""
        value = self._json("metadata", "invalid_metadata_format")
        if value and not (isinstance(value, dict) and {"event_type", "event_payload"} <= set(value)):
            raise SlackError("invalid_metadata_format")
        return value or None

    def content(self) -> tuple[str, list[Json]]:
        """Read the text and the blocks of a message, one of which there must be."""
        text, blocks = str(self.get("text") or ""), self.array("blocks", "invalid_blocks_format")
        markdown = self.get("markdown_text")
        if markdown and (text or blocks):
            raise SlackError("markdown_text_conflict")
        if markdown and len(markdown) > MARKDOWN_LIMIT:
            raise SlackError("msg_too_long")
        if markdown:
            return markdown, [{"type": "markdown", "text": markdown}]
        if not text and not blocks:
            raise SlackError("no_text")
        if block_kit.too_long(blocks):
            raise SlackError("msg_blocks_too_long")
        if problems := block_kit.problems(blocks):
            messages = [f"[ERROR] {problem}" for problem in problems]
            raise SlackError("invalid_blocks", errors=problems, response_metadata={"messages": messages})
        return text, blocks

    def view(self, kind: str) -> Json:
        """Read a view of the kind `modal` or `home`."""
        value = self._json("view", "invalid_arguments")
        if problems := block_kit.view_problems(value, kind):
            messages = [f"[ERROR] {problem}" for problem in problems]
            raise SlackError("invalid_arguments", response_metadata={"messages": messages})
        shown: Json = value
        return shown

    def page(self, items: Sequence[T]) -> tuple[Sequence[T], Json]:
        """Cut out the page that the cursor and the limit ask for, and write the cursor of the next."""
        try:
            start = int(base64.b64decode(self["cursor"])) if self.get("cursor") else 0
        except ValueError:
            raise SlackError("invalid_cursor") from None
        end = start + int(self.number("limit", PAGE))
        cursor = base64.b64encode(str(end).encode()).decode() if end < len(items) else ""
        return items[start:end], {"response_metadata": {"next_cursor": cursor}}

    def _json(self, name: str, error: str) -> Any:
        value = self.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(error) from None
