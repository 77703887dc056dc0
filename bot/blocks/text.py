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

from bot.blocks.addresses import UNSEEN, is_allowed, without_addresses

Mrkdwn = NewType("Mrkdwn", str)

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
    visible = "".join(" " if unicodedata.category(one) in ("Zl", "Zp", "Cc") else one for one in UNSEEN.sub("", text))
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
        if not (shown and address.lower().startswith(("https://", "http://")) and is_allowed(address, link_hosts)):
            return f"{label} ({address})"
        links.append((address, shown))
        return f"\ue000{len(links) - 1}\ue001"

    text = re.sub(r"\[([^\]\n]{1,200})\]\((\S{1,2000}?)\)", place, text)
    return without_addresses(text, link_hosts, known), links


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
