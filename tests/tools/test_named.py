"""Whether the support team names an order or a customer in their own words."""

from pathlib import Path
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.identity import Person, plain_address
from bot.shop.shop import Shop
from bot.store.records import ThreadId
from bot.tools.tool import Context, Requests, Rules

NUMBERS = st.integers(1_000, 999_999).map(str)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
ADDRESSES = st.builds(lambda name, domain: f"{name}@{domain}.com", NAMES, NAMES)
BEFORE = st.sampled_from(["", "where is ", "#", "(", "order:", "*", "_", "'", "\N{LEFT DOUBLE QUOTATION MARK}", "1. "])
AFTER = st.sampled_from(["", ".", "?", ", please", ")", "'s", "...", " $25", " - thanks", "!", "\nThanks"])


def named(what: str, said: str, *, is_staff: bool = True) -> bool:
    """Return whether somebody who has said this has named that."""
    person = Person("U0SAM", "T0ACME", "sam@example.com", is_staff)
    nowhere = (cast("Shop", None), cast("Requests", None))  # naming asks neither
    return Context("call", ThreadId("T0ACME", "C0", "1.0"), person, *nowhere, Rules(30, Path()), said).has_named(what)


@given(NUMBERS, BEFORE, AFTER, st.sampled_from(["", "ORD-", "ord-", "Ord"]))
def test_order_in_a_sentence(number: str, before: str, after: str, prefix: str) -> None:
    """A number that stands by itself names the order, with or without ORD-, whatever marks are around it."""
    assert named(f"ORD-{number}", f"{before}{prefix}{number}{after}")


@given(NUMBERS, NUMBERS, st.sampled_from([" ", ", ", " and "]))
def test_order_in_a_list(one: str, other: str, between: str) -> None:
    """Every order of a list is named."""
    assert all(named(f"ORD-{number}", f"Refund {one}{between}{other}.") for number in (one, other))


@given(NUMBERS, st.from_regex(r"[0-9]{1,4}", fullmatch=True), st.booleans())
def test_longer_number(number: str, more: str, behind: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    """The digits of a longer number name no order."""
    longer = number + more if behind else more + number
    assert not named(f"ORD-{number}", f"where is ORD-{longer}?")


@given(
    NUMBERS,
    st.sampled_from(
        [
            *("${}", "$ {}", "€{}", "{} €", "{}€", "{} dollars", "USD {}", "{} EUR", "{}.50", "{},50", "${}.50", "{}%"),
            *(
                "0176 {}",
                "555 {} 12",
                "{} 10188",
                "1 {}",
                "1.{}.50",
                "12 {} EUR",
                "1\u202f{}",
                "0555/{}",
                "call 98765 {}",
            ),
            *("+1 555 {}", "+49{}", "555-{}", "(555) {}", "tel:{}", "0555.{}", "{}-555"),
            *("https://shop.example/orders/{}", "http://a.example/?id={}", "shop.example/{}", "www.a.example?{}"),
            *("<https://shop.example/{}>", "{}@example.com", "x_{}", "{}_x", "A{}", "{}b", "a={}", "v1.{}"),
        ]
    ),
)
def test_number_that_means_something_else(number: str, where: str) -> None:
    """A price, a phone number (also in groups), a link or a part of a word names no order."""
    assert not named(f"ORD-{number}", f"it says {where.format(number)} here")


@given(ADDRESSES, BEFORE.filter(lambda before: before not in {"_", "#"}), AFTER)
def test_address_in_a_sentence(address: str, before: str, after: str) -> None:
    """An address that stands by itself names the customer, in any case."""
    assert named(address, f"{before}{address.upper()}{after}")


@given(ADDRESSES, st.text("abcxyz0189.+_-!#$%&'*/=?^{|}~`", min_size=1, max_size=5))
@example("a@a.com", "+0")
@example("a@a.com", ".+0")
def test_address_in_front_of_which_stands_more(address: str, more: str) -> None:
    """Ruben's address does not name Ben, nor does any other that ends like it."""
    assert not named(address, f"what did x{more}{address} order?")


@given(ADDRESSES, st.sampled_from([".au", "munity", "-x.org", "_x", "1", ".co.uk", "@b.com"]))
def test_address_behind_which_more_stands(address: str, more: str) -> None:
    """An address of a longer domain does not name the customer at the shorter one."""
    assert not named(address, f"what did {address}{more} order?")


@given(ADDRESSES, st.sampled_from(["https://a.example/?user={}", "http://{}", "ftp://{}/x", "www.a.example?{}"]))
def test_address_in_a_link(address: str, where: str) -> None:
    """A link with an address in it does not name the customer."""
    assert not named(address, f"look at {where.format(address)} please")


@pytest.mark.parametrize("said", ["mailto:ben@example.com", "<ben@example.com>", "for ben@example.com: all of it"])
def test_address_as_slack_writes_it(said: str) -> None:
    """An address that Slack made a link of names the customer."""
    assert named("ben@example.com", said)


@given(NUMBERS)
def test_customers_name_nothing(number: str) -> None:
    """What anybody but the support team writes names nothing."""
    assert not named(f"ORD-{number}", f"ORD-{number}", is_staff=False)


@pytest.mark.parametrize("what", ["", "ORD-", " "])
def test_nothing_is_not_named(what: str) -> None:
    """An empty number or address is never named."""
    assert not named(what, "ORD- and 1 more")


def test_kelvin_sign() -> None:
    """A letter that only looks like an ASCII one, such as the Kelvin sign, makes another address."""
    assert not named("kim@example.com", "\N{KELVIN SIGN}im@example.com")
    assert plain_address(" \N{KELVIN SIGN}IM@Example.COM ") == "\N{KELVIN SIGN}im@example.com"
