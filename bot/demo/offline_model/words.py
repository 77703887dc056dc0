"""The words of customers: patterns for what they wish, and the order numbers, reasons and amounts in a text."""

import re


def any_of(*phrases: str) -> re.Pattern[str]:
    """Look for any of these phrases, each a pattern of its own, as whole words in any case."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE)


def only(*phrases: str) -> re.Pattern[str]:
    """Match a text that is nothing but such phrases, after a name and a colon at most."""
    phrase = f"(?:{'|'.join(phrases)})"
    return re.compile(rf"^\W*(?:[\w'-]+(?: [\w'-]+)?: )?{phrase}(?:[\s,.!]+{phrase})*\W*$", re.IGNORECASE)


_NOT = "(?:don'?t|do not|didn'?t|doesn'?t|does not|not|never|no longer)"
_PEOPLE = "(?:human|person|people|someone|agent|manager|supervisor|representative|support team)"
_REQUEST = r"(?:(?:my|the|all|that|this) )*(?:[\w$.-]+ )?(?:refund|request|cancell?ation|deletion)s?"
_ACCOUNT = r"(?:my |the )?(?:account|data)"

ANYTHING = re.compile("")
QUESTION = re.compile(r"\?")
THANKS = only("ok", "okay", "great", "perfect", "thanks?", "thank you", "thx", "thanks for [a-z ]+", "bye", "cheers")
YES = only("(?:i )?(?:yes|yep|yeah|ok|okay|sure|please|go ahead|do it|approved?)(?: (?:it|this|that|the [a-z]+))?")
APPROVE = any_of("(?:please|i|i am [a-z]+,|you (?:can|may)) approve")
HELLO = only("hi", "hello", "hey", "good (?:morning|afternoon|evening|day)", "there")
WHO_ARE_YOU = any_of(
    r"(?:who|what|which model) are you|what can you do|how does (?:this|it) work|^\W*help\W*$",
    "(?:are you|is this) (?:an? |really )*(?:real|human|person|bot|robot|ai|machine|language model|chatgpt)",
)
TAKE_BACK = any_of(
    r"never ?mind(?=\W*$)",
    rf"(?:never ?mind|forget|stop|cancel|withdraw|undo)(?: about)? {_REQUEST}",
    rf"take (?:back )?{_REQUEST}(?: back)?",
)
TAKE_IT_BACK = any_of(
    r"^\W*(?:please )?(?:cancel|withdraw|stop|undo)(?: it| that)?(?: please)?(?=\W*$)",
    "take (?:it|that) back",
    f"{_NOT} (?:want|need) {_REQUEST}",
    f"changed my mind about {_REQUEST}",
    "(?:don'?t|do not) (?:cancel|delete)",
)
IS_IT_DECIDED = any_of(
    "(?:where is|where's|is|has|was|what about|status of) (?:my|the) (?:refund|money|request)",
    "(?:been|it|was) (?:already )?(?:approved|refunded|decided)|when (?:do|will) i get my (?:refund|money)",
)
PERSON = any_of(
    rf"(?:talk|speak|chat|connect|get|want|need|call)(?: (?!my|where)\w+){{0,4}} {_PEOPLE}",
    rf"^\W*{_PEOPLE}(?: please)?(?=\W*$)",
    "escalate|complain|complaint|ridiculous|unacceptable|furious|fed up|lawyer|worst service",
)
ALL = any_of("all", "both", "everything", "requests", "refunds")
IN_DETAIL = any_of("explain", "in (?:full |more )?detail", "(?:everything|all) about", "all the details")
NO_PERSON = any_of(rf"{_NOT} (?:want|need) [\w ]{{0,9}}{_PEOPLE}")
DELETE = any_of(f"(?:delete|close|remove|erase) {_ACCOUNT}", f"{_ACCOUNT} (?:deleted|closed|removed|erased)")
CANCEL = any_of("cancel")
NO_CANCEL = any_of(rf"{_NOT} cancel")
EVERYTHING = any_of(
    r"where(?:'s| is| are) (?:everything|all(?: of)? (?:my|the) (?:orders|parcels|things))", "where they all are"
)
LIST = any_of(
    r"(?:what|which)[\w ]* (?:have|did) i (?:order(?:ed)?|buy|bought)",
    r"(?:my|all|which) (?:recent |last )?orders",
    "orders of",
    rf"{_NOT} (?:know|have|remember)[\w ]* number",
)
REFUND = any_of(r"refund\w*", "money back", "return(?:ing)?", "send (?:it|this) back", r"(?:\$[0-9.,]+|half) back")
NO_REFUND = any_of(f"{_NOT} (?:want|need) (?:a |any |the |my )?refund", "no refund")
WHERE = any_of(r"where|status|my order|parcel|package|(?:track|deliver|arriv|ship)\w*")
TRACKING = any_of(r"track\w*", "parcel", "package", "events?", "carrier")
BACK = any_of("return(?:ing)?", r"send (?:[\w -]{0,40} )?back")
EXCHANGE = any_of("exchange", "swap")
OTHER_ITEMS = any_of(r"change (?:the )?(?:line|item)s? [0-9]")
ADDRESS = any_of(
    "address", r"(?:send|ship|deliver) (?:it|this|(?:my |the )?order|#?[0-9]{3,10}|ord-[0-9]+)[^.?\n]{0,40} to"
)
HOW = any_of("how (?:do|can|does|long|much)", "what (?:if|happens)", "polic(?:y|ies)", "gift(?! ?card)")
CONFIRMED = re.compile(r"^(?:[\w'-]+(?: [\w'-]+)?: )?\W*I have pressed Confirm on the card\W*$")
WISH = re.compile(
    f"{REFUND.pattern}|{CANCEL.pattern}|{EXCHANGE.pattern}|{OTHER_ITEMS.pattern}|{ADDRESS.pattern}|where|status|track",
    re.IGNORECASE,
)
SHOP = any_of(
    r"polic(?:y|ies)|warranty|exchange|gift\w*|payments?|pay|paypal|invoice|receipt|discount|vouchers?|password",
    r"shipping|ship to|change my (?:\w+ )?(?:address|e-?mail)|how (?:do|can|long|much)|what (?:if|happens)",
)
OTHER_LANGUAGE = re.compile(
    r"[\u0370-\u1fff\u3040-\ud7ff]"
    r"|\b(?:hola|gracias|por favor|dónde|pedido|bonjour|merci|où|commande|hallo|danke|bitte|wo ist|bestellung|ciao)\b",
    re.IGNORECASE,
)
HIGH = any_of("lawyer|sue|police|fire|smoke|smoking|burn(?:s|ed|ing)?|injured|dangerous|third time")
LOW = any_of("no (?:rush|hurry)", "whenever", "just curious")

# In this order: "return it, it is broken" is about the fault.
_REASONS = {
    "not_delivered": any_of(
        "(?:never|not|hasn'?t|haven'?t|didn'?t)(?: been| yet)? (?:arrived?|come|came|received?|delivered)",
        "lost",
        "stolen",
    ),
    "wrong_item": any_of(r"(?:wrong|incorrect|different) (?:item|colou?r|size|product|one|thing|model)"),
    "defective": any_of(
        r"(?<!not )(?<!n't )(?:broken?|broke|defect\w*|damaged?|faulty|cracked|torn|scratched|leaks|smashed)",
        rf"(?:{_NOT}|stopped) work(?:s|ing)?",
    ),
    "changed_mind": any_of("return(?:ing)?", "changed my mind", f"{_NOT} (?:want|need|like|fit)", "too (?:small|big)"),
}
_NOT_MONEY = r"(?![\w%-]|\.[0-9]|,[0-9]{1,3}(?![0-9])|\s?(?:[$€£%]|dollars?|euros?))"
SMALL = any_of(
    "a|an|and|any|are|at|by|can|could|do|does|for|have|how|i|in|is|it|item|me|my|of|offer|on|or|please|tell|the|there",
    "this|to|we|what|when|where|which|with|you|sell|much",
)
_CODE = re.compile("[1-9A-HJ-NP-Z]{16}")
"""An order's number as Vendure makes it."""
ORDER = re.compile(
    r"(?:(?:\border?s?[\s:#.-]*(?:(?:number|no|id)[\s:#.]*)?(?:is\s)?|\bord[\s-]|#)[0-9]{1,10}"
    # A number alone may be an order's, but not where it stands as a postcode does: UT 84601, or 75001 Paris.
    rf"|(?<!(?-i:[A-Z]{{2}}) )(?<![\w$€£#.-])[0-9]{{5}}(?! (?-i:[A-Z]))){_NOT_MONEY}"
    rf"|(?<![\w-])(?-i:{_CODE.pattern})(?![\w-])",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"(?:\$|\brefund of(?! ?[0-9]{5})) ?([0-9][0-9,]{0,8}(?:\.[0-9]{1,2})?)"
    r"|\b([0-9][0-9,]{0,8}(?:\.[0-9]{1,2})?) ?(?:\$|dollars?\b|usd\b)",
    re.IGNORECASE,
)
_VAGUE = any_of(
    "half", "a (?:third|quarter)", "(?:part|some) of", "[€£] ?[0-9.,]+", "[0-9.,]+ ?(?:[€£%]|percent|euros?)"
)


def plain(text: str) -> str:
    """Flatten typographic quotes and spaces; what nobody reads to the end is cut."""
    return text[:2000].translate({0x2019: "'", 0x2018: "'", 0xA0: " "})


def orders_in(text: str) -> tuple[str, ...]:
    """Find the order ids, as `ORD-10234` or a Vendure's code, in the order in which they were named; ten at most."""
    named = (found[0] for found in ORDER.finditer(text))
    ids = (one if _CODE.fullmatch(one) else f"ORD-{re.sub('[^0-9]', '', one)}" for one in named)
    return tuple(dict.fromkeys(ids))[:10]


def reason_in(text: str) -> str | None:
    """Find why someone wants their money back, in the words of `initiate_refund`."""
    return next((reason for reason, words in _REASONS.items() if words.search(text)), None)


def dollars_in(text: str) -> float | None:
    """Find a number of dollars."""
    money = _MONEY.search(text)
    return float((money[1] or money[2]).replace(",", "")) if money else None


def is_vague(text: str) -> bool:
    """Return whether a part is wanted that is no number of dollars."""
    return bool(_VAGUE.search(text)) and dollars_in(text) is None
