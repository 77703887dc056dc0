"""Who somebody is to the bot: a customer by e-mail address, staff, an approver; and the port that tells it."""

from dataclasses import dataclass
from typing import Protocol


class IdentityError(Exception):
    """Slack did not say who somebody is, so they are nobody to us for now."""


@dataclass(frozen=True, slots=True)
class Person:
    """A Slack user as we see them, with the e-mail address that is surely theirs: without one, no orders are.

    `profile_email` is what their profile says, confirmed or not: enough for a doubt, and not for a right.
    """

    id: str
    team: str
    email: str | None
    is_staff: bool
    profile_email: str | None = None

    def may_be(self, other: "Person") -> bool:
        """Return whether these may be two accounts of one person, or are one account."""
        return self.id == other.id or (self.profile_email is not None and self.profile_email == other.profile_email)


def plain_address(address: str) -> str:
    """Return the e-mail address as it is compared: without spaces around it, its ASCII letters in lower case.

    Other letters stay as they are, so that none of them (such as the Kelvin sign) becomes an ASCII one.
    """
    return "".join(letter.lower() if letter.isascii() else letter for letter in address.strip())


class Identity(Protocol):
    """What the bot asks about people. Every method raises IdentityError when nobody can tell."""

    async def person(self, user: str) -> Person:
        """Return who wrote."""

    async def may_approve(self, user: str, *, next_group: bool = False) -> bool:
        """Return whether the person may approve, as of now; the next group may once it was asked."""

    async def shares_only_with_trusted(self, channel: str) -> bool:
        """Return whether every company that a shared channel is shared with is trusted."""

    async def is_public(self, channel: str) -> bool:
        """Return whether everybody in the workspace can read the channel."""

    async def is_seen_by_approvers(
        self, channel: str, *, besides: str, people: int = 1, next_group: bool = False
    ) -> bool:
        """Return whether so many who may approve, or of the next group, besides this person, see the channel."""

    async def approvers(self, *, next_group: bool = False) -> list[str]:
        """Return the ids of the people who may approve, or of those who are asked next, to write to them."""

    async def direct_channel(self, user: str) -> str:
        """Open the direct message with a person and return its channel."""
