"""The one door through which text goes to Slack, and what of it Slack may interpret.

A `Mrkdwn` is text that Slack interprets. Code that makes one by hand vouches for each part; everything that a model or
a person wrote comes through the functions of this file, and can mention nobody, link nowhere and look like no card.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from importlib import resources
from ipaddress import ip_address
from typing import NewType
from urllib.parse import urlsplit

Mrkdwn = NewType("Mrkdwn", str)

_REST = r"[^\s<>|)\]\"'“”]{0,2000}"
_DOMAINS = frozenset(
    word
    for line in resources.files("bot.blocks").joinpath("top_level_domains.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
    for word in line.split()
)
# Top-level domains that are words after a missing space, or end the name of a file: alone they make no address.
_WORDS = frozenset(
    [
        "am",
        "as",
        "at",
        "be",
        "by",
        "do",
        "id",
        "in",
        "is",
        "it",
        "la",
        "md",
        "mr",
        "ms",
        "my",
        "name",
        "nr",
        "no",
        "now",
        "pm",
        "ps",
        "py",
        "rs",
        "so",
        "st",
        "tm",
        "to",
        "today",
    ]
)
# Those that begin no sentence, however they are written.
_NO_BEGINNINGS = frozenset(
    ["com", "net", "org", "edu", "gov", "io", "co", "uk", "eu", "ru", "cn", "tv", "cc", "biz", "xyz", "dev"]
)
# Schemes without slashes that open a program or a page, and are no word before a colon.
_SCHEMES = (
    r"(?:bitcoin|ethereum|litecoin|facetime(?:-audio)?|whatsapp|viber|sips?|xmpp|geo|itms(?:-apps)?|ms-[a-z-]{2,30}"
    r"|view-source|blob|spotify|tg|wss?|ssh|s?ftp|ldap|smb|slack|zoommtg|msteams)"
)
_PORT = r"(?::\d{1,5})?"
_PATH = rf"(?:[/?\#]{_REST})?"
# What a person takes for an address, and e-mail addresses, which are told apart from it.
_ADDRESS = re.compile(
    rf"(?:mailto:)?(?P<email>[\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,8}})(?P<more>[/?\#:]\w{_REST})?"
    rf"|(?:[a-z][a-z0-9+.-]{{0,20}}:/|(?<![\w/:])//(?=[\w\[])"
    rf"|\b(?:https?|mailto|tel|sms|callto|skype|magnet|intent|javascript|vbscript|data|file):"
    rf"|(?<![\w-]){_SCHEMES}:(?=[\w+]))"
    rf"(?:/?\[[0-9a-f:.%]{{2,60}}\])?{_REST}"
    rf"|\[(?P<ip>[0-9a-f:.]{{3,39}})(?:%\w{{1,20}})?\]{_PORT}{_PATH}"
    rf"|(?<![\w:.])(?=[0-9a-f:]{{0,38}}::|(?:[0-9a-f]{{1,4}}:){{7}})(?P<bare_ip>[0-9a-f:.]{{3,39}})(?![\w:]){_PATH}"
    rf"|(?<![\w@.])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?![\w.]*\d){_PORT}{_PATH}"
    rf"|(?<![\w@.])www\.{_REST}"
    rf"|(?<![\w.])(?<!\w@)(?P<labels>(?:[\w-]{{1,63}}\.){{1,8}})(?P<domain>xn--[\w-]{{1,60}}|[^\W\d_]{{2,24}})(?![\w-])"
    rf"(?P<rest>:\d{{2,5}}(?!\d)(?:/{_REST})?|[/?\#]{_REST})?"
    rf"|(?<![\w@.-])localhost(?![\w-]){_PORT}{_PATH}|(?<![\w\\])\\\\\w[\w.-]{{0,60}}\\{_REST}",
    re.IGNORECASE,
)
_HOST = re.compile(r"[a-z0-9.-]+", re.IGNORECASE)
_TRAILING = ".,;:!?…"
# What is read as a dot, and how one is written where it would be taken for an address.
_DOTS = re.compile(
    "[\u2027\u0589\uff61]|(?<=[!-~])\u3002|\u3002(?=[!-~])|[\\[({](?:\\.|dot|punkt|punto|point)[\\])}]|%2[eE]|&(?:#46|period);"
)
_INNER_MARKS = re.compile(r"[*~`]|(?<![^\W_])_|_(?![^\W_])")
REMOVED = "[link removed]"


# What has no width or shows nothing although its category is that of a letter or a mark.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
# Marks that strike a letter out or draw around it, and piles of marks that reach over the lines beside them.
_OVERLAYS = re.compile("[\u0334-\u0338\u0488\u0489\u20d2\u20d3\u20d8-\u20da\u20dd-\u20e0\u20e2-\u20e6\u20ea\u20eb]")
_MARK = "[\u0300-\u036f\u0483-\u0487\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f]"
_PILES = re.compile(f"({_MARK}{{3}}){_MARK}{{1,2000}}")
# Letters that are bold, in italics or framed by themselves.
_STYLED_LETTERS = re.compile(
    "[\u24b6-\u24e9\U0001d400-\U0001d7ff\U0001f130-\U0001f149\U0001f150-\U0001f169\U0001f170-\U0001f189]"
)
# What only cards and outcomes have: the marks of what is done, not done, paused or reached, and of their lists.
_CARD_MARKS = re.compile(
    "[\u23ef\u23f8\u25aa-\u25ab\u25b6\u25b8\u25b9\u25cb\u25c9\u25cf\u2610-\u2613\u26aa\u26ab\u2705\u2713-\u2718"
    "\u274c\u274e\u2b24\U0001f534\U0001f535\U0001f5d9\U0001f5f4-\U0001f5f9\U0001f6ab\U0001f7e0-\U0001f7e2]"
    "\ufe0f?[ \t]?"
)
LINK_PLACE = re.compile("\ue000(\\d{1,5})\ue001")  # of private use, and so in no text of others
_OVERRIDES = re.compile("[\u202d\u202e]")  # they turn around the letters of any script
_EMOJI_NAME = re.compile(r":(?=[a-z0-9_+'-]{0,60}[a-z][a-z0-9_+'-]{0,60}:)", re.IGNORECASE)


def escape(text: str) -> Mrkdwn:
    """Make text that Slack shows as it is: no mention, no link, no date, no formatting of whole lines."""
    return Mrkdwn(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def one_line(text: str, most: int = 300) -> Mrkdwn:
    """Return text from the shop or a person that cannot look like ours: one line, cut, no address, no formatting."""
    return escape(_without_formatting(bare(text)[:most]))


def bare(text: str) -> str:
    """Return text on one line, without addresses and characters that show nothing, for where Slack formats nothing."""
    text = text if text.isascii() else _PILES.sub(r"\1", _OVERLAYS.sub("", _STYLED_LETTERS.sub(_plain_letter, text)))
    visible = "".join(" " if unicodedata.category(one) in ("Zl", "Zp", "Cc") else one for one in _UNSEEN.sub("", text))
    shown = "".join(one for one in visible if unicodedata.category(one) not in ("Cf", "Co", "Cs"))
    return without_addresses(" ".join(shown.split()))


def _plain_letter(styled: re.Match[str]) -> str:
    plain = unicodedata.normalize("NFKC", styled[0])
    white_on_black = ord(styled[0]) - 0x1F150  # letters of which Unicode does not say which they are
    return plain if plain != styled[0] else chr(ord("A") + white_on_black % 32)


def _without_formatting(text: str) -> str:
    """Return text whose marks Slack shows instead of acting on them, and which cannot end a quotation of ours."""
    text = _CARD_MARKS.sub("", text).translate(_HARMLESS_MARKS)
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", "\N{FULLWIDTH LOW LINE}", text)
    text = _EMOJI_NAME.sub("\N{FULLWIDTH COLON}", text)
    return re.sub(r"^\s*>+", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}", text)


_HARMLESS_MARKS = str.maketrans(
    {
        "*": "\N{ASTERISK OPERATOR}",
        "~": "\N{TILDE OPERATOR}",
        "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
        "“": '"',
        "”": '"',
        "„": '"',
        "‟": '"',
        "❝": '"',
        "❞": '"',
        "〝": '"',
        "〞": '"',
        "ʺ": '"',
        "ˮ": '"',
        "″": '"',
        "\uff02": '"',
    }
)


def prose(text: str, link_hosts: Sequence[str] = (), known: Sequence[str] | None = None) -> Mrkdwn:
    """Return a model's Markdown as Slack shows it alike, with everything that could act or look like a card removed.

    An address stays, as text, only if its host is one of `link_hosts` or below one; an e-mail address also if it is
    one of `known`, and any e-mail address if that is None.
    """
    text, links = cleaned(text.strip(), link_hosts, known)
    escaped = escape(text)
    escaped = Mrkdwn(re.sub(r"\*\*(\S(?:[^*\n]{0,500}\S)?)\*\*", r"*\1*", escaped))
    escaped = Mrkdwn(re.sub(r"~~(\S(?:[^~\n]{0,500}\S)?)~~", r"~\1~", escaped))
    escaped = Mrkdwn(re.sub(r"^#{1,6}\s+(.+)$", r"*\1*", escaped, flags=re.MULTILINE))
    escaped = Mrkdwn(re.sub(r"^([^\S\n]*)[-*]\s+", r"\1• ", escaped, flags=re.MULTILINE))
    return Mrkdwn(LINK_PLACE.sub(lambda place: link(*links[int(place[1])]), escaped))


def cleaned(
    text: str, link_hosts: Sequence[str] = (), known: Sequence[str] | None = None
) -> tuple[str, list[tuple[str, str]]]:
    """Return a model's Markdown without all that could act or look like a card, and its links to allowed hosts.

    Each of those is an address with its label; in the text `LINK_PLACE` with its number stands in its place.
    """
    text = "".join(one for one in text if one in "\n\t" or unicodedata.category(one) not in ("Cc", "Co"))
    text = _EMOJI_NAME.sub("\N{FULLWIDTH COLON}", _CARD_MARKS.sub("", _OVERRIDES.sub("", text)))
    links: list[tuple[str, str]] = []

    def place(found: re.Match[str]) -> str:
        label, address = found[1], found[2]
        shown = without_addresses(re.sub("[*_`~]", "", label), link_hosts, known).strip()
        if not (shown and address.lower().startswith(("https://", "http://")) and _is_allowed(address, link_hosts)):
            return f"{label} ({address})"
        links.append((address, shown))
        return f"\ue000{len(links) - 1}\ue001"

    text = re.sub(r"\[([^\]\n]{1,200})\]\((\S{1,2000}?)\)", place, text)
    return without_addresses(text, link_hosts, known), links


def without_addresses(text: str, hosts: Sequence[str] = (), known: Sequence[str] | None = None) -> str:
    """Return the text without what a person takes for an address, unless its host is allowed.

    It is looked for as a reader sees it: full-width letters and dots are the plain ones, and what has no width is not
    there. An e-mail address stays when it is `known` or of an allowed host; where None are given, any does.
    """

    def decide(found: re.Match[str]) -> str:
        if (email := found["email"]) and not found["more"]:
            is_known = known is None and found[0] == email
            stays = is_known or email.lower() in (known or ()) or _is_below(email.rpartition("@")[2], hosts)
            return found[0] if stays else REMOVED
        if found["domain"] and not _is_hosted(found):
            return found[0]
        if (ip := found["ip"] or found["bare_ip"]) and not _is_ip(ip):
            return found[0]
        address = found[0].rstrip(_TRAILING)
        return found[0] if _is_allowed(address, hosts) else REMOVED + found[0][len(address) :]

    def read(token: re.Match[str]) -> str:
        seen = "".join(one for one in _UNSEEN.sub("", token[0]) if unicodedata.category(one) != "Cf")
        seen = _DOTS.sub(".", unicodedata.normalize("NFKC", seen))
        # Marks of Markdown are not there for who reads what they make of it.
        for one in dict.fromkeys((seen, _INNER_MARKS.sub("", seen))):
            clean = _ADDRESS.sub(decide, one)
            if clean != one:
                return clean
        return token[0]

    return re.sub(r"\S+", read, text)


def email_addresses(text: str) -> list[str]:
    """Return the e-mail addresses that are written in a text, in lower case."""
    return [found["email"].lower() for found in _ADDRESS.finditer(text) if found["email"] and not found["more"]]


def _is_hosted(found: re.Match[str]) -> bool:
    """Return whether a word of several labels is a host: by what follows it, or by its top-level domain."""
    domain, labels = found["domain"], found["labels"]
    if found["rest"] is not None:
        return ":" in found["rest"] or "/" in found["rest"][:1] or domain.lower() in _DOMAINS
    if domain.lower().startswith("xn--"):
        return True
    begins_sentence = domain[:1].isupper() and domain[1:].islower() and labels[-2:-1].islower()
    begins_sentence = begins_sentence and domain.lower() not in _NO_BEGINNINGS
    return domain.lower() in _DOMAINS - _WORDS and not begins_sentence


def _is_ip(text: str) -> bool:
    try:
        return bool(ip_address(text.rstrip(".")))
    except ValueError:
        return False


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
    shown = f"{{date_short_pretty}} at {{time}}|{moment_in_words(when)}"
    return Mrkdwn(f"<!date^{int(when.timestamp())}^{shown}>")


def moment_in_words(when: datetime) -> str:
    """Show a time where Slack does not show the reader's own."""
    return when.strftime("%b %d, %Y at %H:%M UTC")


def day(when: date) -> str:
    """Show a calendar day, such as Wed, Nov 25."""
    return f"{when:%a, %b} {when.day}"


def link(url: str, label: str) -> Mrkdwn:
    """Link to an address of the shop's; one that is not plain http(s) is shown as its label only."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s<>|\"]", url):
        return escape(_without_formatting(label))
    return Mrkdwn(f"<{url.replace('&', '&amp;')}|{escape(_without_formatting(label))}>")
