"""The shop's own rules, in Markdown, which the model is given after ours."""

from pathlib import Path

MAX_CHARACTERS = 8_000
MAX_BYTES = 4 * MAX_CHARACTERS + 1_000  # of four bytes each, and blanks around them


def read_policy(path: Path) -> str:
    """Return the rules of the file. Raises ValueError, in words for the operator, when they cannot be used."""
    try:
        if path.exists() and not path.is_file():
            raise ValueError(f"{path} cannot be read: it is no file")
        text = _beginning(path).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").strip()
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


def _beginning(path: Path) -> bytes:
    """Read a file whole. Raises ValueError for one that is far too long, of which no more is read."""
    with path.open("rb") as file:
        found = file.read(MAX_BYTES + 1)
    if len(found) > MAX_BYTES:
        raise ValueError(
            f"{path} has more than {MAX_BYTES:,} bytes, and the model is given {MAX_CHARACTERS:,} characters"
        )
    return found


def usable_policy(path: Path) -> Path:
    """Return the path of rules that can be used. Raises ValueError when they cannot."""
    read_policy(path)
    return path
