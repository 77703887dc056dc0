"""A day in six lines."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from statistics import median
from typing import Any

from bot import clock
from bot.operator.reader import Filters, LogReader, Row
from bot.operator.story import cost_of
from bot.operator.text import counted, dollars, lasting, listed, printable, seconds_between
from bot.prices import Prices
from bot.shop.money import Money

_ORDER = (
    "succeeded",
    "failed",
    "rejected",
    "pending",
    "running",
    "unknown",
    "cancelled",
    "declined",
    "expired",
    "proposed",
)


def sum_up(log: LogReader, day: date, prices: Prices) -> dict[str, Any]:
    """Count what happened on a day, in UTC."""
    condition, values = Filters(day=day).sql()
    received = condition.replace("created_at", "received_at")
    inbox = log.rows(f"SELECT * FROM inbox WHERE status != 'unclaimed' AND {received}", values)
    calls = log.rows(f"SELECT * FROM tool_calls WHERE {condition}", values)
    asked = log.rows(f"SELECT * FROM model_calls WHERE {condition}", values)
    posts = log.rows(f"SELECT status FROM outbox WHERE {condition}", values)
    refunds = log.rows(
        """SELECT r.currency, r.amount_minor FROM refund_requests r JOIN tool_calls c ON c.id = r.id
           WHERE r.status = 'succeeded' AND json_extract(c.quote, '$.quote.when') = 'now' AND """
        + condition.replace("created_at", "r.finished_at"),
        values,
    )
    waits = [row["asked_at"] for row in log.pending()]
    times = [s for row in inbox if (s := seconds_between(row["received_at"], row["finished_at"])) is not None]
    costs = [cost for row in asked if (cost := cost_of(row, prices)) is not None]
    return {
        "day": day.isoformat(),
        "messages": len(inbox),
        "people": len({row["user"] for row in inbox}),
        "failed_messages": sum(row["status"] == "failed" for row in inbox),
        "median_seconds": round(median(times), 3) if times else None,
        "slowest_seconds": round(max(times), 3) if times else None,
        "tool_calls": _counts(row["status"] for row in calls if not row["gated"]),
        "requests": _counts(row["status"] for row in calls if row["gated"]),
        "refunded": _refunded(refunds),
        "open_requests": len(waits),
        "oldest_open_seconds": _age(waits[0]) if waits else None,
        "model_calls": len(asked),
        "failed_model_calls": sum(row["status"] == "failed" for row in asked),
        "prompt_tokens": sum(row["prompt_tokens"] or 0 for row in asked),
        "completion_tokens": sum(row["completion_tokens"] or 0 for row in asked),
        "cost_usd": round(sum(costs), 6) if costs else None,
        "posts": _counts(row["status"] for row in posts),
    }


def in_six_lines(day: Mapping[str, Any]) -> list[str]:
    """Say what a day was like."""
    failed = f", {day['failed_messages']} not answered" if day["failed_messages"] else ""
    times = ""
    if day["median_seconds"] is not None:
        times = f"; answered in {lasting(day['median_seconds'])} (median), {lasting(day['slowest_seconds'])} (slowest)"
    oldest = f", the oldest for {lasting(day['oldest_open_seconds'])}" if day["oldest_open_seconds"] else ""
    cost = f", {dollars(day['cost_usd'])}" if day["cost_usd"] is not None else ""
    bad = f", {day['failed_model_calls']} failed" if day["failed_model_calls"] else ""
    refunded = f"; {listed(day['refunded'])} refunded" if day["refunded"] else ""
    tokens = f"{day['prompt_tokens']:,} + {day['completion_tokens']:,} tokens"
    return [
        f"{date.fromisoformat(day['day']):%A, %d %B %Y} (UTC)",
        f"Messages  {day['messages']} from {counted(day['people'], 'person', 'people')}{failed}{times}",
        f"Tools     {_of('call', day['tool_calls'])}",
        f"Requests  {_of('request', day['requests'])}{refunded}; {day['open_requests']} open now{oldest}",
        f"Model     {counted(day['model_calls'], 'call')}{bad}, {tokens}{cost}",
        f"Posts     {_of('post', day['posts'])}",
    ]


def _of(one: str, counts: Mapping[str, int]) -> str:
    parts = [f"{number} {status}" for status, number in counts.items()]
    return counted(sum(counts.values()), one) + (f": {listed(parts)}" if parts else "")


def _counts(statuses: Any) -> dict[str, int]:
    counts = Counter(statuses)
    known = {status: counts.pop(status) for status in _ORDER if status in counts}
    return known | dict(sorted(counts.items()))


def _refunded(rows: Sequence[Row]) -> list[str]:
    """Return what went back, by currency, as the requests have it."""
    sums: dict[str, int] = {}
    for row in rows:
        if row["amount_minor"]:
            currency = printable(row["currency"])
            sums[currency] = sums.get(currency, 0) + row["amount_minor"]
    return [str(Money(minor, currency)) for currency, minor in sorted(sums.items())]


def _age(at: str) -> float:
    return round((clock.now() - datetime.fromisoformat(at)).total_seconds(), 1)
