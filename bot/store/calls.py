"""The rows of what a model asked for, and of what that cost, as frozen values."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.store.records import QUOTED, WITHOUT_TEXT, Block, ChatMessage, SharedFile, ThreadId


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
