"""The Web API as the bot's client sees it: answers, refusals and faults."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, web
from aiohttp.test_utils import TestServer
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.testing.slack.api import SlackServer
from bot.testing.slack.workspace import Channel, Json, Person, Workspace

SUPPORT = "C0SUPPORT"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*Hello*"}}


async def refusal(call: Awaitable[AsyncSlackResponse]) -> Json:
    """Give the answer of a call that Slack refuses."""
    with pytest.raises(SlackApiError) as caught:
        await call
    answer: Any = caught.value.response.data
    assert isinstance(answer, dict)
    return answer


class TestWho:
    """Tokens, people and groups."""

    async def test_the_token_says_who_the_bot_is(self, client: AsyncWebClient) -> None:
        """auth.test names team, user and bot, and bots.info the app."""
        me = await client.auth_test()
        assert (me["team_id"], me["user_id"], me["bot_id"]) == ("T0ACME", "U0BOT", "B0BOT")
        assert (await client.bots_info(bot=me["bot_id"]))["bot"]["app_id"] == "A0BOT"

    @pytest.mark.parametrize(
        ("token", "error"),
        [("", "not_authed"), ("xoxb-other", "invalid_auth"), ("xapp-demo", "not_allowed_token_type")],
    )
    async def test_another_token_is_refused(self, client: AsyncWebClient, token: str, error: str) -> None:
        """A missing, an unknown and an app-level token have an error each."""
        client.token = token
        assert (await refusal(client.auth_test()))["error"] == error

    async def test_connections_need_the_app_token(self, client: AsyncWebClient, slack: SlackServer) -> None:
        """apps.connections.open refuses the bot's token and answers the app's with an address."""
        refused = await refusal(client.apps_connections_open(app_token=slack.bot_token))
        assert refused["error"] == "not_allowed_token_type"
        opened = await client.apps_connections_open(app_token=slack.app_token)
        assert opened["url"].startswith("ws://127.0.0.1:")

    async def test_people_have_an_email_or_none(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """users.info gives e-mail, team and the marks of guests and strangers."""
        workspace.add(Person("U0EVE", "eve", "Eve Stone", team="T0OTHER", is_stranger=True, is_restricted=True))
        ana, eve = [(await client.users_info(user=user))["user"] for user in ("U0ANA", "U0EVE")]
        assert (ana["profile"]["email"], ana["team_id"]) == ("ana@example.com", "T0ACME")
        assert "email" not in eve["profile"]
        assert (eve["team_id"], eve["is_stranger"], eve["is_restricted"]) == ("T0OTHER", True, True)
        assert (await refusal(client.users_info(user="U0NOBODY")))["error"] == "user_not_found"

    async def test_lists_come_in_pages(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """users.list goes on from its cursor until everybody was named."""
        found = [member["id"] async for page in await client.users_list(limit=2) for member in page["members"]]
        assert found == list(workspace.people)
        assert (await refusal(client.users_list(cursor="?")))["error"] == "invalid_cursor"

    async def test_user_groups_have_members(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """usergroups.users.list gives the members, or says that there is no such group."""
        workspace.usergroups["S0LEADS"] = ["U0SAM"]
        assert (await client.usergroups_users_list(usergroup="S0LEADS"))["users"] == ["U0SAM"]
        assert (await refusal(client.usergroups_users_list(usergroup="S0X")))["error"] == "no_such_subteam"

    async def test_an_unknown_method_is_an_error(self, client: AsyncWebClient) -> None:
        """A method that does not exist is refused by name."""
        assert (await refusal(client.api_call("chat.shout")))["error"] == "unknown_method"


class TestConversations:
    """Channels, direct messages and their histories."""

    async def test_a_channel_is_described(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """conversations.info tells channels, direct messages and shared channels apart."""
        shared = Channel("C0SHARED", "shared", "channel", frozenset({"U0BOT"}), shared_externally=True)
        workspace.add(shared)
        channels = [(await client.conversations_info(channel=c))["channel"] for c in (SUPPORT, "D0ANA", "C0SHARED")]
        assert [channel["is_im"] for channel in channels] == [False, True, False]
        assert [channel["is_ext_shared"] for channel in channels] == [False, False, True]
        assert channels[1]["user"] == "U0ANA"
        assert (await refusal(client.conversations_info(channel="C0X")))["error"] == "channel_not_found"

    async def test_members_are_listed(self, client: AsyncWebClient) -> None:
        """conversations.members names everybody in it."""
        assert (await client.conversations_members(channel="D0ANA"))["members"] == ["U0ANA", "U0BOT"]

    async def test_a_direct_message_is_opened_once(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """conversations.open gives the same conversation every time, and refuses strangers to it and bots."""
        workspace.add(Person("U0NEW", "new", "New Person"))
        opened = [(await client.conversations_open(users="U0NEW"))["channel"]["id"] for _ in range(2)]
        assert opened == ["D0NEW", "D0NEW"]
        assert workspace.channels["D0NEW"].members == {"U0NEW", "U0BOT"}
        assert (await refusal(client.conversations_open(users="U0X")))["error"] == "user_not_found"
        assert (await refusal(client.conversations_open(users="U0BOT")))["error"] == "cannot_dm_bot"

    async def test_a_thread_is_read_in_order(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """conversations.replies gives root and replies by page, and without ephemeral messages."""
        root = workspace.post("U0ANA", SUPPORT, "root")
        for text in ("one", "two"):
            workspace.post("U0BOT", SUPPORT, text, thread_ts=root.ts)
        workspace.post("U0BOT", SUPPORT, "psst", thread_ts=root.ts, ephemeral_for="U0ANA")
        pages = await client.conversations_replies(channel=SUPPORT, ts=root.ts, limit=2)
        messages = [message async for page in pages for message in page["messages"]]
        assert [message["text"] for message in messages] == ["root", "one", "two"]
        assert (messages[0]["reply_count"], messages[0]["thread_ts"]) == (2, root.ts)
        refused = await refusal(client.conversations_replies(channel=SUPPORT, ts="1.000001"))
        assert refused["error"] == "thread_not_found"

    async def test_a_history_is_read_backwards(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """conversations.history gives the newest first, no replies, and only what lies between the ends."""
        first, second, third = [workspace.post("U0ANA", SUPPORT, text) for text in ("one", "two", "three")]
        workspace.post("U0BOT", SUPPORT, "reply", thread_ts=first.ts)
        history = await client.conversations_history(channel=SUPPORT)
        assert [message["text"] for message in history["messages"]] == ["three", "two", "one"]
        between = await client.conversations_history(channel=SUPPORT, oldest=first.ts, latest=third.ts)
        assert [message["ts"] for message in between["messages"]] == [second.ts]
        ends = await client.conversations_history(channel=SUPPORT, oldest=second.ts, inclusive=True)
        assert [message["ts"] for message in ends["messages"]] == [third.ts, second.ts]


class TestMessages:
    """Posting, updating, deleting."""

    async def test_a_message_is_posted(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """chat.postMessage stores text, blocks and metadata, and gives every block an id."""
        metadata = {"event_type": "call", "event_payload": {"id": "1"}}
        posted = await client.chat_postMessage(channel=SUPPORT, text="Hello", blocks=[SECTION], metadata=metadata)
        message = workspace.message(SUPPORT, posted["ts"])
        assert message is not None
        assert (message.user, message.text, message.bot_id, message.app_id) == ("U0BOT", "Hello", "B0BOT", "A0BOT")
        assert message.metadata == metadata
        assert message.blocks[0].items() >= SECTION.items()
        assert message.blocks[0]["block_id"]
        assert posted["message"]["blocks"] == list(message.blocks)

    async def test_blocks_may_be_json_in_a_form(self, slack: SlackServer, workspace: Workspace) -> None:
        """A form-encoded call carries its blocks as JSON text."""
        form = {"channel": SUPPORT, "text": "Hello", "blocks": json.dumps([SECTION]), "token": slack.bot_token}
        async with ClientSession() as session, session.post(f"{slack.url}chat.postMessage", data=form) as response:
            answer = await response.json()
        assert answer["ok"] is True
        assert workspace.messages[0].blocks[0]["type"] == "section"
        assert workspace.calls == [("chat.postMessage", {k: v for k, v in form.items() if k != "token"})]

    async def test_markdown_text_becomes_a_block(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """markdown_text stands alone, and is shown as a markdown block."""
        await client.chat_postMessage(channel=SUPPORT, markdown_text="**Hello**")
        assert workspace.messages[0].blocks[0]["type"] == "markdown"
        refused = await refusal(client.chat_postMessage(channel=SUPPORT, markdown_text="x", text="x"))
        assert refused["error"] == "markdown_text_conflict"

    async def test_a_person_can_be_written_to(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """A person's id as the channel is the direct message with them."""
        posted = await client.chat_postMessage(channel="U0ANA", text="Hello")
        assert (posted["channel"], workspace.messages[0].channel) == ("D0ANA", "D0ANA")

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ({"channel": "C0X", "text": "x"}, "channel_not_found"),
            ({"channel": "C0ELSE", "text": "x"}, "not_in_channel"),
            ({"channel": "G0ELSE", "text": "x"}, "channel_not_found"),
            ({"channel": SUPPORT, "text": ""}, "no_text"),
            ({"channel": SUPPORT, "text": "x", "blocks": "[{"}, "invalid_blocks_format"),
            ({"channel": SUPPORT, "text": "x", "blocks": {}}, "invalid_blocks_format"),
            (
                {"channel": SUPPORT, "text": "x", "blocks": [{"type": "markdown", "text": "x" * 13_200}]},
                "msg_blocks_too_long",
            ),
            ({"channel": SUPPORT, "markdown_text": "x" * 12_001}, "msg_too_long"),
            ({"channel": SUPPORT, "text": "x", "metadata": {"a": 1}}, "invalid_metadata_format"),
            ({"channel": SUPPORT, "text": "x", "thread_ts": "soon"}, "invalid_thread_ts"),
            ({"text": "x"}, "invalid_arguments"),
        ],
    )
    async def test_a_bad_message_is_refused(
        self, client: AsyncWebClient, workspace: Workspace, arguments: Json, error: str
    ) -> None:
        """Slack says what is wrong with a message, and posts nothing."""
        others = frozenset({"U0ANA"})
        workspace.add(Channel("C0ELSE", "else", "channel", others), Channel("G0ELSE", "secret", "group", others))
        assert (await refusal(client.api_call("chat.postMessage", json=arguments)))["error"] == error
        assert workspace.messages == []

    async def test_bad_blocks_are_refused_with_their_place(self, client: AsyncWebClient) -> None:
        """invalid_blocks says what is wrong, and where."""
        blocks = [SECTION, {"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]
        refused = await refusal(client.chat_postMessage(channel=SUPPORT, text="x", blocks=blocks))
        assert refused["error"] == "invalid_blocks"
        assert refused["response_metadata"]["messages"] == [
            "[ERROR] unsupported type: mrkdwn [json-pointer:/blocks/1/text/type]"
        ]

    async def test_a_reply_is_no_root(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """A message cannot be posted in the thread of a reply."""
        root = workspace.post("U0ANA", SUPPORT, "root")
        reply = workspace.post("U0ANA", SUPPORT, "reply", thread_ts=root.ts)
        refused = await refusal(client.chat_postMessage(channel=SUPPORT, text="x", thread_ts=reply.ts))
        assert refused["error"] == "cannot_reply_to_message"

    async def test_a_long_text_is_cut_when_new_and_refused_when_not(
        self, client: AsyncWebClient, workspace: Workspace
    ) -> None:
        """A new message is cut at 40,000 characters, an update over 4,000 is refused."""
        posted = await client.chat_postMessage(channel=SUPPORT, text="x" * 40_001)
        assert len(workspace.messages[0].text) == 40_000
        refused = await refusal(client.chat_update(channel=SUPPORT, ts=posted["ts"], text="x" * 4001))
        assert refused["error"] == "msg_too_long"

    async def test_a_text_without_blocks_takes_the_blocks_away(
        self, client: AsyncWebClient, workspace: Workspace
    ) -> None:
        """chat.update replaces text and blocks, keeps metadata, and marks only a new text as edited."""
        metadata = {"event_type": "call", "event_payload": {}}
        posted = await client.chat_postMessage(channel=SUPPORT, text="a", blocks=[SECTION], metadata=metadata)
        await client.chat_update(channel=SUPPORT, ts=posted["ts"], text="b", blocks=[SECTION, SECTION])
        assert (len(workspace.messages[0].blocks), workspace.messages[0].edited) == (2, False)
        await client.chat_update(channel=SUPPORT, ts=posted["ts"], text="c")
        message = workspace.messages[0]
        assert (message.text, message.blocks, message.edited, message.metadata) == ("c", (), True, metadata)

    async def test_only_its_own_messages_are_changed(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """The bot can neither update nor delete what others wrote, what is gone, or what was ephemeral."""
        theirs = workspace.post("U0ANA", SUPPORT, "mine").ts
        ephemeral = workspace.post("U0BOT", SUPPORT, "psst", ephemeral_for="U0ANA").ts
        update, delete = client.chat_update, client.chat_delete
        assert (await refusal(update(channel=SUPPORT, ts=theirs, text="x")))["error"] == "cant_update_message"
        assert (await refusal(delete(channel=SUPPORT, ts=theirs)))["error"] == "cant_delete_message"
        for ts in (ephemeral, "1.000001"):
            assert (await refusal(update(channel=SUPPORT, ts=ts, text="x")))["error"] == "message_not_found"

    async def test_a_message_is_deleted(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """chat.delete takes the bot's message away."""
        posted = await client.chat_postMessage(channel=SUPPORT, text="x")
        await client.chat_delete(channel=SUPPORT, ts=posted["ts"])
        assert workspace.messages == []

    async def test_an_ephemeral_message_is_for_one_member(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """chat.postEphemeral shows it to a member and to nobody else."""
        await client.chat_postEphemeral(channel=SUPPORT, user="U0ANA", text="psst")
        assert workspace.messages[0].ephemeral_for == "U0ANA"
        refused = await refusal(client.chat_postEphemeral(channel=SUPPORT, user="U0X", text="psst"))
        assert refused["error"] == "user_not_in_channel"


class TestAssistant:
    """Status and prompts."""

    async def test_a_status_is_set_and_cleared(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """A status stands until an empty one clears it; both are remembered."""
        ts = workspace.post("U0ANA", SUPPORT, "hello").ts
        await client.assistant_threads_setStatus(channel_id=SUPPORT, thread_ts=ts, status="is thinking")
        assert workspace.statuses[SUPPORT, ts].status == "is thinking"
        await client.assistant_threads_setStatus(channel_id=SUPPORT, thread_ts=ts, status="")
        assert workspace.statuses == {}
        assert [status.status for status in workspace.status_history] == ["is thinking", ""]

    async def test_a_status_needs_a_thread(self, client: AsyncWebClient) -> None:
        """A status in a thread that is not there is refused, as are too many loading messages, and too long ones."""
        set_status = client.assistant_threads_setStatus
        refused = await refusal(set_status(channel_id=SUPPORT, thread_ts="1.000001", status="x"))
        assert refused["error"] == "invalid_thread_ts"
        ts = str((await client.chat_postMessage(channel=SUPPORT, text="Hello."))["ts"])
        for loading in (["x"] * 11, ["x" * 51], [""]):
            call = set_status(channel_id=SUPPORT, thread_ts=ts, status="x", loading_messages=loading)
            assert (await refusal(call))["error"] == "invalid_arguments"

    async def test_prompts_are_accepted(self, client: AsyncWebClient) -> None:
        """Up to four prompts with title and message are taken, others not."""
        prompt = {"title": "Order", "message": "Where is my order?"}
        await client.assistant_threads_setSuggestedPrompts(channel_id="D0ANA", prompts=[prompt] * 4)
        for prompts in ([prompt] * 5, [{"title": "Order"}]):
            call = client.assistant_threads_setSuggestedPrompts(channel_id="D0ANA", prompts=prompts)
            assert (await refusal(call))["error"] == "invalid_arguments"


class TestFaults:
    """What goes wrong when a test says so."""

    async def test_a_rate_limit_says_when_to_come_back(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """The next calls are answered 429 with Retry-After and do nothing; then all is well."""
        workspace.faults.rate_limit("chat.postMessage", retry_after=7, times=2)
        for _ in range(2):
            with pytest.raises(SlackApiError) as caught:
                await client.chat_postMessage(channel=SUPPORT, text="x")
            assert caught.value.response.status_code == 429
            assert caught.value.response.headers["Retry-After"] == "7"
        assert workspace.messages == []
        await client.chat_postMessage(channel=SUPPORT, text="x")
        assert len(workspace.calls) == 3

    @pytest.mark.parametrize(("moment", "posted"), [("before", 0), ("after", 1)])
    async def test_a_server_error_may_come_after_the_deed(
        self, client: AsyncWebClient, workspace: Workspace, moment: Any, posted: int
    ) -> None:
        """A 500 leaves open whether the message was posted."""
        workspace.faults.server_error("chat.postMessage", moment=moment)
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel=SUPPORT, text="x")
        assert caught.value.response.status_code == 500
        assert len(workspace.messages) == posted

    @pytest.mark.parametrize(("moment", "posted"), [("before", 0), ("after", 1)])
    async def test_a_connection_may_break(
        self, client: AsyncWebClient, workspace: Workspace, moment: Any, posted: int
    ) -> None:
        """A lost connection leaves it open too."""
        workspace.faults.lose_connection("chat.postMessage", moment=moment)
        with pytest.raises(ClientError):
            await client.chat_postMessage(channel=SUPPORT, text="x")
        assert len(workspace.messages) == posted

    async def test_a_fault_can_wait_for_a_channel(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """A fault of one channel leaves the others alone."""
        workspace.faults.refuse("chat.postMessage", "is_archived", channel="C0GENERAL")
        await client.chat_postMessage(channel=SUPPORT, text="x")
        refused = await refusal(client.chat_postMessage(channel="C0GENERAL", text="x"))
        assert refused["error"] == "is_archived"

    async def test_a_call_hangs_until_released(self, client: AsyncWebClient, workspace: Workspace) -> None:
        """A held call does nothing until it is released, and is then done."""
        hang = workspace.faults.hang("chat.postMessage")
        call = asyncio.create_task(client.chat_postMessage(channel=SUPPORT, text="x"))
        await hang.reached.wait()
        assert workspace.messages == []
        hang.release()
        assert (await call)["ok"] is True
        assert len(workspace.messages) == 1


class TestServing:
    """On a port of its own, or as a part of another server."""

    async def test_it_can_be_a_part_of_another_server(self, workspace: Workspace) -> None:
        """Mounted on an application it answers there, and gives connections to the same address."""
        app = web.Application()
        slack = SlackServer(workspace)
        slack.add_routes(app)
        async with TestServer(app) as server:
            client = AsyncWebClient(slack.bot_token, base_url=str(server.make_url("/api/")))
            assert (await client.auth_test())["ok"] is True
            opened = await client.apps_connections_open(app_token=slack.app_token)
            assert opened["url"].startswith(f"ws://127.0.0.1:{server.port}/link?ticket=")

    async def test_it_ends_although_a_call_hangs(self, workspace: Workspace) -> None:
        """A call that is held back does not hold back the end of the server."""
        async with SlackServer(workspace) as slack:
            client = AsyncWebClient(slack.bot_token, base_url=slack.url, retry_handlers=[])
            hang = workspace.faults.hang("auth.test")
            call = asyncio.create_task(client.auth_test())
            await hang.reached.wait()
        with pytest.raises(ClientError):
            await call
