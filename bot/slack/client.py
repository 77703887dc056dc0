"""Slack's Web API: the clients, what a call may end in, and who the bot is."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import monotonic, time
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

logger = logging.getLogger(__name__)

CALL_TIMEOUT_SECONDS = 10.0
TOLERATED_CLOCK_SECONDS = 30.0
UNREADABLE = "unreadable"
# What Slack says when it is not well itself, or when the workspace is being moved: asked later, it answers.
PASSING_ERRORS = frozenset(
    {
        "fatal_error",
        "internal_error",
        "org_login_required",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
        UNREADABLE,
    }
)
START_PATIENCE_SECONDS = 60.0  # for errors that pass …
START_SILENCE_SECONDS = 5.0  # … and for no answer at all, which is more often a wrong address
_FIRST_PAUSE_SECONDS = 0.25
_MAX_PAUSE_SECONDS = 8.0
SLACK_ERRORS = (SlackClientError, ClientError, OSError, TimeoutError)  # what a call of the Web API may end in


class StartError(Exception):
    """The bot cannot start; the text tells the operator why and what to do."""


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """Who we are in Slack, as `auth.test` and `bots.info` say; `enterprise` is the organisation, if there is one.

    By so many seconds Slack's clock is `clock_ahead` of this host's.
    """

    team: str
    user: str
    bot_id: str
    app_id: str
    url: str
    enterprise: str | None = None
    clock_ahead: float = 0.0

    @property
    def homes(self) -> frozenset[str]:
        """Return the ids under which our own people may be named: the workspace's and the organisation's."""
        return frozenset(filter(None, (self.team, self.enterprise)))


class SlackClient(AsyncWebClient):
    """The SDK's client, in which an answer that is no JSON object of Slack's is an error named `unreadable`.

    The SDK itself raises whatever its reading of such an answer happens to run into.
    """

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        try:
            response = await super()._request(http_verb=http_verb, api_url=api_url, req_args=req_args)
        except (SlackApiError, ValueError, LookupError, TypeError, AttributeError) as error:
            logger.warning("Slack's answer to %s cannot be read: %s", api_url, type(error).__name__)
            response = {"data": None, "headers": {}, "status_code": 0}
        if not isinstance(response["data"], dict) or "ok" not in response["data"]:
            response["data"] = {"ok": False, "error": UNREADABLE}
        return response


async def ask_to_start(
    ask: Callable[[], Awaitable[AsyncSlackResponse]],
    what: str,
    advice: str,
    silent: str,
    *,
    patience: float = START_PATIENCE_SECONDS,
) -> AsyncSlackResponse:
    """Return the answer to what is needed to start, asking again for as long as Slack's error is one that passes.

    Raises StartError, which says what Slack has refused and what to do, or that it was `silent`.
    """
    began, pause = monotonic(), _FIRST_PAUSE_SECONDS
    while True:
        try:
            return await ask()
        except SlackApiError as error:
            name = slack_error(error)
            if name not in PASSING_ERRORS:
                raise StartError(f"Slack refused {what} ({name}). {advice}") from error
            if monotonic() - began > patience:
                waited = f"Slack has not been well for {patience:.0f} s ({name}, asked for {what})"
                raise StartError(f"{waited}. Nothing is wrong with the settings; start again later.") from error
        except SLACK_ERRORS as error:
            name = str(error) or type(error).__name__
            if monotonic() - began > START_SILENCE_SECONDS:
                raise StartError(f"{silent}: {name}.") from error
        logger.warning("Slack does not answer for %s yet (%s); asking again in %.2f s", what, name, pause)
        await asyncio.sleep(pause)
        pause = min(2 * pause, _MAX_PAUSE_SECONDS)


def web_session() -> ClientSession:
    """Make what the clients share: kept-open connections, which spare a TLS handshake for each call."""
    return ClientSession(timeout=ClientTimeout(total=CALL_TIMEOUT_SECONDS))


def web_client(token: str, api_url: str, session: ClientSession) -> SlackClient:
    """Make the client for everything we ask of Slack: it waits when Slack says so."""
    client = SlackClient(token=token, base_url=api_url, session=session)
    client.retry_handlers.append(_rate_limit_handler())
    return client


def slack_error(error: SlackApiError) -> str:
    """Name the error as Slack does, such as channel_not_found; an answer that is not Slack's JSON has no name."""
    data = error.response.data if isinstance(error.response, AsyncSlackResponse) else error.response
    named = isinstance(data, dict) and data.get("error")
    return str(named or UNREADABLE)


def failure(error: Exception) -> str:
    """Name what a call of the Web API ended in, short and without addresses or keys: what goes to rows and the log."""
    if isinstance(error, SlackApiError):
        data = error.response.data if isinstance(error.response, AsyncSlackResponse) else error.response
        needed = data.get("needed") if isinstance(data, dict) else None
        return slack_error(error)[:100] + (f" (it needs {needed})"[:200] if isinstance(needed, str) else "")
    number = error.errno if isinstance(error, OSError) else None
    return f"{type(error).__name__}: {os.strerror(number)}" if number and number > 0 else type(error).__name__


def error_detail(error: SlackApiError) -> str:
    """Return what Slack says beside the error's name, such as which block is invalid; empty when it says nothing."""
    data = error.response.data if isinstance(error.response, AsyncSlackResponse) else error.response
    metadata = data.get("response_metadata") if isinstance(data, dict) else None
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    return "; ".join(map(str, messages))[:500] if isinstance(messages, list) else ""


def posting_client(token: str, api_url: str, session: ClientSession) -> SlackClient:
    """Make the client for posts: unless Slack says to wait, it never tries again, as what seemed to fail may stand."""
    return SlackClient(token=token, base_url=api_url, session=session, retry_handlers=[_rate_limit_handler()])


def _rate_limit_handler() -> AsyncRateLimitErrorRetryHandler:
    return AsyncRateLimitErrorRetryHandler(max_retry_count=3)


async def fetch_bot_identity(client: AsyncWebClient, *, patience: float = START_PATIENCE_SECONDS) -> BotIdentity:
    """Ask Slack who the bot is, for as long as `patience` says while it is not well. Raises StartError."""
    silent = f"Slack cannot be reached at {client.base_url}"
    advice = "Install the app again and copy its bot token."

    async def whose_token() -> AsyncSlackResponse:
        return await client.auth_test()

    us = await ask_to_start(whose_token, "SLACK_BOT_TOKEN", advice, silent, patience=patience)

    async def which_bot() -> AsyncSlackResponse:
        return await client.bots_info(bot=us["bot_id"])

    bot = await ask_to_start(which_bot, "SLACK_BOT_TOKEN", advice, silent, patience=patience)
    return BotIdentity(
        team=us["team_id"],
        user=us["user_id"],
        bot_id=us["bot_id"],
        app_id=bot["bot"]["app_id"],
        url=us["url"],
        enterprise=us.get("enterprise_id"),
        clock_ahead=_clock_ahead(us.headers),
    )


def _clock_ahead(headers: Mapping[str, str]) -> float:
    """Return by how many seconds Slack's clock is ahead; none where they may be those of the way here."""
    try:
        ahead = parsedate_to_datetime(headers.get("Date", "")).timestamp() - time()
    except (TypeError, ValueError):
        return 0.0
    if abs(ahead) < TOLERATED_CLOCK_SECONDS:
        return 0.0
    direction = "behind" if ahead > 0 else "ahead of"
    logger.warning("this host's clock is %.0f minutes %s Slack's; set it right", abs(ahead) / 60, direction)
    return ahead


async def check_channel(client: AsyncWebClient, channel: str) -> None:
    """Check that the bot is in the channel, before a customer is promised that people are told. Raises StartError."""
    silent = f"Slack did not tell about the channel {channel}"
    answer = await ask_to_start(
        lambda: client.conversations_info(channel=channel), f"the channel {channel}", "Look at its id.", silent
    )
    if not answer["channel"].get("is_member"):
        raise StartError(f"The bot is not in the channel {channel}. Invite it there, with /invite.")
