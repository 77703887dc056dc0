"""Text from a model, a person or the shop acts on nothing in Slack."""

# ruff: noqa: RUF001 - characters that look alike are what this is about
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.blocks.addresses import REMOVED, without_addresses
from bot.blocks.cards import escalation_card
from bot.blocks.messages import answer_messages, plain
from bot.blocks.orders import order_card
from bot.blocks.text import one_line, prose
from bot.shop.money import Money
from bot.shop.orders import Customer, Order, OrderItem, OrderStatus
from bot.store.records import Block


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/login",
        "evil.com",
        "evil.com/refund",
        "shop.example.evil.net/x",
        "login.evil.museum/refund",
        "//evil.example/x",
        "ftp://evil.example",
        "slack://open?team=T0ACME",
        "www.evil.example",
        "192.168.0.1",
        "10.0.0.1:8080/pay",
        "ｈｔｔｐｓ：／／ｅｖｉｌ．ｃｏｍ",
        "ev\u200bil.c\u2060om/pay",
        "evil。com",
        "https://shop.example.com@evil.com/",
        "javascript:alert(1)",
        "tel:+4912345",
        "mailto:pay@evil.example",
        "[2001:db8::1]/x",
        "[2001:db8::1]:8080",
        "http://[2001:db8::1]/x",
        "2001:db8::1",
        "2001:db8:0:0:0:0:0:1/pay",
        "::ffff:10.0.0.1",
        "localhost:8080/x",
        "evil.example:8080",
        "evil.ai",
        "xn--e1awd7f.xn--p1ai",
        "зло.рф",
        r"\\evil.example\share",
        "ev\ufe0fil.com",
        "ana@evil.com/login",
        "ana@10.0.0.1.evil.com:8080",
        "evil.photos",
        "evil.technology?id=1",
        "evil.sh",
        "сайт.онлайн",
        "**evil**.com",
        "ev**il**.com/pay",
        "evil.`com`",
        "~evil~.com",
        "evil[.]com",
        "evil(dot)com/pay",
        "evil%2Ecom",
        "evil&#46;com",
        "evil\u2027com",
        "evil\u00b7com/pay",
        "evil\u0702com",
        "evil.c\u043em",
        "evil.\u0441\u043e.uk",
        "evil.\u1d04\u1d0f\u1d0d",
        "sms:+14155550100",
        "EVIL.COM",
        "Evil.Com",
        "bitcoin:1evil",
        "facetime-audio:evil",
        "ms-excel:evil",
        "whatsapp:+14155550100",
    ],
)
def test_addresses_go(address: str) -> None:
    """What a person takes for an address is removed when its host is not allowed."""
    cleaned = without_addresses(f"Look here: {address} please.", ("shop.example.com",))
    assert cleaned.startswith(f"Look here: {REMOVED}")
    assert cleaned.endswith("please.")
    assert "evil" not in unicodedata.normalize("NFKC", cleaned)


@pytest.mark.parametrize(
    "text",
    [
        "Art.Nr. 123 and Best.Nr.5",
        "report.pdf, help.md, script.py",
        "It arrived.Thanks for waiting",
        "ORD-10234.It is on its way",
        "ありがとうございます。中国へのお届けは五日です。",
        "Ship to St.Gallen, 2.Stock",
        "**Refund** *today*",
        "It arrives on Mon 12.11. at 10.30.",
        "Your total is 1.234,50 or $42.00/month.",
        "Use Node.js or version 1.2.3.",
        "See shop.example.com/returns and https://help.shop.example.com.",
        "Either/or, 24/7, e.g. this one.",
        "Write to ana@example.com.",
        "ありがとうございます。注文は発送されました。",
        "Thanks.We shipped it.",
        "Visa.Оплата прошла.Спасибо",
        "El col\u00b7legi, 5\u00b710 cm, Visa\u00b7ending 4242",
        "Between 10:30:00 and 12:45, [10:30:00], std::sort or x::y.",
        "Write on WhatsApp: it is quicker. It was delivered.Es ist da",
        "Ratio 1:2:3, order ORD-10234: yes ❤\ufe0f.",
    ],
)
def test_words_stay(text: str) -> None:
    """Numbers, dates, ordinary words, allowed hosts and e-mail addresses stay as they are."""
    assert without_addresses(text, ("shop.example.com",)) == text


def test_known_email_addresses() -> None:
    """Where it is known whose addresses may be named, another e-mail address is removed."""
    text = "Write to ana@example.com or pay@evil.net or help@shop.example.com"
    cleaned = without_addresses(text, ("shop.example.com",), ("ana@example.com",))
    assert cleaned == f"Write to ana@example.com or {REMOVED} or help@shop.example.com"


def test_known_address_in_a_link() -> None:
    """An address that is known may be named, and not be made a link."""
    cleaned = without_addresses("ana@example.com/login and mailto:ana@example.com", (), ("ana@example.com",))
    assert cleaned == f"{REMOVED} and mailto:ana@example.com"


def test_nobody_is_known() -> None:
    """Where it is known that nobody's address may be named, all of them are removed."""
    assert without_addresses("Write to ana@example.com", (), ()) == f"Write to {REMOVED}"


MARKS = [
    "✓",
    "✔️",
    "✅",
    "☑",
    "✕",
    "✖",
    "❌",
    "⏸",
    "⏸️",
    "●",
    "○",
    "▸",
    ":white_check_mark:",
    ":X:",
    ":double_vertical_bar:",
]


@given(
    st.lists(st.sampled_from([*MARKS, "\u202e", "*", "#", " ", "\n", "Approved by <@U0SAM>", "\u200b"]), max_size=12)
)
def test_words_have_no_marks(parts: list[str]) -> None:
    """A model's words lose the marks that cards and outcomes have, and names of emoji stay names."""
    text = prose("".join(parts))
    assert not set("✓✔✅☑✕✖❌⏸●○▸\u202e") & set(text)
    assert ":white_check_mark:" not in text
    assert "<@" not in text


ORDER = Order(
    "ORD-1",
    Customer("c", "Ana", "ana@example.com"),
    OrderStatus.SHIPPED,
    (OrderItem("Cable", 1, Money(100, "USD")),),
    total=Money(100, "USD"),
    refunded=Money(0, "USD"),
    payment_method="Visa",
    placed_at=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.mark.parametrize(
    "card",
    [
        order_card(ORDER, with_tracking=True),
        order_card(replace(ORDER, items=(), status=OrderStatus.CANCELLED), with_tracking=True),
        escalation_card("A customer needs a person", "https://acme.slack.com/x", "U0ANA", "Wants a person", None),
    ],
)
def test_words_are_no_block_of_a_card(card: tuple[Block, ...]) -> None:
    """Words that repeat what stands on a card never make a block of it."""
    for block in card:
        texts = [part.get("text", "") for part in (block.get("text") or {}, *block.get("elements", ()))]
        words = [text for text in texts if isinstance(text, str)]
        for _, blocks in (message for text in words for message in answer_messages(text, ())):
            assert block not in blocks


@given(st.text(max_size=400) | st.just("a.io " * 40))
def test_what_a_dialog_says_last_stays(payee: str) -> None:
    """However long a dialog gets, it fits, and its amount and that it cannot be undone stay in it."""
    block = plain(f"$42.00 goes back to {payee} for ORD-1. This cannot be undone.", 300, end=90)
    assert len(block["text"]) <= 300
    assert block["text"].startswith("$42.00 goes back")
    assert block["text"].endswith("This cannot be undone.")


@given(st.text(max_size=300))
def test_foreign_text_is_plain(text: str) -> None:
    """Text of others is one line without formatting, emoji, bidirectional marks or quotes that end ours."""
    shown = one_line(text)
    assert not set("*~`“”\n\u202e\u2066\u200f") & set(shown)
    assert not any(unicodedata.category(one) in ("Cf", "Cc", "Zl", "Zp") for one in shown)
    assert not shown.startswith("&gt;")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*Approved* by _Sam_", "∗Approved∗ by \uff3fSam\uff3f"),
        (":white_check_mark: done", "\uff1awhite_check_mark: done"),
        ("USB_C cable, 10:30", "USB_C cable, 10:30"),
        ("> quoted", "› quoted"),
        ("\u202eevil” and", 'evil" and'),
        ("worn❞ and 〞 and ″", 'worn" and " and "'),
        ("$\u03364\u03362\u0336.\u03360\u03360\u0336 or n\u20ddo", "$42.00 or no"),
        ("\U0001d400\U0001d429\U0001d429\U0001d42b\U0001d428\U0001d42f\U0001d41e\U0001d41d", "Approved"),
        ("\U0001f170\U0001f15f\u24c5", "APP"),
        (
            "a\u0301" + "\u0301" * 50 + "\u00e9, Zo\u00eb, Nguy\u1ec5n",
            "a\u0301\u0301\u0301\u00e9, Zo\u00eb, Nguy\u1ec5n",
        ),
    ],
)
def test_marks_are_shown(text: str, shown: str) -> None:
    """Marks that Slack would act on are shown as characters that look alike; the others stay."""
    assert one_line(text) == shown


@settings(deadline=None)
@given(st.sampled_from(["a.", "//", "1.", "www.", "a@", "*a", "[", "](", "a:/", "-"]))
def test_long_answers(piece: str) -> None:
    """Whatever a model repeats is read in one pass: the result is no longer than a few times the text."""
    text = (piece * 12_000)[:12_000]
    assert len(prose(text)) <= 20 * len(text)
