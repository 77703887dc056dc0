"""Stripe as the shop of a bot that only gives money back."""

from bot.shop.stripe.shop import Stripe, StripeSettings, open_stripe

__all__ = ["Stripe", "StripeSettings", "open_stripe"]
