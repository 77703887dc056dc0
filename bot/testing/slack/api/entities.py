"""The methods of Slack's Web API for Work Objects: what is shown below a link, and its details for one person."""

from bot.testing.slack.api.arguments import Arguments, SlackError
from bot.testing.slack.block_kit.entities import entity_problems, error_problems
from bot.testing.slack.workspace import Workspace
from bot.testing.slack.workspace.objects import Json
from bot.testing.slack.workspace.surfaces import RefusedError


def chat_unfurl(workspace: Workspace, arguments: Arguments) -> Json:
    """Show Work Objects below the links of a message."""
    metadata = arguments.object("metadata")
    entities = metadata.get("entities")
    if not isinstance(entities, list) or not entities:
        raise SlackError("missing_unfurls")
    for entity in entities:
        _check(entity_problems(entity, below_link=True))
    if arguments.get("unfurl_id"):
        arguments.required("source")
        where = (arguments.required("unfurl_id"), "", "")
    else:
        where = ("", arguments.required("channel"), arguments.required("ts"))
    try:
        workspace.links.unfurl(*where, entities)
    except RefusedError as error:
        raise SlackError(str(error)) from None
    return {}


def present_details(workspace: Workspace, arguments: Arguments) -> Json:
    """Show the details of a Work Object to who has opened it, or an error in their place."""
    trigger_id = arguments.required("trigger_id")
    entity, error = arguments.object("metadata"), arguments.object("error")
    if bool(entity) == bool(error):
        raise SlackError("invalid_arguments")
    _check(error_problems(error) if error else entity_problems(entity, below_link=False))
    try:
        workspace.links.present(trigger_id, entity or None, error or None)
    except RefusedError as refusal:
        raise SlackError(str(refusal)) from None
    return {}


def _check(problems: list[str]) -> None:
    if problems:
        messages = [f"[ERROR] {problem}" for problem in problems]
        raise SlackError("invalid_metadata", response_metadata={"messages": messages})


ENTITY_METHODS = {"chat.unfurl": chat_unfurl, "entity.presentDetails": present_details}
