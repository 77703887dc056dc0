"""Where the card of a request stands, and every post that is made of one: the card, its end, a reminder, a pause."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from bot import clock
from bot.blocks.cards import confirmation_buttons, decision_buttons, settled_card
from bot.blocks.messages import section
from bot.blocks.preview import Preview
from bot.blocks.text import Mrkdwn, mention, moment, one_line
from bot.blocks.waiting import for_approvers, for_requester
from bot.identity import Identity, IdentityError, Person
from bot.settings import Settings
from bot.shop.changes import Quoted
from bot.store.calls import Gate, ToolCall
from bot.store.records import Post, ThreadId, new_id, reference
from bot.tools.wording import preview_of

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

    async def to_decide(
        self, call: ToolCall, preview: Preview, requester: Person, *, in_channel: bool = True
    ) -> list[Post]:
        """Make the card in the thread, and those for approvers where they decide: in their channel, if there is one.

        Without it, or not `in_channel`, they decide in the thread, or directly if they cannot see that. Raises
        IdentityError when nobody could be asked.
        """
        thread, channel = call.thread, self._settings.approval_channel
        if in_channel and channel and channel != thread.channel:
            theirs = self._card(call, preview, thread.channel, thread.ts, approvable=False)
            return [theirs, self._card(call, preview, channel, None, approvable=True)]
        self_approval = self._settings.allow_self_approval and await self._identity.may_approve(requester.id)
        seen = (self_approval and call.approvals_needed < 2) or await self._is_seen(  # noqa: PLR2004
            thread.channel, requester.id, people=max(1, call.approvals_needed)
        )
        cards = [self._card(call, preview, thread.channel, thread.ts, approvable=seen)]
        if not seen:
            channels = await self._direct_channels(requester.id)
            cards += [self._card(call, preview, channel, None, approvable=True) for channel in channels]
        return cards

    def answered_before(self, thread: ThreadId, user: str) -> Post:
        """Make what is said to a person who changed a message after it was answered, for that is not done twice."""
        text = Mrkdwn(
            f"{mention(user)} you changed your message after I had answered it, so my answer is about the old words. "
            "If you want to know something else now, please write it as a new message here."
        )
        return Post(new_id(), thread.team, thread.channel, thread.ts, text, (section(text),))

    def drawn(self, call: ToolCall, card: Post) -> Post:
        """Draw a card on which it is decided as it is now: who has approved, and who may."""
        return self._with_buttons(card, call, preview_of(Quoted.read(call.quote or "")))

    async def for_next_group(self, call: ToolCall, cards: Sequence[Post], expires_at: datetime) -> list[Post]:
        """Make what asks the next group of approvers: below the cards that they see, else cards of their own.

        The thread is told as well.
        """
        people = self._settings.escalate_approvers
        what, until, who = one_line(call.summary or "This request"), moment(expires_at), ", ".join(map(mention, people))
        undecided = f"{what}: nobody has decided so far"
        asks = Mrkdwn(f"{who} {undecided}. From now on you may, on the card above, until {until}.")
        tells = Mrkdwn(f"{mention(call.requester)} {undecided}, so I have asked more people.")
        standing = [card for card in cards if card.ts and card.decidable]
        seen = [card for card in standing if await self._is_seen_by_next_group(card.channel, call.requester)]
        posts = [_below(card, asks) for card in seen]
        if not seen:
            preview, channels = preview_of(Quoted.read(call.quote or "")), await self._next_channels(call.requester)
            asked = replace(call, escalated_at=clock.now())
            posts = [self._card(asked, preview, channel, None, approvable=True) for channel in channels]
            posts = posts or [_below(card, asks) for card in standing]
        thread = call.thread
        if any((post.channel, post.thread_ts) == (thread.channel, thread.ts) for post in posts):
            return posts
        return [*posts, Post(new_id(), thread.team, thread.channel, thread.ts, tells, (section(tells),))]

    def reminders(self, call: ToolCall, cards: list[Post], expires_at: datetime) -> list[Post]:
        """Make a reply to each card that approvers see and that stands."""
        what, until = one_line(call.summary or "This request"), moment(expires_at)
        who = mention(call.requester) if call.waits_for_requester else self.approvers(call)
        text = Mrkdwn(f"{who}: {what} still waits, until {until}. Then it expires.")
        return [_below(card, text) for card in cards if card.ts and card.decidable]

    async def stuck(self, call: ToolCall, cards: list[Post]) -> list[Post]:
        """Make what tells people that they have to find out the outcome of a call: where approvers see its card.

        What the customer alone has confirmed no approver has a card of; then it is where they would have one. Raises
        IdentityError when nobody could be told.
        """
        what, mark = one_line(call.summary or "This request"), reference(call.id)
        text = Mrkdwn(
            f"{self.approvers()}: I can't find out whether this was done: {what}. I will not do it again by myself. "
            f"Please look it up there, then let the operator run `support-bot settle {mark} done` or "
            f"`support-bot settle {mark} not-done`, with `--why`."
        )
        return await self._for_people(call, cards, text)

    async def failed_later(self, call: ToolCall, why: str, cards: list[Post]) -> list[Post]:
        """Make what tells people, where `stuck` does, that money which went back has failed since."""
        text = Mrkdwn(
            f"{self.approvers()}: {one_line(call.summary or 'A refund')} was made, and has failed since at the payment "
            f"provider, so the money is not with the customer. {one_line(why, 500)} The customer is told in their "
            f"thread. It can be asked for again, or be paid another way. Reference: {reference(call.id)}"
        )
        return await self._for_people(call, cards, text)

    async def _for_people(self, call: ToolCall, cards: list[Post], text: Mrkdwn) -> list[Post]:
        places: list[tuple[str, str | None]]
        places = [(card.channel, card.thread_ts or card.ts) for card in cards if card.ts and card.decidable]
        team_channel = self._settings.escalation_channel
        if call.gate == Gate.REQUESTER and not await self._reaches_approvers(call):
            others = [self._settings.approval_channel] if self._settings.approval_channel else []
            others = others or ([] if team_channel else await self._direct_channels(call.requester))
            places = [(channel, None) for channel in others]
        if team_channel:
            places.append((team_channel, None))
        team = call.thread.team
        return [Post(new_id(), team, channel, thread_ts, text, (section(text),)) for channel, thread_ts in places]

    def paused(self, call: ToolCall, card: Post) -> Post:
        """Draw a card without its buttons, for as long as nothing may be approved."""
        return replace(card, id=new_id(), replaces=card.id, text=PAUSED, blocks=settled_card(call, PAUSED))

    def resumed(self, card: Post) -> Post:
        """Draw a card as it was, with its buttons."""
        return replace(card, id=new_id(), replaces=card.id)

    def approvers(self, call: ToolCall | None = None) -> str:
        """Name those who may approve; of a call those who still may, with who was asked later."""
        people = self._may_decide(call) if call else self._settings.approvers
        return ", ".join(map(mention, people)) or "an admin of this workspace"

    def _may_decide(self, call: ToolCall) -> Sequence[str]:
        """List those of the settings who may still decide a call, all of them where that leaves nobody."""
        later = self._settings.escalate_approvers if call.escalated_at else ()
        people = (*self._settings.approvers, *later)
        own = self._settings.allow_self_approval and call.approvals_needed < 2  # noqa: PLR2004
        gone = {call.first_approved_by, None if own else call.requester}
        return [one for one in people if one not in gone] or people

    async def _reaches_approvers(self, call: ToolCall) -> bool:
        """Return whether an approver reads the call's thread, be it who asked."""
        return await self._identity.may_approve(call.requester) or await self._is_seen(
            call.thread.channel, call.requester
        )

    async def _is_seen(self, channel: str, requester: str, *, people: int = 1) -> bool:
        """Return whether enough approvers see the thread; when Slack does not tell, it is as if none did."""
        if channel.startswith("D"):
            return False
        try:
            return await self._identity.is_seen_by_approvers(channel, besides=requester, people=people)
        except IdentityError as error:
            logger.warning("the card is not only in its thread: %s", error)
            return False

    async def _is_seen_by_next_group(self, channel: str, requester: str) -> bool:
        if channel.startswith("D"):
            return False
        try:
            return await self._identity.is_seen_by_approvers(channel, besides=requester, next_group=True)
        except IdentityError as error:
            logger.warning("the next group is asked directly: %s", error)
            return False

    async def _next_channels(self, requester: str) -> list[str]:
        channels: list[str] = []
        with suppress(IdentityError):
            for one in await self._identity.approvers(next_group=True):
                if one != requester and len(channels) < MAX_DIRECT_CARDS:
                    with suppress(IdentityError):
                        channels.append(await self._identity.direct_channel(one))
        return channels

    async def _direct_channels(self, requester: str) -> list[str]:
        """Open the direct messages of those who may approve; one who has left the company is passed over."""
        channels: list[str] = []
        for approver in await self._identity.approvers():
            if approver != requester and len(channels) < MAX_DIRECT_CARDS:
                with suppress(IdentityError):
                    channels.append(await self._identity.direct_channel(approver))
        if not channels:
            raise IdentityError("there is no approver to write to")
        return channels

    def _card(self, call: ToolCall, preview: Preview, channel: str, thread_ts: str | None, *, approvable: bool) -> Post:
        text = Mrkdwn(f"{one_line(preview.summary)}, asked by {mention(call.requester)}")
        card = Post(new_id(), call.thread.team, channel, thread_ts, text, (), call.id, decidable=approvable)
        return self._with_buttons(card, call, preview)

    def _with_buttons(self, card: Post, call: ToolCall, preview: Preview) -> Post:
        line = for_approvers(call, self._may_decide(call))
        if not card.decidable:
            line = for_requester(call, preview.quoted)
        buttons = decision_buttons(call, preview, line, approvable=card.decidable)
        return replace(card, blocks=(*call.card, *buttons))


def _below(card: Post, text: Mrkdwn) -> Post:
    return Post(new_id(), card.team, card.channel, card.thread_ts or card.ts, text, (section(text),))


def settled_posts(call: ToolCall, line: str) -> tuple[Post, Post]:
    """Make what every card of a call becomes, and what its thread is told."""
    thread, shown = call.thread, Mrkdwn(line)
    asker = mention(call.requester)
    told = shown if asker in line else Mrkdwn(f"{asker} {line}")
    return (
        Post(new_id(), thread.team, thread.channel, None, shown, settled_card(call, shown), call.id),
        Post(new_id(), thread.team, thread.channel, thread.ts, told, (section(told),)),
    )
