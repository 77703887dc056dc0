"""Money is exact."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.shop.money import Money

MINOR = st.integers(-(10**12), 10**12)


@given(MINOR, st.sampled_from(["USD", "JPY", "KWD"]))
def test_round_trip(minor: int, currency: str) -> None:
    """An amount and its minor units turn into each other without loss, in every currency."""
    assert Money.from_major(Money(minor, currency).major, currency) == Money(minor, currency)


@pytest.mark.parametrize(("amount", "currency"), [("0.5", "JPY"), ("0.0005", "KWD"), ("0.005", "EUR")])
def test_more_decimals_than_there_are(amount: str, currency: str) -> None:
    """An amount with more decimals than its currency has is no amount."""
    with pytest.raises(ValueError, match="decimals"):
        Money.from_major(Decimal(amount), currency)


@given(MINOR, MINOR)
def test_sums(one: int, other: int) -> None:
    """What is added can be taken away again."""
    assert Money(one) + Money(other) - Money(other) == Money(one)


@given(st.integers().filter(lambda mills: mills % 10 != 0))
def test_fractions_of_a_cent(mills: int) -> None:
    """An amount with a fraction of a cent is no amount, however large it is."""
    amount = Decimal(f"{mills}e-3")
    with pytest.raises(ValueError, match="more than two decimals"):
        Money.from_major(amount)


def test_currencies_do_not_mix() -> None:
    """Dollars and euros do not add up."""
    with pytest.raises(ValueError, match="do not add up"):
        Money(1, "USD") + Money(1, "EUR")


@pytest.mark.parametrize(
    ("money", "shown"),
    [
        (Money(4200), "$42.00"),
        (Money(5), "$0.05"),
        (Money(123456789), "$1,234,567.89"),
        (Money(-250), "-$2.50"),
        (Money(4200, "EUR"), "42.00 EUR"),
        (Money(1500000, "JPY"), "1,500,000 JPY"),
        (Money(-7, "KRW"), "-7 KRW"),
        (Money(12845, "KWD"), "12.845 KWD"),
        (Money(-5, "BHD"), "-0.005 BHD"),
    ],
)
def test_shown(money: Money, shown: str) -> None:
    """An amount is shown with its currency and the decimals that the currency has."""
    assert str(money) == shown
