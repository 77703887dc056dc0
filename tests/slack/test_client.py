"""What the bot makes of answers that are not Slack's, from whichever method, and how it waits for Slack at a start."""

import errno
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientConnectorError, ClientSession, WSServerHandshakeError, web
from slack_sdk.errors import SlackApiError

from bot.app import running
from bot.slack.client import SlackClient, StartError, failure, fetch_bot_identity, slack_error, web_client
from bot.testing.openai import Answer
from bot.testing.serving import serving
from tests.world import ANA, World, free_port, shown

ODD_ANSWERS = [
    web.Response(status=503, text="upstream connect error", content_type="text/plain"),
    web.Response(status=200, text="ok", content_type="text/plain"),
    web.Response(status=502, text="<h1>Bad gateway</h1>", content_type="text/html"),
    web.Response(status=200, text="", content_type="text/html"),
    web.Response(status=500, text="{", content_type="application/json"),
    web.Response(status=200, text="[]", content_type="application/json"),
    web.Response(status=200, text="null", content_type="application/json"),
    web.Response(status=200, text="3", content_type="application/json"),
    web.Response(status=200, body=b"\xff\xfe", headers={"Content-Type": "text/plain; charset=utf-8"}),
    web.Response(status=200, body=b"x", headers={"Content-Type": "text/plain; charset=klingon"}),
    web.Response(status=200, body=b"{}", headers={"Content-Type": "application/json; charset=klingon"}),
]


async def _all_pages(client: SlackClient) -> None:
    async for _ in await client.users_list(limit=1):
        pass


METHODS: dict[str, Callable[[SlackClient], Awaitable[object]]] = {
    "auth.test": lambda client: client.auth_test(),
    "users.info": lambda client: client.users_info(user=ANA),
    "chat.postMessage": lambda client: client.chat_postMessage(channel="C0SUPPORT", text="Hello."),
    "apps.connections.open": lambda client: client.apps_connections_open(app_token="xapp-demo"),
    "users.list": _all_pages,
}


@asynccontextmanager
async def answering(*answers: web.Response) -> AsyncIterator[SlackClient]:
    """Serve these answers one after the other, whatever is asked, and give a client for it."""
    left = list(answers)

    async def answer(_: web.Request) -> web.StreamResponse:
        found = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(status=found.status, body=found.body, headers=found.headers)

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    async with serving(app) as url, ClientSession() as session:
        yield web_client("xoxb-demo", f"{url}/api/", session)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("odd", ODD_ANSWERS, ids=lambda odd: f"{odd.status} {odd.headers['Content-Type']} {odd.body}")
async def test_answer_that_is_not_slacks(odd: web.Response, method: str) -> None:
    """An answer that is no JSON object of Slack's is the same error from every method, and nothing else is raised."""
    async with answering(odd) as client:
        with pytest.raises(SlackApiError) as raised:
            await METHODS[method](client)
    assert slack_error(raised.value) == "unreadable"
    assert raised.value.response["error"] == "unreadable"


async def test_second_page_that_is_not_slacks() -> None:
    """A page in the middle of a list is read like any answer."""
    first = web.json_response({"ok": True, "members": [], "response_metadata": {"next_cursor": "abc"}})
    async with answering(first, ODD_ANSWERS[0]) as client:
        with pytest.raises(SlackApiError) as raised:
            await _all_pages(client)
    assert slack_error(raised.value) == "unreadable"
    assert raised.value.response["error"] == "unreadable"


FAULTS: dict[str, Callable[[World, str], object]] = {
    "service_unavailable": lambda world, method: world.workspace.faults.refuse(method, "service_unavailable"),
    "ratelimited": lambda world, method: world.workspace.faults.refuse(method, "ratelimited"),
    "html": lambda world, method: world.workspace.faults.server_error(method),
    "plain": lambda world, method: world.workspace.faults.server_error(method, content_type="text/plain"),
    "no answer": lambda world, method: world.workspace.faults.lose_connection(method, times=2),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["auth.test", "bots.info", "conversations.info", "apps.connections.open"])
async def test_passing_fault_at_the_start(world: World, method: str, fault: str) -> None:
    """An error that passes is waited for at the start, whichever method it hits; then the bot answers as ever."""
    FAULTS[fault](world, method)
    world.script += [Answer("Hello.")]
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(answer) == "Hello."


@pytest.mark.parametrize("error", ["invalid_auth", "account_inactive", "missing_scope"])
async def test_wrong_token(world: World, error: str) -> None:
    """What waiting does not mend is told at once, with what to do."""
    world.workspace.faults.refuse("auth.test", error, times=100)
    with pytest.raises(StartError, match=rf"Slack refused SLACK_BOT_TOKEN \({error}\)"):
        async with running(world.settings()):
            pass


async def test_slack_is_not_well_for_long(world: World) -> None:
    """When an error that passes does not pass in time, nobody is told to look for another token."""
    world.workspace.faults.refuse("auth.test", "service_unavailable", times=100)
    async with ClientSession() as session:
        with pytest.raises(StartError) as raised:
            await fetch_bot_identity(web_client("xoxb-demo", world.slack.url, session), patience=0.1)
    assert "not been well" in str(raised.value)
    assert "token" not in str(raised.value)


async def test_what_is_kept_of_an_error() -> None:
    """Of a call that failed, its kind is kept, and no address, key or name that its text may hold."""
    port = free_port()
    async with ClientSession() as session:
        client = SlackClient(
            base_url=f"http://127.0.0.1:{port}/", session=session, proxy=f"http://bot:hunter2@127.0.0.1:{port}"
        )
        with pytest.raises(ClientConnectorError) as refused:
            await client.auth_test()
        async with answering(web.Response(status=404)) as other:
            with pytest.raises(WSServerHandshakeError) as unlinked:
                await session.ws_connect(f"{other.base_url}link?ticket=hunter2")
    assert "hunter2" in str(unlinked.value)
    assert failure(unlinked.value) == "WSServerHandshakeError"
    assert str(port) in str(refused.value)
    assert failure(refused.value) == f"ClientProxyConnectionError: {os.strerror(errno.ECONNREFUSED)}"
    response = {"ok": False, "error": "missing_scope", "needed": "chat:write", "warning": "hunter2"}
    assert failure(SlackApiError("The server said", response)) == "missing_scope (it needs chat:write)"
