"""Whether somebody's own words name an order or a customer."""

import re

from bot.identity import plain_address

# Links and phone numbers, in which digits and addresses mean something else.
_LINKS_AND_PHONES = re.compile(
    r"""(?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}://|\bwww\.|\btel:)[^\s<>"|]*"""
    r"""|(?<![^\s(:;,])\+\d[\d ().-]*(?!\w)|\(\d{2,4}\)[ .-]?\d[\d .-]*"""
)
# Digits in groups, as phone numbers and prices are written, unless they are a list of orders that says so.
_GROUPED_DIGITS = re.compile(r"(?<![\w.,-])\d{1,20}(?:[ .'/\u00a0\u2009\u202f]\d{1,20}){1,40}(?!\w)")
_BEFORE_ORDERS = re.compile(r"(?:\b(?:orders?|refunds?|cancel|numbers?|nos?\.?)\W{1,3}|#)$")
_MIN_LISTED_DIGITS = 4
# What may stand on either side of a word: spaces, brackets, quotation marks, and marks between words.
_AROUND = r"\s<>()\[\]{}\"'`\u00ab\u00bb\u2018\u2019\u201c\u201d\u201e:,;|*~\u2013\u2014\u2026!?"
_ENDS = rf"(?![^{_AROUND}._-]|[._-]+[^{_AROUND}._-])"
_PAID = r"(?:[$€£¥]|\b(?:usd|eur|gbp|dollars?|euros?|pounds?|cents?)\b)"
_LETTERS_FIRST = re.compile(r"([a-z]{0,10})[#_ -]{0,2}(?=\d)")


def names(text: str, what: str) -> bool:
    """Return whether the text names this order or e-mail address, as a whole word.

    No part of a price, a phone number, a link, or of another number or address is one. An order's number may be written
    without its letters, or with the word "order" in their place.
    """
    wanted = plain_address(what)
    if not any(map(str.isalnum, wanted)) or wanted.endswith(("-", "#")):
        return False
    named = _address_named(wanted) if "@" in wanted else _order_named(wanted)
    said = _LINKS_AND_PHONES.sub(" / ", plain_address(text))
    return bool(re.search(named, _GROUPED_DIGITS.sub(lambda found: _grouped(found, wanted), said)))


def _grouped(found: re.Match[str], wanted: str) -> str:
    groups = found[0].split(" ")
    is_list = all(one.isdigit() and len(one) >= _MIN_LISTED_DIGITS and one[0] != "0" for one in groups)
    is_list = is_list and bool(_BEFORE_ORDERS.search(found.string[max(0, found.start() - 20) : found.start()]))
    return found[0] if is_list or wanted == found[0] else " / "


def _address_named(address: str) -> str:
    # A mark that may itself be in an address stands around one only where a word begins.
    starts = rf"(?<![^{_AROUND}])(?<![!?{{}}])(?<![^\s<>()\[\]\":,;]['`\u2019*~|])"
    return rf"{starts}{re.escape(address)}(?!_){_ENDS}"


def _order_named(order: str) -> str:
    first = _LETTERS_FIRST.match(order)
    letters, number = (first[1], order[first.end() :]) if first else ("", order)
    starts = rf"(?<![^{_AROUND}#_])(?<!\w[_*~])(?<![$€£¥]\s)(?<!\b(?:usd|eur|gbp)\s)"
    # Digits next to a comma are of a price (10234,50 or 1,234), unless they are as many as those of another number.
    thousands = r"(?<!\d,)" if len(number) <= len("000") else ""
    decimals = rf"(?!,\d{{1,{max(len(number) - 1, 3)}}}(?!\d))"
    price = rf"(?!\s?{_PAID}(?!\s?\d))"
    before = rf"(?:(?:order{'|' + letters if letters else ''})[_-]?)?" if first else ""
    return rf"{starts}{thousands}{before}{re.escape(number)}{decimals}{price}{_ENDS}"
