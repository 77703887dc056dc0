"""What a message of Slack says: the person's own words, and below a line what they attached, which are not."""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.slack.masking import mask
from bot.slack.rich_text import shown
from bot.store.records import QUOTED, SharedFile, writable

MAX_TEXT_CHARACTERS = 12_000  # more than Slack lets a person type in one message
_MAX_QUOTED_CHARACTERS = 2_000
_MAX_QUOTES = 5
_MAX_FILES = 10
_MAX_NAME_CHARACTERS = 100
_MAX_DEPTH = 8
_UNFINISHED = ("processing", "pending", "queued")
_MAX_PICTURE_BYTES = 1_000_000  # what models make smaller themselves is not worth its way
_SEEN_AS_THEY_ARE = ("image/jpeg", "image/png", "image/gif", "image/webp")
_OF_A_MESSAGE = ("is_share", "is_msg_unfurl", "is_reply_unfurl", "is_thread_root_unfurl")
_WIDTHS = (1024, 960, 800, 720, 480, 360)


@dataclass(frozen=True, slots=True)
class Content:
    """What was said, as the model reads it, and the files that came with it."""

    text: str
    files: tuple[SharedFile, ...] = ()


def read(message: Mapping[str, Any], us: str) -> Content:
    """Return what a message says; a field that is not as Slack documents it counts as missing."""
    files = tuple(_files(message))
    quoted_files = [file for shared in _shared(message) for file in _files(shared)]
    author = text(message.get("user"))
    spoken_by_them = [file for file in files if _is_voice_of(author, file)]
    own = [readable(spoken(message), us), *map(_heard, spoken_by_them)]
    quoted = [*quotes(message), *(_told(file) for file in files if file not in spoken_by_them)]
    said = "\n".join(filter(None, own))
    text_ = mask(writable(said + QUOTED + "\n".join(quoted) if quoted else said))
    return Content(text_, (*files, *quoted_files)[:_MAX_FILES])


def kept_text(typed: str, us: str) -> str:
    """Return what is kept of a text that somebody typed: cut, and without cards and secrets."""
    return read({"text": typed}, us).text


def kept_pictures(files: object) -> Content:
    """Return the pictures that were given in a form, and what a message says of them below its words."""
    pictures = [file for file in dicts(files) if text(file.get("mimetype")).startswith("image/")]
    return read({"files": pictures}, "")


def spoken(message: Mapping[str, Any]) -> str:
    """Return the text of a message as Slack writes it, cut before any pattern looks at it.

    Where there is none, as some clients and workflows leave it, it is what the message's blocks show.
    """
    said = text(message.get("text"))
    return (said if said.strip() else shown(message.get("blocks")))[:MAX_TEXT_CHARACTERS]


def readable(marked_up: str, us: str) -> str:
    """Turn Slack's markup into the text that the person typed, without the mention of ourselves."""
    plain = re.sub(rf"<@{us}(?:\|[^<>]*)?>", " ", marked_up) if us else marked_up
    plain = re.sub(r"<(?:mailto|tel):([^|<>]*)(?:\|[^<>]*)?>", r"\1", plain)
    plain = re.sub(r"<(https?:[^|<>]*)(?:\|[^<>]*)?>", r"\1", plain)
    plain = re.sub(r"<#\w{1,40}\|([^<>]*)>", r"#\1", plain)
    plain = html.unescape(re.sub(r"[ \t]+", " ", plain)).replace("(file ", "(file: ")  # what only we write: see _told
    return writable(plain.strip())


def same_words(one: str, other: str) -> bool:
    """Return whether two texts say the same: what differs is in capitals, spaces or marks between words."""
    return _letters(one) == _letters(other)


def text(value: object) -> str:
    """Return a value that is text; anything else counts as none."""
    return value if isinstance(value, str) else ""


def mapping(value: object) -> Mapping[str, Any]:
    """Return a value that is an object; anything else counts as an empty one."""
    return value if isinstance(value, Mapping) else {}


def dicts(value: object) -> list[Mapping[str, Any]]:
    """Return the objects of a list; anything else counts as none."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _letters(words: str) -> str:
    # A mark between two digits tells numbers apart: 1.5 is not 15, and 1001 is not -1001 or $1001.
    return "".join(re.findall(r"[^\W_]+|(?<=\d)[^\w\s](?=\d)|[$€£¥+-](?=\d)", words.casefold()))


def quotes(message: Mapping[str, Any]) -> list[str]:
    """Return the messages that were forwarded or linked to, with who wrote them, and their files."""
    quoted: list[str] = []
    for shared in _shared(message):
        author = _name(shared.get("author_name")) or _name(shared.get("author_id")) or "somebody"
        blocks = (shared.get(key) for key in ("message_blocks", "blocks", "attachments"))
        words = text(shared.get("text")) or next(filter(None, ("\n".join(_texts(one, 0)) for one in blocks)), "")
        words = readable((words or text(shared.get("fallback")))[:_MAX_QUOTED_CHARACTERS], "")
        quoted.append(f"- a message of {author}, forwarded: “{words or '(without text)'}”")
        quoted += [_told(file) for file in _files(shared)]
    return quoted


def _shared(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the messages that were forwarded or linked to, as Slack attaches them; without a word, all that is there.

    Beside words what has no such mark is the preview of a page.
    """
    attached = dicts(message.get("attachments"))[:_MAX_QUOTES]
    if not spoken(message).strip():
        return attached
    return [one for one in attached if any(one.get(mark) for mark in _OF_A_MESSAGE)]


def _files(message: Mapping[str, Any]) -> list[SharedFile]:
    return [_file(one) for one in dicts(message.get("files"))[:_MAX_FILES]]


def _texts(value: object, depth: int) -> Iterator[str]:
    """Yield every text of blocks, however deep."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for one in value:
            yield from _texts(one, depth + 1)
    elif isinstance(value, Mapping):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for one in value.values():
            yield from _texts(one, depth + 1)


def _file(file: Mapping[str, Any]) -> SharedFile:
    kind, _, _ = text(file.get("mimetype")).partition("/")
    if text(file.get("subtype")) in ("slack_audio", "slack_video"):
        kind = "audio"
    if text(file.get("mode")) in ("tombstone", "hidden_by_limit"):
        kind = "gone"
    size = file.get("size")
    smaller = _smaller(file) if kind == "image" else ""
    url = smaller or text(file.get("url_private"))
    return SharedFile(
        id=text(file.get("id"))[:_MAX_NAME_CHARACTERS],
        kind={"image": "picture", "audio": "voice message", "video": "video", "gone": "deleted file"}.get(kind, "file"),
        name=mask(_name(file.get("title")) or _name(file.get("name"))),
        mimetype=_name(file.get("mimetype")),
        url=url if mask(url) == url else "",  # Slack writes a file's name into it
        size=size if isinstance(size, int) and not smaller else 0,
        words=mask(_file_words(file)),
        by=text(file.get("user"))[:_MAX_NAME_CHARACTERS],
        unfinished=file.get("file_access") == "check_file_info"
        or text(mapping(file.get("transcription")).get("status")) in _UNFINISHED,
    )


def described(text_: str, before: SharedFile, now: Mapping[str, Any], author: str) -> tuple[str, SharedFile]:
    """Return what a message of its author says when Slack describes a file of it again, and the file."""
    file = _file(now)
    if text_.find(line := mask(writable(_told(before)))) < 0:
        return text_, file
    if not _is_voice_of(author, file):
        return text_.replace(line, mask(writable(_told(file))), 1), file
    own, _, quoted = text_.replace(line, "", 1).partition(QUOTED)
    own = "\n".join(filter(None, (own, mask(writable(_heard(file))))))
    return (own + QUOTED + quoted.strip("\n") if quoted.strip() else own), file


def _smaller(file: Mapping[str, Any]) -> str:
    """Return where Slack has a smaller version of a picture, if models may not see it as it is.

    Phones take pictures that are too large or of types of their own; Slack makes JPEGs of them.
    """
    size = file.get("size")
    if text(file.get("mimetype")) in _SEEN_AS_THEY_ARE and isinstance(size, int) and size <= _MAX_PICTURE_BYTES:
        return ""
    return next(filter(None, (text(file.get(f"thumb_{width}")) for width in _WIDTHS)), "")


def _file_words(file: Mapping[str, Any]) -> str:
    """Return what a file says in words that Slack sends along: a transcript, an e-mail or the beginning of a text."""
    transcript = mapping(file.get("transcription"))
    if transcript:
        preview = mapping(transcript.get("preview"))
        more = " …" if preview.get("has_more") else ""
        words = text(preview.get("content"))
        return readable(words[:MAX_TEXT_CHARACTERS], "") + more if words else ""
    words = text(file.get("plain_text")) or text(file.get("preview_plain_text")) or text(file.get("preview"))
    return readable(words[:_MAX_QUOTED_CHARACTERS], "")


def _is_voice_of(author: str, file: SharedFile) -> bool:
    """Return whether these are spoken words of the author: what somebody else has recorded is quoted."""
    return file.kind == "voice message" and bool(file.words) and file.by in ("", author)


def _heard(file: SharedFile) -> str:
    return f"(voice message) {file.words}"


def _told(file: SharedFile) -> str:
    named = f"a {file.kind} “{file.name}”" if file.name else f"a {file.kind}"
    if file.words:
        return f"- {named}, which begins: “{file.words}”"
    return f"- {named} (file {file.id})" if file.is_picture else f"- {named}, which cannot be read here"


def _name(value: object) -> str:
    return " ".join(text(value).split()).replace("(file ", "(file: ")[:_MAX_NAME_CHARACTERS]
