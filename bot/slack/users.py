"""Who a Slack user is to us, asked of Slack: never of a message."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.identity import IdentityError, Person, plain_address
from bot.settings import Settings
from bot.slack.client import PASSING_ERRORS, SLACK_ERRORS, failure, slack_error

logger = logging.getLogger(__name__)

CACHE_SECONDS = 60.0
ADMINS_CACHE_SECONDS = 600.0
MAX_ADMINS = 20
MAX_CACHED = 10_000
_GROUP_IS_GONE = (  # all else is nothing about the group, and says nothing of who is in it
    "no_such_subteam",
    "paid_teams_only",
    "plan_upgrade_required",
    "subteam_disabled",
    "subteam_not_found",
)
PAUSES_SECONDS = (0.1, 0.5)  # between one try and the next


class SlackIdentity:
    """What Slack and the settings say about people.

    Membership in groups and e-mail addresses may be a minute old; who may approve is asked at each decision. A group
    that Slack does not know counts as empty; one that cannot be read for another reason counts as it was read last, but
    at a decision, where nobody is taken for an approver, or for none, on a guess. Who is named needs no group.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        settings: Settings,
        *,
        team: str,
        enterprise: str | None = None,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._client = client
        self._team = team
        self._homes = frozenset(filter(None, (team, enterprise)))
        self._settings = settings
        self._now = now
        self._people: dict[str, tuple[float, Person]] = {}
        self._groups: dict[str, tuple[float, frozenset[str]]] = {}
        self._private: dict[str, tuple[float, frozenset[str] | None]] = {}
        self._public: dict[str, tuple[float, bool]] = {}
        self._admins: tuple[float, list[str]] = (float("-inf"), [])
        self._listing_admins = asyncio.Lock()

    async def person(self, user: str) -> Person:
        """Find out who wrote. Raises IdentityError when Slack does not tell."""
        known_at, known = self._people.get(user, (float("-inf"), None))
        if known is not None and self._now() - known_at < CACHE_SECONDS:
            return known
        data = await self._user(user)
        person = Person(
            id=user,
            team=self._team_of(data),
            email=_address(data),
            profile_email=_profile_address(data),
            is_staff=await self._is_among(user, self._settings.staff) or await self._may_approve(user, data),
        )
        if len(self._people) > MAX_CACHED:
            self._people.clear()
        self._people[user] = (self._now(), person)
        return person

    async def may_approve(self, user: str, *, next_group: bool = False) -> bool:
        """Return whether the person may approve, as of now. Raises IdentityError when Slack does not tell."""
        later = self._settings.escalate_approvers if next_group else ()
        return await self._may_approve(user, await self._user(user), later, fresh=True)

    async def shares_only_with_trusted(self, channel: str) -> bool:
        """Return whether every company that a shared channel is shared with is trusted. Raises IdentityError."""
        try:
            data = (await _ask(lambda: self._client.conversations_info(channel=channel)))["channel"]
        except SLACK_ERRORS as error:
            raise IdentityError(f"conversations.info for {channel}: {failure(error)}") from error
        teams = {team for key in ("shared_team_ids", "connected_team_ids") for team in data.get(key) or ()}
        pending = data.get("pending_connected_team_ids") or data.get("pending_shared")
        return bool(teams) and not pending and teams <= {*self._homes, *self._settings.trusted_teams}

    async def is_public(self, channel: str) -> bool:
        """Return whether everybody in the workspace can read the channel. Raises IdentityError."""
        if channel.startswith("D"):
            return False
        known_at, public = self._public.get(channel, (float("-inf"), True))
        if self._now() - known_at >= CACHE_SECONDS:
            try:
                info = (await _ask(lambda: self._client.conversations_info(channel=channel)))["channel"]
            except SLACK_ERRORS as error:
                raise IdentityError(f"conversations.info for {channel}: {failure(error)}") from error
            public = not (info.get("is_private") or info.get("is_mpim") or info.get("is_im"))
            if len(self._public) > MAX_CACHED:
                self._public.clear()
            self._public[channel] = (self._now(), public)
        return public

    async def is_seen_by_approvers(
        self, channel: str, *, besides: str, people: int = 1, next_group: bool = False
    ) -> bool:
        """Return whether so many approvers other than this person can see the channel. Raises IdentityError."""
        known_at, members = self._private.get(channel, (float("-inf"), None))
        if self._now() - known_at >= CACHE_SECONDS:
            members = await self._members_if_private(channel)
            if len(self._private) > MAX_CACHED:
                self._private.clear()
            self._private[channel] = (self._now(), members)
        if members is None:
            return True
        found = await self.approvers(next_group=next_group)
        return sum(one in members for one in found if one != besides) >= people

    async def _members_if_private(self, channel: str) -> frozenset[str] | None:
        try:
            info = (await _ask(lambda: self._client.conversations_info(channel=channel)))["channel"]
            if not (info.get("is_private") or info.get("is_mpim") or info.get("is_im")):
                return None
            members: set[str] = set()
            async for page in await self._client.conversations_members(channel=channel, limit=1_000):
                members.update(page["members"])
        except SLACK_ERRORS as error:
            raise IdentityError(f"conversations.members of {channel}: {failure(error)}") from error
        return frozenset(members)

    async def approvers(self, *, next_group: bool = False) -> list[str]:
        """List the people who may approve, to write to them: groups by their members, or the admins and owners."""
        ids = self._settings.escalate_approvers if next_group else self._settings.approvers
        if not ids and not next_group:
            return await self._list_admins()
        people: list[str] = []
        for one in ids:
            with suppress(IdentityError):
                people += sorted(await self._members(one)) if _is_group(one) else [one]
        return list(dict.fromkeys(people))

    async def learn_approvers(self) -> None:
        """Find out who may approve before anybody asks, which takes minutes in a large workspace, or say what fails."""
        try:
            found = await self.approvers()
        except IdentityError as error:
            logger.warning("who may approve is not known yet; naming them in BOT_APPROVERS would help: %s", error)
            return
        if not found:
            logger.warning("nobody may approve anything: name somebody in BOT_APPROVERS")
        if self._settings.escalate_approvers and not await self.approvers(next_group=True):
            logger.warning("nobody is in the next group: name somebody in BOT_ESCALATE_APPROVERS")

    async def _may_approve(
        self, user: str, data: dict[str, Any], later: tuple[str, ...] = (), *, fresh: bool = False
    ) -> bool:
        if data.get("deleted") or data.get("is_bot") or data.get("is_stranger"):
            return False
        if not self._settings.approvers and self._is_our_admin(data):
            return True
        return await self._is_among(user, (*self._settings.approvers, *later), fresh=fresh)

    def _team_of(self, data: dict[str, Any]) -> str:
        """Return whose people somebody belongs to: ours for all of our organisation, else the team or the organisation.

        Where both are known it is the one that the settings trust.
        """
        organisation = (data.get("enterprise_user") or {}).get("enterprise_id")
        ids = [str(one) for one in (data.get("team_id"), organisation) if one]
        if not data.get("is_stranger") and any(one in self._homes for one in ids):
            return self._team
        return next((one for one in ids if one in self._settings.trusted_teams), ids[0] if ids else "")

    def _is_our_admin(self, data: dict[str, Any]) -> bool:
        ours = data.get("team_id") in self._homes and not (data.get("deleted") or data.get("is_bot"))
        return ours and bool(data.get("is_admin") or data.get("is_owner"))

    async def _is_among(self, user: str, ids: tuple[str, ...], *, fresh: bool = False) -> bool:
        if user in ids:
            return True
        unsure: IdentityError | None = None
        for one in filter(_is_group, ids):
            try:
                if user in await self._members(one, fresh=fresh):
                    return True
            except IdentityError as error:
                unsure = error
        if fresh and unsure:
            raise unsure
        return False

    async def _user(self, user: str) -> dict[str, Any]:
        try:
            data: dict[str, Any] = (await _ask(lambda: self._client.users_info(user=user)))["user"]
        except SLACK_ERRORS as error:
            raise IdentityError(f"users.info for {user}: {failure(error)}") from error
        return data

    async def _members(self, group: str, *, fresh: bool = False) -> frozenset[str]:
        known_at, members = self._groups.get(group, (float("-inf"), frozenset()))
        if not fresh and self._now() - known_at < CACHE_SECONDS:
            return members
        try:
            users = (await _ask(lambda: self._client.usergroups_users_list(usergroup=group)))["users"]
        except SLACK_ERRORS as error:
            why = failure(error)
            if isinstance(error, SlackApiError) and slack_error(error) in _GROUP_IS_GONE:
                logger.warning("the group %s could not be read, so it counts as empty: %s", group, why)
                return frozenset()
            if not _passes(error):
                logger.warning("the group %s could not be read: %s", group, why)
            if group in self._groups and not fresh:
                return members
            raise IdentityError(f"usergroups.users.list for {group}: {why}") from error
        self._groups[group] = (self._now(), frozenset(users))
        return self._groups[group][1]

    async def _list_admins(self) -> list[str]:
        """List some admins, from a while ago: as many as anybody would write to. Who still is one is asked later."""
        async with self._listing_admins:
            known_at, _ = self._admins
            if self._now() - known_at >= ADMINS_CACHE_SECONDS:
                self._admins = (self._now(), await self._find_admins())
            return self._admins[1]

    async def _find_admins(self) -> list[str]:
        admins: list[str] = []
        try:
            async for page in await self._client.users_list(limit=1000):
                admins += [user["id"] for user in page["members"] if self._is_our_admin(user)]
                if len(admins) >= MAX_ADMINS:
                    break
        except SLACK_ERRORS as error:
            if not admins:
                raise IdentityError(f"users.list: {failure(error)}") from error
            logger.warning("only some admins are known, as users.list failed: %s", failure(error))
        return admins[:MAX_ADMINS]

    async def direct_channel(self, user: str) -> str:
        """Open the direct message with a person. Raises IdentityError when Slack does not let us."""
        try:
            channel: str = (await _ask(lambda: self._client.conversations_open(users=user)))["channel"]["id"]
        except SLACK_ERRORS as error:
            raise IdentityError(f"conversations.open with {user}: {failure(error)}") from error
        return channel


def _is_group(one: str) -> bool:
    return one.startswith("S")


def _address(data: dict[str, Any]) -> str | None:
    """Return the e-mail address of a user that Slack says is confirmed: any other anybody could have put there."""
    if data.get("is_email_confirmed") is not True or data.get("is_invited_user"):
        return None
    return _profile_address(data)


def _profile_address(data: dict[str, Any]) -> str | None:
    return plain_address(data.get("profile", {}).get("email") or "") or None


async def _ask(ask: Callable[[], Awaitable[AsyncSlackResponse]]) -> AsyncSlackResponse:
    """Return the answer, asking some more times after errors that pass; another error is raised as it is."""
    for pause in PAUSES_SECONDS:
        try:
            return await ask()
        except SLACK_ERRORS as error:
            if not _passes(error):
                raise
        await asyncio.sleep(pause)
    return await ask()


def _passes(error: Exception) -> bool:
    if isinstance(error, SlackApiError):
        return slack_error(error) in PASSING_ERRORS
    return not isinstance(error, TimeoutError)  # the caller has waited long enough already
