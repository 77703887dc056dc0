"""Links to orders in Slack: unfurled as Work Objects for everybody, their details presented to who opens them."""

import logging
from collections.abc import Mapping
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.entities import no_details
from bot.desk.links import OrderLinks
from bot.desk.orders import BROKEN, Asker, DeskError
from bot.slack.client import SLACK_ERRORS, BotIdentity, error_detail, slack_error
from bot.slack.content import dicts, mapping, text
from bot.slack.intake import DETAILS_REQUESTED
from bot.tasks import Background

logger = logging.getLogger(__name__)


class Links:
    """Answers what Slack tells of links, in the background, for the people whom Slack's envelope names."""

    def __init__(self, *, ourselves: BotIdentity, client: AsyncWebClient) -> None:
        self._ourselves = ourselves
        self._client = client
        self._orders: OrderLinks | None = None
        self._answering = Background()

    def register(self, orders: OrderLinks) -> None:
        """Know orders from now on."""
        self._orders = orders

    def take(self, event: Mapping[str, Any], *, shared: bool) -> None:
        """Take an event of Slack's that is about links."""
        user, orders = text(event.get("user")), self._orders
        if user and orders:
            channel = text(event.get("channel"))
            using = text(event.get("type"))
            asker = Asker(user, self._ourselves.team, channel, text(event.get("thread_ts")), using=using)
            details = event.get("type") == DETAILS_REQUESTED
            answer = (
                self._present(orders, asker, event) if details else self._unfurl(orders, asker, event, shared=shared)
            )
            self._answering.start(answer, "a link could not be unfurled")

    async def stop(self, seconds: float) -> None:
        """Wait for what is being answered."""
        await self._answering.finish(seconds)

    async def _unfurl(self, orders: OrderLinks, asker: Asker, event: Mapping[str, Any], *, shared: bool) -> None:
        urls = [text(link.get("url")) for link in dicts(event.get("links"))]
        entities = await orders.unfurl(asker, urls, shared=shared)
        if not entities:
            return
        metadata = {"entities": [dict(one) for one in entities]}
        unfurl_id, source = text(event.get("unfurl_id")), text(event.get("source"))
        try:
            if unfurl_id and source:  # of a message, or of one that is still being written
                await self._client.chat_unfurl(unfurl_id=unfurl_id, source=source, metadata=metadata)
            else:
                ts = text(event.get("message_ts"))
                await self._client.chat_unfurl(channel=asker.channel, ts=ts, metadata=metadata)
        except SLACK_ERRORS as error:
            logger.warning("a link was not unfurled: %s", _told(error))

    async def _present(self, orders: OrderLinks, asker: Asker, event: Mapping[str, Any]) -> None:
        shown: dict[str, Any]
        url = text(event.get("entity_url")) or text(mapping(event.get("link")).get("url"))
        try:
            shown = {"metadata": dict(await orders.details(asker, url))}
        except DeskError as error:
            shown = {"error": dict(no_details(str(error)))}
        except Exception:  # whatever broke, the person hears of it
            logger.exception("the details of a link broke")
            shown = {"error": dict(no_details(BROKEN))}
        try:
            await self._client.entity_presentDetails(trigger_id=text(event.get("trigger_id")), **shown)
        except SLACK_ERRORS as error:  # most often it came too late
            logger.warning("the details of a link were not shown: %s", _told(error))


def _told(error: Exception) -> str:
    if isinstance(error, SlackApiError):
        return f"{slack_error(error)} {error_detail(error)}".strip()
    return str(error) or type(error).__name__
