"""What may be the number of an order, whatever the shop."""

import pytest
from aiohttp import ClientSession

from bot.shop.remote import Remote
from bot.shop.stripe.api import StripeApi
from bot.shop.stripe.shop import Stripe
from bot.shop.vendure import Vendure

NUMBERS = ["#1001", "1001", "7", "W2378156", "gid-AbC", "2024/113", "WEB-2026-77.A", "T7CXQ2LFBWYMRS4H"]
LETTERS_ALONE = "TKCXQPLFBWYMRSAH"  # as one in 160 of Vendure's are
WORDS = ["refund", "Hello", "OK", "", "#", "a b", "my-order", "10% off", "it's", "x" * 70]


@pytest.mark.parametrize("text", [*NUMBERS, LETTERS_ALONE, *WORDS])
async def test_numbers_of_any_shape(text: str) -> None:
    """A shop behind an API takes whatever its owner may number orders by, and no word."""
    async with ClientSession() as session:
        remote = Remote(session, "http://localhost", seconds=1)
        found = {shop.order_number(f" {text} ") for shop in (Vendure(remote), Stripe(StripeApi(remote), "order_id"))}
    assert found == {None if text in WORDS else text}
