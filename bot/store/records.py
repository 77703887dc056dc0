"""The rows of the bot's own tables as frozen values."""

import hashlib
import secrets
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
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


class CallStatus(StrEnum):
    """Where a tool call stands; see the trigger `tool_calls_no_update_when_final` for those that are final."""

    PROPOSED = "proposed"
    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Gate(StrEnum):
    """Whose yes a change needs: of who asked, of somebody who may approve, or of both in this order."""

    REQUESTER = "requester"
    APPROVER = "approver"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Needs:
    """Whose yes a change needs: of who asked, and of how many people who may approve. Needs join to the stricter."""

    requester: bool = False
    approvers: int = 0

    def __or__(self, other: "Needs") -> "Needs":
        return Needs(self.requester or other.requester, max(self.approvers, other.approvers))

    @property
    def gate(self) -> Gate:
        """In which order they are asked."""
        if not self.approvers:
            return Gate.REQUESTER
        return Gate.BOTH if self.requester else Gate.APPROVER


@dataclass(frozen=True, slots=True)
class DayLimit:
    """How much money may come back to one person within a day, in minor units; another currency's is more."""

    minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class DayLimits:
    """What comes back to one person within a day on their own clicks, and before two have to approve it."""

    own_clicks: DayLimit
    one_approver: DayLimit | None = None


NO_CLICKS = DayLimits(DayLimit(0, "USD"))


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the model asked, what was validated, who asked, and how it ended; or what a person looked up themselves.

    A person's own look-up belongs to no message, and `tool_call_id` names the command or button that it was made with.

    For a gated call it is the approval request too: `card` are the blocks the approver was shown, `quote` is what they
    showed and all that may be done, `customer` whose it is, and `subject` what no second pending call may touch. Who
    decided it may have given a `decision_reason`, in their words. A call that a person has changed is cancelled, and
    what they want instead is one that `supersedes` it.

    Once it is approved, `begun_at` is when it may have reached the shop for the first time, `looks` how often the shop
    was asked in vain for the outcome, and `look_at` when it is next. `money_pending` says that the shop has made the
    change and its money is on its way, `reported_at` when people were told that nobody knows. The `traceparent` is that
    of the run in which it was asked for.

    Where two have to approve, `first_approved_by` is who has; when the next group was asked it is `escalated_at`.
    """

    id: str
    thread: ThreadId
    message_id: int | None
    position: int
    tool_call_id: str
    tool: str
    gated: bool
    arguments_sent: str
    status: CallStatus
    requester: str
    created_at: datetime
    arguments: str | None = None
    result: str | None = None
    error: str | None = None
    subject: str | None = None
    summary: str | None = None
    card: tuple[Block, ...] = ()
    quote: str | None = None
    customer: str | None = None
    gate: Gate = Gate.APPROVER
    confirmed_at: datetime | None = None
    approvals_needed: int = 1
    first_approved_by: str | None = None
    first_approved_at: datetime | None = None
    escalated_at: datetime | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None
    supersedes: str | None = None
    expires_at: datetime | None = None
    reminded_at: datetime | None = None
    shown_paused: bool = False
    begun_at: datetime | None = None
    looks: int = 0
    look_at: datetime | None = None
    money_pending: bool = False
    reported_at: datetime | None = None
    finished_at: datetime | None = None
    duration_ms: float | None = None
    traceparent: str | None = None

    @property
    def shown_as(self) -> str:
        """What tells its figures, as they are shown, from any others."""
        return hashlib.sha256((self.quote or "").encode()).hexdigest()[:16]

    @property
    def waits_for_requester(self) -> bool:
        """Whether the next yes is to be said by who asked, and by nobody else."""
        return self.gate != Gate.APPROVER and self.confirmed_at is None

    @property
    def needs(self) -> Needs:
        """Whose yes it was shown to need."""
        if self.gate == Gate.REQUESTER:
            return Needs(requester=True)
        return Needs(requester=self.gate == Gate.BOTH, approvers=max(1, self.approvals_needed))

    @property
    def waits_since(self) -> datetime:
        """Since when it waits for whose yes comes next."""
        return self.confirmed_at or self.created_at


class StepState(StrEnum):
    """How far a step of a run is, in Slack's words."""

    IN_PROGRESS = "in_progress"
    COMPLETE = "complete"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a run does, as the person who waits is shown it."""

    id: str
    title: str
    state: StepState


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One request to the model: what it cost and how it ended."""

    id: str
    thread: ThreadId
    model: str
    status: CallStatus
    created_at: datetime
    requester: str
    purpose: str = "turn"
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    request_id: str | None = None
    error: str | None = None
    duration_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """Something to be said in Slack, in order within its channel.

    `replaces` names an earlier post whose message this one is drawn over; `call_id` makes the post a card of that call.
    On a `decidable` one an approver may decide it. One that is `ephemeral_for` somebody only they see, and it is posted
    again where it is not known whether it was. What people answer below one that `relays` a customer's thread is passed
    on to that. A post `in_doubt` was handed to Slack before, with no outcome known. Slack's pace in the channel lets it
    be posted in `wait_seconds`. The `traceparent` is that of what it was written in.
    """

    id: str
    team: str
    channel: str
    thread_ts: str | None
    text: str
    blocks: tuple[Block, ...] = ()
    call_id: str | None = None
    replaces: str | None = None
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


@dataclass(frozen=True, slots=True)
class Spent:
    """What the log says that a run has cost so far, over restarts too."""

    steps: int
    tokens: int
    calls_within_hour: int
    same_failure: int


@dataclass(frozen=True, slots=True)
class Conversation:
    """All messages of a thread, the calls of its last turn that have no tool message yet, and what is to be shown.

    `cards` are those of the calls that the run made for its message so far, `private_cards` what of them who asked is
    shown alone; `intent` is what the thread was sorted as; `files` came with the messages of each person, `new_files`
    with those that the run answers. It is `stopped` when a person has stopped that run.
    """

    messages: tuple[ChatMessage, ...]
    unanswered: tuple[ToolCall, ...]
    cards: tuple[tuple[Block, ...], ...]
    private_cards: tuple[tuple[Block, ...], ...]
    spent: Spent
    intent: str | None
    files: tuple[tuple[str, SharedFile], ...] = ()
    new_files: tuple[SharedFile, ...] = ()
    stopped: bool = False

    def asked_by(self, user: str) -> str:
        """Read what one person wrote themselves since the last answer: that with which they ask for something."""
        words: list[str] = []
        for message in reversed(self.messages):
            if message["role"] == "assistant" and not message.get("tool_calls"):
                break
            if message["role"] == "user" and message["name"] == user and message["content"] != WITHOUT_TEXT:
                words.append(message["content"].partition(QUOTED)[0])
        return "\n".join(reversed(words))

    def said_by(self, user: str) -> str:
        """Read all that one person wrote in the thread themselves, without what they attached."""
        return "\n".join(
            message["content"].partition(QUOTED)[0]
            for message in self.messages
            if message["role"] == "user" and message["name"] == user
        )

    def pictures_of(self, user: str) -> tuple[SharedFile, ...]:
        """Return the pictures that one person has sent in the thread."""
        return tuple(file for sender, file in self.files if sender == user and file.is_picture)
