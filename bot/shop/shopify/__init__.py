"""A Shopify store as the shop, over its Admin API: orders, refunds, cancellations, returns and addresses."""

from bot.shop.shopify.settings import ShopifySettings
from bot.shop.shopify.shop import Shopify, open_shopify

__all__ = ["Shopify", "ShopifySettings", "open_shopify"]
