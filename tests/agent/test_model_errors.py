"""The model's server fails: asked again where that helps, then plain words, a reference, and a thread that goes on."""

import socket
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from bot.logs import event_of
from bot.shop.orders import Order
from bot.shop.sqlite import SqliteShop
from bot.testing.openai import Answer, Failure, Request
from tests.agent.raw_model import GOOD, AnyServer, Raw, RawModel, ask_side_by_side, completion, refusal
from tests.world import ANA, World, free_port, heard, shown, status_of


class LeakyShop(SqliteShop):
    """A shop whose errors tell its key."""

    async def order(self, order_id: str) -> Order | None:
        """Fail."""
        raise LookupError(f"no {order_id} for Bearer sk-live-4711-secret")


UNREACHABLE = "I can't reach my language model right now."
BUSY = "My language model is busy right now."
MISCONFIGURED = "I am not set up correctly"
SPENT = "My language model's allowance is used up"
REFUSED = "My language model did not take what I asked it."
TOO_LONG = "This is too long for my language model to read."


def think_in(world: World, failures: Mapping[str, tuple[Failure, ...]]) -> Counter[str]:
    """Fail each question in its own ways before it is answered; count how often each is asked."""
    tries: Counter[str] = Counter()

    async def think(request: Request) -> Answer | Failure:
        question = heard(request)[0]
        tries[question] += 1
        left = failures[question][tries[question] - 1 :]
        return left[0] if left else Answer(f"Here it is: {heard(request)[-1]}")

    world.think = think
    return tries


async def test_passing_failures(world: World) -> None:
    """A server that is busy or broken for a moment is asked again, and the customer notices nothing."""
    failures = {
        "busy": (Failure(429, "rate_limit_exceeded"),),
        "busy for a time": (Failure(429, "rate_limit_exceeded", headers={"Retry-After": "0.5"}),),
        "busy until a date": (Failure(429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),),
        "broken": (Failure(500),),
        "broken twice": (Failure(503), Failure(502)),
        "in conflict": (Failure(409),),
    }
    tries = think_in(world, failures)
    async with world.bot():
        replies = await ask_side_by_side(world, failures)
    assert {question: shown(reply) for question, reply in replies.items()} == {
        question: f"Here it is: {question}" for question in failures
    }
    assert tries == {question: len(ways) + 1 for question, ways in failures.items()}
    assert "is waiting for the language model…" in {status.status for status in world.workspace.status_history}


async def test_half_a_character_in_an_error(world: World) -> None:
    """An error whose words cannot be written is in the log like any other, and the customer hears the right words."""
    world.script += [Failure(500, message="\ud83d")] * 3
    async with world.bot():
        (reply,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(reply).startswith(UNREACHABLE)
    rows = world.rows("SELECT status, error FROM model_calls WHERE purpose = 'turn'")
    assert [row["status"] for row in rows] == ["failed"] * 3
    assert rows[0]["error"].endswith("?")


async def test_retry_after_is_kept(world: World) -> None:
    """When the server says after how long to ask again, it is not asked earlier."""
    world.script += [Failure(429, headers={"Retry-After": "0.9"}), Answer("Here it is.")]
    async with world.bot():
        await world.replies(await world.says(ANA, "@bot hello"))
    first, second = (
        datetime.fromisoformat(row["created_at"])
        for row in world.rows("SELECT created_at FROM model_calls WHERE purpose = 'turn' ORDER BY created_at")
    )
    assert second - first > timedelta(seconds=0.85)


AGAIN = (BUSY, UNREACHABLE)  # where it helps
FINAL: dict[str, tuple[Failure, str, int]] = {
    "busy for long": (Failure(429, headers={"Retry-After": "120"}), BUSY, 1),
    "busy for ever": (Failure(429, headers={"Retry-After": "inf"}), SPENT, 1),
    "busy again": (Failure(429), BUSY, 3),
    "broken": (Failure(500), UNREACHABLE, 3),
    "no money": (Failure(429, "insufficient_quota"), SPENT, 1),
    "wrong key": (Failure(401, "invalid_api_key"), MISCONFIGURED, 1),
    "not allowed": (Failure(403), MISCONFIGURED, 1),
    "no such model": (Failure(404, "model_not_found"), MISCONFIGURED, 1),
    "bad request": (Failure(400, "invalid_value", "secret details"), REFUSED, 2),
}


async def test_failures_that_last(world: World) -> None:
    """When asking again does not help, the customer reads why in plain words, with a reference that finds the row."""
    tries = think_in(world, {question: (failure,) * 9 for question, (failure, _, _) in FINAL.items()})
    async with world.bot():
        replies = await ask_side_by_side(world, FINAL)
    for question, (_, words, times) in FINAL.items():
        text = shown(replies[question])
        assert text.startswith(words), question
        when = "in 2 minutes" if question == "busy for long" else "in a minute"
        assert (f"Write “try again” {when}." in text) is (words in AGAIN), question
        plain, _, mark = text.rpartition(" ")
        assert not any(part in plain for part in ("Error", "error", "secret", "429", "400"))
        (row,) = world.rows("SELECT status, error FROM model_calls WHERE id LIKE ?", f"{mark}%")
        assert row["status"] == "failed"
        assert tries[question] == times, question


AS_SENT: dict[str, tuple[Raw, str]] = {
    "no credits": (refusal(402, {"error": {"code": 402, "message": "Insufficient credits"}}), SPENT),
    "an error in a 200": (refusal(200, {"error": {"code": 429, "message": "Rate limit exceeded"}}), BUSY),
    "a list in a 200": (refusal(200, [{"error": {"code": 503, "message": "overloaded"}}]), BUSY),
    "plain text": (refusal(400, "no, thanks"), REFUSED),
    "a page": (Raw("<html>Welcome</html>", "text/html"), MISCONFIGURED),
    "no tools": (refusal(400, {"error": "registry.ollama.ai/library/gemma:2b does not support tools"}), MISCONFIGURED),
    "too long": (
        refusal(400, {"error": {"message": "This model's maximum context length is 10 tokens.", "code": 400}}),
        TOO_LONG,
    ),
    "filtered": (
        refusal(400, {"error": {"code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}),
        "My language model's content filter refused this message",
    ),
}


@pytest.mark.parametrize("kind", AS_SENT)
async def test_error_as_it_is_sent(world: World, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    """Each error is told in its own words, whatever its status and form, and the operator reads the server's."""
    raw, words = AS_SENT[kind]
    async with AnyServer(lambda _: raw) as server, world.bot(openai_base_url=server.url, BOT_SORTING=False):
        (reply,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(reply).startswith(words)
    assert ("try again" in shown(reply)) is (words in AGAIN)
    told = [fields for event, fields in filter(None, map(event_of, caplog.records)) if event == "model call failed"]
    assert told[-1]["address"] == f"{server.url}/"


async def test_try_again(world: World) -> None:
    """After a failure, “try again” is answered, and the model sees the question that was not."""
    world.script += [Failure(401), status_of("ORD-10234"), Answer("It is on its way.")]
    async with world.bot():
        question = await world.says(ANA, "@bot where is ORD-10234?")
        await world.replies(question)
        await world.says(ANA, "try again", thread_ts=question.ts)
        replies = await world.replies(question, 2)
    assert shown(replies[1]).startswith("It is on its way.")
    assert heard(world.asked[1]) == ["where is ORD-10234?", "try again"]


async def test_failure_in_mid_run(world: World) -> None:
    """A failure after a look-up keeps what was looked up: the next message goes on from there."""
    world.script += [status_of("ORD-10234"), Failure(401), Answer("As I saw, it is on its way.")]
    async with world.bot():
        question = await world.says(ANA, "@bot where is ORD-10234?")
        await world.replies(question)
        await world.says(ANA, "try again", thread_ts=question.ts)
        await world.replies(question, 2)
    assert [m["role"] for m in world.asked[2].messages[1:]] == ["user", "assistant", "tool", "assistant", "user"]


async def test_time_out(world: World) -> None:
    """A call that takes longer than we allow is given up by us, and not begun again while somebody waits."""
    world.script += [Answer("Too late.", delay=30), Answer("Here I am.")]
    async with world.bot(BOT_MODEL_TIMEOUT_SECONDS=1):
        question = await world.says(ANA, "@bot hello")
        (reply,) = await world.replies(question)
        assert shown(reply).startswith(UNREACHABLE)
        await world.says(ANA, "try again", thread_ts=question.ts)
        assert shown((await world.replies(question, 2))[1]) == "Here I am."
    assert len(world.asked) == 2


async def test_body_that_trickles(world: World) -> None:
    """The seconds of a model call are those of the whole answer, and of sorting the thread too."""
    drip = Raw("", trickle=True)
    async with (
        RawModel({"hello": drip, "intent": drip}) as model,
        world.bot(openai_base_url=model.url, BOT_MODEL_TIMEOUT_SECONDS=0.5),
    ):
        (other,) = await world.replies(await world.says(ANA, "@bot intent"))
        (reply,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(reply).startswith(UNREACHABLE)
    assert shown(other) == GOOD
    ended = world.rows("SELECT DISTINCT purpose FROM model_calls WHERE error = 'no whole answer within 0.5 s'")
    assert {row["purpose"] for row in ended} == {"turn", "intent"}


async def test_refusal_without_end(world: World) -> None:
    """Of a refusal, too, only the beginning is read, however much a server sends of it."""
    sent = [0]

    async def refuse(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=400, headers={"Content-Type": "application/json"})
        await response.prepare(request)
        with suppress(ConnectionError):
            while sent[0] < 200:
                await response.write(b"x" * 1_000_000)
                sent[0] += 1
        return response

    app = web.Application(client_max_size=2**24)
    app.router.add_post("/v1/chat/completions", refuse)
    async with TestServer(app) as server, world.bot(openai_base_url=str(server.make_url("/v1")), BOT_SORTING=False):
        await world.replies(await world.says(ANA, "@bot hello"))
    requests = len(world.rows("SELECT 1 FROM model_calls"))
    assert sent[0] < 20 * requests


async def test_key_in_an_error(world: World) -> None:
    """A server that repeats the key which it refuses does not bring it into the log."""
    world.script += [Failure(401, message="Incorrect API key: sk-live-4711-secret, not Basic 4711-secret-too")]
    headers = "Proxy-Authorization: Basic 4711-secret-too"
    async with world.bot(openai_api_key="sk-live-4711-secret", BOT_MODEL_HEADERS=headers):
        await world.replies(await world.says(ANA, "@bot hello"))
    (row,) = world.rows("SELECT error FROM model_calls WHERE purpose = 'turn'")
    assert "[key removed]" in row["error"]
    assert b"4711-secret" not in world.database.read_bytes()


async def test_connection_refused(world: World) -> None:
    """A server that is not there is tried three times."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/v1"
    async with world.bot(openai_base_url=url):
        (reply,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(reply).startswith(UNREACHABLE)
    assert len(world.rows("SELECT id FROM model_calls WHERE purpose = 'turn'")) == 3


@pytest.mark.parametrize(
    "failure", [Failure(404, "model_not_found"), Failure(429, "insufficient_quota"), Answer("Late.", delay=30)]
)
async def test_fallback(world: World, failure: Failure | Answer) -> None:
    """Another model is asked before giving up, with the same history, and each has its row."""
    world.script += [failure, Answer("Here it is.")]
    async with world.bot(openai_fallback_model="spare-model", BOT_MODEL_TIMEOUT_SECONDS=1):
        (reply,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(reply) == "Here it is."
    first, second = world.asked
    assert (first.model, second.model) == ("scripted-model", "spare-model")
    assert first.messages == second.messages
    rows = world.rows("SELECT status FROM model_calls WHERE purpose = 'turn' ORDER BY created_at")
    assert [row["status"] for row in rows] == ["failed", "succeeded"]


async def test_fallback_at_another_server(world: World) -> None:
    """The fallback model may be at another server with a key of its own, and learns nothing of the first one's."""
    keys: list[str | None] = []

    def answer(body: dict[str, Any]) -> Raw:
        return completion({"content": f"From {body['model']}."})

    world.script += [Failure(503)] * 3
    async with AnyServer(answer, seen=lambda request: keys.append(request.headers["Authorization"])) as spare:
        settings: dict[str, Any] = {
            "openai_api_key": "sk-first-4711",
            "openai_fallback_model": "spare-model",
            "openai_fallback_base_url": spare.url,
            "openai_fallback_api_key": "sk-second-4712",
            "BOT_MODEL_HEADERS": "X-Title: Support",
        }
        async with world.bot(**settings):
            (reply,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(reply) == "From spare-model."
    assert keys == ["Bearer sk-second-4712"]


async def test_operator_reads_why(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The log names the address and the server's reason, without the key, and what watches the bot knows it too."""
    port = free_port()
    refused = Failure(401, "invalid_api_key", "Incorrect API key: sk-live-4711-secret")
    world.script += [refused, Answer("Here I am."), refused]
    async with (
        world.bot(openai_api_key="sk-live-4711-secret", BOT_HEALTH_PORT=port, BOT_SORTING=False),
        ClientSession() as session,
    ):

        async def trouble() -> list[str]:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
                told: list[str] = (await response.json())["trouble"]
                return told

        question = await world.says(ANA, "@bot hello")
        await world.replies(question)
        assert await trouble() == [f"the model scripted-model at {world.model.url}/ does not answer: status 401"]
        async with session.get(f"http://127.0.0.1:{port}/healthz") as response:
            assert (await response.json())["models"][0]["failures_in_a_row"] == 1
        await world.says(ANA, "try again", thread_ts=question.ts)
        await world.replies(question, 2)
        assert await trouble() == []
    told = next(fields for event, fields in filter(None, map(event_of, caplog.records)) if event == "model call failed")
    assert told["address"] == f"{world.model.url}/"
    assert told["error"].startswith("status 401: invalid_api_key")
    assert "live-4711" not in caplog.text + str(told)


async def test_a_foreign_exception_is_named_only(world: World) -> None:
    """Of an exception that nobody foresaw, its kind and place are kept and not its text, in which a key may stand."""
    world.script += [status_of("ORD-10234"), Answer("Sorry.")]
    async with world.bot(open_shop=LeakyShop):
        await world.replies(await world.says(ANA, "@bot where is it?"))
    (row,) = world.rows("SELECT error FROM tool_calls")
    assert row["error"].startswith("LookupError at test_model_errors.py:")
    assert b"live-4711" not in world.database.read_bytes()


async def test_both_fail(world: World) -> None:
    """When the other model fails too, the customer reads what came of that one."""
    world.script += [Failure(404, "model_not_found"), Failure(429, headers={"Retry-After": "60"})]
    async with world.bot(openai_fallback_model="spare-model"):
        (reply,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(reply).startswith(BUSY)


async def test_context_too_long(world: World) -> None:
    """A history that does not fit is sent again with its oldest turns left out, however small the model's window is."""
    fits = 9_000
    sizes: list[int] = []

    async def think(request: Request) -> Answer | Failure:
        sizes.append(sum(len(m["content"] or "") for m in request.messages[1:]))
        return Answer("Noted.") if sizes[-1] < fits else Failure(400, "context_length_exceeded")

    world.think = think
    async with world.bot():
        question = await world.says(ANA, "one " * 600, "D0ANA")
        for number in range(1, 6):
            await world.replies(question, number)
            await world.says(ANA, f"{number} " * 1_200, "D0ANA", thread_ts=question.ts)
        replies = await world.replies(question, 6)
    assert {shown(reply) for reply in replies} == {"Noted."}
    assert max(sizes) >= fits
    assert "left out" in world.asked[-1].messages[1]["content"]


async def test_one_message_too_long(world: World) -> None:
    """A single message that does not fit is given up with words, and the next one is answered."""

    async def think(request: Request) -> Answer | Failure:
        long = any("word" in words for words in heard(request))
        return Failure(400, "context_length_exceeded") if long else Answer("Here I am.")

    world.think = think
    async with world.bot():
        question = await world.says(ANA, "word " * 2_000, "D0ANA")
        assert shown((await world.replies(question))[0]).startswith(TOO_LONG)
        await world.says(ANA, "shorter", "D0ANA", thread_ts=question.ts)
        assert shown((await world.replies(question, 2))[1]) == "Here I am."


async def test_words_that_nobody_knows(world: World) -> None:
    """Where a server refuses what was said before, in words that nobody knows, the thread lives on without it."""
    poison = "bonjour"

    async def think(request: Request) -> Answer | Failure:
        said = heard(request)
        return Failure(400, "e-4711", "non, merci") if any(poison in words for words in said) else Answer(said[-1])

    world.think = think
    async with world.bot():
        question = await world.says(ANA, f"@bot {poison}")
        assert shown((await world.replies(question))[0]).startswith(REFUSED)
        for number, words in enumerate(("where is it?", "and the other one?"), 2):
            await world.says(ANA, words, thread_ts=question.ts)
            assert shown((await world.replies(question, number))[-1]) == words


async def test_error_of_a_shape_that_nobody_knows(world: World) -> None:
    """An answer with status 200 that is no completion is told in the words that it has."""

    def answer(_: dict[str, Any]) -> Raw:
        return Raw('{"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}, "choices": null}')

    async with AnyServer(answer) as server, world.bot(openai_base_url=server.url):
        (reply,) = await world.replies(await world.says(ANA, "@bot hello"))
    assert shown(reply).startswith(SPENT)
