"""The adapter for Vendure against a Vendure server."""
