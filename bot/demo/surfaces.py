"""What people do on the page beside writing and clicking: commands, shortcuts, modals and the Home tab."""

import secrets
from collections.abc import Awaitable, Mapping

from aiohttp import web

from bot.testing.slack.workspace import Details, Json, View, Workspace

MAX_PICTURE_BYTES = 5_000_000
NO_ANSWER = "The app did not respond in time. Try again."


class Surfaces:
    """Serves what the page posts, for the people that it may act as."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def add_routes(self, app: web.Application) -> None:
        """Serve it under `/demo`."""
        app.router.add_post("/demo/shortcuts", self._shortcut)
        app.router.add_post("/demo/home", self._home)
        app.router.add_post("/demo/stop", self._stop)
        app.router.add_post("/demo/details", self._details)
        app.router.add_post("/demo/views/actions", self._action)
        app.router.add_post("/demo/views/submit", self._submit)
        app.router.add_post("/demo/views/close", self._close)
        app.router.add_post("/demo/pictures", self._keep_picture)
        app.router.add_get("/demo/pictures/{file}", self._picture)

    async def command(self, user: str, channel: str, text: str) -> web.Response:
        """Type a slash command as somebody."""
        command, _, rest = text.partition(" ")
        return await _tried(self._workspace.surfaces.command(user, channel, command, rest.strip()))

    async def _shortcut(self, request: web.Request) -> web.Response:
        body = await request.json()
        surfaces = self._workspace.surfaces
        where = (body["user"], body["channel"], body["message_ts"], body["callback_id"])
        return await _tried(surfaces.shortcut(*where)) if self._may(body) else refused("You can't do that.")

    async def _home(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not self._may(body):
            return refused("You can't do that.")
        await self._workspace.surfaces.open_home(body["user"], body.get("tab", "home"))
        return web.json_response({"ok": True})

    async def _stop(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not self._may(body):
            return refused("You can't do that.")
        await self._workspace.surfaces.stop(body["user"], body["channel"], body["thread_ts"])
        return web.json_response({"ok": True})

    async def _details(self, request: web.Request) -> web.Response:
        """Open what is shown below a link, or close it when none is named."""
        body = await request.json()
        if not self._may(body):
            return refused("You can't do that.")
        if "url" not in body:
            self._workspace.links.close(body["user"])
            return web.json_response({"ok": True})
        try:
            await self._workspace.links.open(body["user"], body["channel"], body["message_ts"], body["url"])
        except LookupError:
            return refused("This is not there any more.")
        return web.json_response({"ok": True})

    async def _action(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not self._has(body):
            return refused("This is not there any more.")
        pressed = self._workspace.surfaces.click(
            body["user"], body["view_id"], body["action_id"], value=body.get("value")
        )
        return await _tried(pressed)

    async def _submit(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not self._has(body):
            return refused("This is not there any more.")
        await self._workspace.surfaces.submit(body["user"], body["view_id"], body["values"])
        return web.json_response({"ok": True})  # what is wrong with it stands in the form

    async def _close(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self._has(body):
            self._workspace.surfaces.close(body["view_id"])
        return web.json_response({"ok": True})

    async def _keep_picture(self, request: web.Request) -> web.Response:
        """Keep a picture that somebody has chosen, and describe it as Slack describes a file."""
        content = await request.content.read(MAX_PICTURE_BYTES + 1)
        while content and (more := await request.content.read(MAX_PICTURE_BYTES + 1)):
            content += more
        if not request.content_type.startswith("image/") or len(content) > MAX_PICTURE_BYTES:
            return refused("A picture of up to 5 MB can be sent.")
        file, name = f"F{secrets.token_hex(5).upper()}", request.query.get("name", "picture")
        described: Json = {"id": file, "name": name, "title": name, "mimetype": request.content_type}
        described |= {"size": len(content), "url_private": f"{request.url.origin()}/files-pri/{file}"}
        self._workspace.contents[file] = (request.content_type, content)
        self._workspace.described[file] = [described]
        return web.json_response({"ok": True, "file": described})

    async def _picture(self, request: web.Request) -> web.Response:
        content_type, content = self._workspace.contents.get(request.match_info["file"], ("", b""))
        if not content or content_type == "image/svg+xml":
            raise web.HTTPNotFound
        return web.Response(body=content, content_type=content_type)

    def _may(self, body: Mapping[str, str]) -> bool:
        person = self._workspace.people.get(body["user"])
        return person is not None and person.can_act

    def _has(self, body: Mapping[str, str]) -> bool:
        view = self._workspace.surfaces.views.get(body["view_id"])
        return self._may(body) and view is not None and view.user == body["user"]


def view_json(view: View) -> Json:
    """Write a view for the page."""
    return {
        "id": view.id,
        "user": view.user,
        "kind": view.kind,
        "closed": view.closed,
        "errors": view.errors,
        **{name: view.shown.get(name) for name in ("title", "submit", "close", "blocks")},
    }


def details_json(details: Details) -> Json:
    """Write for the page what somebody has opened of a link."""
    names = ("user", "entity", "error", "answered", "closed")
    return {name: getattr(details, name) for name in names}


def refused(words: str) -> web.Response:
    """Answer that something was not done, and why."""
    return web.json_response({"ok": False, "error": words})


async def _tried(doing: Awaitable[bool]) -> web.Response:
    try:
        return web.json_response({"ok": True}) if await doing else refused(NO_ANSWER)
    except LookupError as error:
        return refused(str(error))
