"""What all else of the bot stands on: the database and the shop, opened, the tools, and who is who in Slack."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot import tools
from bot.help import articles
from bot.identity import Identity
from bot.mcp.extra import open_servers
from bot.settings import Settings, SettingsError, variable
from bot.shop.factory import BUILT_IN, own_shop
from bot.shop.shop import Shop, ShopCheckError, ShopUnavailableError
from bot.shop.sqlite import shop_migrations
from bot.slack.client import (
    BotIdentity,
    SlackClient,
    check_channel,
    fetch_bot_identity,
    posting_client,
    web_client,
    web_session,
)
from bot.slack.users import SlackIdentity
from bot.store.opening import Membership, joined, open_database
from bot.store.sqlite.database import DatabaseThread
from bot.store.store import Store
from bot.store.tables.store import open_store
from bot.tools.tool import Tool

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ground:
    """What all else stands on: the store, the shop, its tools, and who is who in Slack."""

    store: Store
    membership: Membership
    shop: Shop
    tools: Mapping[str, type[Tool]]
    offered: Mapping[str, type[Tool]]
    session: ClientSession
    client: SlackClient
    poster: AsyncWebClient
    ourselves: BotIdentity
    identity: Identity


async def open_ground(settings: Settings, open_shop: Callable[[DatabaseThread], Shop], stack: AsyncExitStack) -> Ground:
    """Open it all, and have the stack close it; this process has joined the others on the database then.

    Raises SettingsError, StartError and DatabaseError with what keeps the bot from starting.
    """
    known_tools = tools.load(settings, await _mcp_tools(settings, stack))
    database = await stack.enter_async_context(open_database(settings.database, shop_migrations))
    session = await stack.enter_async_context(web_session())
    token = settings.slack_bot_token.get_secret_value()
    client = web_client(token, settings.slack_api_url, session)
    ourselves = await fetch_bot_identity(client)
    for channel in filter(None, (settings.approval_channel, settings.escalation_channel)):
        await check_channel(client, channel)
    membership = await stack.enter_async_context(joined(database, settings.lease_seconds))
    shop = await _open_shop(settings, open_shop, database.file, stack)
    identity = SlackIdentity(client, settings, team=ourselves.team, enterprise=ourselves.enterprise)
    learning = asyncio.create_task(identity.learn_approvers(), name="approvers")
    stack.push_async_callback(cancel, learning)
    for fault in articles(settings.help_folder).faults if settings.help_folder else ():
        logger.warning("%s", fault)
    return Ground(
        store=open_store(database.tables, membership.leases),
        membership=membership,
        shop=shop,
        tools=known_tools,
        offered=tools.offered(known_tools, shop),
        session=session,
        client=client,
        poster=posting_client(token, settings.slack_api_url, session),
        ourselves=ourselves,
        identity=identity,
    )


async def _mcp_tools(settings: Settings, stack: AsyncExitStack) -> list[type[Tool]]:
    if settings.mcp is None:
        return []
    return await stack.enter_async_context(open_servers(settings.mcp, seconds=settings.tool_timeout_seconds))


async def _open_shop(
    settings: Settings, built_in: Callable[[DatabaseThread], Shop], file: DatabaseThread | None, stack: AsyncExitStack
) -> Shop:
    if settings.shop == BUILT_IN:
        if file is None or file.path != settings.shop_file:
            file = DatabaseThread(settings.shop_file, shop_migrations)
            await file.open()
            stack.push_async_callback(file.close)
        return built_in(file)
    shop = await stack.enter_async_context(own_shop(variable("shop"), settings.shop))
    try:
        await shop.check()
    except ShopUnavailableError as error:
        logger.warning("shop: %s", error)  # it may be back before anybody asks
    except ShopCheckError as error:
        raise SettingsError(f"{variable('shop')}: {error}") from error
    return shop


async def cancel(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
