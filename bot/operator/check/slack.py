"""Slack's side of a check: tokens, scopes, events, the people who approve, the channels."""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.operator.check.finding import Finding, fatal, ok, unknown, warning
from bot.settings import Settings
from bot.slack.client import SLACK_ERRORS, slack_error, web_client, web_session
from bot.slack.intake import EVENTS, HOME, LINK_EVENTS, STOP
from bot.slack.scopes import NEEDED_TO_START, SCOPES

MAX_SHOWN = 20
_PAGE = "https://api.slack.com/apps"
_REINSTALL = "then install the app again (Install App) and copy its bot token"
_REFUSED_TOKENS = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"}
)
_NO_TOKEN = "Copy the Bot User OAuth Token from OAuth & Permissions into SLACK_BOT_TOKEN."  # noqa: S105 - says where
_NO_APP_LEVEL = "Generate one in Basic Information, App-Level Tokens, with connections:write, and set SLACK_APP_TOKEN."


async def check_slack(settings: Settings, *, http: bool, thorough: bool) -> list[Finding]:
    """Ask Slack for all that the bot needs there; a `thorough` check opens a connection as well."""
    async with web_session() as session:
        client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
        try:
            us = await client.auth_test()
        except SLACK_ERRORS as error:
            return [_no_token(error, client)]
        parts = await asyncio.gather(
            _bot(us),
            _app_token(settings, client, http=http, thorough=thorough),
            _scopes(us),
            _events(settings, client, us),
            _approvers(settings, client),
            _next_group(settings, client),
            _staff(settings, client),
            _channels(settings, client),
        )
    return [finding for part in parts for finding in part]


def _no_token(error: Exception, client: AsyncWebClient) -> Finding:
    if not isinstance(error, SlackApiError):
        return warning(
            "Slack", f"Slack cannot be reached at {client.base_url}: {_name(error)}.", "Look at the network."
        )
    name = slack_error(error)
    if name in _REFUSED_TOKENS:
        return fatal("bot token", f"Slack refuses SLACK_BOT_TOKEN: {name}.", _NO_TOKEN)
    return warning("bot token", f"Slack did not check SLACK_BOT_TOKEN: {name}.", "Try again in a moment.")


async def _bot(us: Any) -> list[Finding]:
    where = f"{us['user']} ({us['user_id']}) in {us['team']} ({us['team_id']}), {us['url']}"
    if not us.get("bot_id"):
        return [fatal("bot token", f"SLACK_BOT_TOKEN is not a bot's but that of {where}.", _NO_TOKEN)]
    if us.get("is_enterprise_install"):
        return [warning("bot token", f"Valid, but of a whole organisation: {where}.", "One workspace is served.")]
    return [ok("bot token", f"{where}")]


async def _app_token(settings: Settings, client: AsyncWebClient, *, http: bool, thorough: bool) -> list[Finding]:
    if http:
        known = settings.slack_signing_secret is not None
        return [
            ok("signing secret", "It is set; whether it is right shows when Slack sends the first event.")
            if known
            else fatal("signing secret", "SLACK_SIGNING_SECRET is not set.", "It is under Basic Information.")
        ]
    if settings.slack_app_token is None:
        return [fatal("app token", "SLACK_APP_TOKEN is not set.", _NO_APP_LEVEL)]
    if not thorough:
        return []
    try:
        await client.apps_connections_open(app_token=settings.slack_app_token.get_secret_value())
    except SlackApiError as error:
        name = slack_error(error)
        return [fatal("app token", f"Slack refuses SLACK_APP_TOKEN: {name}.", _NO_APP_LEVEL)]
    except SLACK_ERRORS as error:
        return [warning("app token", f"Slack did not check SLACK_APP_TOKEN: {_name(error)}.")]
    return [ok("app token", "Socket Mode can be opened.")]


async def _scopes(us: Any) -> list[Finding]:
    headers = {str(key).lower(): value for key, value in us.headers.items()}
    if "x-oauth-scopes" not in headers:
        return [warning("scopes", "Slack did not tell which scopes the token has.")]
    given = {scope.strip() for scope in headers["x-oauth-scopes"].split(",") if scope.strip()}
    missing = [scope for scope in SCOPES if scope not in given]
    if not missing:
        return [ok("scopes", f"All {len(SCOPES)} of manifest.yml.")]
    return [
        (fatal if scope in NEEDED_TO_START else warning)(
            "scopes",
            f"{scope} is missing, by which the bot {SCOPES[scope]}.",
            f"Add it at {_PAGE}, OAuth & Permissions, Bot Token Scopes, {_REINSTALL}.",
        )
        for scope in missing
    ]


async def _events(settings: Settings, client: AsyncWebClient, us: Any) -> list[Finding]:
    """Compare the events that the app is subscribed to, which Slack tells only for a token of its configuration."""
    if settings.slack_config_token is None:
        return [
            unknown(
                "events",
                f"Slack tells them for SLACK_CONFIG_TOKEN only. Needed: {', '.join(EVENTS)} "
                f"({_PAGE}, Event Subscriptions, Subscribe to bot events).",
            )
        ]
    token = settings.slack_config_token.get_secret_value()
    try:
        app_id = (await client.bots_info(bot=us["bot_id"]))["bot"]["app_id"]
        manifest = (await client.apps_manifest_export(app_id=app_id, token=token))["manifest"]
    except SLACK_ERRORS as error:
        return [
            warning("events", f"Slack did not tell the app's events: {_name(error)}.", "Is SLACK_CONFIG_TOKEN old?")
        ]
    told = manifest.get("settings") or {}
    subscribed = (told.get("event_subscriptions") or {}).get("bot_events") or []
    findings = [
        (warning if event in (HOME, STOP, *LINK_EVENTS) else fatal)(
            "events",
            f"{event} is missing, so the bot does not hear of it.",
            f"Add it at {_PAGE}, Event Subscriptions, Subscribe to bot events, and save.",
        )
        for event in EVENTS
        if event not in subscribed
    ]
    host = urlsplit(settings.order_links or "").hostname or ""
    domains = (manifest.get("features") or {}).get("unfurl_domains") or []
    if host and not any(host == one or host.endswith(f".{one}") for one in domains):
        findings.append(
            warning(
                "events",
                f"{host} is no unfurl domain, so links to orders stay as they are.",
                f"Add it at {_PAGE}, Event Subscriptions, App unfurl domains, and save.",
            )
        )
    if not (told.get("interactivity") or {}).get("is_enabled"):
        findings.append(
            fatal("events", "Interactivity is off, so no button works.", f"Switch it on at {_PAGE}, Interactivity.")
        )
    return findings or [ok("events", f"All {len(EVENTS)} of manifest.yml, and interactivity.")]


async def _approvers(settings: Settings, client: AsyncWebClient) -> list[Finding]:
    if settings.approvers:
        found = await _people("approvers", settings.approvers, client, "BOT_APPROVERS", nobody=fatal)
        return found + await _one_alone(settings, client)
    try:
        names = [
            str(user.get("real_name") or user["name"])
            async for page in await client.users_list(limit=200)
            for user in page["members"]
            if (user.get("is_admin") or user.get("is_owner")) and not user.get("deleted") and not user.get("is_bot")
        ]
    except SLACK_ERRORS as error:
        return [warning("approvers", f"Slack did not tell the workspace's admins: {_name(error)}.")]
    if not names:
        return [fatal("approvers", "The workspace has no admin, so nobody may approve.", "Set BOT_APPROVERS.")]
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004 - a line
    return [ok("approvers", f"The workspace's admins and owners, as BOT_APPROVERS is not set: {shown}.")]


async def _one_alone(settings: Settings, client: AsyncWebClient) -> list[Finding]:
    """Say when something needs two approvers and there is one."""
    if not (settings.second_approver_over or settings.refunds_per_day):
        return []
    ids = (*settings.approvers, *settings.escalate_approvers)
    resolved = await asyncio.gather(*(_resolve(client, one) for one in ids))
    if len({name for names, _ in resolved for name in names}) != 1 or any(wrong for _, wrong in resolved):
        return []
    return [
        warning("approvers", "Something needs two approvers, and there is one.", "Name another one in BOT_APPROVERS.")
    ]


async def _next_group(settings: Settings, client: AsyncWebClient) -> list[Finding]:
    ids = settings.escalate_approvers
    return await _people("next approvers", ids, client, "BOT_ESCALATE_APPROVERS", nobody=fatal) if ids else []


async def _staff(settings: Settings, client: AsyncWebClient) -> list[Finding]:
    return await _people("staff", settings.staff, client, "BOT_STAFF", nobody=warning) if settings.staff else []


async def _people(
    about: str, ids: Sequence[str], client: AsyncWebClient, variable: str, *, nobody: Any
) -> list[Finding]:
    """Say who is meant by ids of people and groups, and which mean nobody."""
    resolved = await asyncio.gather(*(_resolve(client, one) for one in ids))
    names = [name for found, _ in resolved for name in found]
    wrong = [text for _, text in resolved if text]
    unsure = [text for text in wrong if text.startswith("Slack did not tell")]
    advice = f"Correct {variable} (in a person's profile: \u22ee, Copy member ID)."
    bad = nobody if not names and not unsure else warning
    findings = [bad(about, text, "" if text in unsure else advice) for text in wrong]
    return ([ok(about, ", ".join(dict.fromkeys(names)) + ".")] if names else []) + findings


async def _resolve(client: AsyncWebClient, one: str) -> tuple[list[str], str]:
    """Return the names of those that an id means, or a sentence that says why it means nobody."""
    try:
        if one.startswith("S"):
            users = (await client.usergroups_users_list(usergroup=one))["users"]
            found = await asyncio.gather(*(_resolve(client, user) for user in users[:MAX_SHOWN]))
            names = [name for some, _ in found for name in some]
            return names, "" if names else f"The group {one} has no members."
        user = (await client.users_info(user=one))["user"]
    except SlackApiError as error:
        name = slack_error(error)
        if name in ("user_not_found", "no_such_subteam", "subteam_not_found", "user_not_visible"):
            return [], f"Slack knows nobody with the id {one} ({name})."
        return [], f"Slack did not tell who {one} is: {name}{_needed(error)}."
    except SLACK_ERRORS as error:
        return [], f"Slack did not tell who {one} is: {_name(error)}."
    called = f"{user.get('real_name') or user.get('name')} ({one})"
    state = "deactivated" if user.get("deleted") else "a bot" if user.get("is_bot") else None
    return ([], f"{called} is {state}.") if state else ([called], "")


async def _channels(settings: Settings, client: AsyncWebClient) -> list[Finding]:
    wanted = {
        "BOT_APPROVAL_CHANNEL": settings.approval_channel,
        "BOT_ESCALATION_CHANNEL": settings.escalation_channel,
    }
    asked = [_channel(client, variable, channel) for variable, channel in wanted.items() if channel]
    return list(await asyncio.gather(*asked))


async def _channel(client: AsyncWebClient, variable: str, channel: str) -> Finding:
    about = "channel"
    try:
        found = (await client.conversations_info(channel=channel))["channel"]
    except SlackApiError as error:
        name = slack_error(error)
        if name == "channel_not_found":
            advice = f"Correct {variable} (in the channel: its name, at the bottom of About), or invite the bot there."
            return fatal(about, f"{variable}: Slack shows the bot no channel {channel}.", advice)
        return warning(about, f"{variable}: Slack did not tell about {channel}: {name}{_needed(error)}.")
    except SLACK_ERRORS as error:
        return warning(about, f"{variable}: Slack did not tell about {channel}: {_name(error)}.")
    called = f"#{found.get('name', channel)}"
    if found.get("is_archived"):
        return fatal(about, f"{variable}: {called} is archived.", "Choose another.")
    if not found.get("is_member"):
        return fatal(about, f"{variable}: the bot is not in {called}.", "Invite it there, with /invite.")
    return ok(about, f"{variable} is {called}, and the bot is in it.")


def _needed(error: SlackApiError) -> str:
    """Return which scope Slack says that is needed."""
    needed = error.response.get("needed") if slack_error(error) == "missing_scope" else None
    return f", it needs the scope {needed}" if needed else ""


def _name(error: Exception) -> str:
    return slack_error(error) if isinstance(error, SlackApiError) else str(error) or type(error).__name__
