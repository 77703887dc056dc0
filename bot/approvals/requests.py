"""How a request comes to wait: quoted, put on cards, passed from the first yes to the second, and asked again."""

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot import clock
from bot.approvals.cards import Cards, settled_posts
from bot.approvals.conflicts import Conflicts
from bot.approvals.effects import Standing
from bot.approvals.endings import Ending
from bot.approvals.execute import fields_of
from bot.approvals.history import RefundHistory
from bot.approvals.keys import Keys
from bot.approvals.policy import AS_USUAL, PolicyError
from bot.approvals.waiting_words import WAITING, redraw_waiting
from bot.blocks.cards import approval_card, for_requester_alone, note_block, note_of
from bot.blocks.preview import Preview
from bot.blocks.text import Mrkdwn, mention
from bot.identity import IdentityError, Person
from bot.intent import CustomerIntent
from bot.logs import tell
from bot.store.calls import Gate, Needs, ToolCall
from bot.store.errors import AboveDayLimitError, MessageChangedError, SubjectTakenError
from bot.store.records import Block, SharedFile, new_id, reference
from bot.store.store import Store
from bot.tools.tool import ToolError
from bot.tools.wording import preview_of

logger = logging.getLogger(__name__)

TAKE_BACK_FIRST = "Offer to wait until it is decided, or to take it back first."


class Requests:
    """Makes calls wait for those whose yes they need."""

    def __init__(
        self,
        *,
        store: Store,
        keys: Keys,
        cards: Cards,
        history: RefundHistory,
        conflicts: Conflicts,
    ) -> None:
        self._store = store
        self._keys = keys
        self._cards = cards
        self._history = history
        self._conflicts = conflicts

    async def park(
        self,
        call: ToolCall,
        preview: Preview,
        requester: Person,
        intent: CustomerIntent | None = None,
        pictures: Sequence[SharedFile] = (),
        *,
        note: str = "",
    ) -> None:
        """Make a previewed call wait for a decision, with a card wherever somebody may take it.

        Raises ToolError when another request for the same thing waits, or when nobody could be asked.
        """
        expires_at, written = self._keys.deadline(), note_block(requester.id, note) if note else None
        before = await self._before(preview)
        card = approval_card(preview, call.requester, expires_at, intent, pictures, note=written, before=before)
        asked = replace(call, expires_at=expires_at, card=card)
        try:
            needs = await self._keys.needed(preview.quoted, requester)
            parked = await self._asked(asked, preview, needs, lambda one: self._park(one, preview, requester))
            tell(logger, "request asked", **fields_of(parked), by=requester.id)
        except PolicyError as error:
            raise ToolError(
                "The shop's own rule for this could not be asked, so nothing was requested.",
                "Tell the customer that it does not work right now; they can try again later or talk to a person.",
            ) from error
        except SubjectTakenError as error:
            raise ToolError(
                "A request about the same thing is open already; there can be only one at a time.",
                "Tell the customer so. Who made it can take it back with Cancel on its card.",
            ) from error
        except MessageChangedError as error:
            raise ToolError(
                "The customer has changed or deleted the message meanwhile, so nothing was requested.",
                "Ask what they want now.",
            ) from error
        except IdentityError as error:
            raise ToolError("Nobody could be asked for approval right now, so nothing was requested.") from error

    async def pass_on(self, call: ToolCall, now: Standing) -> bool:
        """Ask approvers for the second yes, in their own time; return whether the first was still to be said."""
        preview, expires_at = preview_of(now.quoted), self._keys.deadline()
        card = await self._drawn_again(call, preview, expires_at)
        confirmed = replace(call, card=card, expires_at=expires_at, confirmed_at=clock.now())
        cards = await self._cards.to_ask(confirmed, preview, now.requester)
        line = f"✓ Confirmed by {mention(now.requester.id)}. The support team is asked; nothing has happened yet."
        return await self._store.approval_requests.confirm(confirmed, cards, self._cards.over(call, line))

    async def needs_more(self, call: ToolCall, now: Standing) -> bool:
        """Return whether more people have to agree by now, by settings and policy, than the call was shown to need.

        Raises ToolError and PolicyError as `ask_again` does.
        """
        return call.needs | await self._keys.needed(now.quoted, now.requester) != call.needs

    async def ask_again(self, call: ToolCall, now: Standing, more: Needs = AS_USUAL) -> bool:
        """Show it with the figures as they are now, from the first yes on; return whether it was still pending.

        Raises ToolError and PolicyError when the operator's own policy refuses it or breaks.
        """
        preview = preview_of(now.quoted)
        card = await self._drawn_again(call, preview, call.expires_at or call.created_at)
        asked = replace(call, card=card, confirmed_at=None, first_approved_by=None, first_approved_at=None)
        needs = more | await self._keys.needed(now.quoted, now.requester)
        over = self._cards.over(call, "… This is not as it was shown any more, so it is asked again below.")
        again = self._store.approval_requests.ask_again
        done = False

        async def ask(one: ToolCall) -> None:
            nonlocal done
            cards = await self._cards.to_ask(one, preview, now.requester)
            done = await again(one, call.quote or "", cards, over, self._keys.limits)

        await self._asked(asked, preview, needs, ask)
        return done

    async def amend(self, call: ToolCall, instead: ToolCall, now: Standing, *, by: str) -> bool:
        """Ask for something else in place of a pending call, and return whether that was still as it was shown.

        It waits as if it had been asked for now, with what the customer wrote and sent. Raises IdentityError when
        nobody could be asked, and ToolError and PolicyError when the operator's own policy refuses it or breaks.
        """
        preview, expires_at = preview_of(now.quoted), self._keys.deadline()
        card = await self._drawn_again(call, preview, expires_at)
        fresh = replace(instead, id=new_id(), created_at=clock.now(), expires_at=expires_at, card=card)
        fresh = replace(fresh, supersedes=call.id, confirmed_at=None, first_approved_by=None, first_approved_at=None)
        needs = await self._keys.needed(now.quoted, now.requester)
        redrawn, announcement = settled_posts(call, Ending.AMENDED.on_card(call, by, preview.summary))
        told = Ending.AMENDED.for_model(call, f"{preview.summary} (request {reference(fresh.id)})")
        done = False

        async def ask(one: ToolCall) -> None:
            nonlocal done
            cards = await self._cards.to_ask(one, preview, now.requester)
            done = await self._store.approval_requests.supersede(
                call,
                one,
                summary=told,
                by=by,
                redrawn=redrawn,
                announcement=announcement,
                cards=cards,
                limits=self._keys.limits,
            )

        await self._asked(fresh, preview, needs, ask)
        if done:
            await redraw_waiting(self._store.outbox, call, Mrkdwn(redrawn.text))
            tell(logger, "request changed", **fields_of(call), by=by, into=fresh.id)
        return done

    def approvers(self, call: ToolCall) -> str:
        """Name those who may approve the call."""
        return self._cards.approvers(call)

    async def claim(self, call: ToolCall, by: str) -> ToolCall | None:
        """Take the last yes that the call needs; None when it is too late. Raises AboveDayLimitError."""
        return await self._store.approval_requests.claim(call, by, self._keys.limits)

    async def _park(self, call: ToolCall, preview: Preview, requester: Person) -> None:
        if (other := await self._conflicts.open_beside(call)) is not None:
            raise ToolError(f"Your account can't be deleted while a request is open: {other.summary}.", TAKE_BACK_FIRST)
        cards = await self._cards.to_ask(call, preview, requester)
        await self._store.approval_requests.park(call, cards, self._keys.limits)

    async def _asked(
        self, call: ToolCall, preview: Preview, needs: Needs, ask: Callable[[ToolCall], Awaitable[None]]
    ) -> ToolCall:
        """Ask, of more people where the person has had so much back today; return the call as it was asked."""
        while True:
            shown = _waiting(call, preview, needs)
            try:
                await ask(shown)
            except AboveDayLimitError as above:
                needs |= above.needs
            else:
                return shown

    async def _drawn_again(self, call: ToolCall, preview: Preview, expires_at: datetime) -> tuple[Block, ...]:
        """Draw the card with figures and time as they are now, and what the customer wrote and sent as it was."""
        intent, before = await self._stored_intent(call), await self._before(preview)
        card = approval_card(preview, call.requester, expires_at, intent, note=note_of(call.card), before=before)
        return (*card, *(block for block in call.card if block["type"] == "image"))

    async def _before(self, preview: Preview) -> str:
        """Say what went back to the customer before, where more is to."""
        quote = preview.quoted.quote
        return await self._history.of(quote.customer) if quote.balance and quote.balance.minor > 0 else ""

    async def _stored_intent(self, call: ToolCall) -> CustomerIntent | None:
        stored = await self._store.conversations.intent(call.thread)
        try:
            return CustomerIntent.model_validate_json(stored) if stored else None
        except ValueError:
            return None


def _waiting(call: ToolCall, preview: Preview, needs: Needs) -> ToolCall:
    """Return the call as it waits for those whose yes it needs."""
    approving = "two people approve it" if needs.approvers > 1 else "a person approves it"
    until = {
        Gate.REQUESTER: "Confirm is pressed on the card",
        Gate.APPROVER: approving,
        Gate.BOTH: f"Confirm is pressed on the card, and then {approving}",
    }[needs.gate]
    message = f"{preview.summary} waits until {until}. Nothing has happened yet."
    told = {"status": WAITING, "not_executed": True, "request": reference(call.id), "message": message}
    return replace(
        call,
        quote=preview.quoted.written,
        customer=preview.quoted.quote.customer.id,
        gate=needs.gate,
        approvals_needed=needs.approvers,
        subject=preview.subject,
        summary=preview.summary,
        card=call.card if needs.approvers else for_requester_alone(call.card),
        result=json.dumps(told),
    )
