"""How a request for approval looks, before it is decided and after, and how a thread looks that people take over."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from bot.blocks.messages import context, fields, picture, plain, section
from bot.blocks.preview import Preview
from bot.blocks.text import Mrkdwn, escape, link, mention, moment, one_line, prose
from bot.intent import CustomerIntent
from bot.store.calls import ToolCall
from bot.store.records import Block, SharedFile

APPROVE = "approve_call"
CANCEL = "cancel_call"
DECLINE = "decline_call"
CHANGE = "change_call"
TAKE_BACK = "take_back_yes"
_NOTE, _BEFORE = "note", "before"
_MAX_NAMED = 5
MAX_PICTURES = 3
MAX_NOTE_CHARACTERS = 500
IN_DIRECT_MESSAGE = Mrkdwn("in a direct message")
RELAYED = Mrkdwn(
    "What you write in this thread is passed on to the customer, but not a message that begins with a mention."
)
_MAX_WARNING_CHARACTERS = 90  # what a dialog says last, such as that it cannot be undone, is never cut off


def approval_card(
    preview: Preview,
    requester: str,
    expires_at: datetime,
    intent: CustomerIntent | None = None,
    pictures: Sequence[SharedFile] = (),
    *,
    note: Block | None = None,
    before: str = "",
) -> tuple[Block, ...]:
    """Show what would be done, in the shop's figures: all of a card but its buttons.

    What went back to the customer `before`, what they wrote to it and seem to want and the latest pictures that they
    sent inform the approver and decide nothing.
    """
    facts = [(label, one_line(value)) for label, value in (*preview.facts, *preview.background)]
    facts += [("Asked by", mention(requester)), ("Open until", moment(expires_at))]
    card: tuple[Block, ...] = ({"type": "header", "text": plain(preview.title, 150)}, fields(facts))
    card += ({**context(Mrkdwn(f"*Refunds before*: {escape(before)}")), "block_id": _BEFORE},) if before else ()
    card = (*card, note) if note else card
    card += tuple(picture(file.id, file.name) for file in pictures[-MAX_PICTURES:])
    return (*card, context(_understood(intent, json.dumps(note, ensure_ascii=False)))) if intent else card


def note_block(requester: str, note: str) -> Block:
    """Quote what the customer wrote to a request, for the one who decides."""
    more = "…" if len(note) > MAX_NOTE_CHARACTERS else ""
    words = f"{mention(requester)} wrote: “{one_line(note, MAX_NOTE_CHARACTERS)}{more}”"
    return {**context(Mrkdwn(words)), "block_id": _NOTE}


def note_of(card: Sequence[Block]) -> Block | None:
    """Return the block of the requester's own words; None for a card without."""
    return next((block for block in card if block.get("block_id") == _NOTE), None)


def for_requester_alone(card: Sequence[Block]) -> tuple[Block, ...]:
    """Return a card without what only approvers judge by."""
    return _without(card, _NOTE, _BEFORE)


def without_note(card: Sequence[Block]) -> tuple[Block, ...]:
    """Return a card without the customer's words, as when they have taken them back."""
    return _without(card, _NOTE)


def _without(card: Sequence[Block], *names: str) -> tuple[Block, ...]:
    return tuple(block for block in card if block.get("block_id") not in names)


def decision_buttons(call: ToolCall, preview: Preview, line: Mrkdwn, *, approvable: bool) -> tuple[Block, ...]:
    """Build the buttons above a line that says who may press them. Their value is the call's id, nothing else.

    Who was the first of two to approve can take that back.
    """
    if not approvable:
        return _buttons(call.id, preview, None, line)
    more = {TAKE_BACK: "Take back my yes"} if call.first_approved_by else {}
    more |= {CHANGE: preview.change} if preview.change else {}
    first = call.approvals_needed > 1 and not call.first_approved_by
    then = "One more person has to approve this after you. Then: " if first else ""
    return _buttons(call.id, preview, preview.button, line, more=more | {DECLINE: "Decline with a reason"}, then=then)


def confirmation_buttons(call_id: str, preview: Preview, requester: str, *, then_asks: bool) -> tuple[Block, ...]:
    """Build the buttons of who asked, and the line that says so; `then_asks` when an approver is asked after them."""
    then = " Then the support team is asked." if then_asks else ""
    line = Mrkdwn(f"Waiting for {mention(requester)}.{then} Nothing has happened yet.")
    return _buttons(call_id, preview, preview.button.replace("Approve ", "Confirm ", 1), line)


def _buttons(
    call_id: str,
    preview: Preview,
    yes: str | None,
    line: Mrkdwn,
    *,
    more: Mapping[str, str] = MappingProxyType({}),
    then: str = "",
) -> tuple[Block, ...]:
    no = {"type": "button", "action_id": CANCEL, "text": plain(preview.keep), "value": call_id}
    confirm = {
        "title": plain(preview.title, 100),
        "text": plain(f"{then}{preview.confirm}", 300, end=_MAX_WARNING_CHARACTERS),
        "confirm": plain("Yes, go ahead", 30),
        "deny": plain("Go back", 30),
        "style": "primary",
    }
    approve = {"type": "button", "action_id": APPROVE, "style": "primary", "value": call_id, "confirm": confirm}
    elements = [approve | {"text": plain(yes)}, no] if yes else [no]
    elements += [{"type": "button", "action_id": one, "text": plain(to), "value": call_id} for one, to in more.items()]
    return ({"type": "actions", "block_id": f"decide:{call_id}", "elements": elements}, context(line))


def settled_card(call: ToolCall, line: Mrkdwn) -> tuple[Block, ...]:
    """Show the card as it was, with its outcome where the buttons were."""
    return (*call.card, context(line))


def escalation_card(
    title: str,
    address: str | None,
    user: str,
    summary: str,
    intent: CustomerIntent | None,
    *,
    conversation: Sequence[tuple[str, str]] = (),
) -> tuple[Block, ...]:
    """Show people a thread that needs one of them: where it is, whose it is, and what it is about, quoted.

    A direct message, which they cannot read, has no address; of it the end of the conversation shows who said what.
    """
    where = Mrkdwn(f"{mention(user)} · {link(address, 'Open the thread') if address else IN_DIRECT_MESSAGE}")
    quoted = Mrkdwn(f"“{one_line(summary, 500)}”")
    card: tuple[Block, ...] = ({"type": "header", "text": plain(title, 150)}, section(where), context(quoted))
    lines = [Mrkdwn(f"*{mention(who) if who else 'I'}*: {one_line(words, 400)}") for who, words in conversation]
    card += tuple(section(line) for line in lines)
    card += (context(_understood(intent)),) if intent else ()
    return (*card, context(RELAYED))


def relayed(user: str, words: str) -> Mrkdwn:
    """Write what a person said elsewhere, with who it was."""
    return Mrkdwn(f"{mention(user)}: {prose(words)}")


def _understood(intent: CustomerIntent, quoted: str = "") -> Mrkdwn:
    """Say what a customer seems to want; not in words that are `quoted` above already."""
    understood = f"Understood as {intent.category.replace('_', ' ')}, {intent.urgency} urgency"
    summary = one_line(intent.summary, 200)
    return Mrkdwn(f"{understood}." if f"“{summary}”" in quoted else f"{understood}: “{summary}”")
