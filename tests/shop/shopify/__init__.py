"""The adapter for Shopify, on Shopify's own published schema."""
