"""How people word things: order numbers, reasons, amounts and wishes."""

import re
from collections.abc import Iterable
from enum import Enum


def any_of(*phrases: str) -> re.Pattern[str]:
    """Look for any of these phrases, each a pattern of its own, as whole words in any case."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE)


_NOT_MONEY = r"(?![\w%-]|\.[0-9]|,[0-9]{1,3}(?![0-9])|\s?(?:[$€£%]|dollars?|usd|bucks|euros?))"
_NUMBER = rf"[0-9]{{3,10}}{_NOT_MONEY}"
_LEAD = r"(?:\bord(?:er)?s?[\s:#_.-]*(?:(?:number|no|nr|id)\b[\s:#.-]*)?(?:is\s|was\s)?|#\s?)"
_ORDERS = re.compile(rf"{_LEAD}{_NUMBER}(?:(?:\s?,\s?|\s?&\s?|\s)(?:and\s|or\s)?{_NUMBER})*", re.IGNORECASE)
_EXACT_ORDER = re.compile(r"\bord-([0-9]{1,10})(?![0-9])", re.IGNORECASE)
_BARE_ORDER = re.compile(rf"(?<![\w$€£#.-])[0-9]{{5}}{_NOT_MONEY}", re.IGNORECASE)

_DIGITS = r"[0-9][0-9,]{0,8}(?:\.[0-9]{1,4})?"
_MONEY = re.compile(
    rf"(?:\$|\busd|\brefund of(?! ?[0-9]{{5}}))\s?({_DIGITS})|\b({_DIGITS})\s?(?:\$|dollars?\b|bucks\b|usd\b)",
    re.IGNORECASE,
)
_WHOLE = any_of("all of it", "everything", "the whole", "the full", "whole amount", "full amount", "in full", "fully")
_VAGUE = any_of(
    "half",
    "a (?:third|quarter|bit)",
    "(?:part|some) of",
    "partial(?:ly)?",
    "[€£] ?[0-9.,]+",
    "[0-9.,]+ ?(?:[€£%]|percent|euros?|pounds?)",
)

_NEVER = "(?:never|not|hasn'?t|haven'?t|didn'?t|did not|has not|have not)(?: yet| been| even| actually)*"
_IS_NO_LONGER = "(?:doesn'?t|does not|don'?t|stopped|not|won'?t|will not|isn'?t|no longer)(?: even)?"
_DO_NOT = "(?:don'?t|do not|didn'?t|doesn'?t|does not|no longer)(?: really)?"
_RETURN = "return(?:ing)?(?! customer)|send (?:it|them|this) back"
# In this order: "return it, it is broken" is about the fault, "the wrong one never arrived" about the delivery.
_REASONS = {
    "not_delivered": any_of(
        f"{_NEVER} (?:arrived?|come|came|got(?:ten)?|get|received?|delivered|show(?:n|ed) up|turn(?:ed)? up)",
        "lost",
        "stolen",
        "no sign of",
    ),
    "wrong_item": any_of(
        r"(?:wrong|incorrect|different) (?:\w+ )?(?:item|colou?r|size|product|one|thing|model|order|parcel)",
        "not what i (?:ordered|bought|asked for)",
        r"(?:sent|got|received)(?: me)?(?: the)? wrong",
        "mixed up",
        "someone else's",
    ),
    "defective": any_of(
        r"(?<!not )(?<!n't )(?:broken?|broke|defect\w*|damaged?|faulty|cracked|torn|ripped|scratched|leak\w*)",
        r"(?<!not )(?<!n't )(?:shattered|smashed|dented|malfunction\w*|dead on arrival|falls apart|fell apart)",
        f"{_IS_NO_LONGER} (?:work(?:s|ing)?|turn on|switch on|charge)",
        "missing (?:part|piece|screw|button)s?",
    ),
    "changed_mind": any_of(
        _RETURN,
        "changed? (?:my|our) mind",
        f"{_DO_NOT} (?:want|need|like|fit|suit)(?! (?:a |any |the |my )?refund)",
        "by (?:mistake|accident)",
        "too (?:small|big|large|tight|long|short|expensive)",
        "regret",
    ),
}
_REFUND = any_of(
    _RETURN,
    r"refund\w*",
    "money back",
    r"reimburse\w*",
    "pay me back",
    rf"\$?{_DIGITS}(?: dollars| usd| bucks)? back",
    r"(?:half|some|part|all)(?: of (?:it|my money))? back",
)
_NO_REFUND = any_of(
    f"(?:{_DO_NOT}|not|never) (?:need |want |ask(?:ing|ed)? for )+(?:a |any |the |my )?refund",
    "no refund",
    r"(?:thanks|thank you|got|received)[\w ]{0,20} refund",
)


# What says nothing about the matter of a question, or about which of several things is meant.
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "a about all also am an and another any are as at be been but by can could did do does doing don for "
        "from get give go got had has have hello help her hey him his how i if in is it item items its just "
        "know like many may me might more much my need no not of offer on one or order orders our out pair "
        "please sell set she should so some something sure tell than thank thanks that the their them then there "
        "these they thing things this those to too us want was way we were what when where which who why will "
        "with would yes you your ",
    )
)


class Amount(Enum):
    """What was said of an amount that is no number of dollars."""

    WHOLE = "the whole"
    VAGUE = "a part that is not a number of dollars"


def plain(text: str) -> str:
    """Flatten typographic quotes and spaces; what nobody reads to the end is cut."""
    return text[:2000].translate({0x2019: "'", 0x2018: "'", 0xA0: " "})


def orders_in(text: str) -> tuple[str, ...]:
    """Find the order ids, as `ORD-10234`, in the order in which they were named; ten at most."""
    found = [(match.start(1), match[1]) for match in _EXACT_ORDER.finditer(text)]
    found += [(match.start(), match[0]) for match in _BARE_ORDER.finditer(text)]
    for group in _ORDERS.finditer(text):
        found += [(group.start() + digits.start(), digits[0]) for digits in re.finditer("[0-9]{3,10}", group[0])]
    return tuple(dict.fromkeys(f"ORD-{digits}" for _, digits in sorted(found)))[:10]


def words_in(text: str) -> frozenset[str]:
    """Collect the words that matter, without the s of a plural."""
    words = re.findall(r"[^\W\d_]{2,}", text.lower())
    return frozenset(word.removesuffix("s") for word in words if word not in _COMMON)


def email_in(text: str) -> str | None:
    """Find an e-mail address."""
    found = re.search(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}", text)
    return found[0] if found else None


def reason_in(text: str) -> str | None:
    """Find why someone wants their money back, in the words of `initiate_refund`."""
    return next((reason for reason, words in _REASONS.items() if words.search(text)), None)


def amount_in(texts: Iterable[str]) -> float | Amount:
    """Find the last word on the amount, in texts that begin with the newest; the whole when there is none."""
    for text in texts:
        if money := _MONEY.search(text):
            return float((money[1] or money[2]).replace(",", ""))
        if _VAGUE.search(text):
            return Amount.VAGUE
        if _WHOLE.search(text):
            break
    return Amount.WHOLE


def mentions_amount(text: str) -> bool:
    """Return whether a text says anything about how much."""
    return any(words.search(text) for words in (_MONEY, _VAGUE, _WHOLE))


def wants_refund(text: str) -> bool:
    """Return whether someone asks for money back."""
    return bool(_REFUND.search(text)) and not _NO_REFUND.search(text)


def sentences(text: str) -> list[str]:
    """Split a text at what ends a thought."""
    return [part for part in re.split(r"(?<=[?!;\n])|(?<=\.)\s|,? and also\s", text) if part.strip()]
