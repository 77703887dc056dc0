"""The page beside the workspace: its files, what people do there, and every change pushed to it as it happens."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from bot.demo.surfaces import Surfaces, details_json, refused, view_json
from bot.testing.slack.workspace import (
    Channel,
    Details,
    Json,
    Message,
    Person,
    Session,
    Status,
    View,
    Workspace,
    entities_of,
)

POLL_INTERVAL_SECONDS = 0.2
MAX_CALLS_SHOWN = 200
FILES = Path(__file__).parent / "page"


class LivePage:
    """Serves the page of a workspace, with the bot's log read from its database as anybody could read it."""

    def __init__(
        self, workspace: Workspace, *, model: str, database: Path, approvers: tuple[str, ...], shop: str
    ) -> None:
        self._workspace = workspace
        self._model = model
        self._shop = shop
        self._database = database
        self._approvers = approvers
        self._calls: dict[str, Json] = {}
        self._surfaces = Surfaces(workspace)
        self._pages: set[asyncio.Queue[Json]] = set()

    def add_routes(self, app: web.Application) -> None:
        """Serve the page and what it asks for under `/`, `/page` and `/demo`."""
        app.router.add_get("/", _index)
        app.router.add_static("/page", FILES)
        app.router.add_get("/demo/live", self._live)
        app.router.add_post("/demo/messages", self._message)
        app.router.add_post("/demo/actions", self._action)
        self._surfaces.add_routes(app)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Push every change of the workspace and of the log while the context is open; the database must be there."""
        self._workspace.observe(self._changed)
        follower = asyncio.create_task(self._follow_log(), name="live log")
        try:
            yield
        finally:
            follower.cancel()
            self._workspace.unobserve(self._changed)
            await asyncio.gather(follower, return_exceptions=True)

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        frames: asyncio.Queue[Json] = asyncio.Queue()
        frames.put_nowait(self._snapshot())
        self._pages.add(frames)
        sender = asyncio.create_task(_send(socket, frames))
        try:
            async for frame in socket:
                if frame.type == WSMsgType.ERROR:
                    break
        finally:
            self._pages.discard(frames)
            sender.cancel()
        return socket

    async def _message(self, request: web.Request) -> web.Response:
        body = await request.json()
        author, channel = self._workspace.people.get(body["user"]), self._workspace.channels.get(body["channel"])
        if author is None or channel is None or not author.can_act or author.id not in channel.members:
            return refused("You can't write there.")
        text = str(body["text"]).strip()
        kept = (self._workspace.described.get(file, []) for file in body.get("files", ()))
        files = [file for described in kept for file in described]
        if not text and not files:
            return refused("There is nothing to send.")
        thread_ts = body.get("thread_ts")
        if text.startswith("/") and not thread_ts:
            return await self._surfaces.command(author.id, channel.id, text)
        message = await self._workspace.say(
            author.id, channel.id, self._workspace.as_typed(text), thread_ts, files=files
        )
        return web.json_response({"ok": True, "ts": message.ts})

    async def _action(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self._workspace.message(body["channel"], body["message_ts"]) is None:
            return refused("This message is not there any more.")
        try:
            acked = await self._workspace.click(
                body["user"],
                body["channel"],
                body["message_ts"],
                body["action_id"],
                block_id=body.get("block_id"),
                value=body.get("value"),
            )
        except LookupError:
            return refused("This button is not there any more.")
        return web.json_response({"ok": True}) if acked else refused("The app did not respond in time. Try again.")

    def _changed(self, kind: str, changed: object) -> None:
        if isinstance(changed, Message) and kind == "message":
            self._push({"type": "message", "message": _message_json(changed)})
        elif isinstance(changed, Message) and kind == "deleted":
            self._push({"type": "deleted", "channel": changed.channel, "ts": changed.ts})
        elif isinstance(changed, View):
            self._push({"type": "view", "view": view_json(changed)})
        elif isinstance(changed, Details):
            self._push({"type": "details", "details": details_json(changed)})
        elif isinstance(changed, Status):
            self._push({"type": "status", "status": self._status_json(changed)})
        elif isinstance(changed, Session):
            self._push({"type": "session", "session": _session_json(changed)})
        elif kind == "prompts":
            self._push({"type": "prompts", "prompts": self._prompts_json()})
        elif isinstance(changed, Channel):
            self._push(self._snapshot())

    async def _follow_log(self) -> None:
        """Look at the log again whenever the file has changed."""
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, isolation_level=None)) as db:
            db.row_factory = sqlite3.Row
            version = None
            while True:
                if (now := db.execute("PRAGMA data_version").fetchone()[0]) != version:
                    self._read_log(db)
                    version = now
                await asyncio.sleep(POLL_INTERVAL_SECONDS)

    def _read_log(self, db: sqlite3.Connection) -> None:
        rows = db.execute("SELECT * FROM tool_calls ORDER BY created_at DESC LIMIT ?", [MAX_CALLS_SHOWN]).fetchall()
        for row in reversed(rows):
            call = _call_json(row)
            if self._calls.get(call["id"]) != call:
                self._calls[call["id"]] = call
                self._push({"type": "call", "call": call})

    def _push(self, frame: Json) -> None:
        for frames in self._pages:
            frames.put_nowait(frame)

    def _snapshot(self) -> Json:
        workspace = self._workspace
        return {
            "type": "snapshot",
            "workspace": {
                "name": workspace.name,
                "model": self._model,
                "database": self._database.name,
                "shop": self._shop,
            },
            "bot": workspace.bot_user_id,
            "people": [self._person_json(person) for person in workspace.people.values()],
            "channels": [_channel_json(channel) for channel in workspace.channels.values()],
            "messages": [_message_json(message) for message in workspace.messages],
            "statuses": [self._status_json(status) for status in workspace.statuses.values()],
            "sessions": [_session_json(session) for session in workspace.sessions.values()],
            "prompts": self._prompts_json(),
            "views": [view_json(view) for view in workspace.surfaces.views.values()],
            "details": [details_json(details) for details in workspace.links.details.values()],
            "shortcuts": workspace.surfaces.shortcuts,
            "calls": list(self._calls.values()),
        }

    def _person_json(self, person: Person) -> Json:
        names = ("id", "name", "real_name", "title", "email", "is_bot", "can_act")
        return {name: getattr(person, name) for name in names} | {"can_approve": person.id in self._approvers}

    def _prompts_json(self) -> Json:
        return {
            channel: [{"title": title, "message": message} for title, message in prompts]
            for channel, prompts in self._workspace.prompts.items()
        }

    def _status_json(self, status: Status) -> Json:
        return {
            "channel": status.channel,
            "thread_ts": status.thread_ts,
            "user": self._workspace.bot_user_id,
            "status": status.status,
        }


async def _index(_: web.Request) -> web.FileResponse:
    return web.FileResponse(FILES / "index.html", headers={"Cache-Control": "no-cache"})


async def _send(socket: web.WebSocketResponse, frames: asyncio.Queue[Json]) -> None:
    while not socket.closed:
        await socket.send_json(await frames.get())


def _channel_json(channel: Channel) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "members": sorted(channel.members),
        "topic": channel.topic,
    }


def _session_json(session: Session) -> Json:
    return {name: getattr(session, name) for name in ("channel", "thread_ts", "state", "title")}


def _message_json(message: Message) -> Json:
    names = ("channel", "ts", "thread_ts", "user", "text", "edited", "ephemeral_for")
    files = [{"id": file["id"], "name": file.get("name", "")} for file in message.files]
    shown = {"blocks": list(message.blocks), "entities": entities_of(message), "files": files}
    return {name: getattr(message, name) for name in names} | shown


def _call_json(row: sqlite3.Row) -> Json:
    names = ("id", "tool", "status", "arguments_sent", "requester", "decided_by", "created_at", "finished_at")
    call: dict[str, Any] = {name: row[name] for name in (*names, "duration_ms", "channel", "thread_ts", "error")}
    return call | {name: json.loads(row[name]) if row[name] else None for name in ("arguments", "result")}
