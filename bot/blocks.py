"""How everything we say looks in Slack: pure builders of Block Kit, and the one door through which text goes.

A `Mrkdwn` is text that Slack may interpret. Only this file makes one, so nothing that a model or a customer wrote can
mention a channel, link somewhere or look like a card.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NewType
from urllib.parse import urlsplit

from bot.intent import CustomerIntent
from bot.shop.orders import Order, OrderStatus
from bot.store.records import Block, ToolCall
from bot.tool import Preview

Mrkdwn = NewType("Mrkdwn", str)

_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{0,20}:/|(?<![a-z0-9])www\.|\b(?:https?|mailto|tel|javascript|data):)[^\s<>|)\]\"']+",
    re.IGNORECASE,
)
_HOST = re.compile(r"[a-z0-9.-]+", re.IGNORECASE)

APPROVE = "approve_call"
CANCEL = "cancel_call"

_MOST_SECTION_CHARACTERS = 3_000
_MOST_FALLBACK_CHARACTERS = 3_500
_MOST_ANSWER_CHARACTERS = 12_000
_MOST_MESSAGE_CHARACTERS = 9_000  # of JSON; Slack refuses about 13,200 without saying so anywhere
_MOST_ITEMS = 10
_MOST_TRACKING_EVENTS = 8

_JOURNEY = (
    OrderStatus.PAID,
    OrderStatus.PACKED,
    OrderStatus.SHIPPED,
    OrderStatus.OUT_FOR_DELIVERY,
    OrderStatus.DELIVERED,
)
STATUS_WORDS = {
    OrderStatus.PAID: "Paid",
    OrderStatus.PACKED: "Packed",
    OrderStatus.SHIPPED: "Shipped",
    OrderStatus.DELAYED: "Delayed",
    OrderStatus.OUT_FOR_DELIVERY: "Out for delivery",
    OrderStatus.DELIVERED: "Delivered",
    OrderStatus.CANCELLED: "Cancelled",
}


def escape(text: str) -> Mrkdwn:
    """Make text that Slack shows as it is: no mention, no link, no date, no formatting of whole lines."""
    return Mrkdwn(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def one_line(text: str, most: int = 300) -> Mrkdwn:
    """Make text from the shop or a person that cannot look like lines of ours: one line, cut, with no address in it."""
    return escape(_bare(text)[:most])


def _bare(text: str) -> str:
    return _ADDRESS.sub("[link removed]", " ".join(text.split()))


def mention(user_or_group: str) -> Mrkdwn:
    """Mention a person or a group by an id that came from Slack or the settings."""
    return Mrkdwn(f"<!subteam^{user_or_group}>" if user_or_group.startswith("S") else f"<@{user_or_group}>")


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


def section(text: Mrkdwn) -> Block:
    """Build one paragraph, cut to what Slack takes."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_MOST_SECTION_CHARACTERS], "verbatim": True}}


def in_words(blocks: Iterable[Block]) -> Mrkdwn:
    """Say what blocks show in a text alone; those of one message fit well into the 40,000 characters of a text."""
    shown = [
        escape(part["text"]) if part["type"] == "plain_text" else part["text"]
        for block in blocks
        for part in (block.get("text"), *block.get("fields", ()), *block.get("elements", ()))
        if part and isinstance(part.get("text"), str)
    ]
    return Mrkdwn("\n".join(shown))


def _pieces(text: Mrkdwn) -> list[Mrkdwn]:
    pieces = []
    while len(text) > _MOST_SECTION_CHARACTERS:
        cut = text.rfind("\n", 0, _MOST_SECTION_CHARACTERS)
        if cut <= 0:
            cut = text.rfind(" ", 0, _MOST_SECTION_CHARACTERS)
        cut = cut if cut > 0 else _MOST_SECTION_CHARACTERS
        pieces.append(Mrkdwn(text[:cut]))
        text = Mrkdwn(text[cut:].lstrip())
    return [*pieces, text]


def answer_messages(
    text: str, cards: Sequence[Sequence[Block]], link_hosts: Sequence[str] = ()
) -> list[tuple[Mrkdwn, tuple[Block, ...]]]:
    """Lay an answer out: its words with the cards below them, in as many messages as Slack's limits need."""
    words = prose(text if len(text) <= _MOST_ANSWER_CHARACTERS else f"{text[:_MOST_ANSWER_CHARACTERS]}…", link_hosts)
    parts: list[tuple[Block, ...]] = [(section(piece),) for piece in _pieces(words) if piece]
    parts += [({"type": "divider"}, *card) if number or words else tuple(card) for number, card in enumerate(cards)]
    messages: list[tuple[Block, ...]] = [()]
    for part in parts:
        joined = (*messages[-1], *part)
        if messages[-1] and len(json.dumps(joined)) > _MOST_MESSAGE_CHARACTERS:
            messages.append(part)
        else:
            messages[-1] = joined
    fallback = Mrkdwn(words[:_MOST_FALLBACK_CHARACTERS])
    return [(fallback if not number else Mrkdwn("…"), shown) for number, shown in enumerate(messages)]


def context(*texts: Mrkdwn) -> Block:
    """Build the small grey line."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True} for text in texts]}


def order_card(order: Order, *, with_tracking: bool) -> tuple[Block, ...]:
    """Show an order: how far it is at a glance, its lines, its carrier, its money."""
    blocks = [
        section(Mrkdwn(f"*Order {escape(order.id)}*\n{_progress(order)}")),
        _fields(_order_facts(order)),
        section(Mrkdwn("\n".join(_item_lines(order)))),
    ]
    if with_tracking:
        blocks.append(section(Mrkdwn("\n".join(_tracking_lines(order)))))
    return tuple(blocks)


def approval_card(
    preview: Preview, requester: str, expires_at: datetime, intent: CustomerIntent | None = None
) -> tuple[Block, ...]:
    """Show what would be done, in the shop's figures: all of a card but its buttons.

    What the customer seems to want stands below, quoted: it informs the approver and decides nothing.
    """
    facts = [(label, one_line(value)) for label, value in preview.facts]
    facts += [("Asked by", mention(requester)), ("Open until", moment(expires_at))]
    card: tuple[Block, ...] = ({"type": "header", "text": _plain(preview.title, 150)}, _fields(facts))
    return (*card, context(_understood(intent))) if intent else card


def hand_over_card(
    title: str, address: str, user: str, summary: str, intent: CustomerIntent | None
) -> tuple[Block, ...]:
    """Show people a thread that needs one of them: where it is, whose it is, and what it is about, quoted."""
    where = Mrkdwn(f"{mention(user)} · {link(address, 'Open the thread')}")
    quoted = Mrkdwn(f"“{one_line(summary, 500)}”")
    card: tuple[Block, ...] = ({"type": "header", "text": _plain(title, 150)}, section(where), section(quoted))
    return (*card, context(_understood(intent))) if intent else card


def _understood(intent: CustomerIntent) -> Mrkdwn:
    category = intent.category.replace("_", " ")
    return Mrkdwn(f"Understood as {category}, {intent.urgency} urgency: “{one_line(intent.summary, 200)}”")


def decision_buttons(
    call_id: str, preview: Preview, approvers: Sequence[str], *, approvable: bool
) -> tuple[Block, ...]:
    """Build the buttons, and the line that says who may press them. Their value is the call's id, nothing else."""
    cancel = {"type": "button", "action_id": CANCEL, "text": _plain("Cancel"), "value": call_id}
    approve = {
        "type": "button",
        "action_id": APPROVE,
        "style": "primary",
        "text": _plain(preview.button),
        "value": call_id,
        "confirm": {
            "title": _plain(preview.title, 100),
            "text": _plain(preview.confirm, 300),
            "confirm": _plain("Yes, go ahead", 30),
            "deny": _plain("Go back", 30),
            "style": "primary",
        },
    }
    who = ", ".join(mention(one) for one in approvers[:5]) or "a workspace admin"
    line = Mrkdwn(
        f"Waiting for {who}. Nothing has happened yet."
        if approvable
        else "The support team was asked. Nothing has happened yet."
    )
    return (
        {"type": "actions", "block_id": f"decide:{call_id}", "elements": [approve, cancel] if approvable else [cancel]},
        context(line),
    )


def action_ids(blocks: Iterable[Block]) -> set[str]:
    """List what can be pressed."""
    elements = (element for block in blocks for element in block.get("elements", ()))
    return {element["action_id"] for element in elements if "action_id" in element}


def settled_card(call: ToolCall, line: Mrkdwn) -> tuple[Block, ...]:
    """Show the card as it was, with what came of it where the buttons were."""
    return (*call.card, context(line))


def _plain(text: str, most: int = 75) -> Block:
    text = _bare(text)
    return {"type": "plain_text", "text": text if len(text) <= most else text[: most - 1] + "…", "emoji": False}


def _fields(facts: Iterable[tuple[str, Mrkdwn]]) -> Block:
    return {
        "type": "section",
        "fields": [
            {"type": "mrkdwn", "text": f"*{escape(label)}*\n{value}"[:2_000], "verbatim": True}
            for label, value in facts
        ],
    }


def _progress(order: Order) -> Mrkdwn:
    if order.status == OrderStatus.CANCELLED:
        return Mrkdwn("✕ *Cancelled*")
    late = order.status == OrderStatus.DELAYED
    reached = _JOURNEY.index(OrderStatus.SHIPPED if late else order.status)
    steps = []
    for position, status in enumerate(_JOURNEY):
        if position < reached or order.status == OrderStatus.DELIVERED:
            steps.append(f"✓ {STATUS_WORDS[status]}")
        elif position == reached:
            steps.append(f"● *{'Shipped, delayed' if late else STATUS_WORDS[status]}*")
        else:
            steps.append(f"○ {STATUS_WORDS[status]}")
    # A step never breaks across lines, so that its mark stays beside its name.
    return Mrkdwn("  →  ".join(step.replace(" ", "\N{NO-BREAK SPACE}") for step in steps))


def _order_facts(order: Order) -> list[tuple[str, Mrkdwn]]:
    facts = [("Placed", escape(day(order.placed_at.date())))]
    if order.delivered_at:
        facts.append(("Delivered", escape(day(order.delivered_at.date()))))
    elif order.expected_on and order.status != OrderStatus.CANCELLED:
        facts.append(("Expected", escape(day(order.expected_on))))
    if order.carrier:
        number = order.tracking_number or "track it"
        where = link(order.tracking_url, number) if order.tracking_url else one_line(number)
        facts.append(("Carrier", Mrkdwn(f"{one_line(order.carrier)} {where}")))
    facts.append(("Total", escape(str(order.total))))
    if order.refunded.minor:
        whole = order.refunded == order.total
        facts.append(("Refunded", escape("In full" if whole else f"{order.refunded} of {order.total}")))
    return facts


def _item_lines(order: Order) -> list[str]:
    lines = [
        f"{item.quantity} x {one_line(item.name, 150)} — {escape(str(item.unit_price * item.quantity))}"
        for item in order.items[:_MOST_ITEMS]
    ]
    more = len(order.items) - _MOST_ITEMS
    return [*lines, f"and {more} more"] if more > 0 else lines or ["No items"]


def _tracking_lines(order: Order) -> list[str]:
    latest = sorted(order.tracking, key=lambda event: event.at, reverse=True)[:_MOST_TRACKING_EVENTS]
    lines = [f"{moment(event.at)} · {one_line(event.text, 100)}, {one_line(event.place, 60)}" for event in latest]
    return ["*Tracking*", *(lines or ["The carrier has not scanned the parcel yet."])]
