"""Which message each thing that the bot said belongs to, so that nothing is missing and nothing is left over."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from bot.testing.slack.workspace import Message
from tests.world import BOT, World, shown

Key = tuple[str, str]  # a channel, and the ts of a message or of its thread's root
NEWS = re.compile(r"(?:<@\w+> )?([✓✕…]) |(?:<@\w+>.*) (still waits), until ")
MARKS = {"succeeded": "✓", "failed": "✕", "cancelled": "✕", "declined": "✕", "expired": "✕"}


def check_answers(world: World, said: Mapping[Key, str]) -> None:
    """Hold that each message that was said to the bot, by channel and ts, has one answer, and that this is all it said.

    Messages that one person wrote in a thread while the bot was at it join one run, which ends all their rows in the
    same write: rows of a thread that ended at the same moment are one run, and have one answer. It quotes the message
    that joined last; when the run failed, it names the reference that the rows carry.
    """
    kept = {(row["channel"], row["ts"]): row["text"] for row in world.rows("SELECT * FROM inbox")}
    assert kept == said, f"not kept: {said.items() - kept.items()}; nobody said: {kept.items() - said.items()}"
    unexplained = {
        (message.channel, message.ts): message
        for message in world.workspace.messages
        if message.user == BOT and not message.ephemeral_for and not is_timeline(message)
    }
    parked = world.rows("SELECT * FROM tool_calls WHERE gated AND expires_at IS NOT NULL")
    for card in world.rows("SELECT channel, ts, call_id FROM outbox WHERE call_id IS NOT NULL AND replaces IS NULL"):
        del unexplained[card["channel"], card["ts"]]
        parked_once = [call for call in parked if call["id"] == card["call_id"]]
        assert len(parked_once) == 1, f"a card without a request: {card}"
    for run in _runs(world):
        del unexplained[_answer(list(unexplained.values()), run)]
    _check_news(list(unexplained.values()), parked)


def is_timeline(message: Message) -> bool:
    """Return whether it only shows what the bot did."""
    return bool(message.blocks) and {block["type"] for block in message.blocks} <= {"task_card", "plan"}


def _runs(world: World) -> list[list[dict[str, Any]]]:
    """List the runs, each as its inbox rows in the order in which they joined it."""
    runs: defaultdict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    sql = "SELECT inbox.*, messages.id AS item FROM inbox LEFT JOIN messages ON inbox_id = inbox.id ORDER BY item"
    for row in world.rows(sql):
        assert row["item"], f"the model was not told of {row}"
        runs[row["channel"], row["thread_ts"], row["finished_at"]].append(row)
    return list(runs.values())


def _answer(candidates: list[Message], run: list[dict[str, Any]]) -> Key:
    """Find the one answer of a run."""
    (who,) = {(row["channel"], row["thread_ts"], row["user"], row["status"], row["error"]) for row in run}
    channel, thread_ts, _, status, error = who
    words = f"“{run[-1]['text']}”" if status == "done" else f"reference: {error.partition(':')[0]}"
    found = [
        (message.channel, message.ts)
        for message in candidates
        if (message.channel, message.thread_ts) == (channel, thread_ts) and words in shown(message)
    ]
    assert len(found) == 1, f"{len(found)} answers with {words} to {run}"
    return found[0]


def _check_news(messages: list[Message], parked: list[dict[str, Any]]) -> None:
    """Hold that each request's end was told once in its thread, a reminder if it is due, and a doubt at most once."""
    told: Counter[tuple[str, str | None, str]] = Counter()
    for message in messages:
        news = NEWS.match(shown(message))
        assert news, f"nobody asked for this: {message}"
        told[message.channel, message.thread_ts, news[1] or news[2]] += 1
    doubts = {key: told.pop(key) for key in list(told) if key[2] == "…"}
    threads = Counter((call["channel"], call["thread_ts"]) for call in parked)
    assert all(count <= threads[channel, ts] for (channel, ts, _), count in doubts.items() if ts)
    due: Counter[tuple[str, str | None, str]] = Counter()
    for call in parked:
        if call["status"] in MARKS:
            due[call["channel"], call["thread_ts"], MARKS[call["status"]]] += 1
        if call["reminded_at"]:
            due[call["channel"], call["thread_ts"], "still waits"] += 1
    assert told == due
