"""A Slack server on localhost for one workspace: its Web API under `/api/`, and Socket Mode at `/link`."""

from bot.testing.slack.api.server import SlackServer

__all__ = ["SlackServer"]
