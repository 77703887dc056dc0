"""What `support-bot log` answers: a table of calls, the queue, a day, or the stories of threads."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from bot import clock
from bot.operator import reader, today
from bot.operator.names import Names, ask_names, find_people
from bot.operator.reader import EVERYTHING, Filters, LogReader, NothingFoundError, Place, Row, ids_in
from bot.operator.story import Story, ids_of_place, tell
from bot.operator.text import as_csv, lasting, printable, seconds_between, stamp, table
from bot.prices import Prices
from bot.slack.client import SLACK_ERRORS

Format = Literal["text", "json", "csv"]
MAX_STORIES_OF_A_PERSON = 3
MAX_LOOKED_THROUGH = 1_000
MAX_FOLLOWED = 200
POLL_INTERVAL_SECONDS = 0.3
CALL_COLUMNS = {
    "time": "time",
    "reference": "reference",
    "tool": "tool",
    "order": "order",
    "status": "status",
    "asked_by": "asked by",
    "decided_by": "decided by",
    "took": "took",
    "what": "what",
}
QUEUE_COLUMNS = {
    "waits": "waits",
    "reference": "reference",
    "status": "status",
    "order": "order",
    "asked_by": "asked by",
    "expires": "expires",
    "what": "what",
}


@dataclass(frozen=True, slots=True)
class Slack:
    """How Slack can be asked for names."""

    token: str
    api_url: str


@dataclass(frozen=True, slots=True)
class Question:
    """What the operator wants to know, and how it is to be written."""

    what: str | None
    filters: Filters
    limit: int
    form: Format
    width: int


class OperatorLog:
    """Answers questions about the log of one database, with names where Slack tells them."""

    def __init__(self, log: LogReader, slack: Slack | None, prices: Prices) -> None:
        self._log = log
        self._slack = slack
        self._prices = prices

    async def answer(self, question: Question) -> list[str]:
        """Answer in lines. Raises NothingFoundError."""
        match question.what:
            case None:
                rows = self._log.calls(question.filters, question.limit)
                return await self._calls(rows, question)
            case "pending":
                return await self._queue(question)
            case "today":
                day = today.sum_up(self._log, question.filters.day or clock.now().date(), self._prices)
                return _written([day], question.form) or today.in_six_lines(day)
            case what:
                return await self._stories(what, question)

    async def _calls(self, rows: Sequence[Row], question: Question) -> list[str]:
        if not rows and question.form == "text":
            return ["No calls."]
        names = await self._names(ids_in(rows), ())
        if question.form != "text":
            return _written([_for_programs(row, names) for row in rows], question.form)
        return table([_shown(row, names) for row in rows], CALL_COLUMNS, question.width)

    async def _queue(self, question: Question) -> list[str]:
        rows = self._log.pending(question.filters)
        if not rows and question.form == "text":
            return ["Nothing waits."]
        names = await self._names(ids_in(rows), ())
        if question.form != "text":
            return _written([row | {"asked_by_name": names.person(row["asked_by"])} for row in rows], question.form)
        now = clock.now().isoformat()
        shown = [
            {
                "waits": lasting(seconds_between(row["asked_at"], now)),
                "reference": row["reference"],
                "status": row["status"],
                "order": row["order_id"],
                "asked_by": names.person(row["asked_by"]),
                "expires": stamp(row["expires_at"]),
                "what": row["summary"],
            }
            for row in rows
        ]
        return table(shown, QUEUE_COLUMNS, question.width)

    async def _stories(self, what: str, question: Question) -> list[str]:
        places, decided = await self._places(what, question.filters)
        named = [row for place in places for row in ids_of_place(self._log, place)]
        names = await self._names(ids_in([*named, *decided]), [place.channel for place in places])
        stories = [tell(self._log, place, names, self._prices) for place in places]
        if question.form == "text":
            shown = [_shown(row, names) for row in decided]
            parts = [story.lines() for story in stories]
            parts += [["Requests:", *table(shown, CALL_COLUMNS, question.width)]] if shown else []
            return [line for part in parts for line in ("", *part)][1:]
        if question.form == "csv":
            return _written(_events(stories), "csv")
        return _written([story.as_json() for story in stories], "json")

    async def _places(self, what: str, filters: Filters) -> tuple[list[Place], list[Row]]:
        """Find the threads that are meant, and the calls that a person who is meant has decided."""
        if (link := reader.permalink_in(what)) is not None:
            places, decided = self._log.places_of_message(*link), []
        elif what.startswith("@") or reader.user_in(what):
            user = reader.user_in(what) or await self._user_called(what)
            places = self._log.with_call(self._log.places_of_person(user, MAX_LOOKED_THROUGH), filters)
            places = places[-MAX_STORIES_OF_A_PERSON:]
            decided = self._log.calls_decided_by(user, filters, 20)
        else:
            places, decided = self._log.places_of_order(what, filters), self._log.forgotten(what, filters)
            if not places and reader.is_reference(what):
                places = self._log.places_of_reference(what)
        places = self._log.with_call(places, filters)
        if not places and not decided:
            raise NothingFoundError(
                f"The log has nothing of {printable(what)}{_such(filters)}. Ask for an order's number, a reference, "
                "a link to a message in Slack, a person as @name, `pending` or `today`."
            )
        return places, decided

    async def _user_called(self, name: str) -> str:
        if self._slack is None:
            raise NothingFoundError(
                "Slack cannot be asked who that is without SLACK_BOT_TOKEN. Give the person's id, such as U0123ABCD."
            )
        try:
            found = await find_people(self._slack.token, self._slack.api_url, name)
        except SLACK_ERRORS as error:
            raise NothingFoundError(
                f"Slack did not tell who that is ({error}). Give the person's id, such as U0123ABCD."
            ) from error
        known = self._log.people()
        found = [one for one in found if one[0] in known] or found
        if len(found) > 1:
            who = "; ".join(f"{user} is {called}" for user, called in found)
            raise NothingFoundError(f"Several people are called {printable(name)}: {printable(who)}. Give an id.")
        if not found:
            raise NothingFoundError(f"Nobody in this workspace is called {printable(name)}.")
        return found[0][0]

    async def _names(self, users: set[str], channels: Sequence[str]) -> Names:
        if self._slack is None:
            return Names()
        return await ask_names(self._slack.token, self._slack.api_url, users, channels)

    async def follow(self, question: Question, stopped: asyncio.Event) -> AsyncIterator[list[str]]:
        """Yield the latest calls, then each that is new or has moved on, until it is stopped."""
        seen: dict[str, str] = {}
        names, version, first = Names(), None, True
        while not stopped.is_set():
            if (now := self._log.version()) != version:
                version = now
                rows = self._log.calls(question.filters, max(question.limit, MAX_FOLLOWED))
                fresh = [row for row in rows if seen.get(row["id"]) != row["status"]][-question.limit if first else 0 :]
                seen |= {row["id"]: row["status"] for row in rows}
                if unknown := ids_in(fresh) - set(names.people):
                    names = names.and_of(await self._names(unknown, ()))
                if fresh:
                    yield _followed(fresh, names, question, first=first)
                    first = False
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), POLL_INTERVAL_SECONDS)


def _such(filters: Filters) -> str:
    return "" if filters == EVERYTHING else " with such a call"


def describe(log: LogReader, call_id: str) -> str:
    """Name a call for the operator, as much of it as is still there."""
    for row in log.rows("SELECT tool, order_id, created_at FROM tool_calls WHERE id = ?", [call_id]):
        order = f" for {row['order_id']}" if row["order_id"] else ""
        return printable(f"{call_id[:8]} ({row['tool']}{order}, {stamp(row['created_at'])})")
    return printable(call_id[:8])


def _followed(rows: Sequence[Row], names: Names, question: Question, *, first: bool) -> list[str]:
    if question.form == "text":
        return table([_shown(row, names) for row in rows], CALL_COLUMNS, question.width)[0 if first else 1 :]
    shown = [_for_programs(row, names) for row in rows]
    if question.form == "json":
        return [json.dumps(row, ensure_ascii=False) for row in shown]
    return as_csv(shown).splitlines()[0 if first else 1 :]


def _shown(row: Row, names: Names) -> dict[str, Any]:
    return {
        "time": stamp(row["created_at"]),
        "reference": row["reference"],
        "tool": row["tool"],
        "order": row["order_id"],
        "status": row["status"],
        "asked_by": names.person(row["requester"]),
        "decided_by": names.person(row["decided_by"]),
        "took": lasting(row["duration_ms"] / 1000) if row["duration_ms"] is not None else "",
        "what": names.within(row["what"] or ""),
    }


def _for_programs(row: Row, names: Names) -> dict[str, Any]:
    columns = ("id", "tool", "order_id", "status", "created_at", "duration_ms", "error", "channel", "thread_ts")
    return {
        **{name: row[name] for name in columns},
        "asked_by": row["requester"],
        "asked_by_name": names.person(row["requester"]),
        "decided_by": row["decided_by"],
        "decided_by_name": names.person(row["decided_by"]) or None,
        "what": row["what"],
    }


def _events(stories: Sequence[Story]) -> list[dict[str, Any]]:
    return [
        {"channel": story.place.channel, "thread_ts": story.place.thread_ts} | event
        for story in stories
        for event in story.as_json()["events"]
    ]


def _written(rows: Sequence[Mapping[str, Any]], form: Format) -> list[str]:
    """Write rows for a program; nothing for a person, who gets a table."""
    if form == "json":
        return [json.dumps(list(rows), indent=2, ensure_ascii=False)]
    return [as_csv(rows)] if form == "csv" and rows else []
