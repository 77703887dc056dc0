"""A Vendure server as the shop, over its Admin API: orders, refunds and cancellations."""

from bot.shop.vendure.shop import Vendure, VendureSettings, open_vendure

__all__ = ["Vendure", "VendureSettings", "open_vendure"]
