"""The one door through which text goes to Slack, and what of it Slack may interpret.

A `Mrkdwn` is text that Slack interprets. Whoever makes one by hand vouches for each part of it; everything that a model
or a person wrote comes through the functions of this file, and can mention nobody, link nowhere and look like no card.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import NewType
from urllib.parse import urlsplit

Mrkdwn = NewType("Mrkdwn", str)

_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{0,20}:/|(?<![a-z0-9])www\.|\b(?:https?|mailto|tel|javascript|data):)[^\s<>|)\]\"']+",
    re.IGNORECASE,
)
_HOST = re.compile(r"[a-z0-9.-]+", re.IGNORECASE)


def escape(text: str) -> Mrkdwn:
    """Make text that Slack shows as it is: no mention, no link, no date, no formatting of whole lines."""
    return Mrkdwn(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def one_line(text: str, most: int = 300) -> Mrkdwn:
    """Make text from the shop or a person that cannot look like lines of ours: one line, cut, with no address in it."""
    return escape(bare(text)[:most])


def bare(text: str) -> str:
    """Put text on one line and take addresses out, for where Slack interprets nothing."""
    return _ADDRESS.sub("[link removed]", " ".join(text.split()))


def prose(text: str, link_hosts: Sequence[str] = ()) -> Mrkdwn:
    """Turn a model's Markdown into what Slack shows alike, with everything that could act made harmless.

    An address stays, as text, only if its host is one of `link_hosts` or below one.
    """
    text = re.sub(r"\[([^\]\n]{1,200})\]\((\S{1,2000}?)\)", r"\1 (\2)", text.strip())
    text = _ADDRESS.sub(lambda found: found[0] if _is_allowed(found[0], link_hosts) else "[link removed]", text)
    escaped = escape(text)
    escaped = Mrkdwn(re.sub(r"\*\*(\S(?:[^*\n]*\S)?)\*\*", r"*\1*", escaped))
    escaped = Mrkdwn(re.sub(r"^#{1,6}\s+(.+)$", r"*\1*", escaped, flags=re.MULTILINE))
    return Mrkdwn(re.sub(r"^([^\S\n]*)[-*]\s+", r"\1• ", escaped, flags=re.MULTILINE))


def _is_allowed(address: str, hosts: Sequence[str]) -> bool:
    try:
        parts = urlsplit(address if "//" in address else f"https://{address}")
        host = parts.hostname or ""
    except ValueError:
        return False
    # What stands in a host and is no letter is read in other ways by other programs: nothing but plain hosts.
    plain = parts.scheme in ("http", "https") and _HOST.fullmatch(host) and "@" not in parts.netloc
    return bool(plain) and any(host == one or host.endswith(f".{one}") for one in hosts)


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
