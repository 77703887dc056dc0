"""A thread as one story: who said what, what the model and the tools did, who decided, and what all of it cost."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.operator.names import Names
from bot.operator.reader import LogReader, Place, Row
from bot.operator.text import counted, cut, dollars, lasting, printable, seconds_between, stamp
from bot.prices import Prices
from bot.tracing.tracing import trace_id

BOT = "Support Bot"
MAX_RESULT_CHARACTERS = 300
_OF_THREAD = "WHERE (channel, thread_ts) = (?, ?)"
_ENDS = {
    "succeeded": "done",
    "failed": "not done",
    "cancelled": "cancelled",
    "declined": "declined",
    "expired": "expired without a decision",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: when, who did it, what, and in which trace; `kind` is for programs."""

    at: str
    kind: str
    who: str
    text: str
    reference: str | None = None
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """All that happened in a thread, in order, and its sums."""

    place: Place
    where: str
    events: tuple[Event, ...]
    sums: Mapping[str, Any]

    def lines(self) -> list[str]:
        """Write the story for a terminal."""
        alone = all(event.kind == "look-up" for event in self.events)
        named = "Outside of any thread," if alone else f"Thread {self.place.thread_ts}"
        beginning = f"{named} in {printable(self.where)}"
        width = max([len(printable(event.who)) for event in self.events], default=0)
        lines, day = [beginning], ""
        for event in self.events:
            date, _, time = stamp(event.at).partition(" ")
            if date != day:
                lines.append(f"{date} (UTC)")
                day = date
            reference = f"  ({event.reference})" if event.reference else ""
            reference += f"  (trace {event.trace})" if event.trace else ""
            lines.append(
                f"  {time.removesuffix('Z')}  {printable(event.who):{width}}  {printable(event.text)}{reference}"
            )
        return lines if alone else [*lines, f"  {self._sum()}"]

    def as_json(self) -> dict[str, Any]:
        """Return the story for a program."""
        return {
            "channel": self.place.channel,
            "thread_ts": self.place.thread_ts,
            "events": [asdict(event) for event in self.events],
            **self.sums,
        }

    def _sum(self) -> str:
        sums = self.sums
        cost = f", {dollars(sums['cost_usd'])}" if sums["cost_usd"] is not None else ""
        return (
            f"Sum: {counted(sums['messages'], 'message')}, {counted(sums['tool_calls'], 'tool call')}, "
            f"{counted(sums['model_calls'], 'model call')} of {lasting(sums['model_seconds']) or '0 s'}, "
            f"{sums['prompt_tokens']:,} + {sums['completion_tokens']:,} tokens{cost}"
        )


def tell(log: LogReader, place: Place, names: Names, prices: Prices) -> Story:
    """Put a thread's story together."""
    key = [place.channel, place.thread_ts]
    said = log.rows(f"SELECT * FROM inbox {_OF_THREAD} AND status != 'unclaimed'", key)
    calls = log.rows(f"SELECT * FROM tool_calls {_OF_THREAD}", key)
    asked = log.rows(f"SELECT * FROM model_calls {_OF_THREAD}", key)
    posts = log.rows(
        f"""SELECT * FROM outbox {_OF_THREAD} AND replaces IS NULL
            UNION SELECT o.* FROM outbox o JOIN tool_calls t ON t.id = o.call_id
            WHERE (t.channel, t.thread_ts) = (?, ?) AND o.replaces IS NULL""",
        [*key, *key],
    )
    clicks = log.rows(f"SELECT r.* FROM refused_clicks r JOIN tool_calls t ON t.id = r.call_id {_OF_THREAD}", key)
    done = log.rows(
        "SELECT a.* FROM audit a JOIN tool_calls t ON t.id = a.subject WHERE (t.channel, t.thread_ts) = (?, ?)", key
    )
    changed = {row["supersedes"] for row in calls}
    events = [
        *(event for row in said for event in _said(row, names)),
        *(_model(row, prices) for row in asked),
        *(event for row in calls for event in _call(row, names, is_changed=row["id"] in changed)),
        *(_post(row, names) for row in posts),
        *(_click(row, names) for row in clicks),
        *(
            Event(row["at"], "operator", row["by"], _joined(row["action"], row["why"]), row["subject"][:8])
            for row in done
        ),
        *_failed_later(log, key),
    ]
    return Story(
        place,
        names.channel(place.channel),
        tuple(sorted(events, key=lambda e: e.at)),
        _sums(said, calls, asked, prices),
    )


def _failed_later(log: LogReader, key: Sequence[str]) -> Iterator[Event]:
    rows = log.rows(
        f"""SELECT failed_at, why, tool, id FROM refund_checks JOIN tool_calls ON id = call_id
            {_OF_THREAD} AND failed_at IS NOT NULL""",
        key,
    )
    for row in rows:
        words = _joined("made, and failed later at the payment provider", row["why"])
        yield Event(row["failed_at"], "outcome", row["tool"], words, row["id"][:8])


def ids_of_place(log: LogReader, place: Place) -> list[Row]:
    """Return the rows whose ids a story of the place names."""
    key = [place.channel, place.thread_ts]
    return [
        *log.rows(f"SELECT user, text FROM inbox {_OF_THREAD}", key),
        *log.rows(f"SELECT requester, decided_by, first_approved_by FROM tool_calls {_OF_THREAD}", key),
        *log.rows(f"SELECT text FROM outbox {_OF_THREAD}", key),
        *log.rows(f"SELECT r.user, told FROM refused_clicks r JOIN tool_calls t ON t.id = call_id {_OF_THREAD}", key),
    ]


def cost_of(row: Row, prices: Prices) -> float | None:
    """Return what a model call cost in US dollars, if that is known."""
    return prices.cost(row["model"], row["prompt_tokens"], row["completion_tokens"], row["cached_tokens"])


def _said(row: Row, names: Names) -> Iterator[Event]:
    changed = " (changed or deleted later)" if row["changed_at"] else ""
    text, trace = names.within(row["text"]) + changed, trace_id(row.get("traceparent"))
    yield Event(row["received_at"], "message", names.person(row["user"]), text, trace=trace)
    if row["error"]:
        reference, _, why = row["error"].partition(": ")
        yield Event(row["finished_at"] or row["received_at"], "failed run", BOT, f"could not answer: {why}", reference)


def _model(row: Row, prices: Prices) -> Event:
    cost = cost_of(row, prices)
    parts = [
        _answered(row) if row["status"] == "succeeded" else "",
        f"failed: {row['error']}" if row["error"] else "" if row["finished_at"] else "is being asked",
        f"in {lasting(row['duration_ms'] / 1000)}" if row["duration_ms"] is not None else "",
        f"{row['prompt_tokens'] or 0:,} + {row['completion_tokens'] or 0:,} tokens" if row["prompt_tokens"] else "",
        dollars(cost),
    ]
    failed = row["id"][:8] if row["status"] == "failed" else None
    return Event(row["created_at"], "model", row["model"], ", ".join(filter(None, parts)), failed)


def _answered(row: Row) -> str:
    if row["purpose"] == "intent":
        return "sorted the thread"
    return "called tools" if row["finish_reason"] == "tool_calls" else "answered"


def _call(row: Row, names: Names, *, is_changed: bool) -> Iterator[Event]:
    reference = row["id"][:8]
    arguments = _arguments(row["arguments"] or row["arguments_sent"])
    duration = f" in {lasting(row['duration_ms'] / 1000)}" if row["duration_ms"] is not None else ""
    if row["message_id"] is None:
        who, using = names.person(row["requester"]), row["tool_call_id"]
        text = f"used {using} with {arguments} \u2192 {row['status']}{duration}: {_result(row)}"
        yield Event(row["created_at"], "look-up", who, text, reference)
        return
    parked = row["gated"] and row["expires_at"]
    if not parked:
        end = f"{row['status']}{duration}: {_result(row)}" if row["finished_at"] else row["status"]
        yield Event(row["created_at"], "tool", row["tool"], f"{arguments} \u2192 {end}", reference)
        return
    instead = f" in place of {row['supersedes'][:8]}" if row["supersedes"] else ""
    waits = f"{arguments} \u2192 waits for approval{instead}"
    yield Event(row["created_at"], "request", row["tool"], waits, reference)
    if row["confirmed_at"]:
        waited = lasting(seconds_between(row["created_at"], row["confirmed_at"]))
        yield Event(
            row["confirmed_at"], "decision", names.person(row["requester"]), f"confirmed it after {waited}", reference
        )
    for column, at, words in (
        ("first_approved_by", "first_approved_at", "approved it, the first of two"),
        (None, "escalated_at", "asked the next group"),
    ):
        if row[at]:
            yield Event(row[at], "decision", names.person(row[column]) if column else BOT, words, reference)
    who = names.person(row["decided_by"])
    if row["decided_at"]:
        yes = "confirmed" if row["gate"] == "requester" else "approved"
        word = "changed" if is_changed else row["status"] if row["status"] in ("cancelled", "declined") else yes
        waited = lasting(seconds_between(row["created_at"], row["decided_at"]))
        why = f', and wrote: "{names.within(row["decision_reason"])}"' if row["decision_reason"] else ""
        yield Event(row["decided_at"], "decision", who, f"{word} it after {waited}{why}", reference)
    if row["finished_at"]:
        end = _ENDS.get(row["status"], row["status"])
        yield Event(row["finished_at"], "outcome", row["tool"], f"{end}{duration}: {row['summary'] or ''}", reference)
    elif row["status"] == "unknown":
        yield Event(
            row["decided_at"] or row["created_at"],
            "outcome",
            row["tool"],
            f"its outcome is not known yet: {row['error'] or ''}",
            reference,
        )


def _post(row: Row, names: Names) -> Event:
    text = names.within(row["text"])
    if row["status"] == "failed":
        return Event(row["created_at"], "failed post", BOT, f"could not post ({row['error']}): {text}", row["id"][:8])
    waits = " (still to be posted)" if row["status"] == "waiting" else ""
    card = "[card] " if row["call_id"] else ""
    return Event(row["sent_at"] or row["created_at"], "post", BOT, card + text + waits)


def _click(row: Row, names: Names) -> Event:
    text = f"pressed {row['decision']} in vain, and was told: {names.within(row['told'])}"
    return Event(row["at"], "refused click", names.person(row["user"]), text, row["call_id"][:8])


def _sums(said: Sequence[Row], calls: Sequence[Row], asked: Sequence[Row], prices: Prices) -> dict[str, Any]:
    costs = [cost for row in asked if (cost := cost_of(row, prices)) is not None]
    return {
        "messages": len(said),
        "tool_calls": len(calls),
        "model_calls": len(asked),
        "model_seconds": sum(row["duration_ms"] or 0 for row in asked) / 1000,
        "prompt_tokens": sum(row["prompt_tokens"] or 0 for row in asked),
        "completion_tokens": sum(row["completion_tokens"] or 0 for row in asked),
        "cost_usd": round(sum(costs), 6) if costs else None,
    }


def _arguments(text: str) -> str:
    try:
        data = json.loads(text)
    except ValueError:
        return cut(text, 120)
    if not isinstance(data, dict):
        return cut(text, 120)
    return ", ".join(f"{key}={value}" for key, value in data.items() if value is not None) or "without arguments"


def _result(row: Row) -> str:
    return cut(printable(row["error"] or row["result"] or ""), MAX_RESULT_CHARACTERS)


def _joined(action: str, why: str | None) -> str:
    return f"{action}: {why}" if why else action
