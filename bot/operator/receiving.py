"""What an operator says has come back: it is noted in the built-in shop, and its refund is asked for."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.blocks.messages import section
from bot.blocks.text import Mrkdwn, mention, one_line
from bot.settings import Settings, SettingsError, variable
from bot.shop.factory import BUILT_IN
from bot.shop.sqlite import SqliteShop, shop_migrations
from bot.shop.sqlite.receiving import Arrival
from bot.store.calls import ToolCall
from bot.store.opening import OpenDatabase
from bot.store.records import Form, InboxMessage, Post, new_id
from bot.store.sqlite.database import DatabaseThread
from bot.store.tables.calls import Calls
from bot.store.tables.outbox import Outbox
from bot.store.tables.receipts import Receipts

KEY_PREFIX = "support-bot:"


async def receive(database: OpenDatabase, settings: Settings, number: str, lines: Sequence[int], by: str) -> list[str]:
    """Note what of an order has arrived, have its money asked for in the thread of its return, and say so in lines.

    Raises SettingsError where another shop knows by itself what has arrived, and ShopRefusedError when nothing of it
    is expected.
    """
    if settings.shop != BUILT_IN:
        raise SettingsError(f"{variable('shop')} is {settings.shop}: say in that shop what has arrived.")
    arrivals = await _note(database, settings, number, lines)
    leases = database.new_leases(0)
    outbox = Outbox(database.tables, leases)
    calls, receipts = Calls(database.tables, outbox, leases), Receipts(database.tables, outbox)
    said = []
    for place, arrival in enumerate(arrivals):
        of_lines = f"{arrival.order_id}, line {', '.join(map(str, arrival.lines))}"
        call = await calls.get(arrival.key.removeprefix(KEY_PREFIX))
        if call is None:
            said.append(f"{of_lines}: nobody asked for this return in Slack, so its refund is for you to ask for.")
            continue
        await receipts.ask(_message(call, arrival, place), _told(call, arrival), by=by, subject=arrival.order_id)
        said.append(f"{of_lines}: the refund is asked for in the thread of the return; an approver decides.")
    return said or [f"Noted. No money of {number} waits for what has arrived."]


async def _note(database: OpenDatabase, settings: Settings, number: str, lines: Sequence[int]) -> list[Arrival]:
    if database.file is not None and database.file.path == settings.shop_file:
        return await SqliteShop(database.file).receive(number, lines)
    file = DatabaseThread(settings.shop_file, shop_migrations)
    await file.open()
    try:
        return await SqliteShop(file).receive(number, lines)
    finally:
        await file.close()


def _message(call: ToolCall, arrival: Arrival, place: int) -> InboxMessage:
    """Make the form of the refund, as who asked for the return would fill it in."""
    wanted = {"order_id": arrival.order_id, "reason": arrival.reason, "amount": None, "lines": arrival.lines}
    text = f"(What I sent back of {arrival.order_id} has arrived at the shop.)"
    ts = f"{(datetime.now(UTC) + timedelta(microseconds=place)).timestamp():.6f}"
    form = Form("initiate_refund", json.dumps(wanted))
    return InboxMessage(call.thread, ts, call.requester, text, call.thread.team, form=form)


def _told(call: ToolCall, arrival: Arrival) -> Post:
    order = one_line(arrival.order_id)
    text = Mrkdwn(f"{mention(call.requester)} What you sent back of {order} has arrived. I ask for your refund now.")
    return Post(new_id(), call.thread.team, call.thread.channel, call.thread.ts, text, (section(text),))
