"""Pictures that people sent, for a model that sees: put beside the words that name them, just before they are sent."""

import base64
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from bot.store.records import ChatMessage, SharedFile

MAX_BYTES = 4_000_000  # of a picture
MAX_SHOWN = 4  # in a request: the latest
_MAX_KEPT = 16
_NAMED = re.compile(r"\(file (F[A-Z0-9]{1,40})\)")
_FIRST_BYTES = {
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/png": re.compile(rb"\x89PNG"),
    "image/gif": re.compile(rb"GIF8"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}


class Pictures:
    """Keeps the pictures that were looked at last, and nothing of them outlives the process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._refused: set[str] = set()

    def missing(self, files: Sequence[SharedFile]) -> list[SharedFile]:
        """Return the latest of the pictures that are not kept."""
        pictures = [file for file in files if file.is_picture]
        return [file for file in pictures[-MAX_SHOWN:] if file.id not in self._kept and file.id not in self._refused]

    def keep(self, file: SharedFile, content: bytes) -> None:
        """Keep a picture for a while, if by its first bytes it is one that models see, whatever it is called."""
        mimetype = next((name for name, first in _FIRST_BYTES.items() if first.match(content)), None)
        if mimetype is None:
            return
        self._kept[file.id] = f"data:{mimetype};base64,{base64.b64encode(content).decode()}"
        while len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)

    def refuse(self, messages: Sequence[Mapping[str, Any]]) -> bool:
        """Show what a server did not take never again; return whether there was anything of it in these messages."""
        texts = [
            part["text"] for one in messages if isinstance(one.get("content"), list) for part in one["content"][:1]
        ]
        shown = {name for text in texts for name in _NAMED.findall(text) if name in self._kept}
        self._refused |= shown
        for name in shown:
            del self._kept[name]
        return bool(shown)

    def sees(self, file: SharedFile) -> bool:
        """Return whether a model is shown this file."""
        return file.id in self._kept

    def shown(self, messages: Sequence[ChatMessage]) -> list[Mapping[str, Any]]:
        """Return what is sent: people's messages that name a picture that is kept have it beside their words."""
        left, sent = MAX_SHOWN, list[Mapping[str, Any]]()
        for message in reversed(messages):
            content = message.get("content")
            named = _NAMED.findall(content) if message["role"] == "user" and isinstance(content, str) else []
            urls = [self._kept[one] for one in dict.fromkeys(named) if one in self._kept][:left]
            left -= len(urls)
            parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
            sent.append({**message, "content": [{"type": "text", "text": content}, *parts]} if parts else message)
        return sent[::-1]
