"""What Bolt calls for the buttons and forms with which a request is declined for a reason or changed."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.approvals.amend import Amending, Wanted
from bot.approvals.clicks import Click
from bot.approvals.decline import Declining
from bot.blocks.cards import CHANGE, DECLINE
from bot.blocks.decisions import CHANGE_FORM, CHANGE_TITLE, DECLINE_FORM, DECLINE_TITLE
from bot.blocks.forms import Field, View, filled
from bot.desk.home import Home
from bot.slack.client import BotIdentity
from bot.slack.content import kept_text, text
from bot.slack.listeners import read_click, read_clicker
from bot.slack.modals import present, submit
from bot.tasks import Background
from bot.tracing import tracing


@dataclass(frozen=True, slots=True)
class _Form:
    """One of the forms: how it is opened, and how what was filled in is taken; `field` is where trouble is told."""

    decision: str
    title: str
    field: Field
    open: Callable[[Click], Awaitable[View]]
    take: Callable[[Click, dict[str, Any]], Awaitable[View]]


class DecisionForms:
    """Binds the buttons that open a form to those who look at the request, and the forms to what is done with them."""

    def __init__(
        self,
        *,
        ourselves: BotIdentity,
        client: AsyncWebClient,
        declining: Declining,
        amending: Amending,
        home: Home,
        trusted_teams: Sequence[str] = (),
    ) -> None:
        self._ourselves = ourselves
        self._client = client
        self._declining = declining
        self._amending = amending
        self._home = home
        self._trusted_teams = trusted_teams
        self._doing = Background()

    def register(self, app: AsyncApp) -> None:
        """Register with Bolt."""
        declines = _Form("decline", DECLINE_TITLE, Field.REASON, self._declining.form, self._decline)
        changes = _Form("change", CHANGE_TITLE, Field.AMOUNT, self._amending.form, self._change)
        for button, callback_id, form in ((DECLINE, DECLINE_FORM, declines), (CHANGE, CHANGE_FORM, changes)):
            app.action(button)(self._opener(form))
            app.view(callback_id)(self._taker(form))

    async def stop(self, seconds: float) -> None:
        """Wait for what was begun."""
        await self._doing.finish(seconds)

    def _opener(self, form: _Form) -> Callable[..., Awaitable[None]]:
        async def opened(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            click = read_click(body, self._ourselves, self._trusted_teams)
            if click is not None:
                await self._doing.run(present(self._client, body, form.title, partial(form.open, click)))

        return opened

    def _taker(self, form: _Form) -> Callable[..., Awaitable[None]]:
        async def taken(ack: AsyncAck, body: dict[str, Any]) -> None:
            if body.get("api_app_id") != self._ourselves.app_id:
                await ack()
                return
            await self._doing.run(self._take(ack, body, form))

        return taken

    async def _take(self, ack: AsyncAck, body: dict[str, Any], form: _Form) -> None:
        user, user_team, team = read_clicker(body, self._ourselves, self._trusted_teams)
        place = json.loads(body["view"]["private_metadata"])
        click = Click(user=user, user_team=user_team, team=team, **place)
        with tracing.click(form.decision):
            taken = await submit(ack, body, form.field, partial(form.take, click, body["view"]))
        if taken and click.shown_as is not None:
            await self._home.show(user)

    async def _decline(self, click: Click, view: dict[str, Any]) -> View:
        reason = kept_text(text(filled(view, Field.REASON)), self._ourselves.user)
        return await self._declining.decline(click, reason)

    async def _change(self, click: Click, view: dict[str, Any]) -> View:
        wanted = Wanted(text(filled(view, Field.AMOUNT)), filled(view, Field.LINES) or [])
        return await self._amending.change(click, wanted)
