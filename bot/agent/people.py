"""Between the bot and people: a thread is handed over and given back, and answers are rated."""

from bot.agent.escalation import Escalation
from bot.approvals.presses import Presses
from bot.blocks.messages import context, section
from bot.blocks.people import HANDED_OVER, REASONS, what_was_wrong
from bot.blocks.text import Mrkdwn, mention
from bot.intent import read_intent
from bot.settings import Settings
from bot.store.records import Block, Post, ThreadId, new_id
from bot.store.store import Conversations

WITH_PEOPLE = "Nobody was called again: a person of the team has this conversation already, and answers here."
NOBODY_CALLED = "Nobody was called again: people were called for you as often as they may be for now."
NOT_OURS = "This is not a conversation of mine."
TOO_OFTEN = "You have pressed buttons as often as I look at within an hour. Please write to me instead, or try later."
THANKS = "Thank you for telling me."


class People:
    """What buttons below answers do; each returns words for the one who pressed alone, if there are any to say."""

    def __init__(
        self, conversations: Conversations, escalation: Escalation, presses: Presses, settings: Settings
    ) -> None:
        self._presses = presses
        self._conversations = conversations
        self._escalation = escalation
        self._has_people = settings.escalation_channel is not None

    async def refusal(self, user: str) -> str | None:
        """Count a press; return words for who has pressed too often, and none at all when they have read them."""
        reached = await self._presses.count(user)
        return None if reached is None else TOO_OFTEN if reached.is_news else ""

    async def rate(self, thread: ThreadId, user: str, value: str) -> tuple[str, tuple[Block, ...]]:
        """Keep whether an answer helped, the last word counts; who was not helped is asked one question."""
        worth, _, post_id = value.partition(":")
        if worth not in ("good", "bad") or not await self._conversations.rate(thread, post_id, user, worth):
            return NOT_OURS, ()
        return THANKS, () if worth == "good" else what_was_wrong(post_id, with_people=self._has_people)

    async def explain(self, thread: ThreadId, user: str, post_id: str, reason: str) -> str:
        """Keep what was wrong with an answer."""
        kept = reason in REASONS and await self._conversations.rate(thread, post_id, user, "bad", reason)
        return THANKS if kept else NOT_OURS

    async def call(self, thread: ThreadId, user: str, key: str) -> str:
        """Hand a thread over to people because somebody wants one."""
        if await self._conversations.is_with_people(thread, user):
            return WITH_PEOPLE
        summary = "Asked for a person with the button."
        intent = read_intent(await self._conversations.intent(thread))
        told = await self._escalation.post(thread, user, summary, intent, key=f"{thread.key}:{user}:{key}")
        said = self._said(thread, HANDED_OVER, (context(HANDED_OVER),))
        if told is None:
            return NOBODY_CALLED
        return "" if await self._conversations.hand_over(thread, user, told, said) else WITH_PEOPLE

    async def give_back(self, thread: ThreadId, by: str) -> bool:
        """Answer in a thread again, and say so there; return whether people had it."""
        words = Mrkdwn(f"{mention(by)} gave this conversation back to me. What else can I do for you?")
        return await self._conversations.give_back(thread, self._said(thread, words, (section(words),)))

    def _said(self, thread: ThreadId, text: Mrkdwn, blocks: tuple[Block, ...]) -> Post:
        return Post(new_id(), thread.team, thread.channel, thread.ts, text, blocks)
