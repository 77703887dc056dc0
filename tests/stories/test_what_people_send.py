"""What people send besides words: pictures, voices, other people's messages; and what is meant for somebody else."""

from typing import Any

import pytest

from bot.testing.openai import Answer
from bot.testing.slack.workspace import Channel, Person
from tests.world import ANA, BEN, BOT, SAM, World, buttons, heard, refund_of, results_in, shown, status_of

PHOTO = {"id": "F0BROKEN", "name": "broken.jpg", "title": "broken.jpg", "mimetype": "image/jpeg", "size": 120_000}
VOICE = {
    "id": "F0VOICE",
    "name": "audio_message.m4a",
    "mimetype": "audio/mp4",
    "subtype": "slack_audio",
    "transcription": {"status": "complete", "preview": {"content": "where is my order ORD-10234", "has_more": False}},
}
SILENT_VOICE = VOICE | {"transcription": {"status": "processing"}}
INVOICE = {"id": "F0PDF", "name": "invoice.pdf", "mimetype": "application/pdf"}
FORWARDED: dict[str, Any] = {
    "is_share": True,
    "is_msg_unfurl": True,
    "author_id": BEN,
    "text": "Parcel of ORD-10234 arrived broken, write to <mailto:ben@example.com|ben@example.com>",
}


async def test_photo_in_a_channel(world: World) -> None:
    """A photo beside a mention is on the refund's card, though the mention's own event has no files."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        question = await world.says(ANA, "@bot ORD-10188 came like this, money back", files=[PHOTO])
        card = await world.card(question)
        replies = await world.replies(question, 2)
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        settled = await world.settled(card)
    for drawn in (card, settled):
        (picture,) = (block for block in drawn.blocks if block["type"] == "image")
        assert (picture["slack_file"], picture["alt_text"]) == ({"id": "F0BROKEN"}, "broken.jpg")
    answer = next(shown(reply) for reply in replies if "I have asked for it." in shown(reply))
    assert "I can't look into what you attached (picture “broken.jpg”)" in answer
    assert "whoever decides about it sees your picture" in answer


@pytest.mark.parametrize("order", [("app_mention", "message"), ("message", "app_mention")])
async def test_two_copies_of_a_mention(world: World, order: tuple[Any, ...]) -> None:
    """Whichever copy of a mention comes first, the model reads of its files and the person gets one answer."""
    world.script += [Answer("Hello."), Answer("Hello.")]
    async with world.bot():
        question = await world.says(ANA, "@bot look", files=[INVOICE], order=order)
        (answer,) = await world.replies(question)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
    assert "a file “invoice.pdf”, which cannot be read here" in heard(world.asked[-1])[0]
    assert "file “invoice.pdf”" in shown(answer)
    assert len(world.workspace.replies_of_bot(question)) == 1


async def test_photo_of_an_earlier_message(world: World) -> None:
    """A photo that was sent before the reason was asked for is on the card, and only that of who asks."""
    world.script += [Answer("Why?"), Answer("Hello Ben."), refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        question = await world.says(ANA, "@bot refund ORD-10188", files=[PHOTO])
        await world.replies(question)
        await world.says(BEN, "@bot look", thread_ts=question.ts, files=[PHOTO | {"id": "F0BEN"}])
        await world.replies(question, 2)
        await world.says(ANA, "it broke", thread_ts=question.ts)
        card = await world.card(question)
    assert [block["slack_file"]["id"] for block in card.blocks if block["type"] == "image"] == ["F0BROKEN"]


@pytest.mark.parametrize("error", ["invalid_blocks", "slack_connect_file_link_sharing_blocked"])
async def test_picture_that_slack_does_not_show(world: World, error: str) -> None:
    """A card whose picture Slack refuses is posted without it, and can be decided."""
    world.workspace.faults.refuse("chat.postMessage", error)
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot ORD-10188 is broken, refund", files=[PHOTO]))
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
    assert [block["type"] for block in card.blocks if block["type"] == "image"] == []
    assert world.refunds() == [("ORD-10188", 4200)]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (PHOTO, "a picture “broken.jpg” (file F0BROKEN)"),
        (INVOICE, "a file “invoice.pdf”, which cannot be read here"),
        (SILENT_VOICE, "a voice message “audio_message.m4a”, which cannot be read here"),
        ({"mode": "tombstone"}, "a deleted file, which cannot be read here"),
        ({"file_access": "check_file_info"}, "a file, which cannot be read here"),
        ({"name": "n.txt", "mimetype": "text/plain", "preview": "dear shop"}, "“n.txt”, which begins: “dear shop”"),
    ],
)
async def test_file_without_words(world: World, file: dict[str, Any], words: str) -> None:
    """A file without a word is read of by the model, and its sender hears what nobody can look into."""
    world.script += [Answer("What is it about?")]
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "", "D0ANA", files=[file]))
    assert words in heard(world.asked[-1])[0]
    assert ("I can't look into what you attached" in shown(answer)) is ("preview" not in file)


async def test_voice(world: World) -> None:
    """A voice message that Slack has transcribed is what the person said."""
    world.script += [status_of("ORD-10234"), Answer("On its way.")]
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, "", "D0ANA", files=[VOICE]))
    assert heard(world.asked[0]) == ["(voice message) where is my order ORD-10234"]
    assert "can't look into" not in shown(answer)


@pytest.mark.parametrize("words", ["", "look"])
async def test_voice_that_is_still_transcribed(world: World, words: str) -> None:
    """A voice message that Slack has not transcribed yet is asked for again, and is what the person said."""
    world.script += [status_of("ORD-10234"), Answer("On its way.")]
    world.workspace.described["F0VOICE"] = [SILENT_VOICE, VOICE]
    async with world.bot():
        (answer,) = await world.replies(await world.says(ANA, words, "D0ANA", files=[SILENT_VOICE, INVOICE]))
    said = heard(world.asked[0])[0]
    assert said.startswith(f"{words}\n(voice message) where is my order ORD-10234".lstrip())
    assert "a file “invoice.pdf”, which cannot be read here" in said
    assert "audio_message" not in said
    assert "I can't look into what you attached (file “invoice.pdf”)" in shown(answer)


@pytest.mark.parametrize("sent", [VOICE, SILENT_VOICE], ids=["transcribed", "later"])
async def test_voice_of_somebody_else(world: World, sent: dict[str, Any]) -> None:
    """What somebody else has recorded is no word of the staff who passes it on, and so names no order for them."""
    by_ben = {"user": BEN, "transcription": {"status": "complete", "preview": {"content": "mine is ORD-10176"}}}
    world.workspace.described["F0VOICE"] = [VOICE | by_ben]
    world.script += [status_of("ORD-10176"), Answer("I can't see that.")]
    async with world.bot():
        file = VOICE | by_ben if sent is VOICE else SILENT_VOICE
        await world.replies(await world.says(SAM, "what about this?", "D0SAM", files=[file]))
    assert "which begins: “mine is ORD-10176”" in heard(world.asked[0])[0]
    assert "no order ORD-10176 in your name" in results_in(world.asked[1])[0]["error"]


async def test_file_of_a_shared_channel(world: World) -> None:
    """A file that Slack describes only when it is asked, as in a shared channel, is known by then."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    world.workspace.described["F0BROKEN"] = [PHOTO]
    file = {"id": "F0BROKEN", "mode": "file_access", "file_access": "check_file_info"}
    async with world.bot():
        card = await world.card(await world.says(ANA, "@bot ORD-10188 is broken, refund", files=[file]))
    assert "a picture “broken.jpg” (file F0BROKEN)" in heard(world.asked[0])[0]
    assert [block["slack_file"]["id"] for block in card.blocks if block["type"] == "image"] == ["F0BROKEN"]


async def test_forwarded_message(world: World) -> None:
    """What somebody else wrote is read as their words, and names nothing in the name of who forwards it."""
    world.script += [status_of("ORD-10234"), Answer("I can't find it.")]
    async with world.bot(BOT_STAFF=SAM):
        await world.replies(await world.says(SAM, "", "D0SAM", attachments=[FORWARDED]))
    said = heard(world.asked[0])[0]
    assert "a message of U0BEN, forwarded: “Parcel of ORD-10234 arrived broken, write to ben@example.com”" in said
    assert "There is no order" in world.asked[-1].messages[-1]["content"]


@pytest.mark.parametrize("mark", ["is_share", "is_msg_unfurl", "is_reply_unfurl", "is_thread_root_unfurl"])
async def test_link_to_any_message(world: World, mark: str) -> None:
    """A message that Slack shows below another is read, whatever it is to it: shared, linked to, a reply or a root."""
    world.script += [Answer("What about it?")]
    linked = {mark: True, "author_id": BEN, "text": "ORD-10234 arrived broken"}
    async with world.bot():
        await world.replies(await world.says(ANA, "look", "D0ANA", attachments=[linked]))
    assert "a message of U0BEN, forwarded: “ORD-10234 arrived broken”" in heard(world.asked[0])[0]


WORDS = [{"type": "section", "text": {"type": "mrkdwn", "text": "ORD-10234 arrived broken"}}]
SHAPES: dict[str, dict[str, Any]] = {
    "blocks of a message": {"is_msg_unfurl": True, "message_blocks": [{"message": {"blocks": WORDS}}]},
    "blocks": {"is_share": True, "author_name": "Ben", "blocks": WORDS},
    "of an app": {"is_share": True, "bot_id": "B1", "attachments": [{"text": "ORD-10234 arrived broken"}]},
    "an old client": {"is_share": True, "text": "", "fallback": "ben: ORD-10234 arrived broken"},
    "no mark": {"title": "A mail", "text": "ORD-10234 arrived broken", "from_url": "https://acme.slack.com/x"},
}


@pytest.mark.parametrize("kind", SHAPES)
async def test_forwarded_in_any_shape(world: World, kind: str) -> None:
    """What is forwarded is read wherever Slack puts its words, and without words of one's own whatever it is."""
    world.script += [Answer("Which order?")]
    async with world.bot():
        await world.replies(await world.says(ANA, "", "D0ANA", attachments=[SHAPES[kind]]))
    assert "ORD-10234 arrived broken" in heard(world.asked[0])[0]


async def test_preview_of_a_page(world: World) -> None:
    """The preview that Slack makes of a page is none of what somebody says or forwards."""
    world.script += [Answer("What about it?")]
    preview = {"title": "Mugs", "text": "Buy now", "from_url": "https://shop.example.com/mugs"}
    async with world.bot():
        await world.replies(await world.says(ANA, "see https://shop.example.com/mugs", "D0ANA", attachments=[preview]))
    assert "Buy now" not in heard(world.asked[0])[0]


async def test_forwarded_photo(world: World) -> None:
    """A photo in a message that somebody forwards is on their refund's card, and they hear that nobody else sees it."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot():
        question = await world.says(ANA, "ORD-10188, refund", "D0ANA", attachments=[FORWARDED | {"files": [PHOTO]}])
        card = await world.card(question)
        (_, answer) = await world.replies(question, 2)
    (picture,) = (block for block in card.blocks if block["type"] == "image")
    assert picture["slack_file"] == {"id": "F0BROKEN"}
    assert "I can't look into what you attached (picture “broken.jpg”)" in shown(answer)


async def test_mention_with_a_name(world: World) -> None:
    """A mention in which Slack writes the name beside the id is a mention of the bot, and none of the words."""
    world.script += [Answer("Hello.")]
    async with world.bot():
        await world.replies(await world.says(ANA, f"<@{BOT}|support-bot> hello", order=("message",)))
    assert heard(world.asked[0]) == ["hello"]


async def test_said_in_the_third_person(world: World) -> None:
    """What is written with /me in a direct message is answered."""
    world.script += [Answer("Which order?")]
    async with world.bot():
        await world.replies(await world.says(ANA, "is waiting for a parcel", "D0ANA", subtype="me_message"))


@pytest.mark.parametrize(
    "text",
    [
        "<!subteam^S0SUPPORT> can one of you look?",
        "can one of you look, <!subteam^S0SUPPORT|@support>?",
        "<!here> who knows this?",
        f"<@{SAM}> can you look?",
        f"hey <@{SAM}>, can you look?",
        f"ok, thanks. <@{SAM}> please",
    ],
)
async def test_meant_for_somebody_else(world: World, text: str) -> None:
    """In the bot's own thread what is said to a group or to somebody by name is left to them."""
    world.script += [Answer("Hello.")]
    async with world.bot():
        question = await world.says(ANA, "@bot hello")
        await world.replies(question)
        await world.says(ANA, text, thread_ts=question.ts)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
    assert len(world.asked) == 1


async def test_about_somebody_else(world: World) -> None:
    """In the bot's own thread a question in which somebody is named is a question to the bot."""
    world.script += [Answer("Hello."), Answer("No.")]
    async with world.bot():
        question = await world.says(ANA, "@bot hello")
        await world.replies(question)
        await world.says(ANA, f"did you already tell this to my colleague <@{BEN}>?", thread_ts=question.ts)
        await world.replies(question, 2)


async def test_group_direct_message(world: World) -> None:
    """In a direct message of several people the bot answers who mentions it, and what follows in that thread."""
    world.workspace.add(Channel("C0GROUP", "mpdm-ana--ben--bot-1", "mpim", frozenset({ANA, BEN, BOT})))
    world.script += [Answer("Hello."), Answer("Yes.")]
    async with world.bot():
        await world.says(ANA, "shall we ask the bot?", "C0GROUP")
        question = await world.says(ANA, "@bot hello", "C0GROUP")
        await world.replies(question)
        await world.says(ANA, "are you there?", "C0GROUP", thread_ts=question.ts)
        await world.replies(question, 2)
    assert len(world.asked) == 2


async def test_other_apps_and_slack_itself(world: World) -> None:
    """What another app or Slack itself writes is no question, wherever it stands."""
    world.workspace.add(
        Person("U0APP", "tracker", "Tracker", is_bot=True),
        Person("USLACKBOT", "slackbot", "Slackbot"),
        Person("USLACK", "slack", "Slack"),
    )
    world.script += [Answer("Hello.")]
    async with world.bot():
        question = await world.says(ANA, "@bot hello")
        await world.replies(question)
        for who in ("U0APP", "USLACKBOT", "USLACK"):
            await world.says(who, "@bot where is ORD-10234?", thread_ts=question.ts)
            await world.says(who, "where is ORD-10234?", "D0ANA")
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
    assert len(world.asked) == 1
    assert buttons(question) == {}


def served(world: World, content: bytes = b"\x89PNG", content_type: str = "image/jpeg") -> dict[str, Any]:
    """Serve a photo as Slack does, and return how it describes it."""
    world.workspace.contents["F0BROKEN"] = (content_type, content)
    return PHOTO | {"url_private": world.slack.url.replace("/api/", "/files-pri/F0BROKEN"), "size": len(content)}


async def test_model_that_sees(world: World) -> None:
    """A model that sees is shown the picture beside the words, in later requests too, and nobody is told otherwise."""
    world.script += [Answer("I see a broken mug."), Answer("Yes, broken.")]
    async with world.bot(BOT_MODEL_SEES_PICTURES=True):
        question = await world.says(ANA, "@bot what is this?", files=[served(world)])
        (answer,) = await world.replies(question)
        await world.says(ANA, "really?", thread_ts=question.ts)
        await world.replies(question, 2)
    for request in world.asked:
        words, picture = request.messages[1]["content"]
        assert words["text"].startswith(f"{ANA} wrote: what is this?")
        assert picture == {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
    assert shown(answer) == "I see a broken mug."
    assert world.rows("SELECT 1 FROM messages WHERE message LIKE '%base64%'") == []


@pytest.mark.parametrize(
    "changed",
    [
        {"url_private": "https://evil.example.com/files-pri/F0BROKEN"},
        {"url_private": "https://slack.com.evil.example/files-pri/F0BROKEN"},
        {"url_private": "not an address"},
        {"size": 50_000_000},
    ],
)
async def test_picture_that_cannot_be_fetched(world: World, changed: dict[str, Any]) -> None:
    """A picture that is not Slack's, too large or of a type that no model sees is told to be unseen."""
    world.script += [Answer("Hello.")]
    async with world.bot(BOT_MODEL_SEES_PICTURES=True):
        question = await world.says(ANA, "@bot what is this?", files=[served(world) | changed])
        (answer,) = await world.replies(question)
    assert isinstance(world.asked[0].messages[1]["content"], str)
    assert "I can't look into what you attached" in shown(answer)


@pytest.mark.parametrize("changed", [{"mimetype": "image/heic", "name": "IMG_1.HEIC"}, {"size": 9_000_000}])
async def test_picture_of_a_phone(world: World, changed: dict[str, Any]) -> None:
    """Of a picture that is too large for a model, or of a type that none sees, Slack's smaller version is shown."""
    world.script += [Answer("I see a broken mug.")]
    photo = served(world, b"\xff\xd8\xff\xe0")
    smaller = {"url_private": "https://slack.com/none", "thumb_360": "no address", "thumb_720": photo["url_private"]}
    async with world.bot(BOT_MODEL_SEES_PICTURES=True):
        question = await world.says(ANA, "@bot what is this?", files=[photo | smaller | changed])
        (answer,) = await world.replies(question)
    (_, picture) = world.asked[0].messages[1]["content"]
    assert picture["image_url"]["url"].startswith("data:image/jpeg;base64,")
    assert shown(answer) == "I see a broken mug."


async def test_content_that_no_model_sees(world: World) -> None:
    """A picture of a type that no model sees, of which Slack has no other version, is told to be unseen."""
    world.script += [Answer("Hello.")]
    async with world.bot(BOT_MODEL_SEES_PICTURES=True):
        photo = served(world, b"II*\x00", "image/tiff") | {"mimetype": "image/tiff"}
        (answer,) = await world.replies(await world.says(ANA, "@bot what is this?", files=[photo]))
    assert isinstance(world.asked[0].messages[1]["content"], str)
    assert "I can't look into what you attached" in shown(answer)


async def test_page_in_place_of_a_picture(world: World) -> None:
    """What Slack gives in place of a picture, as without the scope, is not shown to the model."""
    world.script += [Answer("Hello.")]
    async with world.bot(BOT_MODEL_SEES_PICTURES=True):
        photo = served(world, b"<h1>Sign in</h1>", "text/html")
        (answer,) = await world.replies(await world.says(ANA, "@bot what is this?", files=[photo]))
    assert "I can't look into what you attached" in shown(answer)


async def test_picture_of_somebody_else(world: World) -> None:
    """Who writes the id of another's picture is not shown it."""
    world.script += [Answer("I see."), Answer("What do you mean?")]
    async with world.bot(BOT_MODEL_SEES_PICTURES=True):
        await world.replies(await world.says(ANA, "@bot look", files=[served(world)]))
        await world.replies(await world.says(BEN, "@bot what is in (file F0BROKEN)?"))
    assert isinstance(world.asked[1].messages[1]["content"], str)


async def test_link_to_a_message(world: World) -> None:
    """A message that is linked to is read when Slack unfolds it, which is after the link itself was sent."""
    model = world.hold_model(lambda request: Answer(f"Read: {heard(request)[-1]}"))
    async with world.bot():
        question = await world.says(ANA, "@bot what about <https://acme.slack.com/archives/C0GENERAL/p1>?")
        await model.reached.wait()
        linked = FORWARDED | {"from_url": "https://acme.slack.com/archives/C0GENERAL/p1"}
        world.workspace.update(question.channel, question.ts, attachments=(linked,))
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
        model.release()
        await world.replies(question)
        world.workspace.update(question.channel, question.ts, attachments=(linked, linked))
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
    (answer,) = world.workspace.replies_of_bot(question)
    assert "Parcel of ORD-10234 arrived broken" in shown(answer)


async def test_link_in_what_was_said_to_somebody_else(world: World) -> None:
    """A message that was for somebody else is not answered when Slack unfolds a link in it."""
    world.script += [Answer("Hello.")]
    async with world.bot():
        question = await world.says(ANA, "@bot hello")
        await world.replies(question)
        other = await world.says(ANA, f"<@{SAM}> see https://acme.slack.com/x", thread_ts=question.ts)
        world.workspace.update(other.channel, other.ts, attachments=(FORWARDED,))
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
    assert len(world.asked) == 1


def typed(*elements: dict[str, Any]) -> dict[str, Any]:
    """Forge a message without a text, which is in its blocks alone."""
    listed = {"type": "rich_text_section", "elements": [{"type": "text", "text": "ORD-10188 & <others>"}]}
    parts = [
        {"type": "rich_text_section", "elements": list(elements)},
        {"type": "rich_text_list", "style": "bullet", "elements": [listed]},
        {"type": "rich_text_quote", "elements": [{"type": "text", "text": "It is on its way."}]},
        {"type": "nothing that is known", "elements": "nor this"},
    ]
    return {"event": {"text": "", "blocks": [{"type": "rich_text", "block_id": "x", "elements": parts}]}}


async def test_blocks_alone(world: World) -> None:
    """A message whose words are in its blocks alone is read as if it had a text, mentions included."""
    link = {"type": "link", "url": "https://acme.example/a", "text": "this"}
    where = {"type": "text", "text": "where is"}
    async with world.bot():
        world.script += [Answer("Hello."), Answer("Hello again.")]
        await world.replies(await world.says(ANA, "-", "D0ANA", forged=typed(where, link)))
        us = {"type": "user", "user_id": BOT}
        await world.replies(await world.says(ANA, "-", forged=typed(us, where)))
        await world.says(ANA, "-", forged=typed(where))
    assert heard(world.asked[0]) == [
        "where ishttps://acme.example/a\n• ORD-10188 & <others>\n> It is on its way.",
    ]
    assert heard(world.asked[1]) == ["where is\n• ORD-10188 & <others>\n> It is on its way."]
    assert len(world.asked) == 2
