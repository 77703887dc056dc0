"""What Bolt calls for commands, the buttons of orders, forms and the shortcut: acked at once, or when it is kept."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.forms import QUESTION_FORM, REQUEST_FORM, Field, View, filled, notice
from bot.blocks.messages import in_words
from bot.blocks.orders import OrderButton
from bot.blocks.text import escape
from bot.desk.forms import Filled, Forms
from bot.desk.orders import BROKEN, Asker, DeskError, Orders
from bot.slack.client import SLACK_ERRORS, BotIdentity
from bot.slack.content import dicts, kept_pictures, kept_text
from bot.slack.delivery import Delivery
from bot.slack.modals import present, submit
from bot.store.records import Block
from bot.tasks import Background

logger = logging.getLogger(__name__)
_ORDER = "order"

COMMANDS = ("/order", "/orders")
SHORTCUT = "ask_support"
_TITLES = {
    OrderButton.DETAILS: "Your order",
    OrderButton.TRACKING: "Tracking",
    OrderButton.REFUND: "Request a refund",
    OrderButton.RETURN: "Return an order",
}


class Desk:
    """Binds commands, the buttons of orders, forms and the shortcut to what does them; all of it is for one person."""

    def __init__(
        self, *, ourselves: BotIdentity, client: AsyncWebClient, orders: Orders, forms: Forms, delivery: Delivery
    ) -> None:
        self._ourselves = ourselves
        self._client = client
        self._orders = orders
        self._forms = forms
        self._delivery = delivery
        self._doing = Background()

    def register(self, app: AsyncApp) -> None:
        """Register with Bolt."""

        async def command(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
            await ack()
            await self._doing.run(self._command(body, respond))

        async def look(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            await self._doing.run(self._look(body))

        async def refresh(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            await self._doing.run(self._refresh(body))

        async def share(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
            await ack()
            await self._doing.run(self._share(body, respond))

        async def shortcut(ack: AsyncAck, body: dict[str, Any]) -> None:
            await ack()
            await self._doing.run(self._shortcut(body))

        async def request(ack: AsyncAck, body: dict[str, Any]) -> None:
            await self._doing.run(self._submit(ack, body, Field.REASON, self._request))

        async def question(ack: AsyncAck, body: dict[str, Any]) -> None:
            await self._doing.run(self._submit(ack, body, Field.QUESTION, self._question))

        for name in COMMANDS:
            app.command(name)(command)
        for button in _TITLES:
            app.action(button.value)(look)
        app.action(OrderButton.REFRESH.value)(refresh)
        app.action(OrderButton.SHARE.value)(share)
        app.shortcut(SHORTCUT)(shortcut)
        app.view(REQUEST_FORM)(request)
        app.view(QUESTION_FORM)(question)

    async def stop(self, seconds: float) -> None:
        """Wait for what was begun."""
        await self._doing.finish(seconds)

    async def _command(self, body: dict[str, Any], respond: AsyncRespond) -> None:
        asker = self._asker_of_command(body)
        if asker is None:
            return
        # What is written behind the command is told to be an order's number, and so is no card's.
        said = kept_text(f"{_ORDER} {body.get('text') or ''}", self._ourselves.user)
        number = said.removeprefix(_ORDER).strip()
        shown: tuple[Block, ...] = ()
        try:
            shown = await (self._orders.one(asker, number) if body["command"] == "/order" else self._orders.all(asker))
            text = in_words(shown)
        except DeskError as error:
            if not error.is_news:
                return
            text = escape(str(error))
        except Exception:  # whatever broke, the person hears of it
            logger.exception("%s of %s broke", body["command"], asker.user)
            text = escape(BROKEN)
        await self._respond(respond, text=text, blocks=[dict(block) for block in shown] or None)

    async def _look(self, body: dict[str, Any]) -> None:
        asker, action = self._asker(body), body["actions"][0]
        if asker is None:
            return
        button, number = OrderButton(action["action_id"]), str(action.get("value") or "")
        title = _TITLES[button]

        async def view() -> View:
            if button == OrderButton.DETAILS:
                return notice(title, *await self._orders.one(asker, number))
            if button == OrderButton.TRACKING:
                return notice(title, *await self._orders.tracking(asker, number))
            return await self._forms.request(asker, number, button)

        await present(self._client, body, title, view)

    async def _refresh(self, body: dict[str, Any]) -> None:
        asker, action = self._asker(body), body["actions"][0]
        if asker is not None:
            number, block_id = str(action.get("value") or ""), str(action.get("block_id") or "")
            await self._done_or_told(asker, self._orders.refresh(asker, number, block_id))

    async def _share(self, body: dict[str, Any], respond: AsyncRespond) -> None:
        asker, action = self._asker(body), body["actions"][0]
        if asker is None:
            return
        if await self._done_or_told(asker, self._orders.share(asker, str(action.get("value") or ""))):
            await self._respond(respond, delete_original=True)

    async def _shortcut(self, body: dict[str, Any]) -> None:
        asker, message = self._asker(body), body.get("message") or {}
        if asker is not None:
            quoted, author = kept_text(str(message.get("text") or ""), self._ourselves.user), str(message.get("user"))
            await present(self._client, body, "Ask support", lambda: self._forms.question(asker, quoted, author))

    async def _request(self, asker: Asker, view: dict[str, Any]) -> View:
        note = kept_text(str(filled(view, Field.NOTE) or ""), self._ourselves.user)
        lines, reason = filled(view, Field.LINES) or [], str(filled(view, Field.REASON) or "")
        photos = kept_pictures(filled(view, Field.PHOTO))
        what = Filled(lines, reason, note, photos.files, photos.text)
        return await self._forms.ask(asker, view["private_metadata"], what)

    async def _question(self, asker: Asker, view: dict[str, Any]) -> View:
        question = kept_text(str(filled(view, Field.QUESTION) or ""), self._ourselves.user)
        return await self._forms.answer(asker, view["private_metadata"], question)

    async def _submit(
        self,
        ack: AsyncAck,
        body: dict[str, Any],
        field: Field,
        do: Callable[[Asker, dict[str, Any]], Awaitable[View]],
    ) -> None:
        asker = self._asker(body)
        if asker is None:
            await ack()
        else:
            await submit(ack, body, field, partial(do, asker, body["view"]))

    async def _done_or_told(self, asker: Asker, doing: Awaitable[None]) -> bool:
        """Do it and return whether it was done; when it was not, the person hears why."""
        try:
            await doing
        except DeskError as error:
            if not error.is_news:
                return False
            text = escape(str(error))
        except Exception:
            logger.exception("a button of an order broke")
            text = escape(BROKEN)
        else:
            return True
        await self._delivery.tell(asker.user, text, asker.thread, in_thread=bool(asker.thread_ts))
        return False

    async def _respond(self, respond: AsyncRespond, **said: Any) -> None:
        try:
            answer = await respond(response_type="ephemeral", unfurl_links=False, unfurl_media=False, **said)
        except SLACK_ERRORS as error:
            logger.warning("could not answer a command: %s", type(error).__name__)  # the address is a secret
            return
        if answer.status_code != 200:  # noqa: PLR2004 - OK
            logger.warning("Slack did not take the answer to a command: %s", answer.status_code)

    def _asker(self, body: dict[str, Any]) -> Asker | None:
        """Read who did something to a message or a view of our own app; anything else is nothing to us."""
        if body.get("api_app_id", self._ourselves.app_id) != self._ourselves.app_id:
            return None
        container = body.get("container") or {}
        channel = container.get("channel_id") or (body.get("channel") or {}).get("id", "")
        ts = str(container.get("message_ts") or "")
        thread_ts = container.get("thread_ts") or ("" if container.get("is_ephemeral") else ts)
        using = (dicts(body.get("actions")) or [{}])[0].get("action_id") or body.get("callback_id")
        return Asker(body["user"]["id"], self._ourselves.team, channel, str(thread_ts), ts, str(using or ""))

    def _asker_of_command(self, body: dict[str, Any]) -> Asker | None:
        if body.get("api_app_id") != self._ourselves.app_id:
            return None
        using = str(body["command"])
        return Asker(str(body["user_id"]), self._ourselves.team, str(body.get("channel_id") or ""), using=using)
