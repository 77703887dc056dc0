"""Modals, Home tabs, commands and shortcuts of the workspace: as Slack has them, and refused as Slack refuses."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.testing.slack.block_kit import view_problems
from bot.testing.slack.workspace import Json, Workspace

ANA, BEN, SUPPORT = "U0ANA", "U0BEN", "C0SUPPORT"
TEXT = {"type": "plain_text", "text": "Words"}
SECTION = {"type": "section", "text": TEXT}
FIELD = {"type": "plain_text_input", "action_id": "note", "max_length": 5}
INPUT = {"type": "input", "block_id": "note", "label": TEXT, "element": FIELD}
BUTTON = {"type": "button", "action_id": "press", "text": TEXT, "value": "1"}
MODAL: Json = {"type": "modal", "title": TEXT, "submit": TEXT, "callback_id": "form", "blocks": [SECTION, INPUT]}
HOME: Json = {"type": "home", "blocks": [SECTION, {"type": "actions", "elements": [BUTTON]}]}


async def refusal(client: AsyncWebClient, method: str, **arguments: Any) -> str:
    """Call a method that is refused, and return Slack's error."""
    with pytest.raises(SlackApiError) as caught:
        await client.api_call(method, json=arguments)
    return str(caught.value.response["error"])


async def opened(client: AsyncWebClient, workspace: Workspace, view: Json = MODAL) -> str:
    """Open a modal before Ana and return its id."""
    answer = await client.views_open(trigger_id=workspace.surfaces.reply(ANA).trigger_id, view=view)
    return str(answer["view"]["id"])


async def test_trigger(client: AsyncWebClient, workspace: Workspace) -> None:
    """A modal opens before who did something, once for it, and within three seconds."""
    trigger_id = workspace.surfaces.reply(ANA).trigger_id
    answer = await client.views_open(trigger_id=trigger_id, view=MODAL)
    shown = workspace.surfaces.modal(ANA)
    assert shown
    assert shown.id == answer["view"]["id"]
    assert await refusal(client, "views.open", trigger_id=trigger_id, view=MODAL) == "exchanged_trigger_id"
    assert await refusal(client, "views.open", trigger_id="1.2.3", view=MODAL) == "invalid_trigger_id"
    workspace.surfaces.trigger_seconds = -1
    late = workspace.surfaces.reply(ANA).trigger_id
    assert await refusal(client, "views.open", trigger_id=late, view=MODAL) == "expired_trigger_id"


async def test_update_and_publish(client: AsyncWebClient, workspace: Workspace) -> None:
    """A modal that is open can be changed, and a Home tab published, unless they are not what the app thinks."""
    view_id = await opened(client, workspace)
    answer = await client.views_update(view_id=view_id, view=MODAL | {"blocks": [SECTION, INPUT, SECTION]})
    assert len(workspace.surfaces.views[view_id].blocks) == 3
    assert await refusal(client, "views.update", view_id=view_id, hash="old", view=MODAL) == "hash_conflict"
    await client.views_update(view_id=view_id, hash=answer["view"]["hash"], view=MODAL)
    workspace.surfaces.close(view_id)
    assert await refusal(client, "views.update", view_id=view_id, view=MODAL) == "not_found"
    first = await client.views_publish(user_id=ANA, view=HOME)
    again = await client.views_publish(user_id=ANA, view=HOME)
    assert first["view"]["id"] == again["view"]["id"]
    assert await refusal(client, "views.publish", user_id=ANA, hash="old", view=HOME) == "hash_conflict"
    assert await refusal(client, "views.publish", user_id="U0NOBODY", view=HOME) == "user_not_found"


async def test_modal_above_another(client: AsyncWebClient, workspace: Workspace) -> None:
    """A modal can be pushed above one that is open, and closing it shows that one again."""
    below = await opened(client, workspace)
    trigger_id = workspace.surfaces.reply(ANA).trigger_id
    pushed = await client.views_push(trigger_id=trigger_id, view=MODAL)
    assert pushed["view"]["previous_view_id"] == below
    workspace.surfaces.close(pushed["view"]["id"])
    shown = workspace.surfaces.modal(ANA)
    assert shown
    assert shown.id == below


@pytest.mark.parametrize(
    ("kind", "view"),
    [
        ("modal", MODAL | {"title": {"type": "plain_text", "text": "x" * 25}}),
        ("modal", MODAL | {"title": {"type": "mrkdwn", "text": "Words"}}),
        ("modal", {name: value for name, value in MODAL.items() if name != "title"}),
        ("modal", {name: value for name, value in MODAL.items() if name != "submit"}),
        ("modal", MODAL | {"private_metadata": "x" * 3001}),
        ("modal", MODAL | {"callback_id": "x" * 256}),
        ("modal", MODAL | {"blocks": [SECTION] * 101}),
        ("modal", MODAL | {"blocks": [{"type": "markdown", "text": "Words"}]}),
        ("modal", MODAL | {"unknown": True}),
        ("modal", HOME),
        ("home", MODAL),
        ("home", HOME | {"title": TEXT}),
        ("home", HOME | {"blocks": [SECTION] * 101}),
        ("home", HOME | {"blocks": [{"type": "table", "rows": []}]}),
        ("home", HOME | {"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}),
        ("home", None),
    ],
)
async def test_views_that_are_refused(
    client: AsyncWebClient, workspace: Workspace, kind: str, view: Json | None
) -> None:
    """A view that Slack would not take is refused, and nothing is shown."""
    assert view_problems(view, kind)
    if kind == "home":
        assert await refusal(client, "views.publish", user_id=ANA, view=view) == "invalid_arguments"
    else:
        trigger_id = workspace.surfaces.reply(ANA).trigger_id
        assert await refusal(client, "views.open", trigger_id=trigger_id, view=view) == "invalid_arguments"
    assert workspace.surfaces.views == {}


async def test_filling_in(client: AsyncWebClient, workspace: Workspace) -> None:
    """What is filled in reaches the app; what must be and is not, or is too long, does not."""
    view_id = await opened(client, workspace)
    answers: list[Json | bool] = [False, {"response_action": "errors", "errors": {"note": "No."}}, True]
    seen: list[Json] = []

    async def deliver(_kind: str, payload: Json) -> Json | bool:
        seen.append(payload)
        return answers.pop(0)

    workspace.deliveries.deliver = deliver
    surfaces = workspace.surfaces
    assert not await surfaces.submit(ANA, view_id, {})
    assert not await surfaces.submit(ANA, view_id, {"note": "too long"})
    assert seen == []
    for errors in ({"": "We had some trouble connecting. Try again?"}, {"note": "No."}):
        assert not await surfaces.submit(ANA, view_id, {"note": "short"})
        assert surfaces.views[view_id].errors == errors
    assert await surfaces.submit(ANA, view_id, {"note": "short"})
    assert surfaces.views == {}
    values = seen[-1]["view"]["state"]["values"]
    assert values == {"note": {"note": {"type": "plain_text_input", "value": "short"}}}
    assert seen[-1]["type"] == "view_submission"


async def test_commands_and_shortcuts(workspace: Workspace) -> None:
    """A command or a shortcut that the app does not have is not even sent."""
    message = await workspace.say(BEN, SUPPORT, "hello")
    with pytest.raises(LookupError, match="not a valid command"):
        await workspace.surfaces.command(ANA, SUPPORT, "/refund")
    with pytest.raises(LookupError, match="no shortcut"):
        await workspace.surfaces.shortcut(ANA, SUPPORT, message.ts, "another")
    home = workspace.surfaces.publish(ANA, HOME, None)
    with pytest.raises(LookupError, match="no action"):
        await workspace.surfaces.click(ANA, home.id, "another")
    assert [delivery.kind for delivery in workspace.deliveries] == ["events_api"]


async def test_response_url(client: AsyncWebClient, workspace: Workspace) -> None:
    """What is posted to a response_url is for who asked alone, five times; blocks that Slack refuses are not shown."""
    await client.auth_test()
    url = workspace.surfaces.reply(ANA, SUPPORT).url
    async with aiohttp.ClientSession() as session:

        async def post(said: Json) -> int:
            async with session.post(url, json=said) as response:
                return response.status

        assert await post({"text": "x", "blocks": [{"type": "nothing"}]}) == 404
        assert [await post({"text": f"Number {number}"}) for number in range(6)] == [200] * 5 + [404]
        async with session.post(f"{url}x", json={"text": "x"}) as response:
            assert response.status == 404
    assert [message.text for message in workspace.messages] == [f"Number {number}" for number in range(5)]
    assert {message.ephemeral_for for message in workspace.messages} == {ANA}
