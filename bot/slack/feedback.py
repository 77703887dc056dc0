"""What Bolt calls for the buttons below answers and on what the team is told."""

import logging
import re
from http import HTTPStatus
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.agent.people import People
from bot.blocks.people import FEEDBACK, GIVE_BACK, REASON, TALK_TO_PERSON, given_back
from bot.slack.client import SLACK_ERRORS, BotIdentity, failure
from bot.slack.delivery import Delivery
from bot.store.records import Block, ThreadId
from bot.tasks import Background

logger = logging.getLogger(__name__)

BROKEN = "Something broke on my side. Please try again."


class Feedback:
    """Binds the buttons to what they do; what they say is for the one who pressed alone."""

    def __init__(
        self,
        *,
        ourselves: BotIdentity,
        client: AsyncWebClient,
        people: People,
        delivery: Delivery,
        team_channel: str | None,
    ) -> None:
        self._ourselves = ourselves
        self._client = client
        self._people = people
        self._delivery = delivery
        self._team_channel = team_channel
        self._doing = Background()

    def register(self, app: AsyncApp) -> None:
        """Register with Bolt."""

        async def pressed(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
            await ack()
            container = body.get("container") or {}
            if body.get("api_app_id") == self._ourselves.app_id and container.get("channel_id"):
                await self._doing.run(self._press(body, respond))

        for action in (FEEDBACK, TALK_TO_PERSON, GIVE_BACK, re.compile(f"^{REASON}:")):
            app.action(action)(pressed)

    async def stop(self, seconds: float) -> None:
        """Wait for what was begun."""
        await self._doing.finish(seconds)

    async def _press(self, body: dict[str, Any], respond: AsyncRespond) -> None:
        container, action, user = body["container"], body["actions"][0], str(body["user"]["id"])
        channel, thread_ts = str(container["channel_id"]), container.get("thread_ts")
        value = str(action.get("value") or "")
        # One key, whichever workspace delivers; on Enterprise Grid the envelope may name no team.
        thread = ThreadId(self._ourselves.team, channel, str(thread_ts or container["message_ts"]))
        blocks: tuple[Block, ...] = ()
        try:
            if (refusal := await self._people.refusal(user)) is not None:
                words = refusal
            elif action["action_id"] == GIVE_BACK:
                await self._give_back(body, channel, user, value)
                return
            elif action["action_id"] == FEEDBACK:
                words, blocks = await self._people.rate(thread, user, value)
            elif action["action_id"] == TALK_TO_PERSON:
                words = await self._people.call(thread, user, value)
            else:
                words = await self._people.explain(thread, user, value, action["action_id"].partition(":")[2])
        except Exception:  # whatever broke, the person hears of it
            logger.exception("a button below an answer broke")
            words = BROKEN
        # What was asked of them alone is answered by then, so it makes room for what is said now.
        if container.get("is_ephemeral") and await _replaced(respond, words):
            return
        if words:
            await self._delivery.post_ephemeral(channel, user, thread_ts, words, blocks)

    async def _give_back(self, body: dict[str, Any], channel: str, user: str, value: str) -> None:
        """Return a thread to the bot for anybody in the team's channel; the card there says who did."""
        if channel != self._team_channel or value.count("/") != 2:  # noqa: PLR2004 - team, channel and ts
            return
        await self._people.give_back(ThreadId.of_key(value), user)
        message = body.get("message") or {}
        left = [block for block in message.get("blocks", ()) if block.get("type") != "actions"]
        try:
            await self._client.chat_update(
                channel=channel, ts=message["ts"], text=message.get("text", ""), blocks=[*left, dict(given_back(user))]
            )
        except SLACK_ERRORS as error:
            logger.warning("the card of a thread that was given back was not redrawn: %s", failure(error))


async def _replaced(respond: AsyncRespond, words: str) -> bool:
    """Put words in the place of what one person alone saw, or take it away; return whether that was done."""
    said: dict[str, Any] = {"text": words, "replace_original": True} if words else {"delete_original": True}
    try:
        answer = await respond(response_type="ephemeral", **said)
    except SLACK_ERRORS as error:
        logger.info("what one person alone saw stays: %s", type(error).__name__)  # the address is a secret
        return False
    return bool(answer.status_code == HTTPStatus.OK)
