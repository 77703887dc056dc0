"""How people word what they wish besides money back: an order cancelled, a person, an answer about the shop."""

from bot.demo.offline_model.reading import any_of, orders_in, reason_in

_DO_NOT = "(?:don'?t|do not|didn'?t|did not|never)"
_PEOPLE = (
    "(?:humans?|persons?|people|someone|somebody|agents?|managers?|supervisors?|representatives?|staff|"
    "(?:support )?team|colleagues?|operator)"
)
_REACH = "(?:talk|speak|chat|connect|transfer|hand|put|forward|call|get|want|need|give|fetch|ask(?: for)?|is there)"
_PERSON = any_of(
    rf"{_REACH}(?: (?!my|where|when|how)\w+){{0,4}} {_PEOPLE}(?! (?:of|who|to decide|to approve))",
    rf"(?:real|live|actual|human) {_PEOPLE}",
    rf"^\W*(?:an? )?{_PEOPLE}(?: please)?\W*$",
    "escalate",
    "(?:make|file|have) a complaint",
    "complain",
)
_NO_PERSON = any_of(rf"(?:{_DO_NOT}|no|not) (?:want|need|have|wish)[\w ]{{0,20}} {_PEOPLE}")
_UPSET = any_of(
    r"ridiculous|unacceptable|outrageous|disgrac\w+|furious|angry|this sucks",
    "fed up|sick of|had enough|rip-?off|scam(?:mers?)?|this is a joke|is this a joke|are you kidding",
    "useless (?:bot|service|support)|you(?:'re| are| people are) useless",
    "lawyer|(?:will|to|gonna|i'll) sue|legal action|waste of (?:my )?time|(?:third|fourth|hundredth) time",
    r"(?:worst|terrible|awful|horrible) (?:\w+ )?(?:service|support|shop|company|experience|bot)",
    "(?:service|support|shop|company) is (?:terrible|awful|horrible|the worst)",
    "wtf|(?:bull)?shit|fuck(?:ing)?|damn(?: it)?",
)
_CANCEL = any_of("cancel", "call off", f"{_DO_NOT} (?:send|ship) (?:it|that|the|my|ord)")
_NO_CANCEL = any_of(rf"(?:{_DO_NOT}|not) (?:\w+ ){{0,2}}cancel")
_ACCOUNT = r"(?:all )?(?:my |the |our )?(?:\w+ )?(?:account|profile|data)"
_END = "(?:delete|close|remove|erase|cancel|deactivate)"
_DELETE = any_of(rf"{_END} {_ACCOUNT}", rf"{_ACCOUNT} (?:\w+ )?(?:deleted|closed|removed|erased|gone)")
_NO_DELETE = any_of(rf"(?:{_DO_NOT}|not) (?:\w+ ){{0,2}}{_END}")
_MY_ORDERS = any_of(
    r"(?:what|which)[\w ]* (?:have|did|had) i (?:\w+ )?(?:order(?:ed)?|buy|bought)",
    r"(?:what|which) (?:are |is )?my (?:\w+ )?orders?",
    r"(?:my|our|all) (?:\w+ )?orders",
    r"(?:which|any|what) (?:\w+ )?orders do i have|do i have any (?:\w+ )?orders",
    "everything (?:that )?i (?:have )?(?:ordered|bought)|no idea which order",
    "orders of",
    "order history",
    rf"(?:{_DO_NOT} (?:\w+ )?(?:know|have|remember|find)|lost|forgot)[\w ]* (?:numbers?|id)",
    "(?:no|without(?: an?| the)?) (?:order )?number",
    rf"^\W*(?:i {_DO_NOT} know|no idea)(?: it| that| which)?\W*$",
)

_SHOP = any_of(
    r"polic(?:y|ies)|warrant\w+|guarantee\w*|exchang\w+",
    r"gift\w*|wrap(?:ped|ping)?",
    "payments?|pay (?:with|by|in|on|later)|paypal|(?:credit|debit) cards?|apple pay|google pay|instal?lments?",
    r"invoices?|receipts?|currenc\w+|taxes|discounts?|coupons?|promo\w*|vouchers?|charged",
    "passwords?|log ?in|sign ?in|newsletters?|privacy",
    r"shipping|(?:free|express|international|standard) delivery|delivery (?:cost|fee|time|option)s?|express",
    r"change (?:my|the) (?:\w+ )?(?:address|e-?mail|name)",
    r"(?:ship|deliver|send)(?: \w+)? (?:to|abroad|overseas)|international(?:ly)?|abroad|overseas|customs",
)
_NEAR_SHOP = any_of(
    r"ship\w*|deliver\w*|return\w*|refund\w*|money back|pay|repair|spare parts?",
    "send (?:it|this|something) back|account|address|e-?mail|cancel|orders?|sell|offer|accept|(?:in|out of) stock",
    "broken|damaged|defective|wrong item",
)
_ASKING = any_of(
    "how (?:do|can|to|long|much|many|does|soon|often|would)",
    "what(?:'s| is| are| if| happens| kinds?| do(?:es)?)",
    "when (?:will|do|does|are|can|is)",
    "where (?:do|can) (?:i|you)",
    "(?:can|could|may) i|do you|do i|does|(?:is|are) there|who (?:pays|approves|decides)|which",
    "tell me (?:more )?about|(?:question|info|information) (?:on|about)",
)
_HOW_TO = any_of("how (?:do|can|would|to)", "how long (?:do|does|is)", "how many (?:days|weeks)", "what (?:if|happens)")
_OWN_CASE = any_of(
    r"(?:my|this|that|the|our) (?:\w+ )?(?:orders?|parcels?|packages?|shipment|refund|money|request)",
    r"(?:it|they) (?:be |been |get )?(?:arriv|com|ship|deliver|her)\w*",
    "(?:can|could|may) i (?:return|send) (?:it|this|that|these|them|my|the)",
    r"(?:can|could|may) i (?:get|have) (?:a |my )?(?:\w+ )?(?:refund|money)",
    r"status|track\w*",
)
_FAULTS = ("defective", "wrong_item", "not_delivered")
_FEW_WORDS = 5  # "gift wrapping", "return policy please": a topic alone is a question


def wants_person(text: str) -> bool:
    """Return whether someone asks for a person."""
    return bool(_PERSON.search(text)) and not _NO_PERSON.search(text)


def is_upset(text: str) -> bool:
    """Return whether someone is angry enough to be better off with a person."""
    return bool(_UPSET.search(text))


def wants_to_cancel(text: str) -> bool:
    """Return whether someone wants an order cancelled."""
    return bool(_CANCEL.search(text)) and not _NO_CANCEL.search(text)


def wants_account_deleted(text: str) -> bool:
    """Return whether someone wants their account gone."""
    return bool(_DELETE.search(text)) and not _NO_DELETE.search(text)


def wants_list(text: str) -> bool:
    """Return whether someone asks which orders are theirs, or does not know a number."""
    return bool(_MY_ORDERS.search(text)) and not orders_in(text)


def asks_about_shop(text: str) -> bool:
    """Return whether someone asks how the shop does things, and not about an order of their own."""
    hypothetical = _HOW_TO.search(text)
    if orders_in(text) or (reason_in(text) in _FAULTS and not hypothetical):
        return False
    if (_OWN_CASE.search(text) or wants_list(text)) and not hypothetical:
        return False
    asking = bool(_ASKING.search(text))
    if _SHOP.search(text):
        return asking or "?" in text or len(text.split()) <= _FEW_WORDS
    return asking and bool(_NEAR_SHOP.search(text))
