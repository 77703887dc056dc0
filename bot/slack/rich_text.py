"""What blocks say that a person has sent, in the markup in which Slack writes the text of a message."""

from collections.abc import Iterator, Mapping
from typing import Any

MAX_DEPTH = 8
MAX_PARTS = 1_000
_IDS = {"user": ("@", "user_id"), "channel": ("#", "channel_id"), "usergroup": ("!subteam^", "usergroup_id")}
_WITH_PARTS = ("rich_text", "rich_text_list", "section", "context")


def shown(blocks: object) -> str:
    """Return the text of blocks, line by line; what is not as Slack documents it says nothing."""
    return "\n".join(filter(None, (_words(block, 0) for block in _objects(blocks))))


def _words(part: Mapping[str, Any], depth: int) -> str:
    kind = str(part.get("type"))
    if depth > MAX_DEPTH:
        return ""
    if kind in ("rich_text_section", "rich_text_preformatted", "rich_text_quote"):
        said = "".join(map(_element, _objects(part.get("elements")))).strip("\n")
        return "\n".join(f"&gt; {line}" for line in said.splitlines()) if kind == "rich_text_quote" else said
    own = part.get("text")
    mark = "• " if kind == "rich_text_list" else ""
    inner = [*_objects(part.get("fields")), *_objects(part.get("elements"))] if kind in _WITH_PARTS else []
    said = _plain(own) if isinstance(own, Mapping) else _plain(part) if isinstance(own, str) else ""
    lines = [said, *(f"{mark}{words}" for one in inner if (words := _words(one, depth + 1)))]
    return "\n".join(filter(None, lines))


def _element(element: Mapping[str, Any]) -> str:
    kind = str(element.get("type"))
    if kind in _IDS:
        mark, name = _IDS[kind]
        return f"<{mark}{_text(element.get(name))}>"
    if kind == "broadcast":
        return f"<!{_text(element.get('range'))}>"
    if kind == "link":
        url, label = _text(element.get("url")), _escaped(_text(element.get("text")))
        return f"<{url}|{label}>" if label else f"<{url}>"
    if kind == "emoji":
        return f":{_text(element.get('name'))}:"
    if kind == "date":
        return _escaped(_text(element.get("fallback")))
    return _escaped(_text(element.get("text")))


def _plain(text: Mapping[str, Any]) -> str:
    said = _text(text.get("text"))
    return said if text.get("type") in ("mrkdwn", "markdown") else _escaped(said)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    return (one for one in value[:MAX_PARTS] if isinstance(one, Mapping)) if isinstance(value, list) else iter(())
