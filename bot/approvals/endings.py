"""How a request can end: one row of a table for each, with what its card says and what the model reads."""

from dataclasses import dataclass
from enum import Enum

from bot.blocks.text import Mrkdwn, mention, one_line
from bot.store.calls import CallStatus, Gate, ToolCall
from bot.store.records import reference

_NOTHING = "Nothing was done."


@dataclass(frozen=True, slots=True)
class Row:
    """One ending: `card` is shown on every card and told in the thread, `model` joins the conversation as a note.

    Both are templates over what was asked for (`what`), who decided (`by`), why or with which outcome (`why`), and the
    call's `reference`.
    """

    status: CallStatus
    card: str
    model: str


class Ending(Enum):
    """Every way in which a request ends; another may follow those that leave a call running or unknown.

    FAILED_LATER follows DONE, and the row stays as it is.
    """

    DONE = Row(CallStatus.SUCCEEDED, "✓ Approved by {by}: {why}.", "{what}: approved by a person and done. {why}.")
    NOT_DONE = Row(
        CallStatus.FAILED,
        "✕ {what}: approved by {by}, but not done. {why}",
        "{what}: approved, but not done. {why}",
    )
    UNKNOWN = Row(
        CallStatus.UNKNOWN,
        "… {what}: approved by {by}. The shop has not confirmed it yet, so I am checking; it will not be done twice. "
        "Reference: {reference}",
        "{what}",
    )
    FAILED_THERE = Row(
        CallStatus.FAILED,
        "✕ {what}: approved by {by} and tried once. It failed there; whether any of it was done has to be looked up. "
        "{why}",
        "{what}: approved and tried once, but it failed; whether any of it was done is not known.",
    )
    LOST = Row(
        CallStatus.UNKNOWN,
        "… {what}: approved by {by}. I can't find out whether it was done, so I ask the team to; it will not be done "
        "twice. Reference: {reference}",
        "{what}",
    )
    NOT_BEGUN = Row(
        CallStatus.UNKNOWN,
        "… {what}: approved by {by}. The shop does not take it right now, so nothing has happened yet; I try again by "
        "myself. Reference: {reference}",
        "{what}",
    )
    MONEY_PENDING = Row(
        CallStatus.RUNNING,
        "… {what}: approved by {by}, and the shop has accepted it. {why}. I tell here how it ends.",
        "{what}",
    )
    SETTLED_DONE = Row(
        CallStatus.SUCCEEDED,
        "✓ {what}: the shop has done it, as a person has found out. {why}",
        "{what}: approved by a person and done, as a person has found out. {why}",
    )
    SETTLED_NOT_DONE = Row(
        CallStatus.FAILED,
        "✕ {what}: the shop has not done it, as a person has found out. {why}",
        "{what}: approved, but not done, as a person has found out. {why}",
    )
    FAILED_LATER = Row(
        CallStatus.FAILED,
        "✕ {what}: it was made, but has failed since at the payment provider, so the money has not arrived. {why} "
        "The team is told.",
        "{what}: it was made, but has failed since, and the money has not arrived. {why} The team was told; it can be "
        "asked for again.",
    )
    DECLINED = Row(
        CallStatus.DECLINED,
        f"✕ {{what}}: declined by {{by}}. {_NOTHING}",
        "{what}: declined by a person, nothing was done.",
    )
    DECLINED_BECAUSE = Row(
        CallStatus.DECLINED,
        f"✕ {{what}}: declined by {{by}}. {_NOTHING} They say why: “{{why}}”",
        "{what}: declined by a person, nothing was done.",
    )
    AMENDED = Row(
        CallStatus.CANCELLED,
        f"✕ {{what}}: changed by {{by}}. {_NOTHING} What waits for approval now: {{why}}.",
        "{what}: changed by a person who may approve, nothing was done. What waits for approval now: {why}.",
    )
    WITHDRAWN = Row(
        CallStatus.CANCELLED,
        f"✕ {{what}}: withdrawn by {{by}}. {_NOTHING}",
        "{what}: withdrawn by the customer, nothing was done.",
    )
    SUPERSEDED = Row(
        CallStatus.CANCELLED,
        f"✕ {{what}}: the message was changed after it was asked for, so it is closed. {_NOTHING}",
        "{what}: closed, because the customer changed the message; nothing was done.",
    )
    UNSEEN = Row(
        CallStatus.CANCELLED,
        f"✕ {{what}}: closed, because its card could not be posted. {_NOTHING}",
        "{what}: the request could not be shown to anybody, so it was closed; nothing was done.",
    )
    CARD_DELETED = Row(
        CallStatus.CANCELLED,
        f"✕ {{what}}: closed, because its card was deleted. {_NOTHING} Ask again if it is still wanted.",
        "{what}: somebody deleted its card, so it was closed; nothing was done. It can be asked for again.",
    )
    EXPIRED = Row(
        CallStatus.EXPIRED,
        f"✕ {{what}}: expired without a decision. {_NOTHING}",
        "{what}: expired without a decision, nothing was done.",
    )

    def on_card(self, call: ToolCall, by: str | None, why: str) -> Mrkdwn:
        """Return the line for the card and the thread; what others wrote in it is harmless."""
        return Mrkdwn(
            _by_whom(self.value.card, call).format(
                what=one_line(call.summary or "This request"),
                by=_who(call, by),
                why=one_line(why, 500),
                reference=reference(call.id),
            )
        )

    def for_model(self, call: ToolCall, why: str) -> str:
        """Return the sentence that the model reads, which is the call's summary from then on."""
        return _by_whom(self.value.model, call).format(what=call.summary or "This request", why=why)


def _who(call: ToolCall, by: str | None) -> str:
    """Name who decided: both of two who have approved, and alone who has not."""
    first = call.first_approved_by
    both = first is not None and by == call.decided_by and first != by
    return f"{mention(first or '')} and {mention(by or '')}" if both else mention(by or "")


def _by_whom(template: str, call: ToolCall) -> str:
    """Return the template in the words for what the requester alone has said yes to, so far or for good."""
    if call.gate != Gate.REQUESTER and not call.waits_for_requester:
        return template
    return (
        template.replace("Approved by", "Confirmed by")
        .replace("approved by a person", "confirmed by the customer")
        .replace("approved", "confirmed")
    )
