"""What one person may use within an hour: others do not feel it, and one who reaches it hears so once."""

import asyncio

from bot.agent.slots import RunSlots
from bot.testing.openai import Answer, Request
from tests.world import ANA, BEN, SAM, SUPPORT, TEAM, World, buttons, calls, refund_of, shown, sorted_as, status_of


async def ask(world: World, person: str, text: str = "@bot hello", **how: str) -> str:
    """Write, and give back the first answer after that in the thread."""
    message = await world.says(person, text, **how)
    so_far = len(world.workspace.replies_of_bot(message))
    return shown((await world.replies(message, so_far + 1))[so_far])


def left_unread(world: World) -> list[str]:
    """List the ts of the messages that were left unanswered because of a bound."""
    return [row["ts"] for row in world.rows("SELECT ts FROM inbox WHERE error LIKE 'no more % this hour'")]


def an_hour_later(world: World) -> None:
    """Move all that was used to more than an hour ago."""
    world.write("UPDATE usage SET at = '2026-01-01T00:00:00+00:00'")
    world.write("UPDATE bounds_told SET until = '2026-01-01T00:00:00+00:00'")


async def test_runs(world: World) -> None:
    """Whoever writes too often is told once, over threads and a restart, and answered again when the hour is over."""
    world.script += [Answer("One."), Answer("Two."), Answer("For Ben.")]
    async with world.bot(BOT_RUNS_PER_USER_HOUR=2):
        assert await ask(world, ANA) == "One."
        root = await world.says(ANA, "@bot hello")
        await world.replies(root)
        assert (await ask(world, ANA)).startswith("You have written to me as often as I may answer one person")
        unread = [await world.says(ANA, "@bot hello?")]
        assert await ask(world, BEN, thread_ts=root.ts) == "For Ben."
    async with world.bot(BOT_RUNS_PER_USER_HOUR=2):
        unread += [await world.says(ANA, "@bot hello?")]
        world.script += [Answer("For Ben, too.")]
        assert await ask(world, BEN) == "For Ben, too."
    assert left_unread(world)[1:] == [message.ts for message in unread]
    an_hour_later(world)
    world.script += [Answer("Again.")]
    async with world.bot(BOT_RUNS_PER_USER_HOUR=2):
        assert await ask(world, ANA) == "Again."
    assert [world.workspace.replies_of_bot(message) for message in unread] == [[], []]
    assert "hello?" not in "".join(str(request.messages) for request in world.asked)


async def test_tokens(world: World) -> None:
    """Whoever has cost too many tokens waits, whatever the threads; the one that is being answered is answered."""
    world.script += [status_of("ORD-10234"), Answer("On its way."), Answer("For Ben.")]
    async with world.bot(BOT_TOKENS_PER_USER_HOUR=1_000):
        assert "On its way." in await ask(world, ANA, "@bot " + "where is my order? " * 200)
        told = await ask(world, ANA)
        assert told.startswith("Your messages have taken as much work as I may do")
        assert "Please write again in 60 minutes" in told
        assert await ask(world, BEN) == "For Ben."
    assert len(left_unread(world)) == 1


async def test_a_run_counts_once(world: World) -> None:
    """A run that was cut off and goes on at the next start has been counted already."""
    model = world.hold_model()
    async with world.bot(BOT_RUNS_PER_USER_HOUR=1, BOT_STOP_SECONDS=0.05):
        question = await world.says(ANA, "@bot hello")
        await model.reached.wait()
    world.think = None
    world.script += [Answer("Here I am.")]
    async with world.bot(BOT_RUNS_PER_USER_HOUR=1):
        (answer,) = await world.replies(question)
    assert shown(answer) == "Here I am."


async def test_escalations(world: World) -> None:
    """People are called for one person so often; after that the model hears that nobody was called."""
    world.intent = sorted_as("other", "low")
    world.script += [calls(("escalate_to_human", {"summary": "help"})), Answer("A person comes.")]
    async with world.bot(BOT_ESCALATIONS_PER_USER_HOUR=1):
        assert (await ask(world, ANA)).startswith("A person comes.\nA person of the team was called")
        for _ in range(2):
            world.script += [calls(("escalate_to_human", {"summary": "help"})), Answer("Nobody was called.")]
            assert await ask(world, ANA) == "Nobody was called."
        world.script += [calls(("escalate_to_human", {"summary": "help"})), Answer("A person comes.")]
        assert (await ask(world, BEN)).startswith("A person comes.")
    assert "Nobody was called" in str(world.asked[3].messages[-1]["content"])
    assert len([m for m in world.workspace.messages if m.channel == TEAM]) == 2
    assert [row["handed_over_at"] for row in world.rows("SELECT handed_over_at FROM threads")].count(None) == 2


async def test_urgent_messages(world: World) -> None:
    """Urgent messages call people so often, and are answered all the same after that."""
    world.intent = sorted_as("other", "high")
    async with world.bot(BOT_ESCALATIONS_PER_USER_HOUR=2):
        for _ in range(4):
            world.script += [Answer("I see.", delay=0.2)]
            assert await ask(world, ANA) == "I see."
    assert len([m for m in world.workspace.messages if m.channel == TEAM]) == 2


async def test_clicks(world: World) -> None:
    """Whoever presses too often is told once, no row is written for more, and somebody else can decide."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot(BOT_CLICKS_PER_USER_HOUR=3):
        question = await world.says(ANA, "@bot refund ORD-10188")
        card = await world.card(question)
        await world.replies(question, 2)
        for _ in range(20):
            assert await world.workspace.click(BEN, SUPPORT, card.ts, "approve_call")
        assert await world.workspace.click(SAM, SUPPORT, card.ts, "approve_call")
        await world.settled(card)
    whispers = sorted(m.text for m in world.workspace.messages if m.ephemeral_for == BEN)
    assert whispers == sorted(row["told"] for row in world.rows("SELECT told FROM refused_clicks"))
    assert ["as often as I look at within an hour" in text for text in whispers] == [False, False, False, True]
    assert world.refunds() == [("ORD-10188", 4200)]


async def test_clicks_at_once(world: World) -> None:
    """A hundred presses at the same moment are looked at as often as the bound says, and no more."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    async with world.bot(BOT_CLICKS_PER_USER_HOUR=3):
        question = await world.says(ANA, "@bot refund ORD-10188")
        card = await world.card(question)
        await asyncio.gather(*(world.workspace.click(BEN, SUPPORT, card.ts, "approve_call") for _ in range(100)))
        assert buttons(card)
    assert len(world.rows("SELECT 1 FROM refused_clicks")) == 4
    assert len([m for m in world.workspace.messages if m.ephemeral_for == BEN]) == 4


async def test_presses_of_every_kind(world: World) -> None:
    """Presses below answers and on orders, forms and commands count as well; each is told once, and leaves one row."""
    world.script += [refund_of("ORD-10188"), Answer("I have asked for it.")]
    surfaces = world.workspace.surfaces
    async with world.bot(BOT_CLICKS_PER_USER_HOUR=2):
        question = await world.says(ANA, "@bot refund ORD-10188")
        card = await world.card(question)
        (_, answer) = await world.replies(question, 2)
        for _ in range(6):
            await world.workspace.click(ANA, SUPPORT, answer.ts, "answer_feedback", value=f"good:{answer.ts}")
        for _ in range(6):
            await surfaces.command(BEN, SUPPORT, "/order", "ORD-10240")
        for _ in range(6):
            await world.workspace.click(SAM, SUPPORT, card.ts, "decline_call")
    told = [(m.ephemeral_for, "as often as I" in m.text) for m in world.workspace.messages if m.ephemeral_for]
    assert [told.count((ANA, is_told)) for is_told in (False, True)] == [2, 1]
    assert [told.count((BEN, is_told)) for is_told in (False, True)] == [2, 1]
    refused = [row["told"] for row in world.rows("SELECT told FROM refused_clicks WHERE user = ?", SAM)]
    assert ["as often as I look at" in one for one in refused] == [True]


async def test_messages_opened_again_and_again(world: World) -> None:
    """Whoever opens their messages too often is suggested nothing new, and Slack is not asked for it."""
    async with world.bot(BOT_CLICKS_PER_USER_HOUR=2):
        for _ in range(6):
            await world.workspace.surfaces.open_home(ANA, "messages")
        await world.workspace.until(lambda: world.workspace.prompts)
    suggested = [call for call in world.workspace.calls if call.method == "assistant.threads.setSuggestedPrompts"]
    assert len(suggested) == 2


async def test_runs_at_once(world: World) -> None:
    """Only so many runs go on at once; next is who has none, however many threads another one has opened."""
    hang = world.hold_model(lambda request: Answer(f"To {asker(request)}."))
    async with world.bot(BOT_MAX_RUNS=1):
        first = await world.says(ANA, "@bot hello")
        await hang.reached.wait()
        others = [await world.says(ANA, f"@bot hello {number}") for number in range(3)]
        of_ben = await world.says(BEN, "@bot hello")
        await world.workspace.until(lambda: any("others first" in s.status for s in world.workspace.status_history))
        await world.workspace.until(lambda: len(world.rows("SELECT 1 FROM inbox")) == 5)
        assert len(world.asked) == 1
        hang.release()
        for message in (first, *others, of_ben):
            await world.replies(message)
    assert [asker(request) for request in world.asked] == [ANA, BEN, ANA, ANA, ANA]


def asker(request: Request) -> str:
    """Read who wrote last."""
    said: str = request.messages[-1]["content"]
    return said.partition(" wrote: ")[0].rpartition("\n")[2]


async def test_slots_of_those_who_left() -> None:
    """A run that is cut off, while it goes on or while it waits, leaves its slot to the next."""
    slots, order = RunSlots(2), list[str]()

    async def run(user: str) -> None:
        async with slots.taken_by(user):
            order.append(user)
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(run(user)) for user in ("ana", "ana", "ana", "ben", "ana")]
    await asyncio.sleep(0)
    assert slots.is_full
    tasks[0].cancel()
    tasks[2].cancel()
    await asyncio.wait([tasks[0], tasks[2]])
    await asyncio.sleep(0)
    assert order == ["ana", "ana", "ben"]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [True] * 5
    async with asyncio.timeout(20), slots.taken_by("ben"), slots.taken_by("ana"):
        assert slots.is_full
