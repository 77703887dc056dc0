"""The Home tab of one person: what waits for them, what is theirs, page by page, within Slack's limits."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from bot.blocks.messages import context, fields, plain, section
from bot.blocks.orders import order_line
from bot.blocks.text import Mrkdwn, escape, link, mention, moment, one_line
from bot.intent import CustomerIntent
from bot.shop.money import Money
from bot.shop.orders import Order
from bot.store.calls import CallStatus, ToolCall
from bot.store.overviews import OpenThread, Page, Today
from bot.store.records import Block

HOME_PAGE = "home_page"
HOME_REFRESH = "home_refresh"
NONE = Mrkdwn("")
_MAX_BLOCKS = 100
_MAX_BYTES = 200_000  # Slack takes 250 KB
_STATUS_WORDS = {
    CallStatus.PENDING: "Waits for a decision",
    CallStatus.RUNNING: "Being done",
    CallStatus.UNKNOWN: "Being checked with the shop",
    CallStatus.SUCCEEDED: "Done",
    CallStatus.FAILED: "Not done",
    CallStatus.CANCELLED: "Withdrawn",
    CallStatus.DECLINED: "Declined",
    CallStatus.EXPIRED: "Expired",
}


class Part(StrEnum):
    """What is paged on a Home tab by itself, with how much of it is on a page."""

    QUEUE = "queue"
    THREADS = "threads"
    ORDERS = "orders"
    REQUESTS = "requests"


PAGE_SIZE = {Part.QUEUE: 4, Part.THREADS: 8, Part.ORDERS: 5, Part.REQUESTS: 5}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request as an approver sees it: the call, and its card with the buttons."""

    call: ToolCall
    card: Sequence[Block]


def home_view(parts: Sequence[Sequence[Block]], private: str, notice: Mrkdwn = NONE) -> Mapping[str, Any]:
    """Put the parts together; what does not fit is left out whole, and said."""
    told = [section(Mrkdwn(f"*{notice}*")), {"type": "divider"}] if notice else []
    now = context(Mrkdwn(f"As of {moment(datetime.now(UTC))}"))
    refresh = {"type": "button", "action_id": HOME_REFRESH, "text": plain("Refresh")}
    foot: list[Block] = [{"type": "divider"}, now, {"type": "actions", "elements": [refresh]}]
    blocks: list[Block] = [*told]
    for part in parts:
        longer = [*blocks, *part]
        if len(longer) + len(foot) > _MAX_BLOCKS or len(json.dumps(longer)) > _MAX_BYTES:
            break
        blocks = longer
    return {"type": "home", "private_metadata": private, "blocks": [*blocks, *foot]}


def queue_part(page: Page[Waiting], url: str) -> list[Block]:
    """Show an approver what waits, the oldest first, with the buttons."""
    blocks = _head("Waiting for a decision", page)
    for one in page.items:
        blocks += [*_named(one), context(_thread_link(one.call.thread.channel, one.call.thread.ts, url))]
        blocks.append({"type": "divider"})
    return blocks + (_pages(Part.QUEUE, page) if page.total else [_nothing("Nothing waits.")])


def threads_part(page: Page[OpenThread], url: str) -> list[Block]:
    """Show staff the threads that need somebody, with what they are about and how urgent it is."""
    blocks = _head("Open threads", page)
    for one in page.items:
        who = "people have it" if one.with_people else "a request is open"
        line = (
            f"{_thread_link(one.thread.channel, one.thread.ts, url)} · {mention(one.started_by)} · {who} since "
            f"{moment(one.since)}\n{_intent(one.intent)}"
        )
        blocks.append(section(Mrkdwn(line)))
    return blocks + (_pages(Part.THREADS, page) if page.total else [_nothing("No thread needs anybody.")])


def today_part(today: Today) -> list[Block]:
    """Show staff the day in figures."""
    done, declined = today.ended.get("succeeded", 0), today.ended.get("declined", 0)
    back = ", ".join(str(Money(minor, currency)) for currency, minor in sorted(today.refunded.items())) or "nothing"
    unanswered = f", {today.unanswered} not answered" if today.unanswered else ""
    facts = [
        ("Messages", f"{today.messages} from {today.people} people{unanswered}"),
        ("Requests", f"{today.asked} asked, {done} done, {declined} declined"),
        ("Refunded", back),
    ]
    return [_title("Today (UTC)"), fields((label, escape(text)) for label, text in facts)]


def orders_part(page: Page[Order] | None) -> list[Block]:
    """Show somebody their own orders; None when the shop could not be asked."""
    if page is None:
        return [_title("Your orders"), _nothing("The shop can't be asked right now.")]
    blocks = _head("Your orders", page)
    blocks += [order_line(order) for order in page.items]
    return blocks + (_pages(Part.ORDERS, page) if page.total else [_nothing("There are no orders in your name.")])


def requests_part(page: Page[ToolCall], url: str) -> list[Block]:
    """Show somebody what they have asked for, and what became of it."""
    blocks = _head("Your requests", page)
    for call in page.items:
        changed = call.status == CallStatus.CANCELLED and call.decided_by not in (None, call.requester)
        status = "Changed by an approver" if changed else _STATUS_WORDS.get(call.status, "")
        where = _thread_link(call.thread.channel, call.thread.ts, url)
        line = f"*{status}* · {one_line(call.summary or call.tool)}\n{moment(call.created_at)} · {where}"
        blocks.append(section(Mrkdwn(line)))
    return blocks + (_pages(Part.REQUESTS, page) if page.total else [_nothing("You have asked for nothing yet.")])


def _named(one: Waiting) -> list[Block]:
    """Return a card whose blocks have other ids than those of the other cards."""
    ids = [str(block.get("block_id", number)) for number, block in enumerate(one.card)]
    ids = [name if one.call.id in name else f"{one.call.id}:{name}" for name in ids]
    return [{**block, "block_id": name} for block, name in zip(one.card, ids, strict=True)]


def _head(title: str, page: Page[Any]) -> list[Block]:
    return [_title(f"{title} ({page.total})" if page.total else title)]


def _title(text: str) -> Block:
    return {"type": "header", "text": plain(text, 150)}


def _nothing(text: str) -> Block:
    return context(Mrkdwn(text))


def _pages(part: Part, page: Page[Any]) -> list[Block]:
    """Build the buttons to the pages before and after, where there are any."""
    size = PAGE_SIZE[part]
    if page.total <= size:
        return []
    elements = [
        {"type": "button", "action_id": f"{HOME_PAGE}:{name}", "text": plain(name), "value": f"{part}:{start}"}
        for name, start in (("Earlier", page.start - size), ("More", page.start + size))
        if 0 <= start < page.total
    ]
    last = min(page.start + size, page.total)
    shown = context(Mrkdwn(f"{page.start + 1} to {last} of {page.total}"))
    return [shown, {"type": "actions", "block_id": f"{HOME_PAGE}:{part}", "elements": elements}]


def _thread_link(channel: str, ts: str, url: str) -> Mrkdwn:
    return link(f"{url}archives/{channel}/p{ts.replace('.', '')}", "Open the thread")


def _intent(stored: str | None) -> str:
    try:
        intent = CustomerIntent.model_validate_json(stored) if stored else None
    except ValidationError:
        intent = None
    if intent is None:
        return "Not sorted yet"
    urgent = "*high urgency*" if intent.urgency == "high" else f"{intent.urgency} urgency"
    return f"{intent.category.replace('_', ' ').capitalize()}, {urgent}: “{one_line(intent.summary, 200)}”"
