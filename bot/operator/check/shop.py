"""The shop's side of a check: does it answer, and does it show whose an order is."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.imports import described
from bot.operator.check.finding import Finding, fatal, ok, warning
from bot.settings import Settings, SettingsError, variable
from bot.shop.factory import BUILT_IN, own_shop
from bot.shop.shop import CHECK_SECONDS, ShopCheckError, ShopUnavailableError


async def check_shop(settings: Settings, *, thorough: bool) -> list[Finding]:
    """Count the built-in shop's orders and known customers; open any other, when `thorough`, and have it check itself.

    A start opens the shop anyway.
    """
    if settings.shop == BUILT_IN:
        return [await asyncio.to_thread(_count, settings.shop_file)]
    return [await _ask(settings.shop)] if thorough else []


async def _ask(name: str) -> Finding:
    try:
        async with own_shop(variable("shop"), name) as shop, asyncio.timeout(CHECK_SECONDS):
            await shop.check()
            changes = ", ".join(sorted(change.__name__ for change in shop.changes)) or "no change"
    except (SettingsError, ShopCheckError) as error:
        return fatal("shop", str(error))
    except TimeoutError:
        return warning("shop", f"{name} does not answer within {CHECK_SECONDS} seconds.")
    except ShopUnavailableError as error:
        return warning("shop", f"{name} cannot be asked now: {error}", "Look at its address and at the network.")
    except Exception as error:  # noqa: BLE001 - it may be anybody's code
        return warning("shop", f"{name} cannot be asked: {described(error)}.")
    return ok("shop", f"{name} answers. It can do: {changes}.")


def _count(path: Path) -> Finding:
    fill = "`support-bot run --sample-orders EMAIL` adds sample orders."
    if not path.exists():
        return warning("shop", "The built-in shop is not there yet.", fill)
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            orders = db.execute("SELECT count(*) FROM orders").fetchone()[0]
            customers, with_address = db.execute(
                "SELECT count(*), count(*) FILTER (WHERE email LIKE '%_@_%') FROM customers WHERE deleted_at IS NULL"
            ).fetchone()
    except sqlite3.Error as error:
        return warning(
            "shop", f"The built-in shop cannot be read: {error}.", "Start the bot once, or look at BOT_DATABASE."
        )
    if not orders:
        return warning("shop", "The built-in shop has no orders, so nobody is a customer.", fill)
    if not with_address:
        return warning("shop", "No customer of the shop has an e-mail address, so nobody is recognised in Slack.")
    return ok(
        "shop",
        f"The built-in one: {orders:,} orders of {customers:,} customers, {with_address:,} with an e-mail address.",
    )
