"""Whose workspace an event comes from: ours, an organisation's, a partner's in a shared channel; or nonsense."""

import json
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.testing.openai import Answer
from bot.testing.slack.workspace import Channel, Person
from tests.stories.test_http import http_bot, signed
from tests.world import ANA, BOT, SAM, World, refund_of, shown

SHARED = Channel(
    "C0SHARED",
    "shared",
    "channel",
    frozenset({ANA, SAM, BOT}),
    shared_externally=True,
    shared_with=("T0ACME", "T0PARTNER"),
    delivered_by="T0PARTNER",
)


@pytest.mark.parametrize(
    ("trusted", "said"), [("", "This channel is shared with another company"), ("T0PARTNER", "Hello.")]
)
async def test_event_that_a_partner_delivers(world: World, trusted: str, said: str) -> None:
    """In a shared channel the installation counts, not the team of the envelope: our own people get an answer."""
    world.workspace.add(SHARED)
    world.script += [Answer("Hello.")]
    async with world.bot(BOT_TRUSTED_TEAMS=trusted):
        (answer,) = await world.replies(await world.says(ANA, "@bot hello", "C0SHARED"))
    assert shown(answer).startswith(said)


@pytest.mark.parametrize(
    "forged",
    [
        {"authorizations": [{"team_id": "T0PARTNER"}, {"team_id": "T0ACME"}]},
        {"is_ext_shared_channel": None},
        {"is_ext_shared_channel": None, "context_team_id": "T0ACME"},
    ],
    ids=["two installations", "no flag", "another field"],
)
async def test_envelope_of_a_partner(world: World, forged: dict[str, Any]) -> None:
    """What comes by way of a partner for our installation is for us, and never taken for what we alone read."""
    world.workspace.add(SHARED)
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "@bot hello", "C0SHARED", forged=forged))
    assert shown(answer).startswith("This channel is shared with another company")


async def test_one_thread_whoever_delivers(world: World) -> None:
    """A thread is one conversation, whichever workspace delivers its messages, and a copy from each is one message."""
    world.workspace.add(SHARED)
    world.script += [Answer("Which order?"), Answer("On its way.")]
    async with world.bot(BOT_TRUSTED_TEAMS="T0PARTNER"):
        question = await world.says(ANA, "@bot where is it?", "C0SHARED")
        await world.replies(question)
        world.workspace.add(replace(SHARED, delivered_by="T0ACME"))
        world.workspace.announce(question)
        await world.says(ANA, "ORD-10234", "C0SHARED", thread_ts=question.ts)
        await world.replies(question, 2)
    assert [message["role"] for message in world.asked[-1].messages[1:]] == ["user", "assistant", "user"]
    assert len(world.workspace.replies_of_bot(question)) == 2


async def test_partner_who_is_trusted(world: World) -> None:
    """Somebody of a trusted company asks for a refund in a shared channel and may take it back."""
    world.workspace.add(
        replace(SHARED, members=SHARED.members | {"U0EVE"}),
        Person("U0EVE", "eve", "Eve", email="ana@example.com", team="T0PARTNER", is_stranger=True),
    )
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot(BOT_TRUSTED_TEAMS="T0PARTNER"):
        card = await world.card(await world.says("U0EVE", "@bot ORD-10188 is broken, refund", "C0SHARED"))
        partner = {"team": {"id": "T0PARTNER"}}
        assert await world.workspace.click("U0EVE", "C0SHARED", card.ts, "cancel_call", forged=partner)
        await world.settled(card)
    assert world.rows("SELECT status FROM tool_calls") == [{"status": "cancelled"}]


@pytest.mark.parametrize(
    ("trusted", "said"), [("", "I can only help people of this workspace."), ("T0PARTNER", "Hello.")]
)
async def test_direct_message_of_a_partner(world: World, trusted: str, said: str) -> None:
    """In a direct message nobody else reads, so somebody of a trusted company is served there; a stranger is not."""
    eve = Person("U0EVE", "eve", "Eve", email="ana@example.com", team="T0PARTNER", is_stranger=True)
    members = frozenset({eve.id, BOT})
    world.workspace.add(eve, Channel("D0EVE", "", "im", members, shared_externally=True, delivered_by="T0PARTNER"))
    world.script += [Answer("Hello.")]
    async with world.bot(BOT_TRUSTED_TEAMS=trusted):
        (answer,) = await world.replies(await world.says(eve.id, "hello", "D0EVE"))
    assert shown(answer) == said


async def test_organisation(world: World) -> None:
    """In an Enterprise Grid organisation people with W ids, whose team is the organisation, are served and decide."""
    world.workspace.enterprise_id = "E0ORG"
    world.workspace.add(
        Person("W0ANA", "ana", "Ana Ruiz", email="ana@example.com", team="E0ORG", enterprise="E0ORG"),
        Person("W0SAM", "sam", "Sam Lee", email="sam@example.com", team="T0HQ", enterprise="E0ORG"),
        Channel("C0ORG", "all", "channel", frozenset({"W0ANA", "W0SAM", BOT}), delivered_by="T0HQ"),
    )
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot(BOT_APPROVERS="W0SAM"):
        card = await world.card(await world.says("W0ANA", "@bot ORD-10188 is broken, refund", "C0ORG"))
        await world.workspace.click("W0SAM", "C0ORG", card.ts, "approve_call")
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


ORGANISATION = {"id": "E0ORG", "name": "Acme"}
CLICKS: dict[str, dict[str, Any]] = {
    "no team": {"team": None, "enterprise": ORGANISATION, "user": {"id": SAM, "team_id": "T0ACME"}},
    "the organisation as a team": {
        "team": None,
        "enterprise": ORGANISATION,
        "user": {"id": SAM, "team_id": "E0ORG"},
    },
    "no team of the person": {"team": None, "enterprise": ORGANISATION, "user": {"id": SAM}},
    "another workspace": {"team": {"id": "T0HQ"}, "enterprise": ORGANISATION, "user": {"id": SAM, "team_id": "T0HQ"}},
    "the organisation of the team": {
        "team": {"id": "T0HQ", "enterprise_id": "E0ORG"},
        "enterprise": None,
        "user": {"id": SAM, "team_id": "T0HQ"},
    },
}


@pytest.mark.parametrize("kind", CLICKS)
async def test_click_in_an_organisation(world: World, kind: str) -> None:
    """A click counts whichever workspace of the organisation its envelope names, or none."""
    world.workspace.enterprise_id = "E0ORG"
    world.workspace.add(Person(SAM, "sam", "Sam Lee", email="sam@example.com", team="E0ORG", enterprise="E0ORG"))
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot ORD-10188 is broken, refund"))
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call", forged=CLICKS[kind])
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_click_of_another_organisation(world: World) -> None:
    """A click by way of somebody else's organisation belongs to no request of ours."""
    world.workspace.enterprise_id = "E0ORG"
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    forged = {"team": {"id": "T0EVIL", "enterprise_id": "E0EVIL"}, "enterprise": {"id": "E0EVIL"}}
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot ORD-10188 is broken, refund"))
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call", forged=forged)
        assert "does not belong" in await world.whisper_to(SAM)
    assert world.refunds() == []


async def test_another_organisation(world: World) -> None:
    """Somebody of another organisation is a stranger, in a channel of ours too."""
    world.workspace.enterprise_id = "E0ORG"
    world.workspace.add(Person("W0EVE", "eve", "Eve", email="ana@example.com", team="E0EVIL", enterprise="E0EVIL"))
    async with world.bot():
        (answer,) = await world.replies(await world.says("W0EVE", "@bot hello"))
    assert shown(answer) == "I can only help people of this workspace."


@pytest.mark.parametrize(
    "authorization", [{"team_id": "T0OTHER"}, {"team_id": None}, {"team_id": 7}, {}, "T0ACME", None]
)
async def test_other_installation(world: World, authorization: object) -> None:
    """An event for another installation of the app, or one whose installation cannot be read, is acked and ignored."""
    world.workspace.add(SHARED)
    forged = {"authorizations": [authorization], "team_id": "T0PARTNER"}
    async with world.bot():
        await world.says(ANA, "@bot hello", "C0SHARED", forged=forged)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
    assert world.rows("SELECT 1 FROM inbox") == []


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "U0ANA", "C0SUPPORT", "1.1", "T0ACME"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "ts", "text", "user", "x", "action_id", "channel_id"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)
MESSAGE_KEYS = ("text", "user", "team", "user_team", "bot_id", "files", "attachments", "blocks", "edited")
EVENT_KEYS = (
    *MESSAGE_KEYS,
    *("type", "subtype", "channel", "channel_type", "ts", "thread_ts", "message", "previous_message", "deleted_ts"),
)
OURS = {"api_app_id": "A0BOT", "team_id": "T0ACME"}
ENVELOPE_KEYS = ("authorizations", "is_ext_shared_channel", "enterprise_id")
CLICK_KEYS = ("user", "container", "channel", "team", "enterprise", "actions", "message", "api_app_id", "state", "type")


def bodies() -> st.SearchStrategy[dict[str, Any]]:
    """Make bodies that are an event or a click but for what is inside."""
    event = st.dictionaries(st.sampled_from(EVENT_KEYS), JUNK, max_size=8)
    inner = st.builds(lambda fields, kind: fields | kind, event, st.sampled_from([{}, {"type": "message"}]))
    changed = st.builds(
        lambda fields, subtype: fields | {"type": "message", "subtype": subtype},
        event,
        st.sampled_from(["message_changed", "message_deleted", "file_share"]),
    )
    events = st.builds(
        lambda event, more: (
            {"type": "event_callback", "api_app_id": "A0BOT", "team_id": "T0ACME", "event": event} | more
        ),
        inner | changed | JUNK,
        st.dictionaries(
            st.sampled_from(["authorizations", "is_ext_shared_channel", "enterprise_id"]), JUNK, max_size=2
        ),
    )
    clicks = st.builds(
        lambda fields: {"type": "block_actions", "api_app_id": "A0BOT"} | fields,
        st.dictionaries(st.sampled_from(CLICK_KEYS), JUNK, max_size=8),
    )
    pressed = st.builds(
        lambda fields, action: (
            fields | {"actions": [{"action_id": "approve_call", "block_id": "b"} | action], "user": {"id": "U0ANA"}}
        ),
        clicks,
        st.dictionaries(st.sampled_from(["value", "type", "text"]), JUNK, max_size=3),
    )
    return events | clicks | pressed | st.dictionaries(st.sampled_from(["type", "event", "challenge"]), JUNK)


@settings(
    max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(bodies(), min_size=60, max_size=60))
async def test_signed_nonsense(world: World, caplog: pytest.LogCaptureFixture, sent: list[dict[str, Any]]) -> None:
    """A signed body whose inside is of any shape is answered, and never by an error of ours or with a traceback."""
    async with http_bot(world) as url, aiohttp.ClientSession() as session:
        for body in sent:
            text = json.dumps(body)
            async with session.post(url, data=text, headers=signed(text)) as response:
                assert response.status in (200, 400, 404), text
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("event", [1, None, [], "message", {"type": 3}])
async def test_nonsense_over_socket_mode(world: World, caplog: pytest.LogCaptureFixture, event: object) -> None:
    """An envelope whose inside is of no shape that Slack sends is acked in one line of the log, and work goes on."""
    world.script += [Answer("Hello.")]
    async with world.bot():
        await world.workspace.send_event({}, forged={"event": event})
        assert await world.workspace.deliveries[-1].outcome
        await world.replies(await world.says(ANA, "@bot hello"))
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("team", [None, ""])
async def test_envelope_without_a_team(world: World, team: str | None) -> None:
    """An envelope that names no team is for us when its authorization is ours."""
    world.script += [Answer("Hello.")]
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "@bot hello", forged={"team_id": team}))
    assert shown(answer) == "Hello."
