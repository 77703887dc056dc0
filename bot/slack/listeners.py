"""What Bolt calls for a press of a button."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.approvals.clicks import Click
from bot.approvals.decide import Approvals
from bot.blocks.cards import APPROVE, CANCEL, TAKE_BACK
from bot.blocks.text import Mrkdwn
from bot.desk.home import Home, read_shown
from bot.slack.client import BotIdentity
from bot.slack.content import mapping, text
from bot.slack.delivery import Delivery
from bot.store.errors import DatabaseError
from bot.store.records import ThreadId

logger = logging.getLogger(__name__)

Decide = Callable[[Click], Awaitable[str | None]]


class Buttons:
    """Binds Approve, Cancel and Take back to the gate; words that come back are shown to the one who pressed alone."""

    def __init__(
        self,
        *,
        ourselves: BotIdentity,
        approvals: Approvals,
        delivery: Delivery,
        home: Home,
        trusted_teams: Sequence[str] = (),
    ) -> None:
        self._ourselves = ourselves
        self._trusted_teams = trusted_teams
        self._approvals = approvals
        self._delivery = delivery
        self._home = home
        self._deciding: set[asyncio.Task[Any]] = set()

    def register(self, app: AsyncApp) -> None:
        """Register with Bolt for our buttons."""

        async def approve(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            await self._decide(body, self._approvals.approve)

        async def cancel(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            await self._decide(body, self._approvals.cancel)

        async def take_back(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            await self._decide(body, self._approvals.take_back)

        app.action(TAKE_BACK)(take_back)
        app.action(APPROVE)(approve)
        app.action(CANCEL)(cancel)

    async def stop(self, seconds: float) -> None:
        """Wait for decisions that were begun; Bolt keeps no account of them."""
        if self._deciding:
            await asyncio.wait(self._deciding, timeout=seconds)

    async def _decide(self, body: dict[str, Any], decide: Decide) -> None:
        click = read_click(body, self._ourselves, self._trusted_teams)
        task = asyncio.current_task()
        if click is None or task is None:
            return
        self._deciding.add(task)
        try:
            words = await self._words(click, decide)
            if click.shown_as is not None:
                await self._home.show(click.user, notice=Mrkdwn(words or ""))
            elif words:
                card = ThreadId(click.team, click.channel, _thread_ts(body) or click.message_ts)
                await self._delivery.tell(click.user, words, card, in_thread=_thread_ts(body) is not None)
        except DatabaseError as error:
            logger.error("nobody could tell %s about call %s: %s", click.user, click.call_id, error)  # noqa: TRY400
        finally:
            self._deciding.discard(task)

    async def _words(self, click: Click, decide: Decide) -> str | None:
        try:
            return await decide(click)
        except Exception:  # whatever broke, the row tells how the click ended, and the person hears of it
            logger.exception("the click of %s on call %s failed", click.user, click.call_id)
            return f"Something broke on my side. Look at the card before you try again. Reference: {click.call_id[:8]}"


def _thread_ts(body: dict[str, Any]) -> str | None:
    return text(body["container"].get("thread_ts")) or None


def read_click(body: dict[str, Any], ourselves: BotIdentity, trusted_teams: Sequence[str]) -> Click | None:
    """Read a click on a message or a Home tab of our own app; anything else is no click to us."""
    container, view = mapping(body.get("container")), mapping(body.get("view"))
    is_home = container.get("type") == "view" and view.get("type") == "home"
    if body.get("api_app_id") != ourselves.app_id or not (text(container.get("channel_id")) or is_home):
        return None
    call_id = text(body["actions"][0].get("value"))
    user_id, user_team, team = read_clicker(body, ourselves, trusted_teams)
    return Click(
        call_id=call_id,
        user=user_id,
        user_team=user_team,
        team=team,
        channel=text(container.get("channel_id")),
        message_ts=text(container.get("message_ts")),
        shown_as=read_shown(text(view.get("private_metadata"))).get(call_id, "") if is_home else None,
    )


def read_clicker(body: dict[str, Any], ourselves: BotIdentity, trusted_teams: Sequence[str]) -> tuple[str, str, str]:
    """Read who did something, of which team they are, and in which it was done.

    The envelope's own team may be missing, or be that of a trusted partner or of the organisation.
    """
    user = mapping(body.get("user"))
    team = text(mapping(body.get("team")).get("id")) or ourselves.team
    user_team = text(user.get("team_id")) or team
    organisations = (mapping(body.get("enterprise")).get("id"), mapping(body.get("team")).get("enterprise_id"))
    if any(text(one) in ourselves.homes for one in organisations):
        # Of which workspace of the organisation, users.info tells who decides; the row tells where the card stands.
        user_team = team = ourselves.team
    return (
        text(user.get("id")),
        ourselves.team if user_team in ourselves.homes else user_team,
        ourselves.team if team in (*ourselves.homes, *trusted_teams) else team,
    )
