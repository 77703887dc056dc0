"""A Slack workspace and a model on localhost, for trying the bot out and for testing it."""
