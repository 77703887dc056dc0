"""The shop's side of a check: does it answer, and does it show whose an order is."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.operator.check.finding import Finding, ok, warning


async def check_built_in_shop(path: Path) -> list[Finding]:
    """Count the built-in shop's orders and the customers who can be recognised by an e-mail address."""
    return [await asyncio.to_thread(_count, path)]


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
