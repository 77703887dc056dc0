"""Where the card of a request stands, and every post that is made of one: the card, its end, a reminder, a pause."""

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from bot.blocks.cards import confirmation_buttons, decision_buttons, settled_card
from bot.blocks.messages import section
from bot.blocks.text import Mrkdwn, mention, moment, one_line
from bot.identity import Identity, IdentityError, Person
from bot.settings import Settings
from bot.store.records import Gate, Post, ThreadId, ToolCall, new_id, reference
from bot.tools.wording import Preview

logger = logging.getLogger(__name__)

MAX_DIRECT_CARDS = 5
PAUSED = Mrkdwn("⏸ Paused by the operator: nothing can be approved for now. The request stays open.")


class Cards:
    """Makes the posts of a request. Nothing is posted from here."""

    def __init__(self, identity: Identity, settings: Settings) -> None:
        self._identity = identity
        self._settings = settings

    async def to_ask(self, call: ToolCall, preview: Preview, requester: Person) -> list[Post]:
        """Make the cards of whose yes comes next: of who asked, in their thread, or of those who may approve.

        Raises IdentityError when nobody could be asked.
        """
        if not call.waits_for_requester:
            return await self.to_decide(call, preview, requester)
        buttons = confirmation_buttons(call.id, preview, requester.id, then_asks=call.gate == Gate.BOTH)
        thread, text = call.thread, Mrkdwn(f"{one_line(preview.summary)}: {mention(requester.id)}, please confirm")
        blocks = (*call.card, *buttons)
        return [Post(new_id(), thread.team, thread.channel, thread.ts, text, blocks, call.id, decidable=True)]

    def over(self, call: ToolCall, line: str) -> Post:
        """Make what a card becomes on which nothing is decided any more, while the request goes on on another."""
        thread, shown = call.thread, Mrkdwn(line)
        return Post(new_id(), thread.team, thread.channel, None, shown, settled_card(call, shown), call.id)

    async def to_decide(self, call: ToolCall, preview: Preview, requester: Person) -> list[Post]:
        """Make the card in the thread, and those for approvers who cannot see that thread.

        Raises IdentityError when nobody could be asked.
        """
        self_approval = self._settings.allow_self_approval and await self._identity.may_approve(requester.id)
        seen = self_approval or await self._is_seen(call.thread.channel, requester)
        cards = [self._card(call, preview, call.thread.channel, call.thread.ts, approvable=seen)]
        if self._settings.approval_channel:
            cards.append(self._card(call, preview, self._settings.approval_channel, None, approvable=True))
        elif not seen:
            channels = await self._direct_channels(requester)
            cards += [self._card(call, preview, channel, None, approvable=True) for channel in channels]
        return cards

    def answered_before(self, thread: ThreadId, user: str) -> Post:
        """Make what is said to a person who changed a message after it was answered, for that is not done twice."""
        text = Mrkdwn(
            f"{mention(user)} you changed your message after I had answered it, so my answer is about the old words. "
            "If you want to know something else now, please write it as a new message here."
        )
        return Post(new_id(), thread.team, thread.channel, thread.ts, text, (section(text),))

    def reminders(self, call: ToolCall, cards: list[Post], expires_at: datetime) -> list[Post]:
        """Make a reply to each card that approvers see and that stands."""
        what, until = one_line(call.summary or "This request"), moment(expires_at)
        who = mention(call.requester) if call.waits_for_requester else self.approvers()
        text = Mrkdwn(f"{who}: {what} still waits, until {until}. Then it expires.")
        return [
            Post(new_id(), card.team, card.channel, card.thread_ts or card.ts, text, (section(text),))
            for card in cards
            if card.ts and card.decidable
        ]

    def stuck(self, call: ToolCall, cards: list[Post]) -> list[Post]:
        """Make what tells people that they have to find out the outcome of a call: where approvers see its card."""
        what, mark = one_line(call.summary or "This request"), reference(call.id)
        text = Mrkdwn(
            f"{self.approvers()}: I can't find out whether this was done: {what}. I will not do it again by myself. "
            f"Please look it up there, then let the operator run `support-bot settle {mark} done` or "
            f"`support-bot settle {mark} not-done`, with `--why`."
        )
        posts = [
            Post(new_id(), card.team, card.channel, card.thread_ts or card.ts, text, (section(text),))
            for card in cards
            if card.ts and card.decidable
        ]
        if self._settings.escalation_channel:
            posts.append(
                Post(new_id(), call.thread.team, self._settings.escalation_channel, None, text, (section(text),))
            )
        return posts

    def paused(self, call: ToolCall, card: Post) -> Post:
        """Draw a card without its buttons, for as long as nothing may be approved."""
        return replace(card, id=new_id(), replaces=card.id, text=PAUSED, blocks=settled_card(call, PAUSED))

    def resumed(self, card: Post) -> Post:
        """Draw a card as it was, with its buttons."""
        return replace(card, id=new_id(), replaces=card.id)

    def approvers(self) -> str:
        """Name those who may approve."""
        return ", ".join(map(mention, self._settings.approvers)) or "an admin of this workspace"

    async def _is_seen(self, channel: str, requester: Person) -> bool:
        """Return whether an approver sees the thread; when Slack does not tell, it is as if none did."""
        if channel.startswith("D"):
            return False
        try:
            return await self._identity.is_seen_by_approvers(channel, besides=requester.id)
        except IdentityError as error:
            logger.warning("the card is not only in its thread: %s", error)
            return False

    async def _direct_channels(self, requester: Person) -> list[str]:
        """Open the direct messages of those who may approve; one who has left the company is passed over."""
        channels: list[str] = []
        for approver in await self._identity.approvers():
            if approver != requester.id and len(channels) < MAX_DIRECT_CARDS:
                with suppress(IdentityError):
                    channels.append(await self._identity.direct_channel(approver))
        if not channels:
            raise IdentityError("there is no approver to write to")
        return channels

    def _card(self, call: ToolCall, preview: Preview, channel: str, thread_ts: str | None, *, approvable: bool) -> Post:
        buttons = decision_buttons(call.id, preview, self._settings.approvers, approvable=approvable)
        text = Mrkdwn(f"{one_line(preview.summary)}, asked by {mention(call.requester)}")
        blocks = (*call.card, *buttons)
        return Post(new_id(), call.thread.team, channel, thread_ts, text, blocks, call.id, decidable=approvable)


def settled_posts(call: ToolCall, line: str) -> tuple[Post, Post]:
    """Make what every card of a call becomes, and what its thread is told."""
    thread, shown = call.thread, Mrkdwn(line)
    asker = mention(call.requester)
    told = shown if asker in line else Mrkdwn(f"{asker} {line}")
    return (
        Post(new_id(), thread.team, thread.channel, None, shown, settled_card(call, shown), call.id),
        Post(new_id(), thread.team, thread.channel, thread.ts, told, (section(told),)),
    )
