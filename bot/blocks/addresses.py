"""What a person takes for an address in a text: a link, a host, a number of the network, an e-mail address."""

import re
import unicodedata
from collections.abc import Sequence
from importlib import resources
from ipaddress import ip_address
from urllib.parse import urlsplit

from bot.look_alikes import LOOK_ALIKES

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
    "[\u00b7\u066b\u0702\u2027\u2219\u22c5\u0589\ua78f\uff61]|(?<=[!-~])\u3002|\u3002(?=[!-~])|[\\[({](?:\\.|dot|punkt|punto|point)[\\])}]|%2[eE]|&(?:#46|period);"
)
_A_TO_Z = re.compile(r"[a-z\u1d00-\u1d22]", re.IGNORECASE)
_INNER_MARKS = re.compile(r"[*~`]|(?<![^\W_])_|_(?![^\W_])")
REMOVED = "[link removed]"
# What has no width or shows nothing although its category is that of a letter or a mark.
UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


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
        return found[0] if is_allowed(address, hosts) else REMOVED + found[0][len(address) :]

    def read(token: re.Match[str]) -> str:
        seen = "".join(one for one in UNSEEN.sub("", token[0]) if unicodedata.category(one) != "Cf")
        seen = _DOTS.sub(".", unicodedata.normalize("NFKC", seen))
        # Marks of Markdown are not there for who reads what they make of it.
        latin = seen.translate(LOOK_ALIKES) if not seen.isascii() and _A_TO_Z.search(seen) else seen
        for one in dict.fromkeys((seen, _INNER_MARKS.sub("", seen), latin)):
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


def is_allowed(address: str, hosts: Sequence[str]) -> bool:
    """Return whether an address leads to one of the hosts, or below one, and says so to every program."""
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
