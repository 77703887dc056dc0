"""Modals: opened at once, for Slack waits three seconds, and acked when what was filled in is kept."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.approvals.decline import FormError
from bot.blocks.forms import Field, View, words
from bot.blocks.text import escape
from bot.desk.orders import BROKEN, DeskError
from bot.slack.client import SLACK_ERRORS, failure

logger = logging.getLogger(__name__)

KEEP_SECONDS = 2.5  # Slack waits for three
ONE_MOMENT = "One moment…"
NOT_KEPT = "This took too long, so nothing was asked for. Please try again."


async def present(
    client: AsyncWebClient, body: dict[str, Any], title: str, make: Callable[[], Awaitable[View]]
) -> None:
    """Open a modal at once, and show in it what was made."""
    opened = body.get("view") or {}
    try:
        if opened.get("type") == "modal":
            view_id = opened["id"]
        else:
            answer = await client.views_open(trigger_id=body["trigger_id"], view=dict(words(title, ONE_MOMENT)))
            view_id = answer["view"]["id"]
        await client.views_update(view_id=view_id, view=dict(await _made(title, make)))
    except SLACK_ERRORS as error:  # it was closed meanwhile, or the click came too late
        logger.info("no modal: %s", failure(error))


async def submit(ack: AsyncAck, body: dict[str, Any], field: Field, do: Callable[[], Awaitable[View]]) -> bool:
    """Ack when what was filled in is kept, and return whether it is; else the form stays, and says why at a field.

    That is the one which is wrong where it is known, else `field`.
    """
    try:
        async with asyncio.timeout(KEEP_SECONDS):
            done = await do()
    except FormError as error:
        wrong = {error.field.value: str(error)}
    except DeskError as error:
        wrong = {field.value: str(error)}
    except TimeoutError:
        wrong = {field.value: NOT_KEPT}
    except Exception:
        logger.exception("a form of %s broke", body["user"]["id"])
        wrong = {field.value: BROKEN}
    else:
        await ack(response_action="update", view=dict(done))
        return True
    await ack(response_action="errors", errors=wrong)
    return False


async def _made(title: str, make: Callable[[], Awaitable[View]]) -> View:
    try:
        return await make()
    except DeskError as error:
        return words(title, escape(str(error)))
    except Exception:
        logger.exception("a modal could not be made")
        return words(title, BROKEN)
