"""What is asked for by a form: the same call as the model's would be, in a thread, for the same gate."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.blocks.forms import View, question_form, request_form, words
from bot.blocks.orders import OrderButton
from bot.blocks.text import escape, mention, one_line
from bot.desk.orders import Asker, DeskError, Orders
from bot.desk.threads import Threads
from bot.shop.quotes import refund_reasons
from bot.store.records import QUOTED, Form, SharedFile, ThreadId
from bot.tools.phrases import REASON_WORDS
from bot.tools.tool import FORMS, ToolError
from bot.tools.toolset import Toolset

REASONS = {reason.value: text for reason, text in REASON_WORDS.items()}
NOT_HERE = "This can't be asked for by a form. Write to me, and I see what can be done."
NOT_NOW = "No refund of this order can be asked for now. Write to me if something is wrong with it."
_MAX_QUOTED_CHARACTERS = 4_000
_THERE = {
    OrderButton.REFUND: "A person decides about it. The request is shown {where}, with what it is about.",
    OrderButton.RETURN: "You are asked once more {where}, with what is sent back and where the money goes.",
}
_ASKED = {OrderButton.REFUND: "Refund", OrderButton.RETURN: "Return"}


@dataclass(frozen=True, slots=True)
class Filled:
    """What somebody filled in, without secrets; nothing of it is checked yet. `below` says what the photos are."""

    lines: Sequence[str]
    reason: str
    note: str
    photos: tuple[SharedFile, ...] = ()
    below: str = ""


class Forms:
    """Opens forms, and has what was filled in asked for. Raises DeskError with words for the person."""

    def __init__(
        self,
        *,
        orders: Orders,
        toolset: Toolset,
        threads: Threads,
    ) -> None:
        self._orders = orders
        self._tools = toolset.tools
        self._threads = threads

    async def request(self, asker: Asker, number: str, button: OrderButton) -> View:
        """Make the form for an order, if the person may ask for it at all."""
        order, context = await self._orders.find(asker, number)
        if button not in context.forms:
            raise DeskError(NOT_HERE)
        reasons = REASONS
        if button == OrderButton.REFUND:
            reasons = {reason.value: REASONS[reason.value] for reason in refund_reasons(order)}
        if not reasons:
            raise DeskError(NOT_NOW)
        there = bool(asker.thread_ts) and not await self._orders.is_public(asker.channel)
        private = {"button": button.value, "order": order.id}
        if there:
            private |= {"channel": asker.channel, "thread_ts": asker.thread_ts}
        told = _THERE[button].format(where="in the thread" if there else "in our direct message")
        return request_form(order, button, reasons, json.dumps(private), told)

    async def ask(self, asker: Asker, private: str, filled: Filled) -> View:
        """Make the request in the thread that the form was opened in, or in a direct message, and say so."""
        known = json.loads(private)
        button, number = OrderButton(known["button"]), str(known["order"])
        name, _ = FORMS[button]
        if name not in self._tools:
            raise DeskError(NOT_HERE)
        await self._orders.person(asker)
        lines = sorted(map(int, filled.lines)) or None
        tool = self._tools[name]
        wanted = {"order_id": number, "reason": filled.reason, "lines": lines, "refund_to": "original"}
        arguments = json.dumps({one: value for one, value in wanted.items() if one in tool.model_fields})
        try:
            tool.parse(arguments)
        except ToolError as error:
            raise DeskError(error.content["error"]) from error
        about = f" (lines {', '.join(map(str, lines))})" if lines else ""
        reason = REASONS.get(filled.reason, "")
        text = f"{_ASKED[button]} of {number}{about}, by a form. Reason: {reason}."
        thread = ThreadId(asker.team, known.get("channel", ""), known.get("thread_ts", ""))
        if not thread.ts:
            thread = await self._threads.begin(asker, f"{mention(asker.user)} {escape(text)}")
        note = f" {filled.note}" if filled.note else ""
        form = Form(name, arguments, filled.note)
        await self._threads.submit(asker, thread, f"{text}{note}{filled.below}", form, filled.photos)
        where = "in the thread" if known.get("thread_ts") else "in our direct message"
        return words("Asked for", f"I take it from here: you find the request {where}.")

    async def question(self, asker: Asker, quoted: str, author: str) -> View:
        """Make the form that asks what somebody wants to know about a message."""
        await self._orders.person(asker)
        own = author == asker.user
        return question_form(quoted, json.dumps({"quoted": quoted[: _MAX_QUOTED_CHARACTERS // 2], "own": own}))

    async def answer(self, asker: Asker, private: str, question: str) -> View:
        """Queue the question for a direct message; what somebody else wrote is no word of the person's."""
        known = json.loads(private)
        quoted, own = str(known["quoted"]), bool(known["own"])
        await self._orders.person(asker)
        shown = (
            f"{mention(asker.user)} asks about a message: “{one_line(quoted, 1_000)}”\n*{one_line(question, 1_000)}*"
        )
        thread = await self._threads.begin(asker, shown)
        below = f"\n\n{quoted}" if own else f"{QUOTED}{quoted}"
        await self._threads.submit(asker, thread, f"{question}{below if quoted else ''}", None)
        return words("Asked", "I answer you in our direct message.")
