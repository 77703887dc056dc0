"""What Slack accepts as a view: a modal or a Home tab."""

import json
from collections.abc import Iterator
from typing import Any

from bot.testing.slack.block_kit.blocks import problems
from bot.testing.slack.block_kit.shape import Check, boolean, one_of, problem, shape, string, typed

VIEW_BYTES = 250_000
_LABEL = typed({"plain_text": shape({"text": string(24)}, emoji=boolean)})
_COMMON: dict[str, Check] = {
    "private_metadata": string(3000, least=0),
    "callback_id": string(255, least=0),
    "external_id": string(255, least=0),
}


def _anything(_value: Any, _place: str) -> Iterator[str]:
    return iter(())


_MODAL = shape(
    {"type": one_of("modal"), "title": _LABEL, "blocks": _anything},
    submit=_LABEL,
    close=_LABEL,
    clear_on_close=boolean,
    notify_on_close=boolean,
    submit_disabled=boolean,
    **_COMMON,
)
_HOME = shape({"type": one_of("home"), "blocks": _anything}, **_COMMON)


def view_problems(view: Any, kind: str) -> list[str]:
    """List what Slack would refuse about a view of the kind `modal` or `home`; none means that it is fine."""
    found = list((_MODAL if kind == "modal" else _HOME)(view, "/view"))
    if found:
        return found
    found = problems(view["blocks"], "modal" if kind == "modal" else "home")
    if any(block.get("type") == "input" for block in view["blocks"]) and kind == "modal" and "submit" not in view:
        found.append(problem("missing required field: submit", "/view"))
    if len(json.dumps(view)) > VIEW_BYTES:
        found.append(problem(f"must be less than {VIEW_BYTES + 1} bytes", "/view"))
    return found
