"""Stories of people and a Bolt app in the workspace, over real HTTP and a real WebSocket."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from slack_bolt import BoltResponse
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.testing.slack.api import SlackServer
from bot.testing.slack.workspace import Channel, Json, Message, Person, Workspace

SUPPORT = "C0SUPPORT"
APPROVE = {"type": "plain_text", "text": "Approve"}
BUTTON = {"type": "button", "action_id": "approve_call", "text": APPROVE, "value": "call-1", "style": "primary"}
CARD = [{"type": "actions", "block_id": "decision", "elements": [BUTTON]}]


class Bot:
    """A Bolt app that answers anyone who speaks to it with a card, and settles the card when it is approved."""

    def __init__(self, slack: SlackServer) -> None:
        self.received: list[Json] = []
        self.acks = True
        self.app = AsyncApp(client=AsyncWebClient(slack.bot_token, base_url=slack.url))
        self.handler = AsyncSocketModeHandler(self.app, slack.app_token, ping_interval=0.1)
        self.app.use(self.remember)
        self.app.event("app_mention")(self.answer)
        self.app.event("message")(self.answer_in_im)
        self.app.action("approve_call")(self.settle)

    def events(self, kind: str) -> list[Json]:
        """List the envelopes of the events of one type."""
        return [body for body in self.received if body.get("event", {}).get("type") == kind]

    async def remember(self, body: Json, next: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:  # noqa: A002 - Bolt's name
        """Keep what arrived; without an ack when told so."""
        self.received.append(body)
        return await next() if self.acks else BoltResponse(status=500)

    async def answer(self, event: Json, client: AsyncWebClient) -> None:
        """Post the card into the thread."""
        channel, thread_ts = event["channel"], event.get("thread_ts") or event["ts"]
        await client.assistant_threads_setStatus(channel_id=channel, thread_ts=thread_ts, status="is thinking")
        await client.chat_postMessage(channel=channel, thread_ts=thread_ts, text="Shall I?", blocks=CARD)

    async def answer_in_im(self, event: Json, client: AsyncWebClient) -> None:
        """Answer direct messages as mentions are answered."""
        if event["channel_type"] == "im" and "subtype" not in event:
            await self.answer(event, client)

    async def settle(self, ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        """Take the buttons away."""
        await ack()
        await client.chat_update(channel=body["channel"]["id"], ts=body["message"]["ts"], text="Done.")


@pytest.fixture
async def bot(slack: SlackServer) -> AsyncIterator[Bot]:
    """Connect the app in Socket Mode."""
    bot = Bot(slack)
    await bot.handler.connect_async()
    await slack.connected()
    yield bot
    await bot.handler.close_async()


async def card_of(workspace: Workspace, message: Message) -> Message:
    """Wait for the bot's card in the thread of a message."""
    return (await workspace.until(lambda: workspace.replies_of_bot(message)))[0]


class TestTalking:
    """People write, and the app answers."""

    async def test_a_mention_is_answered_in_its_thread(self, workspace: Workspace, bot: Bot) -> None:
        """A mention in a channel reaches the app, which answers in the thread."""
        message = await workspace.say("U0ANA", SUPPORT, "<@U0BOT> where is my order?")
        card = await card_of(workspace, message)
        assert (card.thread_ts, card.text, card.user) == (message.ts, "Shall I?", "U0BOT")
        assert [m.ts for m in workspace.thread(SUPPORT, message.ts)] == [message.ts, card.ts]
        assert bot.received

    async def test_a_direct_message_needs_no_mention(self, workspace: Workspace, bot: Bot) -> None:
        """A direct message comes as one `message` event of the channel type `im`."""
        message = await workspace.say("U0ANA", "D0ANA", "<@U0BOT> hello")
        await card_of(workspace, message)
        assert bot.events("app_mention") == []
        assert bot.events("message")[0]["event"]["channel_type"] == "im"

    @pytest.mark.usefixtures("bot")
    async def test_the_answer_clears_the_status(self, workspace: Workspace) -> None:
        """A post of the bot in a thread takes its status away."""
        message = await workspace.say("U0ANA", SUPPORT, "<@U0BOT> hello")
        await card_of(workspace, message)
        assert [status.status for status in workspace.status_history] == ["is thinking"]
        assert workspace.statuses == {}

    async def test_the_app_is_told_of_its_own_message(self, workspace: Workspace, bot: Bot) -> None:
        """What the bot posts is sent to it as a `message` event with its bot id, which Bolt acks and ignores."""
        await workspace.say("U0ANA", SUPPORT, "<@U0BOT> hello")
        own = await workspace.until(lambda: [d for d in workspace.deliveries if "bot_id" in d.payload["event"]])
        await workspace.until(lambda: own[0].acked)
        assert own[0].payload["event"]["bot_id"] == workspace.bot_id
        assert len(bot.received) == 2


class TestEvents:
    """What the envelopes of events hold."""

    async def test_copies_share_their_event_id(self, workspace: Workspace, bot: Bot) -> None:
        """An event that Slack sends twice has one event id."""
        await workspace.say("U0ANA", SUPPORT, "no mention", copies=2)
        await workspace.until(lambda: len(bot.received) == 2)
        assert bot.received[0]["event_id"] == bot.received[1]["event_id"]

    async def test_an_event_names_its_origin(self, workspace: Workspace, bot: Bot) -> None:
        """An envelope names team, app and authorization, and the event its author, text and blocks."""
        message = await workspace.say("U0ANA", SUPPORT, "tea &amp; <@U0BEN>", thread_ts="1.000001")
        await workspace.until(lambda: bot.received)
        envelope, event = bot.received[0], bot.received[0]["event"]
        assert (envelope["team_id"], envelope["api_app_id"]) == ("T0ACME", "A0BOT")
        assert envelope["authorizations"][0]["user_id"] == "U0BOT"
        assert envelope["is_ext_shared_channel"] is False
        assert (event["user"], event["team"], event["channel"], event["ts"]) == ("U0ANA", "T0ACME", SUPPORT, message.ts)
        assert (event["thread_ts"], event["channel_type"]) == ("1.000001", "channel")
        elements = event["blocks"][0]["elements"][0]["elements"]
        assert elements == [{"type": "text", "text": "tea & "}, {"type": "user", "user_id": "U0BEN"}]

    async def test_a_stranger_in_a_shared_channel_shows(self, workspace: Workspace, bot: Bot) -> None:
        """The message of somebody from another workspace names their team, and the envelope the shared channel."""
        stranger = Person("U0EVE", "eve", "Eve Stone", team="T0OTHER", is_stranger=True)
        members = frozenset({"U0EVE", "U0BOT"})
        workspace.add(stranger, Channel("C0SHARED", "shared", "channel", members, shared_externally=True))
        await workspace.say("U0EVE", "C0SHARED", "hello")
        await workspace.until(lambda: bot.received)
        assert bot.received[0]["is_ext_shared_channel"] is True
        assert bot.received[0]["event"]["user_team"] == "T0OTHER"

    async def test_another_bot_is_told_apart(self, workspace: Workspace, bot: Bot) -> None:
        """The message of another bot carries that bot's id."""
        workspace.add(Person("U0OTHER", "deploy_bot", "Deploy Bot", is_bot=True))
        await workspace.say("U0OTHER", SUPPORT, "deployed")
        await workspace.until(lambda: bot.received)
        assert bot.received[0]["event"]["bot_id"] == "B0OTHER"

    async def test_an_edit_and_a_deletion_are_events(self, workspace: Workspace, bot: Bot) -> None:
        """A changed and a deleted message come as hidden messages with those subtypes."""
        message = await workspace.say("U0ANA", SUPPORT, "helo")
        workspace.update(SUPPORT, message.ts, text="hello", edited=True)
        workspace.delete(SUPPORT, message.ts)
        await workspace.until(lambda: len(bot.received) == 3)
        changed, deleted = bot.received[1]["event"], bot.received[2]["event"]
        assert (changed["subtype"], changed["message"]["text"]) == ("message_changed", "hello")
        assert changed["previous_message"]["text"] == "helo"
        assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", message.ts)

    async def test_any_event_can_be_sent_and_forged(self, workspace: Workspace, bot: Bot) -> None:
        """A raw event reaches the app, with whatever is forged about its envelope."""
        await workspace.send_event({"type": "app_mention", "user": "U0ANA"}, forged={"team_id": "T0OTHER"})
        await workspace.until(lambda: bot.received)
        assert bot.received[0]["team_id"] == "T0OTHER"

    async def test_a_channel_without_the_bot_tells_it_nothing(self, workspace: Workspace, bot: Bot) -> None:
        """Nothing is delivered from a channel that the bot is not in."""
        workspace.add(Channel("C0PEOPLE", "people", "channel", frozenset({"U0ANA", "U0BEN"})))
        await workspace.say("U0ANA", "C0PEOPLE", "between us, <@U0BOT>")
        assert workspace.deliveries == []
        assert bot.received == []


class TestClicks:
    """Somebody clicks a button."""

    async def test_a_click_is_acked_and_settles_the_card(self, workspace: Workspace, bot: Bot) -> None:
        """A click tells who clicked what on which message, and the card is redrawn without buttons."""
        message = await workspace.say("U0ANA", SUPPORT, "<@U0BOT> refund please")
        card = await card_of(workspace, message)
        assert await workspace.click("U0SAM", SUPPORT, card.ts, "approve_call") is True
        await workspace.until(lambda: workspace.replies_of_bot(message)[0].blocks == ())
        body = bot.received[-1] if bot.received[-1]["type"] == "block_actions" else bot.received[-2]
        assert (body["user"]["id"], body["user"]["team_id"], body["team"]["id"]) == ("U0SAM", "T0ACME", "T0ACME")
        assert body["container"]["message_ts"] == body["message"]["ts"] == card.ts
        assert body["container"]["thread_ts"] == body["message"]["thread_ts"] == message.ts
        assert (body["message"]["app_id"], body["channel"]["id"]) == ("A0BOT", SUPPORT)
        assert (
            body["actions"][0].items()
            >= {"action_id": "approve_call", "block_id": "decision", "value": "call-1"}.items()
        )

    async def test_a_click_without_ack_fails(self, workspace: Workspace, slack: SlackServer, bot: Bot) -> None:
        """A click that the app does not ack in time is False, and is not sent again."""
        slack.socket_mode.ack_timeout = 0.2
        card = workspace.post("U0BOT", SUPPORT, "Shall I?", blocks=CARD)
        bot.acks = False
        assert await workspace.click("U0SAM", SUPPORT, card.ts, "approve_call") is False
        assert len(bot.received) == 1

    @pytest.mark.usefixtures("slack")
    async def test_a_click_without_a_connection_fails(self, workspace: Workspace) -> None:
        """A click while no app is connected is False at once."""
        card = workspace.post("U0BOT", SUPPORT, "Shall I?", blocks=CARD)
        assert await workspace.click("U0SAM", SUPPORT, card.ts, "approve_call") is False

    async def test_a_button_that_is_gone_can_be_clicked_once_more(self, workspace: Workspace, bot: Bot) -> None:
        """A person whose screen is behind clicks what the message showed before."""
        card = workspace.post("U0BOT", SUPPORT, "Shall I?", blocks=CARD)
        workspace.update(SUPPORT, card.ts, text="Done.", blocks=[])
        assert await workspace.click("U0SAM", SUPPORT, card.ts, "approve_call") is True
        clicked = await workspace.until(lambda: [body for body in bot.received if "actions" in body])
        assert clicked[0]["actions"][0]["value"] == "call-1"
        assert clicked[0]["message"]["text"] == "Done."

    async def test_a_click_can_be_forged(self, workspace: Workspace, bot: Bot) -> None:
        """Value, team and anything else of a click can be replaced."""
        card = workspace.post("U0BOT", SUPPORT, "Shall I?", blocks=CARD)
        forged = {"team": {"id": "T0OTHER"}, "message": {"app_id": "A0OTHER"}}
        await workspace.click("U0SAM", SUPPORT, card.ts, "approve_call", value="call-2", forged=forged)
        body = bot.received[0]
        assert (body["actions"][0]["value"], body["team"]["id"]) == ("call-2", "T0OTHER")
        assert (body["message"]["app_id"], body["message"]["ts"]) == ("A0OTHER", card.ts)

    async def test_a_click_on_an_ephemeral_message_has_no_message(self, workspace: Workspace) -> None:
        """Slack does not send the message when it is ephemeral."""
        card = workspace.post("U0BOT", SUPPORT, "Only you", blocks=CARD, ephemeral_for="U0SAM")
        await workspace.click("U0SAM", SUPPORT, card.ts, "approve_call")
        payload = workspace.deliveries[0].payload
        assert payload["container"]["is_ephemeral"] is True
        assert "message" not in payload

    async def test_what_was_never_shown_cannot_be_clicked(self, workspace: Workspace) -> None:
        """An action that the message never had is an error of the test."""
        card = workspace.post("U0BOT", SUPPORT, "Shall I?", blocks=CARD)
        with pytest.raises(LookupError, match="no action delete"):
            await workspace.click("U0SAM", SUPPORT, card.ts, "delete")


class TestWatching:
    """Waiting for changes and observing them."""

    async def test_waiting_in_vain_says_what_is_there(self, workspace: Workspace) -> None:
        """The TimeoutError lists the messages, so that a failed test explains itself."""
        await workspace.say("U0ANA", SUPPORT, "anybody here?")
        with pytest.raises(TimeoutError, match="anybody here"):
            await workspace.until(lambda: workspace.statuses, within=0.01)

    async def test_observers_hear_each_change(self, workspace: Workspace) -> None:
        """An observer is told of messages, updates, statuses and deletions until it leaves."""
        seen: list[str] = []

        def observer(kind: str, _changed: object) -> None:
            seen.append(kind)

        workspace.observe(observer)
        message = workspace.post("U0BOT", SUPPORT, "hello")
        workspace.set_status(SUPPORT, message.ts, "is thinking")
        workspace.post("U0BOT", SUPPORT, "well", thread_ts=message.ts)
        workspace.update(SUPPORT, message.ts, text="hello there")
        workspace.delete(SUPPORT, message.ts)
        workspace.unobserve(observer)
        workspace.post("U0BOT", SUPPORT, "unheard")
        assert seen == ["message", "status", "status", "message", "message", "deleted"]
        await workspace.deliveries.stop()

    def test_timestamps_rise(self, workspace: Workspace) -> None:
        """Every message has a `ts` of its own, above all others."""
        stamps = [workspace.post("U0ANA", SUPPORT, "x").ts for _ in range(100)]
        assert stamps == sorted(set(stamps))
        assert all(len(ts.split(".")[1]) == 6 for ts in stamps)

    @pytest.mark.parametrize(
        ("typed", "stored"),
        [
            ("@Support Bot hi", "<@U0BOT> hi"),
            ("ask @ana ruiz & @Ben Okafor.", "ask <@U0ANA> &amp; <@U0BEN>."),
            ("a < b, @nobody, @Ana Ruizian", "a &lt; b, @nobody, @Ana Ruizian"),
            ("<!channel>", "&lt;!channel&gt;"),
        ],
    )
    def test_typed_text_is_stored_as_slack_would(self, workspace: Workspace, typed: str, stored: str) -> None:
        """What is typed is escaped, and full names after an at sign become mentions."""
        assert workspace.as_typed(typed) == stored


async def test_people_and_channels_of_ones_own() -> None:
    """A workspace that is given people and channels has those alone, each person with a direct message to the bot."""
    bot = Person("U0BOT", "bot", "Bot", "App", is_bot=True)
    eve = Person("U0EVE", "eve", "Eve Park", "Customer", "eve@example.org")
    workspace = Workspace([bot, eve], [Channel("C0HELP", "help", "channel", frozenset({"U0EVE", "U0BOT"}))])
    async with SlackServer(workspace) as slack:
        client = AsyncWebClient(slack.bot_token, base_url=slack.url)
        members = (await client.users_list())["members"]
        assert [member["id"] for member in members] == ["U0BOT", "U0EVE"]
        assert (await client.chat_postMessage(channel="D0EVE", text="Hello, Eve"))["ok"]
        with pytest.raises(SlackApiError, match="channel_not_found"):
            await client.chat_postMessage(channel="C0SUPPORT", text="Nobody here")
