"""A modal or a Home tab as a person has it before them, and what they fill in."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.testing.slack.workspace.objects import Json
from bot.testing.slack.workspace.payloads import App


@dataclass(frozen=True, slots=True)
class View:
    """A modal or a Home tab as one person has it before them; `shown` is what the app gave, `errors` what it minds."""

    id: str
    user: str
    shown: Json
    hash: str
    previous: str | None = None
    errors: Json = field(default_factory=dict)
    closed: bool = False

    @property
    def kind(self) -> str:
        """Say whether it is a `modal` or a `home`."""
        return str(self.shown["type"])

    @property
    def blocks(self) -> tuple[Json, ...]:
        """List its blocks."""
        return tuple(self.shown["blocks"])

    def as_json(self, app: App, values: Mapping[str, Any] | None = None) -> Json:
        """Write the view object, with what was filled in."""
        return {
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            **self.shown,
            "id": self.id,
            "team_id": app.team_id,
            "app_id": app.app_id,
            "bot_id": f"B{app.user_id[1:]}",
            "hash": self.hash,
            "state": {"values": dict(values or {})},
            "root_view_id": self.previous or self.id,
            "previous_view_id": self.previous,
        }


def with_ids(shown: Json) -> Json:
    """Name the blocks that the app has not named."""
    return shown | {"blocks": [{"block_id": secrets.token_urlsafe(4)} | block for block in shown["blocks"]]}


def new_hash() -> str:
    """Make what tells one state of a view from another."""
    return secrets.token_hex(8)


def state_of(blocks: tuple[Json, ...], values: Mapping[str, Any]) -> tuple[Json, Json]:
    """Write what was filled in as Slack does, and which fields must be and are not.

    A field that nobody has touched is as the app has filled it in.
    """
    state: Json = {}
    missing: Json = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        value = values.get(element["action_id"], _initial(element))
        if value in (None, "", []) and not block.get("optional"):
            missing[block["block_id"]] = "Please complete this required field."
        if isinstance(value, str) and len(value) > element.get("max_length", 3000):
            missing[block["block_id"]] = f"Please enter no more than {element.get('max_length', 3000)} characters."
        state[block["block_id"]] = {element["action_id"]: _filled(element, value)}
    return state, missing


def _initial(element: Json) -> Any:
    """Read what the app has filled in."""
    if "initial_options" in element:
        return [option["value"] for option in element["initial_options"]]
    return element.get("initial_option", {}).get("value", element.get("initial_value"))


def _filled(element: Json, value: Any) -> Json:
    options = {option["value"]: option for option in element.get("options", ())}
    match element["type"]:
        case "checkboxes" | "multi_static_select":
            return {"type": element["type"], "selected_options": [options[one] for one in value or ()]}
        case "static_select" | "radio_buttons":
            return {"type": element["type"], "selected_option": options[value] if value else None}
        case "file_input":
            return {"type": element["type"], "files": list(value or ())}
        case _:
            return {"type": element["type"], "value": value or None}
