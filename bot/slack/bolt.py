"""Bolt's app as the bot wants it: nothing answers before intake has, and nothing comes from the environment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult

from bot.slack.client import BotIdentity, SlackClient
from bot.slack.content import dicts, mapping, text
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


def bolt_request(payload: object) -> AsyncBoltRequest | None:
    """Return Bolt's request for what Slack sent; None when it is of another shape, over which Bolt would stumble."""
    if not isinstance(payload, dict) or not _is_well_formed(payload):
        return None
    try:
        # Bolt takes a body that is parsed in this mode only.
        return AsyncBoltRequest(mode="socket_mode", body=payload)
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def _is_well_formed(body: dict[str, Any]) -> bool:
    """Return whether it is an event, a click with all that is read of one, or Slack's check of an address."""
    if body.get("type") == "event_callback":
        return isinstance(body.get("event"), dict) and isinstance(body["event"].get("type"), str)
    if "command" in body:
        return all(isinstance(body.get(key), str) for key in ("command", "user_id"))
    if body.get("type") in ("message_action", "view_submission"):
        return _is_of_a_person(body) and (body["type"] == "message_action" or _has_view(body))
    if body.get("type") != "block_actions":
        return body.get("type") == "url_verification" and isinstance(body.get("challenge"), str)
    actions = dicts(body.get("actions"))
    return (
        bool(actions)
        and len(actions) == len(body["actions"])
        and all(isinstance(one.get(key), str) for one in actions for key in ("action_id", "block_id"))
        and _is_of_a_person(body)
        and (bool(text(mapping(body.get("container")).get("channel_id"))) or _has_view(body))
    )


def _is_of_a_person(body: dict[str, Any]) -> bool:
    objects = ("team", "enterprise", "channel", "message", "view")
    return bool(text(mapping(body.get("user")).get("id"))) and all(
        body.get(key) is None or isinstance(body[key], dict) for key in objects
    )


def _has_view(body: dict[str, Any]) -> bool:
    view = mapping(body.get("view"))
    return all(isinstance(view.get(key), str) for key in ("id", "type", "callback_id", "private_metadata"))


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
