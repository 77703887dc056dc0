"""The log as anybody could read it, without writing to it, while a bot writes."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bot import clock
from bot.settings import PostgresUrl
from bot.store.calls import CallStatus
from bot.store.reading import Reader, open_reader

Row = dict[str, Any]
FORGOTTEN = "forgotten"
_WAITING = (CallStatus.PENDING, CallStatus.RUNNING, CallStatus.UNKNOWN)
_PERMALINK = re.compile(r"https?://[^/\s]+/archives/([A-Z0-9]+)/p(\d{10})(\d{6})(?:\?(?:.*&)?thread_ts=([\d.]+))?")
_REFERENCE = re.compile(r"[0-9a-f]{6,24}")
_USER = re.compile(r"<?@?([UW][A-Z0-9]{2,})>?")
_CALLS = """
    SELECT created_at, substr(id, 1, 8) AS reference, tool, order_id, requester, status, decided_by, duration_ms,
           coalesce(summary, error, arguments, arguments_sent) AS what, id, channel, thread_ts, gated, error
    FROM tool_calls"""
_LATEST_FIRST = "ORDER BY created_at DESC, position DESC"


class NothingFoundError(Exception):
    """The log has nothing of the kind; the text tells the operator what can be asked for."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which calls are wanted; None of a kind means all."""

    tool: str | None = None
    status: str | None = None
    day: date | None = None

    def sql(self, at: str = "created_at") -> tuple[str, list[Any]]:
        """Return the condition and its values, for rows with the time of the call in this column."""
        conditions, values = ["TRUE"], []
        if self.tool:
            conditions.append("tool = ?")
            values.append(self.tool)
        if self.status:
            conditions.append("status = ?")
            values.append(self.status)
        if self.day:
            conditions.append(f"{at} >= ? AND {at} < ?")
            values += [_midnight(self.day), _midnight(self.day + timedelta(days=1))]
        return " AND ".join(conditions), values


EVERYTHING = Filters()


@dataclass(frozen=True, slots=True)
class Place:
    """A thread in Slack, by where it is."""

    channel: str
    thread_ts: str


def read_day(word: str) -> date:
    """Read a day: a date such as 2026-11-25, `today` or `yesterday`, in UTC. Raises ValueError."""
    today = clock.now().date()
    return {"today": today, "yesterday": today - timedelta(days=1)}.get(word) or date.fromisoformat(word)


@contextmanager
def open_log(place: Path | PostgresUrl) -> Iterator["LogReader"]:
    """Open the log of a database for reading. Raises DatabaseError when it cannot be read, or is too old to be."""
    with open_reader(place) as reader:
        yield LogReader(reader)


class LogReader:
    """Answers questions about the log."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def rows(self, sql: str, values: Iterable[Any] = ()) -> list[Row]:
        """Run a query."""
        return self._reader.rows(sql, tuple(values))

    def version(self) -> int:
        """Return a number that changes whenever somebody else has written."""
        return self._reader.version()

    def calls(self, filters: Filters, limit: int) -> list[Row]:
        """List the latest calls, the newest last."""
        condition, values = filters.sql()
        return self.rows(f"{_CALLS} WHERE {condition} {_LATEST_FIRST} LIMIT ?", [*values, limit])[::-1]

    def calls_decided_by(self, user: str, filters: Filters, limit: int) -> list[Row]:
        """List the latest calls that a person approved or refused, the newest last."""
        condition, values = filters.sql()
        sql = f"{_CALLS} WHERE (decided_by = ? OR first_approved_by = ?) AND {condition} {_LATEST_FIRST} LIMIT ?"
        return self.rows(sql, [user, user, *values, limit])[::-1]

    def pending(self, filters: Filters = EVERYTHING) -> list[Row]:
        """List the requests that wait for a person, or of which nobody knows the outcome, the oldest first."""
        marks = ", ".join("?" * len(_WAITING))
        condition, values = filters.sql("asked_at")
        sql = f"SELECT * FROM approval_requests WHERE status IN ({marks}) AND {condition} ORDER BY asked_at"
        return self.rows(sql, [*_WAITING, *values])

    def people(self) -> set[str]:
        """Return the ids of all who wrote or decided."""
        sql = """SELECT user FROM inbox UNION SELECT decided_by FROM tool_calls WHERE gated
                 UNION SELECT first_approved_by FROM tool_calls WHERE gated"""
        return {row["user"] for row in self.rows(sql) if row["user"]}

    def places_of_order(self, number: str, filters: Filters) -> list[Place]:
        """Find the threads in which a call was about the order, however its number is written."""
        condition, values = filters.sql()
        return self._places(
            f"""SELECT channel, thread_ts, min(created_at) AS first FROM tool_calls
                WHERE order_id IS NOT NULL AND lower(order_id) IN (?, ?, ?) AND {condition} GROUP BY 1, 2""",
            [*_order_names(number), *values],
        )

    def places_of_reference(self, reference: str) -> list[Place]:
        """Find the thread of a reference that somebody was told, or of the id of any row that begins so."""
        like = f"{reference.lower()}%"
        return self._places(
            """SELECT channel, thread_ts, 1 AS first FROM tool_calls WHERE id LIKE :id
               UNION SELECT channel, thread_ts, 1 FROM model_calls WHERE id LIKE :id
               UNION SELECT channel, thread_ts, 1 FROM inbox WHERE error LIKE :id
               UNION SELECT t.channel, t.thread_ts, 1 FROM outbox o JOIN tool_calls t ON t.id = o.call_id
                     WHERE o.id LIKE :id
               UNION SELECT channel, coalesce(thread_ts, ts), 1 FROM outbox WHERE id LIKE :id AND call_id IS NULL""",
            {"id": like},
        )

    def places_of_message(self, channel: str, ts: str, thread_ts: str | None) -> list[Place]:
        """Find the thread of a message in Slack: one that somebody wrote, or one of ours, such as a card."""
        return self._places(
            """SELECT channel, thread_ts, 1 AS first FROM inbox
               WHERE channel = :channel AND (ts = :ts OR thread_ts IN (:ts, :thread_ts))
               UNION SELECT t.channel, t.thread_ts, 1 FROM outbox o JOIN tool_calls t ON t.id = o.call_id
                     WHERE o.channel = :channel AND o.ts = :ts
               UNION SELECT channel, thread_ts, 1 FROM outbox
                     WHERE channel = :channel AND ts = :ts AND thread_ts IS NOT NULL""",
            {"channel": channel, "ts": ts, "thread_ts": thread_ts},
        )

    def places_of_person(self, user: str, limit: int) -> list[Place]:
        """Find the latest threads in which the person wrote."""
        return self._places(
            """SELECT * FROM (SELECT channel, thread_ts, max(id) AS first FROM inbox
                              WHERE user = ? AND status != 'unclaimed'
                              GROUP BY 1, 2 ORDER BY 3 DESC LIMIT ?) AS latest""",
            [user, limit],
        )

    def _places(self, sql: str, values: Any) -> list[Place]:
        found = self._reader.rows(f"SELECT * FROM ({sql}) AS found ORDER BY first", values)
        places = [Place(row["channel"], row["thread_ts"]) for row in found if row["thread_ts"]]
        return [place for place in places if place.channel != FORGOTTEN]

    def with_call(self, places: Sequence[Place], filters: Filters) -> list[Place]:
        """Return those of the threads in which there is a call that is wanted; all of them when any is."""
        if filters == EVERYTHING:
            return list(places)
        condition, values = filters.sql()
        sql = f"SELECT 1 FROM tool_calls WHERE channel = ? AND thread_ts = ? AND {condition} LIMIT 1"
        return [place for place in places if self.rows(sql, [place.channel, place.thread_ts, *values])]

    def forgotten(self, what: str, filters: Filters) -> list[Row]:
        """List the requests about an order or with a reference whose thread was erased."""
        order = _order_names(what)
        condition, values = filters.sql()
        sql = f"{_CALLS} WHERE channel = ? AND (lower(order_id) IN (?, ?, ?) OR id LIKE ?) AND {condition}"
        like = f"{what.lower()}%" if is_reference(what) else ""
        return self.rows(sql, [FORGOTTEN, *order, like, *values])


def _midnight(day: date) -> str:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).isoformat()


def _order_names(number: str) -> list[str]:
    """Return the ways in which an order's number may stand in the log."""
    bare = number.lstrip("#").lower().removeprefix("ord-")
    return [f"{prefix}{bare}" for prefix in ("", "#", "ord-")]


def permalink_in(word: str) -> tuple[str, str, str | None] | None:
    """Read channel, ts and the thread's ts out of a link to a message."""
    found = _PERMALINK.search(word)
    return (found[1], f"{found[2]}.{found[3]}", found[4]) if found else None


def user_in(word: str) -> str | None:
    """Read a Slack user's id, also as a mention."""
    found = _USER.fullmatch(word)
    return found[1] if found else None


def is_reference(word: str) -> bool:
    """Return whether the word may be a reference: the beginning of a row's id."""
    return _REFERENCE.fullmatch(word.lower()) is not None


def ids_in(rows: Sequence[Row]) -> set[str]:
    """Return the ids of people that stand anywhere in the rows."""
    return set(re.findall(r"\b[UW][A-Z0-9]{4,}\b", " ".join(str(value) for row in rows for value in row.values())))
