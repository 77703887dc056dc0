"""The built-in shop: its tables in the bot's own database file."""

from bot.shop.sqlite.migrations import shop_migrations
from bot.shop.sqlite.shop import SqliteShop

__all__ = ["SqliteShop", "shop_migrations"]
