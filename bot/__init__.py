"""A Slack support bot: a language model asks, our code decides, a person approves, and every call is logged."""
