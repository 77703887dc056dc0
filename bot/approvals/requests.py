"""How a request comes to wait: quoted, put on cards, passed from the first yes to the second, and asked again."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.approvals.cards import Cards, settled_posts
from bot.approvals.endings import Ending
from bot.approvals.execute import Executor, fields_of
from bot.approvals.gate import gate
from bot.approvals.history import RefundHistory
from bot.blocks.cards import approval_card, note_block, note_of
from bot.blocks.text import mention
from bot.identity import IdentityError, Person, plain_address
from bot.intent import CustomerIntent
from bot.logs import tell
from bot.settings import Settings
from bot.shop.changes import Quoted
from bot.store.errors import MessageChangedError, SubjectTakenError
from bot.store.records import Block, Gate, SharedFile, ToolCall, new_id, reference
from bot.store.store import Store
from bot.tools.tool import ToolError
from bot.tools.wording import Preview, preview_of

logger = logging.getLogger(__name__)

TAKE_BACK_FIRST = "Offer to wait until it is decided, or to take it back first."


class Requests:
    """Makes calls wait for those whose yes they need."""

    def __init__(
        self, *, store: Store, executor: Executor, cards: Cards, history: RefundHistory, settings: Settings
    ) -> None:
        self._store = store
        self._history = history
        self._executor = executor
        self._cards = cards
        self._settings = settings

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
        expires_at = datetime.now(UTC) + timedelta(hours=self._settings.approval_hours)
        written = note_block(requester.id, note) if note else None
        parked = await self._shown(call, preview, requester, expires_at, intent, pictures=pictures, note=written)
        if (other := await self._executor.open_beside(parked)) is not None:
            raise ToolError(f"Your account can't be deleted while a request is open: {other.summary}.", TAKE_BACK_FIRST)
        try:
            await self._store.approval_requests.park(parked, await self._cards.to_ask(parked, preview, requester))
            tell(logger, "request asked", **fields_of(parked), by=requester.id)
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

    async def pass_on(self, call: ToolCall, now: Quoted, requester: Person) -> bool:
        """Ask approvers for the second yes, and return whether the first was still to be said."""
        confirmed = replace(call, confirmed_at=datetime.now(UTC))
        cards = await self._cards.to_ask(confirmed, preview_of(now), requester)
        line = f"✓ Confirmed by {mention(requester.id)}. The support team is asked; nothing has happened yet."
        return await self._store.approval_requests.confirm(call, cards, self._cards.over(call, line))

    async def ask_again(self, call: ToolCall, now: Quoted, requester: Person) -> bool:
        """Show it with the figures as they are now, from the first yes on; return whether it was still pending."""
        shown = await self._shown_again(call, now, requester, call.expires_at or call.created_at)
        asked = replace(shown, confirmed_at=None)
        cards = await self._cards.to_ask(asked, preview_of(now), requester)
        over = self._cards.over(call, "… This is not as it was shown any more, so it is asked again below.")
        return await self._store.approval_requests.ask_again(asked, call.quote or "", cards, over)

    async def amend(self, call: ToolCall, instead: ToolCall, now: Quoted, requester: Person, *, by: str) -> bool:
        """Have something else asked for in place of a pending call, and return whether that was still as it was shown.

        It waits as if it had been asked for now, with what the customer wrote and sent. Raises IdentityError when
        nobody could be asked.
        """
        created_at = datetime.now(UTC)
        fresh = replace(instead, id=new_id(), created_at=created_at, confirmed_at=None, reminded_at=None)
        expires_at = created_at + timedelta(hours=self._settings.approval_hours)
        asked = await self._shown_again(fresh, now, requester, expires_at)
        cards = await self._cards.to_ask(asked, preview_of(now), requester)
        summary = asked.summary or ""
        redrawn, announcement = settled_posts(call, Ending.AMENDED.on_card(call, by, summary))
        told = Ending.AMENDED.for_model(call, f"{summary} (request {reference(asked.id)})")
        done = await self._store.approval_requests.supersede(
            call, asked, summary=told, by=by, redrawn=redrawn, announcement=announcement, cards=cards
        )
        if done:
            tell(logger, "request changed", **fields_of(call), by=by, into=asked.id)
        return done

    async def _shown_again(self, call: ToolCall, now: Quoted, requester: Person, expires_at: datetime) -> ToolCall:
        """Return the call as it waits with other figures: with what its card shows of the customer's."""
        intent = await self._stored_intent(call)
        shown = await self._shown(call, preview_of(now), requester, expires_at, intent, note=note_of(call.card))
        pictures = (block for block in call.card if block["type"] == "image")
        return replace(shown, card=(*shown.card, *pictures))

    async def _stored_intent(self, call: ToolCall) -> CustomerIntent | None:
        stored = await self._store.conversations.intent(call.thread)
        try:
            return CustomerIntent.model_validate_json(stored) if stored else None
        except ValueError:
            return None

    async def _shown(
        self,
        call: ToolCall,
        preview: Preview,
        requester: Person,
        expires_at: datetime,
        intent: CustomerIntent | None,
        *,
        pictures: Sequence[SharedFile] = (),
        note: Block | None = None,
    ) -> ToolCall:
        """Return the call as it waits, with all that its card shows."""
        settings = self._settings
        whose = gate(
            preview.quoted,
            is_customers=requester.email == plain_address(preview.quoted.quote.customer.email),
            customer_may_confirm=settings.customer_may_confirm,
            address_limit=settings.address_change_limit,
        )
        # Only approvers judge by what was before; who decides about their own alone knows it.
        judged = whose != Gate.REQUESTER
        gives_back = preview.quoted.quote.balance is not None and preview.quoted.quote.balance.minor > 0
        before = await self._history.of(preview.quoted.quote.customer) if judged and gives_back else ""
        note = note if judged else None
        until = {
            Gate.REQUESTER: "Confirm is pressed on the card",
            Gate.APPROVER: "a person approves it",
            Gate.BOTH: "Confirm is pressed on the card, and then a person approves it",
        }[whose]
        message = f"{preview.summary} waits until {until}. Nothing has happened yet."
        return replace(
            call,
            quote=preview.quoted.written,
            customer=preview.quoted.quote.customer.id,
            gate=whose,
            subject=preview.subject,
            summary=preview.summary,
            card=approval_card(preview, call.requester, expires_at, intent, pictures, note=note, before=before),
            expires_at=expires_at,
            result=json.dumps(
                {
                    "status": "waiting_for_approval",
                    "not_executed": True,
                    "request": reference(call.id),
                    "message": message,
                }
            ),
        )
