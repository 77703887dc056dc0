"""A Slack workspace and a Chat Completions server that a bot is tested against, over real HTTP and WebSocket.

`async with SlackServer(Workspace()) as slack` serves Slack for one app: hand the app `slack.url`, `slack.bot_token` and
`slack.app_token`. People talk and click by the workspace's `say` and `click`; `until` waits for what the app does. A
`CompletionsServer` answers each request by a function that returns an `Answer`, with `ToolCall`s or without, or a
`Failure`. A workspace has a few sample people and channels, or those that it is given as `Person` and `Channel`. Both
servers refuse what Slack and OpenAI refuse, in their words. Nothing of them imports the bot.
`bot.testing.shop` has the tests that every shop's adapter passes; it needs the extra `testing`.
"""

from bot.testing.openai import Answer, CompletionsServer, Failure, ToolCall
from bot.testing.slack.api import SlackServer
from bot.testing.slack.workspace import Channel, Person, Workspace

__all__ = ["Answer", "Channel", "CompletionsServer", "Failure", "Person", "SlackServer", "ToolCall", "Workspace"]
