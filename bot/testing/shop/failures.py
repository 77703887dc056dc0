"""What was not begun, what was refused and what nobody knows are told apart."""

import asyncio
from typing import Literal

import pytest

from bot.shop.shop import LookFirst, Safe, ShopCheckError, ShopRefusedError, ShopUnavailableError
from bot.testing.shop.faults import Fault
from bot.testing.shop.stage import KEY, Sale, Stage, check, faults_of, not_refused, refund_of, sold, until_applied


@pytest.mark.parametrize("fault", ["answer lost", "500 after", "nobody's error"])
async def test_a_deed_whose_answer_is_lost_is_found(stage: Stage, fault: Fault) -> None:
    """Done, and the answer lost or an error that is not the shop's: nobody says "not done", and it happens once."""
    number = await sold(stage, Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    faults_of(stage).next(fault, stage.refund_marker)
    await not_refused(stage, change, quote)
    await until_applied(stage, change)
    await stage.shop.apply(change, quote, key=KEY)
    assert await stage.given_back(number) == 1000


@pytest.mark.parametrize("fault", ["request lost", "500 before", "HTML", "no end of brackets"])
async def test_a_request_that_got_lost_is_unknown_and_done_once(stage: Stage, fault: Fault) -> None:
    """Not done, and no answer of the shop's: the outcome is unknown, not refused, and a repeat does it once."""
    number = await sold(stage, Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    faults_of(stage).next(fault, stage.refund_marker)
    await not_refused(stage, change, quote)
    await stage.shop.apply(change, quote, key=KEY)
    assert await stage.given_back(number) == 1000


async def test_a_deed_that_is_too_slow_is_unknown_and_shows_up_later(stage: Stage) -> None:
    """What takes longer than the adapter waits is unknown, and is found once it is done."""
    number = await sold(stage, Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    faults_of(stage).next("slow", stage.refund_marker, seconds=3.0)
    await not_refused(stage, change, quote)
    await until_applied(stage, change)
    assert await stage.given_back(number) == 1000


async def test_a_repeat_while_the_first_one_is_under_way_moves_money_once(stage: Stage) -> None:
    """The same key twice, and the first request is still on its way when the second is made: one refund."""
    number = await sold(stage, Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    faults = faults_of(stage)
    faults.next("slow", stage.refund_marker, seconds=0.5)
    both = (stage.shop.apply(change, quote, key=KEY) for _ in range(2))
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert not any(isinstance(one, ShopRefusedError | ShopUnavailableError) for one in outcomes)
    await faults.idle()
    assert await stage.given_back(number) == 1000


async def test_a_repeat_of_what_was_given_up_moves_money_once(stage: Stage) -> None:
    """A request that was given up arrives after its repeat: at a shop that keeps keys, there is one refund."""
    if isinstance(stage.shop.replay, LookFirst):
        pytest.skip("this shop keeps no keys, so nothing is repeated there")
    number = await sold(stage, Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    faults = faults_of(stage)
    faults.next("slow", stage.refund_marker, seconds=3.0)
    await not_refused(stage, change, quote)
    await stage.shop.apply(change, quote, key=KEY)
    await faults.idle()
    assert await stage.given_back(number) == 1000


@pytest.mark.parametrize("look", ["500 before", "rate limited", "request lost"])
async def test_a_look_that_fails_after_a_lost_answer_says_nothing_of_the_deed(stage: Stage, look: Fault) -> None:
    """The answer is lost, and anyone who looks then is told nothing: still nobody says that it was not begun."""
    number = await sold(stage, Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    faults = faults_of(stage)
    faults.next("answer lost", stage.refund_marker)
    faults.then(look)
    faults.then(look)
    await not_refused(stage, change, quote)
    faults.stop()
    await until_applied(stage, change)
    await stage.shop.apply(change, quote, key=KEY)
    assert await stage.given_back(number) == 1000


async def test_too_many_requests_tell_when_to_come_back(stage: Stage) -> None:
    """A shop that asks for patience is unavailable for as long as it says, and nothing has moved."""
    number = await sold(stage, Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    faults_of(stage).next("rate limited", stage.refund_marker)
    with pytest.raises(ShopUnavailableError) as caught:
        await stage.shop.apply(change, quote, key=KEY)
    assert caught.value.retry_after == 7
    assert await stage.given_back(number) == 0


@pytest.mark.parametrize(
    "fault",
    ["request lost", "answer lost", "500 before", "HTML", "no end of brackets", "rate limited", "slow"],
)
async def test_a_look_that_fails_is_unavailable(stage: Stage, fault: Fault) -> None:
    """When an order cannot be read, the shop is unavailable: that is not the same as no such order."""
    number = await sold(stage, Sale())
    for _ in range(2):  # a client may read again by itself
        faults_of(stage).next(fault, seconds=3.0)
    with pytest.raises(ShopUnavailableError):
        await stage.shop.order(number)


@pytest.mark.parametrize("fault", ["rate limited for ever", "rate limited somehow"])
async def test_too_many_requests_without_a_time_are_for_now(stage: Stage, fault: Fault) -> None:
    """A shop that asks for patience and says no sensible time is unavailable for no longer than an hour."""
    number = await sold(stage, Sale())
    change = refund_of(number, 1000)
    quote = await stage.shop.quote(change)
    faults_of(stage).next(fault, stage.refund_marker)
    with pytest.raises(ShopUnavailableError) as caught:
        await stage.shop.apply(change, quote, key=KEY)
    assert 0 <= caught.value.retry_after <= 3600
    assert await stage.given_back(number) == 0


async def test_an_answer_in_pieces_is_one_answer(stage: Stage) -> None:
    """A large answer comes in pieces, and is read to its end."""
    number = await sold(stage, Sale())
    whole = await stage.shop.order(number)
    for _ in range(3):
        faults_of(stage).next("in pieces")
    assert whole == await stage.shop.order(number)


async def test_how_a_repeat_is_safe_is_said(stage: Stage) -> None:
    """A shop either keeps keys, for some time or for ever, or says how long until an effect shows."""
    replay = stage.shop.replay
    if isinstance(replay, LookFirst):
        assert replay.settles_after.total_seconds() > 0
    else:
        assert isinstance(replay, Safe)
        assert replay.key_lifetime is None or replay.key_lifetime.total_seconds() > 0


async def test_a_check_of_a_shop_that_is_right(stage: Stage) -> None:
    """A shop that answers, with a key that may do all, passes its check."""
    await sold(stage, Sale())
    await check(stage, "nothing")


@pytest.mark.parametrize("broken", ["key", "e-mail"])
async def test_a_check_that_fails_says_what_to_do(stage: Stage, broken: Literal["key", "e-mail"]) -> None:
    """A wrong key, and a shop that hides addresses, are found at the start; the error says what to do."""
    await sold(stage, Sale())
    with pytest.raises(ShopCheckError, match=r"\w{3,} \w+"):
        await check(stage, broken)
