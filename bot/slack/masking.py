"""What must never reach the log or the model: card numbers and secrets that people paste."""

import re
import unicodedata
from collections.abc import Iterator

from bot.slack.credentials import REMOVED, without_credentials

# A card has its issuer's prefix and length (ISO/IEC 7812), and is written in one piece or in the groups on its face.
_ISSUERS = re.compile(
    r"4\d{15}(?:\d{3})?"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners Club
    r"|(?:6011|64[4-9]\d|65\d\d|35(?:2[89]|[3-8]\d)|62\d\d|8[12]\d\d)\d{12}(?:\d{3})?"  # Discover, JCB, UnionPay, RuPay
    r"|(?:220[0-4]|9792|636[23]|60[678]\d)\d{12}"  # Mir, Troy, Elo, Hipercard and RuPay
    r"|(?:5018|50[238]\d|5[678]\d\d|6304|67\d\d)\d{8,15}"  # Maestro
)
_GROUPINGS = {
    *((digits,) for digits in range(12, 20)),
    *((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 4, 1), (4, 3, 3, 3), (6, 13), (8, 8), (4, 4, 8)),
    *((4, 8, 4), (8, 4, 4), (6, 10), (4, 12), (12, 4), (2,) * 8, (1,) * 14, (1,) * 15, (1,) * 16),
}
_COUNTS = sorted({*map(len, _GROUPINGS)})
# What may stand between two groups: not a letter, not a digit, and never the end of a line.
_GROUPS = re.compile(r"[0-9]{1,24}(?:[^\w\r\n]{1,4}[0-9]{1,24}|_[0-9]{1,24}){0,40}")
# What says of the number behind it that it is of an order or a parcel, or that it is a card.
_PARCELS = (
    r"(?:tracking|parcels?|packages?|shipments?|sendungs?\w{0,10}|paket\w{0,10}|colis|suivi|env[i\u00ed]os?|seguimiento"
    r"|rastreio|encomendas?|spedizion[ei]|pacc(?:o|hi)|paczk\w{1,3}|\u5feb\u9012\u5355\u53f7)"
)
_ORDERS = (
    r"(?:(?:order|parcel)(?:'s|s)?|purchases?|receipts?|reservations?|bookings?|subscriptions?|complaints?|claims?"
    r"|deliver(?:y|ies)(?: notes?)?|items?|articles?|products?|sku|imei|barcode|confirmations?|transactions?"
    r"|customers?|ups|usps|dhl|fedex|dpd|gls|hermes|invoices?|tickets?|returns?|rma|refs?|references?|po|case"
    r"|serial|bestell\w{0,10}|auftrags?\w{0,10}|rechnungs?\w{0,10}|commandes?|factures?|pedidos?|ordin[ei]"
    r"|bestelling(?:en)?|zam\u00f3wieni\w{1,3}|\u0437\u0430\u043a\u0430\u0437\w{0,3}|sipari\u015f\w{0,4}"
    r"|\u6ce8\u6587(?:\u756a\u53f7)?|\u8ba2\u5355\u53f7?|\u8a02\u55ae\u865f?)"
)
_NUMBER = r"(?:numbers?|nos?\.?|nrs?\.?|n\.|ids?|codes?|nummern?|num[e\u00e9]ros?|n\u00famero|n[\u00b0\u00ba]|#|\u2116)"
_BEHIND = r"[^\w\r\n]{1,3}(?:(?:is|are|ist|est|es|lautet|was)[^\w\r\n]{1,2})?$"
_NUMBER_OF = rf"{_NUMBER} (?:de|of|di|do|of the|of my) "
# Their numbers may be written in groups, too; another number in the groups of a card is that of a card.
_NUMBERS_OF_PARCELS = re.compile(
    rf"(?<![^\W\d_])(?:(?:{_NUMBER_OF})?{_PARCELS}(?:[ _-]?{_NUMBER})?|{_ORDERS}[ _-]?{_NUMBER}|{_NUMBER_OF}{_ORDERS})"
    rf"{_BEHIND}",
    re.IGNORECASE,
)
_OTHER_NUMBERS = re.compile(
    rf"(?:#|\b[A-Za-z]{{1,10}}-|[?&](?:order|tracking)?_?(?:id|no|nr|number)="
    rf"|(?<![^\W\d_]){_ORDERS}(?:[ _-]?{_NUMBER})?{_BEHIND})$",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[A-Za-z]")
_CARD_WORDS = re.compile(
    r"(?:visa|master ?card|maestro|amex|american express|discover|diners|jcb|cards?(?:[ -]?(?:number|nr|no)\.?)?|cc"
    r"|mc|pan|debit|credit"
    r"|\w{0,10}karten?|carte|tarjeta|cart[a\u00e3]o?|kort|kaart|karta|\u043a\u0430\u0440\u0442\w{1,2}|\u30ab\u30fc\u30c9|\u5361)"
    r"[^\w\r\n]{0,3}$",
    re.IGNORECASE,
)
_EXPIRES = re.compile(
    r"[^\w\r\n]{0,3}(?:exp\w{0,8}|valid|cv[vc]2?|(?:0?[1-9]|1[0-2]) ?/ ?(?:20)?[2-9]\d)\b", re.IGNORECASE
)
_LISTED = re.compile(
    r"(?:[0-9]{6,24}[^\w\r\n]{0,3}(?:\b(?:and|or|und|oder|et|ou|y|o|e|en|of|i)\b)?[^\w\r\n]{1,3}){1,5}$"
)
# The code of a card, behind the number and when that expires.
_CODE_BEHIND = re.compile(
    r"(\[card number ending [0-9]{4} removed\]\W{1,5}(?:(?:exp\w{0,8}|valid(?: thru| until)?)\W{1,3})?"
    r"(?:0?[1-9]|1[0-2])\W{0,3}(?:20)?[2-9][0-9]\W{1,5})[0-9]{3,4}(?![^\W_])",
    re.IGNORECASE,
)
_LOOKED_BACK, _READ_BACK = 100, 40  # up to where a list began, and what of it is read for words


def mask(text: str) -> str:
    """Return the text with card numbers and secrets replaced; the last four digits of a card stay.

    A number that is told to be an order's or a parcel's is left alone, and so is one that no issuer would have made.
    """
    masked, shown_to = "", 0
    for start, end, digits in _cards_of(_with_plain_digits(text)):
        masked += f"{text[shown_to:start]}[card number ending {digits[-4:]} removed]"
        shown_to = end
    return without_credentials(_CODE_BEHIND.sub(rf"\g<1>{REMOVED}", masked + text[shown_to:]))


def _with_plain_digits(text: str) -> str:
    """Return the text, as long as before, with the digits of any script as ASCII ones."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(one)) if one.isdecimal() else one for one in text)


def _cards_of(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where card numbers are, and the digits of each."""
    for run in _GROUPS.finditer(text):
        for start, end in _cards(text, run):
            yield start, end, re.sub(r"\D", "", text[start:end])


def _cards(text: str, run: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield where card numbers are within a run of groups of digits: an expiry date may be beside one."""
    groups = [(run.start() + found.start(), run.start() + found.end()) for found in re.finditer(r"[0-9]+", run[0])]
    lengths = [end - start for start, end in groups]
    first = 0
    while first < len(groups):
        for count in _COUNTS:
            window = groups[first : first + count]
            if tuple(lengths[first : first + count]) in _GROUPINGS and _is_card(text, window):
                yield window[0][0], window[-1][1]
                first += count
                break
        else:
            first += 1


def _is_card(text: str, groups: list[tuple[int, int]]) -> bool:
    digits = "".join(text[start:end] for start, end in groups)
    if _ISSUERS.fullmatch(digits) is None or not _luhn(digits):
        return False
    if _EXPIRES.match(text, groups[-1][1]):
        return True
    before = text[max(0, groups[0][0] - _LOOKED_BACK) : groups[0][0]]
    return bool(_CARD_WORDS.search(before[-_READ_BACK:])) or not _is_other(before, in_groups=len(groups) > 1)


def _is_other(before: str, *, in_groups: bool) -> bool:
    """Return whether what stands before a number says that it is none of a card."""
    said = [before[-_READ_BACK:]]
    if listed := _LISTED.search(before):
        said.append(before[: listed.start()][-_READ_BACK:])
    if in_groups:
        return any(map(_NUMBERS_OF_PARCELS.search, said))
    known = (_NUMBERS_OF_PARCELS, _OTHER_NUMBERS)
    return any(one.search(words) for one in known for words in said) or bool(_LETTERS.search(before[-1:]))


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0  # noqa: PLR2004 - Luhn's rule
