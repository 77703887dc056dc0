"""The Home tab in Slack: when it is opened, its pages, and that what is published is what Slack takes."""

import logging
import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.home import HOME_PAGE, HOME_REFRESH, PAGE_SIZE, Part
from bot.desk.home import Home, View, read_pages
from bot.slack.client import SLACK_ERRORS, BotIdentity, error_detail, failure
from bot.tasks import Background

logger = logging.getLogger(__name__)


class HomeTabs:
    """Shows Home tabs to people, and has them drawn when they are opened or paged."""

    def __init__(self, *, ourselves: BotIdentity, client: AsyncWebClient) -> None:
        self._ourselves = ourselves
        self._client = client
        self._home: Home | None = None
        self._drawing = Background()

    @property
    def url(self) -> str:
        """The address of the workspace, which links to its threads begin with."""
        return self._ourselves.url

    @property
    def team(self) -> str:
        """The id of the workspace."""
        return self._ourselves.team

    async def publish(self, user: str, view: View) -> None:
        """Show a person's Home tab; one that Slack does not take is told of in the log, and stays as it was."""
        try:
            await self._client.views_publish(user_id=user, view=dict(view))
        except SLACK_ERRORS as error:
            detail = error_detail(error) if isinstance(error, SlackApiError) else ""
            logger.warning("no Home tab for %s: %s %s", user, failure(error), detail)

    def register(self, app: AsyncApp, home: Home) -> None:
        """Register with Bolt for what is pressed there."""
        self._home = home

        async def turn(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            await self._turn(body)

        app.action(HOME_REFRESH)(turn)
        app.action(re.compile(f"^{HOME_PAGE}:"))(turn)

    def opened(self, user: str) -> None:
        """Draw the tab of somebody who has opened it."""
        if self._home is not None:
            self._drawing.start(self._home.ask(user), "a Home tab could not be drawn")

    def messages_opened(self, user: str, channel: str) -> None:
        """Suggest to somebody who has opened their messages what to ask."""
        if self._home is not None:
            self._drawing.start(self._suggest(self._home, user, channel), "no prompts could be suggested")

    async def _suggest(self, home: Home, user: str, channel: str) -> None:
        if (suggested := await home.prompts(user)) is None:
            return
        prompts = [{"title": one.title, "message": one.message} for one in suggested]
        try:
            await self._client.assistant_threads_setSuggestedPrompts(channel_id=channel, prompts=prompts)
        except SLACK_ERRORS as error:  # those of the manifest stay
            logger.info("no prompts in %s: %s", channel, failure(error))

    async def stop(self, seconds: float) -> None:
        """Wait for what is being drawn."""
        await self._drawing.finish(seconds)

    async def _turn(self, body: dict[str, Any]) -> None:
        view = body.get("view") or {}
        if self._home is None or body.get("api_app_id") != self._ourselves.app_id or view.get("type") != "home":
            return
        pages = read_pages(str(view.get("private_metadata") or ""))
        part, _, start = str(body["actions"][0].get("value") or "").partition(":")
        if part in PAGE_SIZE and start.isdecimal():
            pages[Part(part)] = int(start[:6])
        await self._home.ask(body["user"]["id"], pages)
