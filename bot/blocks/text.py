"""The one door through which text goes to Slack, and what of it Slack may interpret.

A `Mrkdwn` is text that Slack interprets. Code that makes one by hand vouches for each part; everything that a model or
a person wrote comes through the functions of this file, and can mention nobody, link nowhere and look like no card.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from typing import NewType
from urllib.parse import urlsplit

Mrkdwn = NewType("Mrkdwn", str)

_REST = r"[^\s<>|)\]\"'“”]{0,2000}"
_HOSTED = (
    "com|net|org|info|biz|io|co|app|dev|shop|store|online|site|xyz|top|link|click|live|pro|club|page|web|cloud|help|"
    "support|email|edu|gov|mil|int|arpa|local|onion|ru|cn|uk|de|fr|nl|eu|us|ca|au|ly|gl|gd|cc|tk|ml|ga|cf|gq|su|ws"
)
# What a person takes for an address, and e-mail addresses, which are told apart from it.
_ADDRESS = re.compile(
    rf"(?:mailto:)?(?P<email>[\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,8}})"
    rf"|(?:[a-z][a-z0-9+.-]{{0,20}}:/|(?<![\w/:])//(?=[\w\[])|\b(?:https?|mailto|tel|javascript|data|file):){_REST}"
    rf"|(?<![\w@.])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?![\w.]*\d)(?::\d{{1,5}})?(?:/{_REST})?"
    rf"|(?<![\w@.])(?:[\w-]{{1,63}}\.){{1,8}}(?:(?:{_HOSTED})(?![\w-])(?::\d{{1,5}})?(?:[/?\#]{_REST})?"
    rf"|[^\W\d_]{{2,24}}(?::\d{{1,5}})?/{_REST})"
    rf"|(?<![\w@.])www\.{_REST}",
    re.IGNORECASE,
)
_HOST = re.compile(r"[a-z0-9.-]+", re.IGNORECASE)
_TRAILING = ".,;:!?…"
REMOVED = "[link removed]"


def escape(text: str) -> Mrkdwn:
    """Make text that Slack shows as it is: no mention, no link, no date, no formatting of whole lines."""
    return Mrkdwn(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def one_line(text: str, most: int = 300) -> Mrkdwn:
    """Return text from the shop or a person that cannot look like ours: one line, cut, no address, no formatting."""
    return escape(_without_formatting(bare(text)[:most]))


def bare(text: str) -> str:
    """Return text on one line, without addresses and characters that show nothing, for where Slack formats nothing."""
    visible = "".join(" " if unicodedata.category(one) in ("Zl", "Zp", "Cc") else one for one in text)
    shown = "".join(one for one in visible if unicodedata.category(one) not in ("Cf", "Co", "Cs"))
    return without_addresses(" ".join(shown.split()))


def _without_formatting(text: str) -> str:
    """Return text whose marks Slack shows instead of acting on them, and which cannot end a quotation of ours."""
    text = text.translate(_HARMLESS_MARKS)
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", "\N{FULLWIDTH LOW LINE}", text)
    text = re.sub(r":(?=[\w+-]{1,60}:)", "\N{FULLWIDTH COLON}", text)
    return re.sub(r"^\s*>+", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}", text)


_HARMLESS_MARKS = str.maketrans(
    {
        "*": "\N{ASTERISK OPERATOR}",
        "~": "\N{TILDE OPERATOR}",
        "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
        "“": '"',
        "”": '"',
        "„": '"',
        "✓": "-",
        "✕": "-",
        "⏸": "-",
    }
)


def prose(text: str, link_hosts: Sequence[str] = (), known: Sequence[str] = ()) -> Mrkdwn:
    """Return a model's Markdown as Slack shows it alike, with everything that could act made harmless.

    An address stays, as text, only if its host is one of `link_hosts` or below one; an e-mail address also if it is
    one of `known`.
    """
    text = re.sub(r"\[([^\]\n]{1,200})\]\((\S{1,2000}?)\)", r"\1 (\2)", text.strip())
    escaped = escape(without_addresses(text, link_hosts, known))
    escaped = Mrkdwn(re.sub(r"\*\*(\S(?:[^*\n]{0,500}\S)?)\*\*", r"*\1*", escaped))
    escaped = Mrkdwn(re.sub(r"^#{1,6}\s+(.+)$", r"*\1*", escaped, flags=re.MULTILINE))
    return Mrkdwn(re.sub(r"^([^\S\n]*)[-*]\s+", r"\1• ", escaped, flags=re.MULTILINE))


def without_addresses(text: str, hosts: Sequence[str] = (), known: Sequence[str] = ()) -> str:
    """Return the text without what a person takes for an address, unless its host is allowed.

    It is looked for as a reader sees it: full-width letters and dots are the plain ones, and what has no width is not
    there. E-mail addresses stay when they are `known` or of an allowed host; without any known ones all of them do.
    """

    def decide(found: re.Match[str]) -> str:
        if email := found["email"]:
            open_to_all = not known and found[0] == email
            stays = open_to_all or email.lower() in known or _is_below(email.rpartition("@")[2], hosts)
            return found[0] if stays else REMOVED
        address = found[0].rstrip(_TRAILING)
        return found[0] if _is_allowed(address, hosts) else REMOVED + found[0][len(address) :]

    def read(token: re.Match[str]) -> str:
        seen = "".join(one for one in token[0] if unicodedata.category(one) != "Cf")
        seen = unicodedata.normalize("NFKC", seen).replace("\N{IDEOGRAPHIC FULL STOP}", ".")
        clean = _ADDRESS.sub(decide, seen)
        return token[0] if clean == seen else clean

    return re.sub(r"\S+", read, text)


def _is_allowed(address: str, hosts: Sequence[str]) -> bool:
    try:
        parts = urlsplit(address if "//" in address else f"https://{address}")
        host = parts.hostname or ""
    except ValueError:
        return False
    # What is in a host and is no letter is read in other ways by other programs: nothing but plain hosts.
    plain = parts.scheme in ("http", "https", "") and _HOST.fullmatch(host) and "@" not in parts.netloc
    return bool(plain) and _is_below(host, hosts)


def _is_below(host: str, hosts: Sequence[str]) -> bool:
    return any(host.lower() == one or host.lower().endswith(f".{one}") for one in hosts)


def mention(user_or_group: str) -> Mrkdwn:
    """Mention a person or a group by an id that came from Slack or the settings."""
    return Mrkdwn(f"<!subteam^{user_or_group}>" if user_or_group.startswith("S") else f"<@{user_or_group}>")


def moment(when: datetime) -> Mrkdwn:
    """Show a time in the reader's own time zone."""
    fallback = when.strftime("%b %d, %Y at %H:%M UTC")
    return Mrkdwn(f"<!date^{int(when.timestamp())}^{{date_short_pretty}} at {{time}}|{fallback}>")


def day(when: date) -> str:
    """Show a calendar day, such as Wed, Nov 25."""
    return f"{when:%a, %b} {when.day}"


def link(url: str, label: str) -> Mrkdwn:
    """Link to an address of the shop's; one that is not plain http(s) is shown as its label only."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s<>|\"]", url):
        return escape(label)
    return Mrkdwn(f"<{url.replace('&', '&amp;')}|{escape(label)}>")
