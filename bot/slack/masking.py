"""What must never reach the log or the model: card numbers and secrets that people paste."""

import re

# Capitals before a number, with a hyphen or without, make it an order's or a parcel's: ORD-…, JD….
_DIGITS = re.compile(r"(?<![A-Z\d])(?<![A-Z\d]-)\d(?:[\s._/\-\u2010-\u2015]{0,3}\d){12,}")
_MIN_DIGITS, _MAX_DIGITS = 13, 19
_ISSUERS = "23456"  # what the numbers of payment cards begin with
_SECRETS = re.compile(
    r"\b(?:xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}|sk-[\w-]{16,}|gh[pousr]_\w{20,}|AKIA[A-Z0-9]{16}|eyJ[\w-]{10,}\.[\w-]+\.[\w-]+)"
    r"|\b(?i:cvv|cvc|cvn|security code)\b\W{0,3}(?:is\W{0,3})?\d{3,4}\b"
    r"|(?i:(?<=password is )|(?<=password: )|(?<=password=)|(?<=pin is )|(?<=pin: ))\S+"
)


def mask(text: str) -> str:
    """Replace card numbers (by their check digit, ISO/IEC 7812) and secrets; the last four digits of a card stay."""
    return _SECRETS.sub("[secret removed]", _DIGITS.sub(_mask_cards, text))


def _mask_cards(run: re.Match[str]) -> str:
    """Mask every part of a run of groups of digits that is a card's number: an expiry date may stand beside it."""
    text, masked, shown_to = run[0], "", 0
    for start, end in _cards(text):
        digits = re.sub(r"\D", "", text[start:end])
        masked += f"{text[shown_to:start]}[card number ending {digits[-4:]} removed]"
        shown_to = end
    return masked + text[shown_to:]


def _cards(text: str) -> list[tuple[int, int]]:
    """Find where card numbers stand: whole groups of digits, and of several only what could be a payment card."""
    groups = [found.span() for found in re.finditer(r"\d+", text)]
    cards: list[tuple[int, int]] = []
    for first, (start, _) in enumerate(groups):
        digits = ""
        for last, (begin, end) in enumerate(groups[first : first + _MAX_DIGITS], first):
            digits += text[begin:end]
            whole = first == 0 and last == len(groups) - 1
            if not (_MIN_DIGITS <= len(digits) <= _MAX_DIGITS and (whole or digits[0] in _ISSUERS) and _luhn(digits)):
                continue
            overlaps = cards and start < cards[-1][1]
            cards[-1:] = [(cards[-1][0], max(end, cards[-1][1]))] if overlaps else [*cards[-1:], (start, end)]
    return cards


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0  # noqa: PLR2004 - Luhn's rule
