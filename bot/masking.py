"""What must never reach the log or the model: card numbers and secrets that people paste."""

import re

_DIGITS = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
_SECRETS = re.compile(
    r"\b(?:xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}|sk-[\w-]{16,}|gh[pousr]_\w{20,}|AKIA[A-Z0-9]{16}|eyJ[\w-]{10,}\.[\w-]+\.[\w-]+)"
    r"|(?i:(?<=password is )|(?<=password: )|(?<=password=)|(?<=pin is )|(?<=cvv is )|(?<=cvv ))\S+"
)


def mask(text: str) -> str:
    """Replace card numbers (by their check digit, ISO/IEC 7812) and secrets; the last four digits of a card stay."""
    return _SECRETS.sub("[secret removed]", _DIGITS.sub(_mask_card, text))


def _mask_card(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    return f"[card number ending {digits[-4:]} removed]" if _luhn(digits) else match[0]


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0  # noqa: PLR2004 - Luhn's rule
