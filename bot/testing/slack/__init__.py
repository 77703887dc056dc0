"""A Slack workspace: Web API, Socket Mode and Events API."""
