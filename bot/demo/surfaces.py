"""What people do on the page beside writing and clicking: commands, shortcuts, modals and the Home tab."""

from collections.abc import Awaitable, Mapping

from aiohttp import web

from bot.testing.slack.workspace import Details, Json, View, Workspace

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

    async def command(self, user: str, channel: str, text: str) -> web.Response:
        """Let somebody type a slash command."""
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
