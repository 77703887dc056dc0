"""The rows of the bot's own tables as frozen values."""

import secrets
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot import clock
from bot.tracing import tracing

Block = Mapping[str, Any]
ChatMessage = Mapping[str, Any]
NOTE = "Note from the shop: "
WITHOUT_TEXT = "(a message without text)"
QUOTED = "\n\n[From here on, not the words of who wrote this:]\n"
"""The line in a person's message below which stands what they attached or were answering to, and did not say."""


def new_id() -> str:
    """Make an opaque id that nobody can guess."""
    return secrets.token_hex(12)


def reference(row_id: str) -> str:
    """Shorten a row's id to what a person reads out and an operator looks up (`id like '…%'`)."""
    return row_id[:8]


def writable(text: str) -> str:
    """Take out what is no character and could not be written: halves of surrogate pairs, and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def fault(error: BaseException) -> str:
    """Name an exception and where it was raised. Its text is not kept: it may hold a key, or somebody's data."""
    trace = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(trace[-1].filename).name}:{trace[-1].lineno}" if trace else ""
    return f"{type(error).__name__}{place}"


@dataclass(frozen=True, slots=True)
class ThreadId:
    """One Slack thread: one conversation, one run at a time."""

    team: str
    channel: str
    ts: str

    @property
    def key(self) -> str:
        """What a row names the thread by."""
        return f"{self.team}/{self.channel}/{self.ts}"

    @classmethod
    def of_key(cls, key: str) -> "ThreadId":
        """Return the thread that a row names."""
        return cls(*key.split("/", maxsplit=2))


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody asked for by a form: the tool that it is the call of, its arguments as JSON, and a note."""

    tool: str
    arguments: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file that came with a message, as Slack describes it; `words` are what Slack says that it says, if anything.

    It was put there `by` a person who need not be the one who sent the message.

    Of an `unfinished` one Slack tells more when it is asked, in a while.
    """

    id: str
    kind: str
    name: str
    mimetype: str
    url: str
    size: int
    words: str = ""
    unfinished: bool = False
    by: str = ""

    @property
    def is_picture(self) -> bool:
        """Return whether it is a picture that Slack can show."""
        return self.kind == "picture" and bool(self.id)


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A message that somebody sent us and that waits for its run; of a `form` the text only says what it is.

    A message of a direct message may go on in the conversation of an earlier one: then `place` is the thread that it
    would have begun, where it is answered. Somebody who calls us into a thread that is under way is `called_in`. Where
    the team of the shop cannot look, the message is `private`. Its `traceparent` is that of the trace of its run.
    """

    thread: ThreadId
    ts: str
    user: str
    text: str
    user_team: str
    shared: bool = False
    id: int = 0
    attempts: int = 0
    form: Form | None = None
    files: tuple[SharedFile, ...] = ()
    place: str = ""
    called_in: bool = False
    private: bool = False
    received_at: datetime = field(default_factory=clock.now)
    traceparent: str | None = field(default_factory=tracing.begin)

    @property
    def shown_in(self) -> ThreadId:
        """Where in Slack the person looks for the answer."""
        return replace(self.thread, ts=self.place or self.thread.ts)

    @property
    def key(self) -> str:
        """What tells the message from all others, for ever: the number of an erased row is given to another."""
        return f"{self.thread.team}/{self.thread.channel}/{self.ts}"

    @property
    def written_at(self) -> datetime:
        """When the person wrote it: a ts is Slack's clock."""
        return datetime.fromtimestamp(float(self.ts), UTC)


@dataclass(frozen=True, slots=True)
class Post:
    """Something to be said in Slack, in order within its channel.

    `replaces` names an earlier post whose message this one is drawn over; `call_id` makes the post a card of that call.
    On a `decidable` one an approver may decide it. One that is `ephemeral_for` somebody only they see, and it is posted
    again where it is not known whether it was. What people answer below one that `relays` a customer's thread is passed
    on to that. A post `in_doubt` was handed to Slack before, with no outcome known. Slack's pace in the channel lets it
    be posted in `wait_seconds`. The `traceparent` is that of what it was written in. An answer that was streamed while
    it was written is drawn over its draft, which stands at `draft_ts`; without any words the draft is deleted.
    """

    id: str
    team: str
    channel: str
    thread_ts: str | None
    text: str
    blocks: tuple[Block, ...] = ()
    call_id: str | None = None
    replaces: str | None = None
    draft_ts: str | None = None
    decidable: bool = False
    ephemeral_for: str | None = None
    ts: str | None = None
    attempts: int = 0
    in_doubt: bool = False
    wait_seconds: float = 0.0
    relays: ThreadId | None = None
    created_at: datetime = field(default_factory=clock.now)
    traceparent: str | None = field(default_factory=tracing.current)


PassOn = Callable[[ThreadId, InboxMessage], Post]
"""Writes what a person said in one thread for another: whom it is passed on to, and what was said."""
