"""The adapter for Stripe, on a stand-in, and its keys on somebody else's."""
