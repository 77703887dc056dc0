"""What an app shows outside of messages (modals and Home tabs), and what people do beside writing and clicking."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from bot.testing.slack.workspace.objects import Channel, Json, Message, Person, actions_of
from bot.testing.slack.workspace.payloads import (
    App,
    Reply,
    merged,
    message_action,
    slash_command,
    view_actions,
    view_submission,
)
from bot.testing.slack.workspace.views import View, new_hash, state_of, with_ids

if TYPE_CHECKING:
    from bot.testing.slack.workspace.deliveries import Deliveries

TRIGGER_SECONDS = 3.0
REPLIES = 5  # that an app may post to one response_url …
REPLY_SECONDS = 1800.0  # … and for how long


class RefusedError(Exception):
    """Slack does not do this; the text is its error."""


@dataclass(slots=True)
class _Address:
    """An address to post to after something that a person did: where, and how often it was used."""

    user: str
    channel: str
    message: Message | None
    made_at: float
    uses: int = 0


class _Place(Protocol):
    """What of the workspace is needed here."""

    people: dict[str, Person]
    channels: dict[str, Channel]
    deliveries: "Deliveries"

    @property
    def app(self) -> App: ...
    def notify(self, kind: str, changed: object) -> None: ...
    def message(self, channel: str, ts: str) -> Message | None: ...
    def thread(self, channel: str, ts: str) -> list[Message]: ...
    def post(
        self,
        user: str,
        channel: str,
        text: str,
        *,
        thread_ts: str | None = None,
        blocks: Iterable[Json] = (),
        ephemeral_for: str | None = None,
    ) -> Message: ...
    def update(self, channel: str, ts: str, **changes: Any) -> Message: ...
    def delete(self, channel: str, ts: str) -> None: ...
    async def send_event(self, event: Json) -> None: ...
    def next_ts(self) -> str: ...


class Surfaces:
    """The views that are open, and what can be answered to; `commands` and `shortcuts` are what the app is asked by.

    A command or a shortcut that the app has not is refused, as Slack does not even offer it.
    """

    def __init__(self, place: _Place) -> None:
        self._place = place
        self.commands: set[str] = {"/order", "/orders"}
        self.shortcuts: dict[str, str] = {"ask_support": "Ask support about this"}
        self.hooks_url = "https://hooks.slack.invalid"
        self.trigger_seconds = TRIGGER_SECONDS
        self.views: dict[str, View] = {}
        self._triggers: dict[str, tuple[str, float]] = {}
        self._spent: set[str] = set()
        self._addresses: dict[str, _Address] = {}

    # What is there

    def home(self, user: str) -> View | None:
        """Find the Home tab that a person has."""
        return next((view for view in self.views.values() if view.kind == "home" and view.user == user), None)

    def modal(self, user: str) -> View | None:
        """Find the modal that a person has before them, the topmost."""
        return next(
            (view for view in reversed(self.views.values()) if view.kind == "modal" and view.user == user), None
        )

    # What people do

    async def open_home(self, user: str, tab: str = "home") -> None:
        """Open as somebody the app's Home tab, or its messages."""
        home = self.home(user) if tab == "home" else None
        event: Json = {"type": "app_home_opened", "user": user, "channel": f"D{user[1:]}", "tab": tab}
        await self._place.send_event(event | ({"view": home.as_json(self._place.app)} if home else {}))

    async def stop(self, user: str, channel: str, thread_ts: str) -> None:
        """Press Stop as somebody, which is there while the bot shows that it does something in a thread.

        What the app streams there is ended by that.
        """
        streamed = [one.ts for one in self._place.thread(channel, thread_ts) if one.streaming is not None]
        for ts in streamed:
            self._place.update(channel, ts, streaming=None)
        event = {"type": "agent_session_stopped", "user": user, "channel": channel, "thread_ts": thread_ts}
        await self._place.send_event(event | {"streaming_message_ts": streamed, "event_ts": self._place.next_ts()})

    async def command(
        self, user: str, channel: str, command: str, text: str = "", *, forged: Mapping[str, Any] | None = None
    ) -> bool:
        """Type a slash command as somebody, and return whether the app acked it in time."""
        if command not in self.commands:
            raise LookupError(f"{command} is not a valid command.")
        place = self._place.channels[channel]
        reply = self.reply(user, channel)
        payload = slash_command(command, text, place, self._place.people[user], reply)
        return bool(await self._place.deliveries.send("slash_commands", merged(payload, forged or {})).outcome)

    async def shortcut(
        self, user: str, channel: str, ts: str, callback_id: str, *, forged: Mapping[str, Any] | None = None
    ) -> bool:
        """Choose as somebody a shortcut in a message's menu, and return whether the app acked it in time."""
        message = self._place.message(channel, ts)
        if callback_id not in self.shortcuts or message is None:
            raise LookupError(f"There is no shortcut {callback_id} on such a message.")
        reply = self.reply(user, channel, message)
        person, place = self._place.people[user], self._place.channels[channel]
        payload = message_action(callback_id, message, place, person, reply)
        return bool(await self._place.deliveries.send("interactive", merged(payload, forged or {})).outcome)

    async def click(
        self,
        user: str,
        view_id: str,
        action_id: str,
        *,
        value: str | None = None,
        given: str | None = None,
        forged: Mapping[str, Any] | None = None,
    ) -> bool:
        """Click as somebody in a view, and return whether the app acked.

        `value` tells several buttons of one name apart; what is `given` stands in its place, as Slack never would.
        """
        view = self.views[view_id]
        for action in actions_of(view.blocks):
            if action["action_id"] == action_id and value in (None, action.get("value")):
                reported = action if given is None else action | {"value": given}
                shown = view.as_json(self._place.app)
                person, reply = self._place.people[user], self.reply(user)
                payload = view_actions(reported, shown, person, reply)
                return bool(await self._place.deliveries.send("interactive", merged(payload, forged or {})).outcome)
        raise LookupError(f"The view {view_id} has no action {action_id}.")

    async def submit(
        self, user: str, view_id: str, values: Mapping[str, Any], *, forged: Mapping[str, Any] | None = None
    ) -> bool:
        """Fill a modal in as somebody, each field by its action_id, and return whether the app took it.

        What must be filled in and is not, Slack itself refuses. With errors of the app the modal stays open.
        """
        view = self.views[view_id]
        state, missing = state_of(view.blocks, values)
        if missing:
            self._show(replace(view, errors=missing))
            return False
        person, reply = self._place.people[user], self.reply(user)
        payload = view_submission(view.as_json(self._place.app, state), person, reply)
        answer = await self._place.deliveries.send("interactive", merged(payload, forged or {})).outcome
        if not answer:
            self._show(replace(view, errors={"": "We had some trouble connecting. Try again?"}))
            return False
        said = answer if isinstance(answer, dict) else {}
        if said.get("response_action") == "errors":
            self._show(replace(view, errors=said["errors"]))
            return False
        if said.get("response_action") == "update":
            self._show(replace(view, shown=with_ids(said["view"]), errors={}, hash=new_hash()))
            return True
        self.close(view_id)
        return True

    def close(self, view_id: str) -> None:
        """Close a modal, on whose side does not matter."""
        view = self.views.pop(view_id)
        self._place.notify("view", replace(view, closed=True))

    # What the app does

    def open(self, trigger_id: str, shown: Json, *, push: bool = False) -> View:
        """Open a modal before the one who did something. Raises RefusedError."""
        user = self.spend(trigger_id)
        below = self.modal(user) if push else None
        previous = below.id if below else None
        return self._show(View(_new_id(), user, with_ids(shown), new_hash(), previous))

    def spend(self, trigger_id: str) -> str:
        """Use a trigger up, once and in time, and return who did something. Raises RefusedError."""
        user, made_at = self._triggers.get(trigger_id, ("", 0.0))
        if not user:
            raise RefusedError("invalid_trigger_id")
        if trigger_id in self._spent:
            raise RefusedError("exchanged_trigger_id")
        if monotonic() - made_at > self.trigger_seconds:
            raise RefusedError("expired_trigger_id")
        self._spent.add(trigger_id)
        return user

    def update(self, view_id: str, shown: Json, expected: str | None) -> View:
        """Show something else in a modal that is open. Raises RefusedError."""
        view = self.views.get(view_id)
        if view is None:
            raise RefusedError("not_found")
        if expected and expected != view.hash:
            raise RefusedError("hash_conflict")
        return self._show(replace(view, shown=with_ids(shown), hash=new_hash(), errors={}))

    def publish(self, user: str, shown: Json, expected: str | None) -> View:
        """Show a Home tab to a person. Raises RefusedError."""
        home = self.home(user)
        if expected and home and expected != home.hash:
            raise RefusedError("hash_conflict")
        return self._show(View(home.id if home else _new_id(), user, with_ids(shown), new_hash()))

    def respond(self, token: str, said: Json, blocks: list[Json]) -> None:
        """Post to an address that came with something that a person did. Raises RefusedError."""
        address = self._addresses.get(token)
        if address is None or monotonic() - address.made_at > REPLY_SECONDS:
            raise RefusedError("expired_url")
        if address.uses == REPLIES:
            raise RefusedError("used_url")
        address.uses += 1
        channel, original, text = address.channel, address.message, str(said.get("text") or "")
        if original and said.get("delete_original"):
            self._place.delete(channel, original.ts)
        elif original and said.get("replace_original"):
            self._place.update(channel, original.ts, text=text, blocks=blocks)
        else:
            alone = None if said.get("response_type") == "in_channel" else address.user
            thread_ts = said.get("thread_ts")
            bot = self._place.app.user_id
            self._place.post(bot, channel, text, blocks=blocks, ephemeral_for=alone, thread_ts=thread_ts)

    def reply(self, user: str, channel: str = "", message: Message | None = None) -> Reply:
        """Accept the app's answer to what this person did."""
        trigger_id = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**13)}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = (user, monotonic())
        token = secrets.token_hex(12)
        self._addresses[token] = _Address(user, channel, message, monotonic())
        return Reply(self._place.app, trigger_id, f"{self.hooks_url}/{token}")

    def _show(self, view: View) -> View:
        self.views[view.id] = view
        self._place.notify("view", view)
        return view


def _new_id() -> str:
    return f"V{secrets.token_hex(5).upper()}"
