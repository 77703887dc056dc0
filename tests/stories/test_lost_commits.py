"""A connection is lost at a commit, and nobody knows what was written: nothing is lost, and nothing is done twice."""

import pytest

from bot.settings import PostgresUrl
from tests.process import approve, check, think
from tests.store.wire import COMMIT, COMMITTED, Wire
from tests.stories.test_kills import SOON
from tests.world import ANA, BEN, World, shown

COMMITS = 50  # of a bot that answers a question and makes a refund there are a few more
pytestmark = pytest.mark.parametrize("world", ["postgres"], indirect=True)


@pytest.mark.parametrize("lost", range(1, COMMITS))
@pytest.mark.parametrize("part", [COMMIT, COMMITTED], ids=["commit", "answer"])
async def test_lost_commit(world: World, wire: Wire, part: bytes, lost: int) -> None:
    """Whichever it is, and whether the server has it or not, all is answered once and the refund is made once."""
    world.think = think
    world.slack.socket_mode.retry_delays = (0.1,) * 100  # Slack comes again for what was not acked
    async with world.bot(BOT_DATABASE=PostgresUrl(wire.url), **SOON):
        wire.lose = (part, lost)
        question = await world.says(BEN, "@bot where is ORD-10240")
        refund = await world.says(ANA, "@bot refund ORD-10188")
        card = await world.card(refund)
        await world.replies(refund, 2)
        await approve(world, card)
        await world.replies(question)
        await world.replies(refund, 3)
    assert wire.has_lost()
    assert world.refunds() == [("ORD-10188", 4200)]
    (answer,) = map(shown, world.said_to(question))
    assert answer.startswith("That was “where is ORD-10240”.\n*Order ORD-10240*")
    settled, answer, told = map(shown, world.said_to(refund))
    assert "✓ Approved by" in settled
    assert answer.startswith("That was “refund ORD-10188”.")
    assert "✓ Approved by" in told
    check(world)
