"""Socket Mode as a client on the wire sees it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from slack_sdk.web.async_client import AsyncWebClient

from bot.testing.slack.api import SlackServer
from bot.testing.slack.workspace import Json, Order, Workspace

Connect = Callable[[], Awaitable[ClientWebSocketResponse]]
CARD = [
    {
        "type": "actions",
        "elements": [{"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}],
    }
]


@pytest.fixture
async def connect(client: AsyncWebClient, slack: SlackServer) -> AsyncIterator[Connect]:
    """Give a function that opens one more connection, up to and with its hello."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())

        async def connect() -> ClientWebSocketResponse:
            opened = await client.apps_connections_open(app_token=slack.app_token)
            socket = await stack.enter_async_context(session.ws_connect(opened["url"]))
            hello = await socket.receive_json()
            assert (hello["type"], hello["connection_info"]["app_id"]) == ("hello", "A0BOT")
            return socket

        yield connect


async def ack(socket: ClientWebSocketResponse, envelope: Json) -> None:
    """Ack an envelope as the SDK does."""
    await socket.send_json({"envelope_id": envelope["envelope_id"]})


async def test_an_event_is_an_envelope_that_wants_an_ack(workspace: Workspace, connect: Connect) -> None:
    """An event arrives as an `events_api` envelope, and is delivered once it is acked."""
    socket = await connect()
    message = await workspace.say("U0ANA", "C0SUPPORT", "hello")
    envelope = await socket.receive_json()
    assert (envelope["type"], envelope["retry_attempt"], envelope["accepts_response_payload"]) == (
        "events_api",
        0,
        False,
    )
    assert envelope["payload"]["event"]["ts"] == message.ts
    assert workspace.deliveries[0].acked is None
    await ack(socket, envelope)
    assert await workspace.until(lambda: workspace.deliveries[0].acked)


@pytest.mark.parametrize("order", [("app_mention", "message"), ("message", "app_mention")])
async def test_a_mention_comes_twice_in_either_order(workspace: Workspace, connect: Connect, order: Order) -> None:
    """A mention is a `message` and an `app_mention` of the same `ts`, with different event ids."""
    socket = await connect()
    message = await workspace.say("U0ANA", "C0SUPPORT", "<@U0BOT> hi", order=order)
    first, second = [(await socket.receive_json())["payload"] for _ in range(2)]
    assert (first["event"]["type"], second["event"]["type"]) == order
    assert first["event"]["ts"] == second["event"]["ts"] == message.ts
    assert first["event_id"] != second["event_id"]


async def test_an_event_without_ack_is_sent_three_times_more(
    workspace: Workspace, slack: SlackServer, connect: Connect
) -> None:
    """The same event comes again in new envelopes that count the attempts, and is then given up."""
    slack.socket_mode.ack_timeout = 0.05
    socket = await connect()
    await workspace.say("U0ANA", "C0SUPPORT", "hello")
    envelopes = [await socket.receive_json() for _ in range(4)]
    assert [(e["retry_attempt"], e["retry_reason"]) for e in envelopes] == [
        (0, ""),
        (1, "timeout"),
        (2, "timeout"),
        (3, "timeout"),
    ]
    assert len({e["payload"]["event_id"] for e in envelopes}) == 1
    assert len({e["envelope_id"] for e in envelopes}) == 4
    await workspace.until(lambda: workspace.deliveries[0].acked is False)


async def test_an_ack_ends_the_redelivery(workspace: Workspace, slack: SlackServer, connect: Connect) -> None:
    """An event whose second envelope is acked is delivered."""
    slack.socket_mode.ack_timeout = 0.2
    socket = await connect()
    await workspace.say("U0ANA", "C0SUPPORT", "hello")
    await socket.receive_json()
    slack.socket_mode.ack_timeout = 3.0
    await ack(socket, await socket.receive_json())
    assert await workspace.until(lambda: workspace.deliveries[0].acked)


async def test_events_wait_for_a_connection(workspace: Workspace, connect: Connect) -> None:
    """What is said while no app is connected goes out, in order, when one connects."""
    await workspace.say("U0ANA", "C0SUPPORT", "first")
    await workspace.say("U0ANA", "C0SUPPORT", "second")
    socket = await connect()
    texts = [(await socket.receive_json())["payload"]["event"]["text"] for _ in range(2)]
    assert texts == ["first", "second"]


async def test_connections_take_turns(workspace: Workspace, connect: Connect) -> None:
    """Each envelope goes to one of the connections only, and the next one to the other."""
    sockets = [await connect(), await connect()]
    for text in ("first", "second"):
        await workspace.say("U0ANA", "C0SUPPORT", text)
    texts = {(await socket.receive_json())["payload"]["event"]["text"] for socket in sockets}
    assert texts == {"first", "second"}


async def test_an_event_outlives_its_connection(workspace: Workspace, slack: SlackServer, connect: Connect) -> None:
    """What was sent on a connection that broke before the ack comes again on the next."""
    slack.socket_mode.ack_timeout = 0.1
    broken = await connect()
    await workspace.say("U0ANA", "C0SUPPORT", "hello")
    await broken.receive_json()
    slack.socket_mode.close_abruptly()
    slack.socket_mode.ack_timeout = 3.0
    assert (await broken.receive()).type in {WSMsgType.CLOSED, WSMsgType.CLOSE, WSMsgType.ERROR}
    socket = await connect()
    envelope = await socket.receive_json()
    assert envelope["retry_attempt"] == 1
    await ack(socket, envelope)
    assert await workspace.until(lambda: workspace.deliveries[0].acked)


async def test_slack_asks_for_a_new_connection(workspace: Workspace, slack: SlackServer, connect: Connect) -> None:
    """After a disconnect frame nothing more is sent on the old connection, but its acks still count."""
    old = await connect()
    await workspace.say("U0ANA", "C0SUPPORT", "before")
    envelope = await old.receive_json()
    await slack.socket_mode.disconnect()
    assert (await old.receive_json())["reason"] == "refresh_requested"
    await ack(old, envelope)
    assert await workspace.until(lambda: workspace.deliveries[0].acked)
    await workspace.say("U0ANA", "C0SUPPORT", "after")
    new = await connect()
    assert (await new.receive_json())["payload"]["event"]["text"] == "after"


async def test_a_click_is_sent_once(workspace: Workspace, connect: Connect) -> None:
    """A click is an `interactive` envelope without retries, and True once acked."""
    socket = await connect()
    card = workspace.post("U0BOT", "C0SUPPORT", "Go?", blocks=CARD)
    click = asyncio.create_task(workspace.click("U0SAM", "C0SUPPORT", card.ts, "go"))
    envelope = await socket.receive_json()
    assert envelope["type"] == "interactive"
    assert "retry_attempt" not in envelope
    await ack(socket, envelope)
    assert await click is True


async def test_a_ticket_opens_one_connection(client: AsyncWebClient, slack: SlackServer) -> None:
    """The address of a connection works once."""
    opened = await client.apps_connections_open(app_token=slack.app_token)
    async with ClientSession() as session:
        async with session.ws_connect(opened["url"]) as socket:
            assert (await socket.receive_json())["num_connections"] == 1
        with pytest.raises(WSServerHandshakeError, match="403"):
            await session.ws_connect(opened["url"])


async def test_nonsense_on_the_wire_is_ignored(workspace: Workspace, connect: Connect) -> None:
    """An ack of nothing does no harm."""
    socket = await connect()
    await socket.send_json({"envelope_id": "nobody"})
    await workspace.say("U0ANA", "C0SUPPORT", "hello")
    assert (await socket.receive_json())["type"] == "events_api"
