"""Names in place of Slack's ids, asked of Slack where it can be asked."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import SLACK_ERRORS, web_client, web_session

MAX_ASKED = 50
ASK_TIMEOUT_SECONDS = 5.0
_MENTION = re.compile(r"<([@#])([A-Z0-9]+)(?:\|[^>]*)?>")


@dataclass(frozen=True, slots=True)
class Names:
    """What people and channels are called; an id without a name is called by itself."""

    people: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)

    def person(self, user: str | None) -> str:
        """Return a person's name."""
        return self.people.get(user or "", user or "")

    def channel(self, channel: str) -> str:
        """Return a channel's name with its sign; a direct message has none."""
        if name := self.channels.get(channel):
            return f"#{name}"
        return "a direct message" if channel.startswith("D") else channel or "their Home tab"

    def and_of(self, others: "Names") -> "Names":
        """Return these names and the others."""
        return Names({**self.people, **others.people}, {**self.channels, **others.channels})

    def within(self, text: str) -> str:
        """Return a text with names where it mentions people and channels."""
        return _MENTION.sub(
            lambda found: f"@{self.person(found[2])}" if found[1] == "@" else self.channel(found[2]), text
        )


async def ask_names(token: str, api_url: str, users: Iterable[str], channels: Iterable[str]) -> Names:
    """Ask Slack what they are called, and return what it tells within a few seconds."""
    people: dict[str, str] = {}
    rooms: dict[str, str] = {}

    async def person(client: AsyncWebClient, user: str) -> None:
        user_data = (await client.users_info(user=user))["user"]
        people[user] = str(user_data.get("real_name") or user_data.get("name") or user)

    async def channel(client: AsyncWebClient, one: str) -> None:
        if name := (await client.conversations_info(channel=one))["channel"].get("name"):
            rooms[one] = str(name)

    async with web_session() as session:
        client = web_client(token, api_url, session)
        asked = [person(client, user) for user in sorted(set(users))[:MAX_ASKED]]
        asked += [channel(client, one) for one in sorted(set(channels))[:MAX_ASKED] if one.startswith(("C", "G"))]
        tasks = [asyncio.create_task(one) for one in asked]
        if tasks:
            done, late = await asyncio.wait(tasks, timeout=ASK_TIMEOUT_SECONDS)
            for task in late:
                task.cancel()
            for task in done:
                if (error := task.exception()) and not isinstance(error, SLACK_ERRORS):
                    raise error
    return Names(people, rooms)


async def find_people(token: str, api_url: str, name: str) -> list[tuple[str, str]]:
    """Return id and name of the members that are called so: by user name, by display name or by a part of theirs."""
    wanted = name.removeprefix("@").casefold()
    exact: list[tuple[str, str]] = []
    partly: list[tuple[str, str]] = []
    async with web_session() as session:
        async for page in await web_client(token, api_url, session).users_list(limit=200):
            for user in page["members"]:
                profile = user.get("profile") or {}
                called = [user.get("name"), user.get("real_name"), profile.get("display_name")]
                names = [one.casefold() for one in called if one]
                shown = (str(user["id"]), str(user.get("real_name") or user.get("name")))
                if wanted in names:
                    exact.append(shown)
                elif any(wanted in one.split() for one in names):
                    partly.append(shown)
    return exact or partly
