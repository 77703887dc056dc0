"""The manifest that operators paste into Slack asks for what the code uses, and for nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.desk import COMMANDS, SHORTCUT
from bot.slack.intake import EVENTS
from bot.slack.scopes import NEEDED_TO_START, SCOPES
from bot.testing.slack.workspace import Workspace

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT.parent / "shared" / "schemas" / "manifest.schema.json"

SCOPES_OF_EVENTS: dict[str, set[str]] = {
    "agent_session_stopped": {"chat:write"},
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "entity_details_requested": set(),
    "link_shared": {"links:read"},
    "message.channels": {"channels:history"},
    "message.groups": {"groups:history"},
    "message.im": {"im:history"},
    "message.mpim": {"mpim:history"},
}
SCOPES_OF_METHODS: dict[str, set[str]] = {
    "apps_connections_open": set(),  # the app-level token's
    "apps_manifest_export": set(),  # the configuration token's
    "agents_sessions_setStatus": {"chat:write"},
    "assistant_threads_setStatus": {"chat:write"},
    "assistant_threads_setSuggestedPrompts": {"assistant:write"},
    "auth_test": set(),
    "bots_info": {"users:read"},
    "chat_appendStream": {"chat:write"},
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_unfurl": {"links:write"},
    "chat_startStream": {"chat:write"},
    "chat_stopStream": {"chat:write"},
    "chat_delete": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": {"channels:history", "groups:history", "im:history", "mpim:history"},
    "conversations_info": {"channels:read", "groups:read", "im:read", "mpim:read"},
    "conversations_members": {"channels:read", "groups:read", "im:read", "mpim:read"},
    "conversations_open": {"im:write"},
    "conversations_replies": {"channels:history", "groups:history", "im:history", "mpim:history"},
    "entity_presentDetails": set(),
    "files_info": {"files:read"},
    "usergroups_users_list": {"usergroups:read"},
    "users_info": {"users:read", "users:read.email"},
    "users_list": {"users:read"},
    "views_open": set(),
    "views_publish": set(),
    "views_update": set(),
}
SCOPES_OF_FEATURES = {"agent_view": {"assistant:write"}, "slash_commands": {"commands"}, "shortcuts": {"commands"}}
SCOPES_OF_FILES = {"files:read"}  # pictures are fetched from their address, and shown on cards by their id


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """Read the manifest."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8"))
    return loaded


def methods_in_code() -> set[str]:
    """Find the Web API methods that the bot calls, wherever it holds a client."""
    sources = [path for path in (ROOT / "bot").rglob("*.py") if "demo" not in path.parts]
    code = "".join(path.read_text("utf-8") for path in sources)
    called = re.findall(r"client\.([a-z]+_[a-zA-Z_]+)\(", code)
    return {name for name in called if hasattr(AsyncWebClient, name)}


def test_events_are_those_that_the_intake_reads(manifest: dict[str, Any]) -> None:
    """The app is subscribed to what the intake reads, no more and no less."""
    assert sorted(manifest["settings"]["event_subscriptions"]["bot_events"]) == sorted(EVENTS)


def test_scopes_are_those_that_the_code_needs(manifest: dict[str, Any]) -> None:
    """Each scope is there because an event, a method or a feature needs it, and none is missing."""
    assert methods_in_code() == set(SCOPES_OF_METHODS)
    needed = set().union(
        *(SCOPES_OF_EVENTS[event] for event in EVENTS),
        *SCOPES_OF_METHODS.values(),
        SCOPES_OF_FILES,
        *(scopes for feature, scopes in SCOPES_OF_FEATURES.items() if feature in manifest["features"]),
    )
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed


def test_the_check_knows_the_scopes_of_the_manifest(manifest: dict[str, Any]) -> None:
    """What `support-bot check` looks for is what the manifest asks for."""
    assert sorted(SCOPES) == sorted(manifest["oauth_config"]["scopes"]["bot"])
    assert set(SCOPES) >= NEEDED_TO_START


def test_buttons_work(manifest: dict[str, Any]) -> None:
    """Interactivity and the Messages tab are on; Socket Mode needs no addresses."""
    assert manifest["settings"]["interactivity"] == {"is_enabled": True}
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert manifest["features"]["app_home"]["messages_tab_enabled"] is True
    assert manifest["features"]["app_home"]["home_tab_enabled"] is True
    assert "assistant_view" not in manifest["features"]


def test_commands_and_shortcuts_are_those_that_the_code_takes(manifest: dict[str, Any]) -> None:
    """Each command and shortcut that the manifest offers is taken, and none else is."""
    features = manifest["features"]
    assert sorted(one["command"] for one in features["slash_commands"]) == sorted(COMMANDS)
    assert [one["callback_id"] for one in features["shortcuts"]] == [SHORTCUT]
    workspace = Workspace()
    assert workspace.surfaces.commands == set(COMMANDS)
    assert workspace.surfaces.shortcuts == {one["callback_id"]: one["name"] for one in features["shortcuts"]}
    assert workspace.links.domains == set(features["unfurl_domains"])


def test_texts_fit(manifest: dict[str, Any]) -> None:
    """Names and descriptions keep to Slack's lengths."""
    display = manifest["display_information"]
    assert len(display["name"]) <= 35
    assert len(display["description"]) <= 140
    assert len(manifest["features"]["agent_view"]["agent_description"]) <= 300
    assert len(manifest["features"]["agent_view"]["suggested_prompts"]) <= 4
    assert all(len(one["description"]) <= 2000 for one in manifest["features"]["slash_commands"])
    assert all(len(one["name"]) <= 24 for one in manifest["features"]["shortcuts"])


@pytest.mark.skipif(not SCHEMA.exists(), reason="Slack's manifest schema is not beside this checkout")
def test_fits_slacks_schema(manifest: dict[str, Any]) -> None:
    """The manifest is valid by Slack's own schema."""
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(manifest)
