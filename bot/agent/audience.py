"""Who is served where, and who reads what is said there."""

import logging

from bot.identity import Identity, IdentityError, Person
from bot.settings import Settings
from bot.store.records import InboxMessage

logger = logging.getLogger(__name__)


class Audience:
    """Knows the person who writes, whether they are served there, and what may be said where others read along."""

    def __init__(self, identity: Identity, settings: Settings) -> None:
        self._identity = identity
        self._settings = settings

    async def person(self, user: str) -> Person:
        """Return who somebody is. Raises IdentityError."""
        return await self._identity.person(user)

    async def refusal(self, message: InboxMessage, requester: Person) -> str | None:
        """Say why a person is not served in this place; None when they are."""
        trusted = self._settings.trusted_teams
        if requester.team != message.thread.team and requester.team not in trusted:
            return "I can only help people of this workspace."
        channel = message.thread.channel
        if not message.shared or channel.startswith("D"):  # in a direct message nobody else reads
            return None
        if not (trusted and await self._identity.shares_only_with_trusted(channel)):
            return (
                "This channel is shared with another company, so I don't talk about orders here. "
                "Write me a direct message."
            )
        return None

    async def is_public(self, channel: str) -> bool:
        """Return whether no more may be said than everybody may know; when Slack does not tell, it is so."""
        if not self._settings.private_answers:
            return False
        try:
            return await self._identity.is_public(channel)
        except IdentityError as error:
            logger.warning("answering as where everybody reads: %s", error)
            return True
