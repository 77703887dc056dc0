"""`support-bot log`: each question is answered by one command, with names and not ids."""

import csv
import io
import json
import re
import signal
from asyncio.subprocess import Process
from contextlib import suppress

import pytest

from bot.testing.openai import Answer, Failure
from bot.testing.slack.workspace import Message
from tests.operator.command import ask, environment, start
from tests.world import ANA, BEN, GENERAL, SAM, World, calls, refund_of, status_of

PRICES = {"BOT_MODEL_PRICES": "scripted=1000/2000"}


@pytest.fixture
async def day(world: World) -> World:
    """Play a day: a look-up, a refund that Ben may not approve and Sam does, a failure, and a refund that waits."""
    world.deliver_all()
    world.script += [status_of("ORD-10234"), Answer("It is on its way."), refund_of("ORD-10188"), Answer("Asked.")]
    async with world.bot():
        # Elsewhere than the refund, for which a burst of posts is enough then: more would be paced.
        await world.replies(await world.says(ANA, "@bot where is ORD-10234?", GENERAL))
        await refunded(world)
        world.script += [Failure(401, code="invalid_api_key")]
        await world.replies(await world.says(BEN, "@bot hello \x1b[2J\x1b[31mred", GENERAL))
        world.script += [refund_of("ORD-10234"), Answer("It waits.")]
        await world.replies(await world.says(ANA, "@bot refund ORD-10234"), 2)
    return world


async def refunded(world: World) -> Message:
    """Play a refund that is denied to one person and approved by another."""
    question = await world.says(ANA, "@bot my mug came broken")
    card = await world.card(question)
    await world.workspace.click(BEN, card.channel, card.ts, "approve_call")
    await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
    await world.settled(card)
    await world.replies(question, 3)
    return question


async def test_latest_calls(day: World) -> None:
    """Without a word it is a table of the latest calls, the newest last, with names, order numbers and references."""
    said = await ask(day, "log")
    title, *rows = said.lines
    assert title.split() == [
        "time",
        "reference",
        "tool",
        "order",
        "status",
        "asked",
        "by",
        "decided",
        "by",
        "took",
        "what",
    ]
    shown = [[row.split()[3], row.split()[4], row.split()[5]] for row in rows]
    assert shown == [
        ["get_order_status", "ORD-10234", "succeeded"],
        ["initiate_refund", "ORD-10188", "succeeded"],
        ["initiate_refund", "ORD-10234", "pending"],
    ]
    assert "Ana Ruiz  Sam Lee" in rows[1]
    assert not re.search(r"\bU0[A-Z]+\b", said.out)


@pytest.mark.parametrize("number", ["ORD-10188", "#10188", "10188", "ord-10188"])
async def test_story_of_an_order(day: World, number: str) -> None:
    """An order's number, however written, gives one story: who said what, what was done, who decided, the cost."""
    told = (await ask(day, "log", number, **PRICES)).out
    assert "my mug came broken" in told
    for words in (
        r"Thread \d+\.\d+ in #support",
        r"Ana Ruiz +my mug came broken",
        r"scripted-model +answered, in .+ tokens, \$",
        r"initiate_refund +order_id=ORD-10188, reason=defective.* waits for approval",
        r"Support Bot +\[card\] Refund of \$42\.00 for ORD-10188, asked by @Ana Ruiz",
        r"Ben Okafor +pressed approve in vain, and was told: Only @Sam Lee can approve this",
        r"Sam Lee +approved it after ",
        r"initiate_refund +done in .+ went back to Visa",
        r"Sum: 1 message, 1 tool call, 3 model calls of .+ tokens, \$\d",
    ):
        assert re.search(words, told), (words, told)
    assert "where is ORD-10234" not in told
    assert not re.search(r"\bU0[A-Z]+\b", told)


async def test_story_of_two_keys(world: World) -> None:
    """The story of a change that needs both keys tells who turned which, one after the other."""
    world.script += [calls(("cancel_order", {"order_id": "ORD-10251"})), Answer("Please confirm.")]
    async with world.bot():
        card = await world.confirmed(await world.says(ANA, "@bot cancel ORD-10251"))
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
    told = (await ask(world, "log", "ORD-10251")).out
    assert re.search(r"Ana Ruiz +confirmed it after [^\0]+Sam Lee +approved it after ", told), told


async def test_story_of_a_reference(day: World) -> None:
    """A reference that a customer was told gives the story of their thread, with what went wrong."""
    told = next(message.text for message in day.workspace.messages if "reference: " in message.text)
    reference = told.rpartition(" ")[2]
    said = await ask(day, "log", reference)
    assert re.search(rf"Support Bot +could not answer: .+401.+\({reference}\)", said.out), said.out
    assert re.search(r"Ben Okafor +hello \ufffd\[2J\ufffd\[31mred", said.out), "nothing of it moves the cursor"
    assert "\x1b" not in said.out


async def test_story_of_a_link(day: World) -> None:
    """A link to a message in Slack, a person's or one of ours, gives the story of its thread."""
    card = next(message for message in day.workspace.messages if "ORD-10188" in message.text and message.thread_ts)
    for ts in (card.ts, card.thread_ts):
        link = f"https://acme.slack.com/archives/{card.channel}/p{str(ts).replace('.', '')}"
        for suffix in ("", f"?thread_ts={card.thread_ts}&cid={card.channel}"):
            assert "my mug came broken" in (await ask(day, "log", link + suffix)).out


async def test_story_of_a_person(day: World) -> None:
    """A person's name gives what they wrote, and what they decided; their id does as well."""
    ana = (await ask(day, "log", "@ana")).out
    assert ana.count("Thread ") == 3
    for name in ("@sam", "@Sam Lee", SAM):
        sam = (await ask(day, "log", name)).out
        assert sam.startswith("Requests:\n")
        assert "Ana Ruiz  Sam Lee" in sam


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("ORD-99999", "The log has nothing of ORD-99999. Ask for an order's number, a reference"),
        ("deadbeef", "The log has nothing of deadbeef."),
        ("@nobody", "Nobody in this workspace is called @nobody."),
        ("https://acme.slack.com/archives/C0SUPPORT/p1000000000000000", "The log has nothing of https://acme"),
    ],
)
async def test_nothing_found(day: World, what: str, words: str) -> None:
    """What the log has nothing of is an error that says what can be asked for."""
    said = await ask(day, "log", what)
    assert (said.code, said.out) == (1, "")
    assert words in said.errors


async def test_without_slack(day: World) -> None:
    """Where Slack is not configured or gone the log is read all the same, with ids in place of names."""
    for changes in ({"SLACK_BOT_TOKEN": None}, {"SLACK_API_URL": "http://127.0.0.1:9/api/"}, {"BOT_MAX_STEPS": "many"}):
        said = await ask(day, "log", "10188", **changes)
        assert said.code == 0, said.errors
        assert re.search(rf"{ANA} +my mug came broken", said.out)


async def test_pending(day: World) -> None:
    """The queue shows what waits for a person, for how long, until when, and nothing that is decided."""
    title, row = (await ask(day, "log", "pending")).lines
    assert title.split()[:2] == ["waits", "reference"]
    assert re.search(r"pending +ORD-10234 +Ana Ruiz +\d{4}-\d\d-\d\d .+Refund of \$84\.00 for ORD-10234", row)


async def test_today(day: World) -> None:
    """The day is six lines: messages, tools, requests, the model, posts."""
    lines = (await ask(day, "log", "today", **PRICES)).lines
    assert len(lines) == 6
    told = "\n".join(lines)
    assert "Messages  4 from 2 people, 1 not answered; answered in " in told
    assert "Tools     1 call: 1 succeeded" in told
    assert "Requests  2 requests: 1 succeeded, 1 pending; $42.00 refunded; 1 open now, the oldest for " in told
    assert re.search(r"Model     \d+ calls, 1 failed, [\d,]+ \+ [\d,]+ tokens, \$\d", told)
    assert re.search(r"Posts     \d+ posts: \d+ sent", told)


async def test_filters(day: World) -> None:
    """Calls are filtered by tool, status and day, and their number is limited."""
    for arguments, count in (
        (("--tool", "initiate_refund"), 2),
        (("--status", "pending"), 1),
        (("--tool", "get_order_status", "--status", "pending"), 0),
        (("--day", "today"), 3),
        (("--day", "yesterday"), 0),
        (("--limit", "1"), 1),
    ):
        assert len(json.loads((await ask(day, "log", "--json", *arguments)).out)) == count, arguments
    said = await ask(day, "log", "--day", "tomorrow")
    assert (said.code, said.errors) == (
        1,
        "Error: tomorrow is no day. Give one such as 2026-11-25, today or yesterday.\n",
    )


async def test_filters_of_stories(day: World) -> None:
    """A story, a queue and what a person did are told when a call in them is such a one, and never in spite of it."""
    reference = json.loads((await ask(day, "log", "--json", "10188")).out)[0]["events"]
    call = next(event["reference"] for event in reference if event["kind"] == "request")
    for what in ("10188", call, "@ana", "pending"):
        for right in ((), ("--tool", "initiate_refund"), ("--day", "today")):
            assert (await ask(day, "log", what, *right)).code == 0, (what, right)
        for wrong in (("--tool", "delete_account"), ("--status", "declined"), ("--day", "yesterday")):
            said = await ask(day, "log", what, *wrong)
            told = (
                (0, "Nothing waits.") if what == "pending" else (1, f"The log has nothing of {what} with such a call")
            )
            assert (said.code, told[1] in said.out + said.errors) == (told[0], True), (what, wrong)
    said = await ask(day, "log", "today", "--tool", "initiate_refund")
    assert (said.code, "goes with --day alone" in said.errors) == (2, True)
    assert (await ask(day, "log", "--csv", "--day", "yesterday")).out == ""


async def test_for_programs(day: World) -> None:
    """JSON and CSV give ids as well as names, and a story is a list of events."""
    calls = json.loads((await ask(day, "log", "--json")).out)
    assert (calls[1]["asked_by"], calls[1]["asked_by_name"], calls[1]["order_id"]) == (ANA, "Ana Ruiz", "ORD-10188")
    rows = list(csv.DictReader(io.StringIO((await ask(day, "log", "--csv")).out)))
    assert [row["id"] for row in rows] == [call["id"] for call in calls]
    (story,) = json.loads((await ask(day, "log", "--json", "10188")).out)
    assert {"message", "model", "request", "refused click", "decision", "outcome", "post"} == {
        event["kind"] for event in story["events"]
    }
    assert story["model_calls"] == 3


async def line(process: Process, words: str) -> str:
    """Read what the process says up to a line with these words."""
    assert process.stdout
    async for read in process.stdout:
        if words in (text := read.decode()):
            return text
    raise AssertionError(f"it ended without a line with {words!r}")


async def test_follow(world: World) -> None:
    """With `--follow` each call is a line when it is new and when it has moved on, until Ctrl-C, which is no error."""
    world.script += [refund_of("ORD-10188"), Answer("Asked.")]
    async with world.bot():
        process = await start(world.database.parent, "log", "--follow", **environment(world))
        try:
            question = await world.says(ANA, "@bot my mug came broken")
            card = await world.card(question)
            assert "Ana Ruiz" in await line(process, "pending")
            await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
            assert "Sam Lee" in await line(process, "succeeded")
            process.send_signal(signal.SIGINT)
            _, errors = await process.communicate()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
    assert (process.returncode, errors) == (0, b"")


async def test_story_does_not_follow(day: World) -> None:
    """Only the latest calls can be followed, which is said."""
    said = await ask(day, "log", "10188", "--follow")
    assert said.code == 2
    assert "--follow goes on with the latest calls" in said.errors


async def test_forgotten(day: World) -> None:
    """Of somebody who was forgotten the finished request is found by its order, as a row without a name."""
    assert (await ask(day, "log", "pending", "--json")).out != "[]\n"
    day.write("UPDATE tool_calls SET status = 'cancelled' WHERE status = 'pending'")
    assert (await ask(day, "forget", ANA)).code == 0
    title, *rest = (await ask(day, "log", "10188")).lines
    assert title == "Requests:"
    assert "forgotten  Sam Lee" in rest[1]
    assert len(rest) == 2


async def test_calls_know_their_run(day: World) -> None:
    """Every model call and tool call belongs to the message that it was made for, and a run sums them up."""
    runs = day.rows("SELECT * FROM runs ORDER BY run")
    assert [(run["asked_by"], run["status"], run["tool_calls"]) for run in runs] == [
        (ANA, "done", 1),
        (ANA, "done", 1),
        (BEN, "failed", 0),
        (ANA, "done", 1),
    ]
    assert all(run["model_calls"] >= 1 for run in runs)
    assert day.rows("SELECT id FROM tool_calls WHERE run_id IS NULL") == []


async def test_what_people_look_up_themselves(world: World) -> None:
    """What is looked up by a command or a button is in the story of its order, with who, how and its outcome."""
    world.script += [status_of("ORD-10234"), Answer("It is on its way.")]
    async with world.bot():
        (card,) = await world.replies(await world.says(ANA, "@bot where is ORD-10234?", "D0ANA"))
        await world.workspace.click(ANA, "D0ANA", card.ts, "refresh_order")
        await world.workspace.until(lambda: any(call.method == "chat.update" for call in world.workspace.calls))
        for person, command, text in ((BEN, "/order", "10234"), (SAM, "/order", "#10234"), (ANA, "/orders", "")):
            await world.workspace.surfaces.command(person, GENERAL, command, text)
            await world.whisper(person)
    told = (await ask(world, "log", "#10234")).out
    assert re.search(r"Ana Ruiz +used refresh_order with order_id=ORD-10234 . succeeded in .+status.+shipped", told)
    assert re.search(r"Ben Okafor +used /order with order_id=10234 . rejected in .+in your name", told)
    assert re.search(r"Sam Lee +used /order with order_id=ORD-10234 . succeeded", told)
    assert told.count("Outside of any thread, in #general") == 2
    assert "used /orders" not in told
    rows = world.rows("SELECT tool, status, requester, order_id FROM tool_calls WHERE message_id IS NULL ORDER BY id")
    assert {tuple(row.values()) for row in rows} >= {("find_orders", "succeeded", ANA, None)}
    assert "$" not in json.dumps(world.rows("SELECT result FROM tool_calls WHERE message_id IS NULL"))
    assert (await ask(world, "verify")).code == 0
