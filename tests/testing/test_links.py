"""Links that the app unfurls: told once a message, shown below it, and refused as Slack refuses."""

import copy
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.testing.slack.block_kit.entities import entity_problems
from bot.testing.slack.workspace import Json, Message, Workspace, entities_of

URL = "https://shop.example.com/orders/1"
FIELD: Json = {"key": "status", "label": "Status", "type": "string", "value": "Paid"}
DETAILS: Json = {
    "entity_type": "slack#/entities/item",
    "url": URL,
    "external_ref": {"id": "1", "type": "order"},
    "entity_payload": {"attributes": {"title": {"text": "Order 1"}}, "custom_fields": [FIELD]},
}
BELOW = DETAILS | {"app_unfurl_url": URL}


async def shared(workspace: Workspace, text: str = f"<{URL}>") -> tuple[Message, Json]:
    """Share a link as Ana; return the message and what the app is told."""
    message = await workspace.say("U0ANA", "C0SUPPORT", text)
    events = [delivery.payload["event"] for delivery in workspace.deliveries]
    return message, next(event for event in events if event["type"] == "link_shared")


async def refusal(client: AsyncWebClient, method: str, **arguments: Any) -> str:
    """Call a method that is refused, and return Slack's error."""
    with pytest.raises(SlackApiError) as caught:
        await client.api_call(method, json=arguments)
    return str(caught.value.response["error"])


async def test_unfurl(client: AsyncWebClient, workspace: Workspace) -> None:
    """A Work Object is shown below its link, by either name of the message, and below no other."""
    message, event = await shared(workspace, f"<{URL}> and <https://else.example/1>.")
    assert event["links"] == [{"domain": "shop.example.com", "url": URL}]
    named = {"unfurl_id": event["unfurl_id"], "source": event["source"]}
    placed = {"channel": message.channel, "ts": message.ts}
    for where in (named, placed):
        await client.chat_unfurl(**where, metadata={"entities": [BELOW]})
    assert entities_of(workspace.message(message.channel, message.ts)) == [BELOW, BELOW]
    other = {"entities": [BELOW | {"app_unfurl_url": "https://else.example/1"}]}
    assert await refusal(client, "chat.unfurl", **named, metadata=other) == "cannot_unfurl_url"
    assert await refusal(client, "chat.unfurl", **named, metadata={"entities": [DETAILS]}) == "invalid_metadata"
    assert await refusal(client, "chat.unfurl", **named, metadata={}) == "missing_unfurls"
    assert await refusal(client, "chat.unfurl", channel="C0SUPPORT", ts="1.000001", metadata={"entities": [BELOW]}) == (
        "cannot_find_message"
    )


async def test_details(client: AsyncWebClient, workspace: Workspace) -> None:
    """Details are for who opened them, once, in time, and of what they opened."""
    message, _ = await shared(workspace)
    await client.chat_unfurl(channel=message.channel, ts=message.ts, metadata={"entities": [BELOW]})

    async def asked(person: str) -> str:
        await workspace.links.open(person, message.channel, message.ts, URL)
        return str(workspace.deliveries[-1].payload["event"]["trigger_id"])

    trigger_id = await asked("U0BEN")
    other = DETAILS | {"external_ref": {"id": "2", "type": "order"}}
    mismatch = await refusal(client, "entity.presentDetails", trigger_id=trigger_id, metadata=other)
    assert mismatch == "entity_metadata_does_not_match_trigger"
    trigger_id = await asked("U0BEN")
    await client.entity_presentDetails(trigger_id=trigger_id, metadata=DETAILS)
    assert workspace.links.details["U0BEN"].entity == DETAILS
    assert "U0ANA" not in workspace.links.details
    again = await refusal(client, "entity.presentDetails", trigger_id=trigger_id, metadata=DETAILS)
    assert again == "exchanged_trigger_id"
    wrong = {"status": "restricted", "custom_message": "No."}
    refused = await refusal(client, "entity.presentDetails", trigger_id=await asked("U0ANA"), error=wrong)
    assert refused == "invalid_metadata"
    workspace.links.close("U0BEN")
    assert "U0BEN" not in workspace.links.details


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"type": "text"}, "unsupported type: text"),
        ({"value": ""}, "must be more than 0 characters"),
        ({"type": "slack#/types/date"}, "must match"),
        ({"tag_color": "pink"}, "must be one of"),
        ({"format": "markdown", "link": URL}, "format goes not with"),
        ({"colour": "red"}, "invalid additional property"),
        ({"type": "array", "value": [{"value": "1"}]}, "item_type belongs to an array"),
    ],
)
def test_fields(changes: Json, words: str) -> None:
    """A field of a Work Object that Slack would not show is refused, with its place."""
    entity = copy.deepcopy(DETAILS)
    assert entity_problems(entity, below_link=False) == []
    entity["entity_payload"]["custom_fields"][0] |= changes
    [fault] = entity_problems(entity, below_link=False)
    assert words in fault
