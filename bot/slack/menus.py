"""What Bolt calls for a choice from a menu of ours."""

import logging
from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.blocks.choices import CHOOSE
from bot.blocks.messages import context
from bot.blocks.text import Mrkdwn, escape
from bot.desk.choices import Choices
from bot.desk.orders import BROKEN, Asker, DeskError
from bot.slack.client import SLACK_ERRORS, BotIdentity
from bot.slack.content import kept_text, mapping, text
from bot.slack.delivery import Delivery
from bot.tasks import Background

logger = logging.getLogger(__name__)


class Menus:
    """Binds menus to what takes the choice. One that a person sees alone can be drawn over only by its answer."""

    def __init__(self, *, ourselves: BotIdentity, choices: Choices, delivery: Delivery) -> None:
        self._ourselves = ourselves
        self._choices = choices
        self._delivery = delivery
        self._doing = Background()

    def register(self, app: AsyncApp) -> None:
        """Register with Bolt."""

        async def chosen(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
            await ack()
            await self._doing.run(self._chosen(body, respond))

        app.action(CHOOSE)(chosen)

    async def stop(self, seconds: float) -> None:
        """Wait for what was begun."""
        await self._doing.finish(seconds)

    async def _chosen(self, body: Mapping[str, Any], respond: AsyncRespond) -> None:
        container, action = mapping(body.get("container")), body["actions"][0]
        words = kept_text(text(mapping(action.get("selected_option")).get("value")), self._ourselves.user)
        channel, message_ts = text(container.get("channel_id")), text(container.get("message_ts"))
        if body.get("api_app_id") != self._ourselves.app_id or not channel or not words:
            return
        is_alone, thread_ts = bool(container.get("is_ephemeral")), text(container.get("thread_ts"))
        asker = Asker(text(body["user"]["id"]), self._ourselves.team, channel, thread_ts or message_ts, message_ts)
        try:
            said = await self._choices.choose(asker, text(action.get("block_id")), words)
        except DeskError as error:
            if not error.is_news:
                return
            said = escape(str(error))
        except Exception:  # whatever broke, the person hears of it
            logger.exception("the choice of %s was not taken", asker.user)
            await self._delivery.tell(asker.user, BROKEN, asker.thread, in_thread=bool(thread_ts))
            return
        else:
            if not is_alone:
                return
        if is_alone:
            await self._draw_over(respond, said)
        else:
            await self._delivery.tell(asker.user, said, asker.thread, in_thread=bool(thread_ts))

    async def _draw_over(self, respond: AsyncRespond, said: Mrkdwn) -> None:
        try:
            await respond(replace_original=True, text=said, blocks=[dict(context(said))])
        except SLACK_ERRORS as error:
            logger.warning("a menu was not drawn over: %s", type(error).__name__)  # the address is a secret
