"""What must never reach the log or the model: card numbers and secrets that people paste."""

import re
import unicodedata
from collections.abc import Iterator

# A card has its issuer's prefix and length (ISO/IEC 7812), and is written in one piece or in the groups on its face.
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners Club
    r"|(?:6011|64[4-9]\d|65\d\d|35(?:2[89]|[3-8]\d)|62\d\d|81\d\d)\d{12}(?:\d{3})?"  # Discover, JCB, UnionPay
    r"|(?:5018|50[23]\d|5[678]\d\d|6304|67\d\d)\d{8,15}"  # Maestro
)
_MIN_DIGITS = 12
_GROUPINGS = {(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 4, 1), (4, 3, 3, 3), (6, 13), (8, 8)}
_BETWEEN = r"[ \t\u00a0\u00ad\u2009\u200b-\u200d\u202f\u2060\u3000\ufeff.,_/|*:\-\u2010-\u2015\u2212\uff0d]"
_GROUPS = re.compile(rf"[0-9]{{1,24}}(?:[^\S\r\n]?{_BETWEEN}[^\S\r\n]?[0-9]{{1,24}}){{0,40}}")
# What directly precedes the number of an order or a parcel: the word, a number sign, or letters of its own (JD…).
_OTHER_NUMBERS = re.compile(
    r"(?:#|\b[A-Za-z]{1,10}-|\b(?:order|tracking|parcel|shipment|invoice|ticket)(?: (?:number|no\.?|nr\.?|id))?"
    r"[^\w\r\n]{1,3}(?:is )?)$",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[A-Za-z]{1,20}$")
_CARD_WORDS = re.compile(r"(?:visa|mastercard|amex|discover|card|cc|pan|number|nr|no)$", re.IGNORECASE)
# What is said of a password and is none: that it is wrong, that somebody asks for it.
_NO_SECRETS = (
    "a|accepted|always|and|asked|being|blocked|changed|correct|empty|expired|forgotten|good|gone|in|incorrect|invalid"
    "|locked|lost|missing|needed|never|no|not|old|on|only|refused|rejected|required|reset|right|safe|same|still|that"
    "|the|too|unknown|weak|what|working|wrong|your?"
)
_SECRETS = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)"
    r"|\b(?:xox[a-z]-[\w-]{8,200}|xapp-[\w-]{8,200}|(?:sk|rk|pk)[-_][\w-]{16,200}|whsec_\w{16,200}"
    r"|gh[pousr]_\w{20,200}|github_pat_\w{20,200}|glpat-[\w-]{16,200}|npm_\w{30,200}|(?:AKIA|ASIA)[A-Z0-9]{16}"
    r"|AIza[\w-]{30,60}|(?<![\w-])eyJ[\w-]{10,4000}+\.[\w-]{1,4000}+\.[\w-]{1,4000})"
    r"|(?<=bearer )[\w.~+/=-]{12,2000}|(?<=bearer: )[\w.~+/=-]{12,2000}"
    r"|\b(?:cvv2?|cvc2?|cvn|cid|security code|card code|code on the back|three[- ]digit code|3[- ]digit code)\b"
    r"(?:\s(?:code|number|no))?\W{0,4}(?:is\W{0,3})?[0-9]{3,4}\b"
    r"|\b(?:password|passwort|passwd|passcode|passphrase|pwd|pw|pin|tan|otp|(?:api|access|secret|private)[ _-]?key"
    r"|secret|(?:access|auth|api)?[ _-]?token)(?:\s?[:=]\s?| ?-> ?| is (?!\W*(?:"
    + _NO_SECRETS
    + r")\b)|\s(?=[\"'\u201c\u2018`]))"
    r"(?!\[secret)[^\s,;]{1,200}"
    r"|\b(?:pin|otp|tan|passcode|one[- ]time (?:code|password)) [0-9]{4,8}\b",
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """Return the text with card numbers and secrets replaced; the last four digits of a card stay.

    A number that is told to be an order's or a parcel's is left alone, and so is one that no issuer would have made.
    """
    masked, shown_to = "", 0
    for start, end, digits in _cards_of(_with_plain_digits(text)):
        masked += f"{text[shown_to:start]}[card number ending {digits[-4:]} removed]"
        shown_to = end
    return _SECRETS.sub("[secret removed]", masked + text[shown_to:])


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
    first = 0
    while first < len(groups):
        for count in (1, 2, 3, 4, 5):
            window = groups[first : first + count]
            if len(window) == count and _is_card(text, window):
                yield window[0][0], window[-1][1]
                first += count
                break
        else:
            first += 1


def _is_card(text: str, groups: list[tuple[int, int]]) -> bool:
    lengths = tuple(end - start for start, end in groups)
    if lengths not in _GROUPINGS and (len(groups) > 1 or lengths[0] < _MIN_DIGITS):
        return False
    digits = "".join(text[start:end] for start, end in groups)
    before = text[max(0, groups[0][0] - 40) : groups[0][0]]
    is_other = _OTHER_NUMBERS.search(before) or (_LETTERS.search(before) and not _CARD_WORDS.search(before))
    return not is_other and _ISSUERS.fullmatch(digits) is not None and _luhn(digits)


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits)))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0  # noqa: PLR2004 - Luhn's rule
