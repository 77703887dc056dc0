"""A Slack server on localhost: the Web API over HTTP with its tokens and faults, and Socket Mode beside it."""

import json
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack
from email.utils import formatdate
from time import time
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.testing.serving import serving
from bot.testing.slack.api.arguments import Arguments, SlackError
from bot.testing.slack.api.entities import ENTITY_METHODS
from bot.testing.slack.api.methods import METHODS
from bot.testing.slack.api.scopes import DEFAULT_SCOPES, check_scopes
from bot.testing.slack.api.streams import STREAM_METHODS
from bot.testing.slack.api.views import VIEW_METHODS
from bot.testing.slack.socket_mode import RETRY_DELAYS, SocketMode
from bot.testing.slack.workspace import Workspace
from bot.testing.slack.workspace.faults import ConnectionLost, Fault, Hang, RateLimited, Refused, ServerError
from bot.testing.slack.workspace.objects import Json
from bot.testing.slack.workspace.surfaces import RefusedError

BOT_TOKEN = "xoxb-demo"  # noqa: S105 - made up, opens nothing but a demo on localhost
APP_TOKEN = "xapp-demo"  # noqa: S105 - as above
CONFIG_TOKEN = "xoxe.xoxp-demo"  # noqa: S105 - as above
_METHODS = METHODS | ENTITY_METHODS | STREAM_METHODS | VIEW_METHODS


class SlackServer:
    """Slack for one app: `async with SlackServer(workspace) as server` serves it on a port of its own.

    Made with `add_routes` alone it is part of another server, and is closed with it. The bot token has `scopes`, and a
    method that needs another one is refused. `manifest` is how the app is configured, for `apps.manifest.export`.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        port: int = 0,
        scopes: AbstractSet[str] = DEFAULT_SCOPES,
        ack_timeout: float = 3.0,
        retry_delays: tuple[float, ...] = RETRY_DELAYS,
    ) -> None:
        self.workspace = workspace
        self.bot_token = BOT_TOKEN
        self.app_token = APP_TOKEN
        self.config_token = CONFIG_TOKEN
        self.scopes = scopes
        self.manifest: Json = {}
        self.socket_mode = SocketMode(workspace, ack_timeout=ack_timeout, retry_delays=retry_delays)
        workspace.deliveries.deliver = self.socket_mode.deliver
        self._port = port
        self._serving = AsyncExitStack()

    @property
    def url(self) -> str:
        """Give the address for `SLACK_API_URL`."""
        return f"http://127.0.0.1:{self._port}/api/"

    async def connected(self, connections: int = 1) -> None:
        """Wait till the app has that many connections open."""
        await self.workspace.until(lambda: self.socket_mode.connections >= connections)

    def add_routes(self, app: web.Application) -> None:
        """Serve Slack under `/api/` and `/link` of an application, until it shuts down."""
        app.router.add_route("*", "/api/{method}", self._serve)
        app.router.add_post("/hooks/{token}", self._respond)
        app.router.add_get("/files-pri/{file}", self._serve_file)
        app.router.add_get("/link", self.socket_mode.link)
        app.on_shutdown.append(self._shut_down)

    async def __aenter__(self) -> Self:
        app = web.Application()
        self.add_routes(app)
        url = await self._serving.enter_async_context(serving(app, self._port))
        self._port = int(url.rpartition(":")[2])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._serving.aclose()

    async def _shut_down(self, _app: web.Application) -> None:
        await self.workspace.deliveries.stop()
        await self.socket_mode.close()

    async def _respond(self, request: web.Request) -> web.Response:
        """Take what is posted to a response_url."""
        said = Arguments(await request.json())
        try:
            blocks = said.content()[1] if said.get("text") or said.get("blocks") else []
            self.workspace.surfaces.respond(request.match_info["token"], said, blocks)
        except (SlackError, RefusedError) as error:
            return web.Response(status=404, text=str(error))
        return web.Response(text="ok")

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method, (token, arguments) = request.match_info["method"], await _read(request)
        self.workspace.record_call(method, arguments)
        self.workspace.surfaces.hooks_url = f"http://{request.host}/hooks"
        channel = arguments.get("channel") or arguments.get("channel_id")
        fault = self.workspace.faults.take(method, channel, str(arguments.get("text") or ""))
        if isinstance(fault, Hang):
            fault.reached.set()
            await fault.released.wait()
        if isinstance(fault, Hang) or fault in (None, ServerError("after"), ConnectionLost("after")):
            answer = self._call(method, arguments, token, request.host)
        else:
            answer = {}
        response = _respond(request, fault, answer, self.scopes if token == self.bot_token else frozenset())
        response.headers["Date"] = formatdate(time() + self.workspace.clock_offset_seconds, usegmt=True)
        return response

    async def _serve_file(self, request: web.Request) -> web.Response:
        """Give a file to who has the token; Slack shows others its page for signing in."""
        if request.headers.get("Authorization") != f"Bearer {self.bot_token}" or "files:read" not in self.scopes:
            return web.Response(text="<h1>Sign in</h1>", content_type="text/html")
        content_type, content = self.workspace.contents[request.match_info["file"]]
        return web.Response(body=content, content_type=content_type)

    def _call(self, method: str, arguments: Arguments, token: str, host: str) -> Json:
        try:
            return {"ok": True} | self._do(method, arguments, token, host)
        except SlackError as error:
            return error.answer

    def _do(self, method: str, arguments: Arguments, token: str, host: str) -> Json:
        opens_connection = method == "apps.connections.open"
        if method == "apps.manifest.export":
            return self._manifest(token, arguments)
        if method not in _METHODS and not opens_connection:
            raise SlackError("unknown_method", req_method=method)
        if not token:
            raise SlackError("not_authed")
        if token not in (self.bot_token, self.app_token):
            raise SlackError("invalid_auth")
        if opens_connection != (token == self.app_token):
            raise SlackError("not_allowed_token_type")
        if not opens_connection:
            check_scopes(method, self.scopes, self.workspace.channels.get(str(arguments.get("channel"))))
            return _METHODS[method](self.workspace, arguments)
        query = f"ticket={self.socket_mode.issue_ticket()}&app_id={self.workspace.app_id}"
        return {"url": f"ws://{host}/link?{query}"}

    def _manifest(self, token: str, arguments: Arguments) -> Json:
        """Tell how the app is configured, to a token of its configuration alone."""
        if token != self.config_token:
            raise SlackError(
                "invalid_auth" if token not in (self.bot_token, self.app_token) else "not_allowed_token_type"
            )
        if arguments.required("app_id") != self.workspace.app_id:
            raise SlackError("invalid_app_id")
        return {"manifest": self.manifest}


async def _read(request: web.Request) -> tuple[str, Arguments]:
    """Read the token and the arguments of a call, from wherever Slack allows them to be."""
    arguments = Arguments(request.query)
    if request.content_type == "application/json":
        arguments.update(json.loads(await request.text() or "{}"))
    else:
        arguments.update(await request.post())
    token = arguments.pop("token", "")
    return request.headers.get("Authorization", "").removeprefix("Bearer ") or token, arguments


def _respond(request: web.Request, fault: Fault | None, answer: Json, scopes: AbstractSet[str]) -> web.Response:
    match fault:
        case RateLimited(retry_after):
            refusal = {"ok": False, "error": "ratelimited"}
            return web.json_response(refusal, status=429, headers={"Retry-After": str(retry_after)})
        case ServerError(content_type=content_type):
            return web.Response(status=500, text="<h1>Server Error</h1>", content_type=content_type)
        case Refused(error):
            return web.json_response({"ok": False, "error": error})
        case ConnectionLost() | Hang(answers=False):
            if request.transport:
                request.transport.abort()
            return web.Response()
        case _:
            headers = {"x-oauth-scopes": ",".join(sorted(scopes))} if scopes else None
            return web.json_response(answer, headers=headers)
