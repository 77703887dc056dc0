"""Bolt's app as the bot wants it: nothing answers before intake has, and nothing comes from the environment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from bot.slack.client import BotIdentity, SlackClient
from bot.slack.intake import Intake

_ENVIRONMENT_PREFIX = "SLACK_"


def bolt_app(*, client: SlackClient, ourselves: BotIdentity, intake: Intake) -> AsyncApp:
    """Return an app that hands everything to intake first, and asks Slack nothing on its own.

    It verifies no signature: the caller has done so, over the bytes as they came. Its listeners get a
    client of the bot's token; `app.client` itself has none, or Bolt would ask `auth.test` at the first event.
    """
    token = client.token

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=ourselves.enterprise,
            team_id=ourselves.team,
            bot_user_id=ourselves.user,
            bot_id=ourselves.bot_id,
            bot_token=token,
        )

    with _hidden_environment():
        return AsyncApp(
            name="support-bot",
            client=SlackClient(base_url=client.base_url, session=client.session, retry_handlers=client.retry_handlers),
            signing_secret="",
            before_authorize=intake,
            authorize=authorize,
            ssl_check_enabled=False,
            request_verification_enabled=False,
        )


@contextmanager
def _hidden_environment() -> Iterator[None]:
    """Hide what Bolt would read: with a client id and secret it becomes an OAuth app, which acks all and keeps none."""
    hidden = {name: value for name, value in os.environ.items() if name.startswith(_ENVIRONMENT_PREFIX)}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)
