"""What Bolt calls for a press of a button."""

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.approvals import Approvals, Click
from bot.blocks import APPROVE, CANCEL
from bot.slack.delivery import Delivery
from bot.slack.intake import Ourselves


def register(app: AsyncApp, ourselves: Ourselves, approvals: Approvals, delivery: Delivery) -> None:
    """Bind Approve and Cancel to the gate; whoever gets words back hears them alone."""

    async def approve(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        if click := _click(body, ourselves):
            await _answer(body, await approvals.approve(click), delivery)

    async def cancel(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        if click := _click(body, ourselves):
            await _answer(body, await approvals.cancel(click), delivery)

    app.action(APPROVE)(approve)
    app.action(CANCEL)(cancel)


def _click(body: dict[str, Any], ourselves: Ourselves) -> Click | None:
    """Read a click on a message of our own app; anything else is no click to us."""
    container = body.get("container", {})
    if body.get("api_app_id") != ourselves.app_id or not container.get("channel_id"):
        return None
    team = (body.get("team") or {}).get("id", "")
    return Click(
        call_id=str(body["actions"][0].get("value") or ""),
        user=body["user"]["id"],
        user_team=body["user"].get("team_id") or team,
        team=team,
        channel=container["channel_id"],
        message_ts=container.get("message_ts", ""),
    )


async def _answer(body: dict[str, Any], words: str | None, delivery: Delivery) -> None:
    if words:
        container = body["container"]
        await delivery.whisper(container["channel_id"], body["user"]["id"], container.get("thread_ts"), words)
