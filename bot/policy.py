"""The shop's own rules, in Markdown, which the model is given after ours."""

from pathlib import Path

MAX_CHARACTERS = 8_000


def read_policy(path: Path) -> str:
    """Return the rules of the file. Raises ValueError, in words for the operator, when they cannot be used."""
    try:
        text = path.read_text("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8. Save it as UTF-8") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if not text:
        raise ValueError(f"{path} is empty")
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"{path} has {len(text):,} characters, and the model is given at most {MAX_CHARACTERS:,}")
    if any(ord(one) < ord(" ") and one not in "\n\t" for one in text):
        raise ValueError(f"{path} has control characters, so it is no Markdown")
    return text


def usable_policy(path: Path) -> Path:
    """Return the path of rules that can be used. Raises ValueError when they cannot."""
    read_policy(path)
    return path
