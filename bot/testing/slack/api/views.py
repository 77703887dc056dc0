"""Modals and Home tabs, as an app opens, changes and publishes them."""

from collections.abc import Callable

from bot.testing.slack.api.arguments import Arguments, SlackError
from bot.testing.slack.api.finding import user_in
from bot.testing.slack.workspace import Workspace
from bot.testing.slack.workspace.objects import Json
from bot.testing.slack.workspace.surfaces import RefusedError
from bot.testing.slack.workspace.views import View


def _open(workspace: Workspace, arguments: Arguments) -> Json:
    """Open a modal before the one who did something less than three seconds ago."""
    trigger_id, shown = arguments.required("trigger_id"), arguments.view("modal")
    return _shown(workspace, lambda: workspace.surfaces.open(trigger_id, shown))


def _push(workspace: Workspace, arguments: Arguments) -> Json:
    """Open a modal above the one in which something was clicked."""
    trigger_id, shown = arguments.required("trigger_id"), arguments.view("modal")
    return _shown(workspace, lambda: workspace.surfaces.open(trigger_id, shown, push=True))


def _update(workspace: Workspace, arguments: Arguments) -> Json:
    """Show something else in a modal that is open."""
    view_id, shown = arguments.required("view_id"), arguments.view("modal")
    return _shown(workspace, lambda: workspace.surfaces.update(view_id, shown, arguments.get("hash")))


def _publish(workspace: Workspace, arguments: Arguments) -> Json:
    """Show a person their Home tab."""
    user, shown = user_in(workspace, arguments, "user_id"), arguments.view("home")
    return _shown(workspace, lambda: workspace.surfaces.publish(user, shown, arguments.get("hash")))


def _shown(workspace: Workspace, show: Callable[[], View]) -> Json:
    try:
        return {"view": show().as_json(workspace.app)}
    except RefusedError as error:
        raise SlackError(str(error)) from None


VIEW_METHODS: dict[str, Callable[[Workspace, Arguments], Json]] = {
    "views.open": _open,
    "views.push": _push,
    "views.update": _update,
    "views.publish": _publish,
}
