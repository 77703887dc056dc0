"""What a person hears of files that nobody has looked into."""

from collections.abc import Sequence

from bot.model.pictures import Pictures
from bot.store.records import SharedFile

MAX_NAMED = 3


def unread(files: Sequence[SharedFile], seen: Pictures) -> str:
    """Say which of the files that came with a message nobody has read; nothing when all of them were."""
    left = [file for file in files if not file.words and not seen.sees(file)]
    if not left:
        return ""
    named = ", ".join(f"{file.kind} “{file.name}”" if file.name else f"a {file.kind}" for file in left[:MAX_NAMED])
    more = f" and {len(left) - MAX_NAMED} more" if len(left) > MAX_NAMED else ""
    pictured = any(file.is_picture for file in left)
    shown = " If you ask for a refund, whoever decides about it sees your picture." if pictured else ""
    return f"I can't look into what you attached ({named}{more}), so please tell me in words what matters.{shown}"
