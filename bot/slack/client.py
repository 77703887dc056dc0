"""Slack's Web API: the clients, what a call may end in, and who the bot is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, ClientTimeout
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

CALL_TIMEOUT_SECONDS = 10.0
SLACK_ERRORS = (SlackClientError, ClientError, OSError, TimeoutError)  # what a call of the Web API may end in


class StartError(Exception):
    """The bot cannot start; the text tells the operator why and what to do."""


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """Who we are in Slack, as `auth.test` and `bots.info` say."""

    team: str
    user: str
    bot_id: str
    app_id: str
    url: str


@contextmanager
def needed_to_start(what: str, advice: str, silent: str) -> Iterator[None]:
    """Say to the operator what Slack has refused and what to do, or that it was `silent`. Raises StartError."""
    try:
        yield
    except SlackApiError as error:
        raise StartError(f"Slack refused {what} ({slack_error(error)}). {advice}") from error
    except SLACK_ERRORS as error:
        raise StartError(f"{silent}: {error}.") from error


def web_session() -> ClientSession:
    """Make what the clients share: kept-open connections, which spare a TLS handshake for each call."""
    return ClientSession(timeout=ClientTimeout(total=CALL_TIMEOUT_SECONDS))


def web_client(token: str, api_url: str, session: ClientSession) -> AsyncWebClient:
    """Make the client for everything we ask of Slack: it waits when Slack says so."""
    client = AsyncWebClient(token=token, base_url=api_url, session=session)
    client.retry_handlers.append(_rate_limit_handler())
    return client


def slack_error(error: SlackApiError) -> str:
    """Name the error as Slack does, such as channel_not_found; an answer that is not Slack's JSON has no name."""
    data = error.response.data if isinstance(error.response, AsyncSlackResponse) else error.response
    named = isinstance(data, dict) and data.get("error")
    return str(named or "unreadable")


def error_detail(error: SlackApiError) -> str:
    """Return what Slack says beside the error's name, such as which block is invalid; empty when it says nothing."""
    data = error.response.data if isinstance(error.response, AsyncSlackResponse) else error.response
    metadata = data.get("response_metadata") if isinstance(data, dict) else None
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    return "; ".join(map(str, messages))[:500] if isinstance(messages, list) else ""


def posting_client(token: str, api_url: str, session: ClientSession) -> AsyncWebClient:
    """Make the client for posts: unless Slack says to wait, it never tries again, as what seemed to fail may stand."""
    return AsyncWebClient(token=token, base_url=api_url, session=session, retry_handlers=[_rate_limit_handler()])


def _rate_limit_handler() -> AsyncRateLimitErrorRetryHandler:
    return AsyncRateLimitErrorRetryHandler(max_retry_count=3)


async def fetch_bot_identity(client: AsyncWebClient) -> BotIdentity:
    """Ask Slack who the bot is. Raises StartError."""
    silent = f"Slack cannot be reached at {client.base_url}"
    with needed_to_start("SLACK_BOT_TOKEN", "Install the app again and copy its bot token.", silent):
        us = await client.auth_test()
        bot = await client.bots_info(bot=us["bot_id"])
    return BotIdentity(
        team=us["team_id"], user=us["user_id"], bot_id=us["bot_id"], app_id=bot["bot"]["app_id"], url=us["url"]
    )


async def check_channel(client: AsyncWebClient, channel: str) -> None:
    """Check that the bot is in the channel, before a customer is promised that people are told. Raises StartError."""
    silent = f"Slack did not tell about the channel {channel}"
    with needed_to_start(f"the channel {channel}", "Look at its id.", silent):
        found = (await client.conversations_info(channel=channel))["channel"]
    if not found.get("is_member"):
        raise StartError(f"The bot is not in the channel {channel}. Invite it there, with /invite.")
