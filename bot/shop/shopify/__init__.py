"""A Shopify store as the shop, over its Admin API: orders, refunds, cancellations and addresses."""

from bot.shop.shopify.shop import Shopify, ShopifySettings, open_shopify

__all__ = ["Shopify", "ShopifySettings", "open_shopify"]
