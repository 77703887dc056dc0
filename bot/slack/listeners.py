"""What Bolt calls for a press of a button."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.approvals.decide import Approvals, Click
from bot.blocks.cards import APPROVE, CANCEL
from bot.blocks.text import Mrkdwn
from bot.desk.home import Home, read_shown
from bot.slack.client import BotIdentity
from bot.slack.delivery import Delivery

logger = logging.getLogger(__name__)

Decide = Callable[[Click], Awaitable[str | None]]


class Buttons:
    """Binds Approve and Cancel to the gate; words that come back are shown to the one who pressed alone."""

    def __init__(self, *, ourselves: BotIdentity, approvals: Approvals, delivery: Delivery, home: Home) -> None:
        self._ourselves = ourselves
        self._approvals = approvals
        self._delivery = delivery
        self._home = home
        self._deciding: set[asyncio.Task[Any]] = set()

    def register(self, app: AsyncApp) -> None:
        """Have Bolt call us for our two buttons."""

        async def approve(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            await self._decide(body, self._approvals.approve)

        async def cancel(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            await self._decide(body, self._approvals.cancel)

        app.action(APPROVE)(approve)
        app.action(CANCEL)(cancel)

    async def stop(self, seconds: float) -> None:
        """Let decisions that were begun come to their end; Bolt keeps no account of them."""
        if self._deciding:
            await asyncio.wait(self._deciding, timeout=seconds)

    async def _decide(self, body: dict[str, Any], decide: Decide) -> None:
        click = _click(body, self._ourselves)
        task = asyncio.current_task()
        if click is None or task is None:
            return
        self._deciding.add(task)
        try:
            words = await decide(click)
        except Exception:  # whatever broke, the row tells how the click ended, and the person hears of it
            logger.exception("the click of %s on call %s failed", click.user, click.call_id)
            words = f"Something broke on my side. Look at the card before you try again. Reference: {click.call_id[:8]}"
        finally:
            self._deciding.discard(task)
        if click.shown_as is not None:
            await self._home.show(click.user, notice=Mrkdwn(words or ""))
        elif words:
            await self._delivery.post_ephemeral(click.channel, click.user, body["container"].get("thread_ts"), words)


def _click(body: dict[str, Any], ourselves: BotIdentity) -> Click | None:
    """Read a click on a message or a Home tab of our own app; anything else is no click to us."""
    container, view = body.get("container", {}), body.get("view") or {}
    is_home = container.get("type") == "view" and view.get("type") == "home"
    if body.get("api_app_id") != ourselves.app_id or not (container.get("channel_id") or is_home):
        return None
    call_id = str(body["actions"][0].get("value") or "")
    team = (body.get("team") or {}).get("id", "")
    return Click(
        call_id=call_id,
        user=body["user"]["id"],
        user_team=body["user"].get("team_id") or team,
        team=team,
        channel=container.get("channel_id", ""),
        message_ts=container.get("message_ts", ""),
        shown_as=read_shown(str(view.get("private_metadata") or "")).get(call_id, "") if is_home else None,
    )
