"""A Slack workspace and a Chat Completions server that a bot is tested against, over real HTTP and WebSocket."""
