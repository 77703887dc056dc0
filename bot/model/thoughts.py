"""What in a model's text are its thoughts, in the marks of whatever template or in words: taken out, or known."""

import re

_THOUGHT = (
    r"(?:\w{1,12}:)?(?:\w{1,12}[_-])?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflect(?:ion|ing)?|scratchpad|analysis"
    r"|plan(?:ning)?|(?:inner_?)?monologue|internal|cot|ponder(?:ing)?|deliberat(?:e|ion|ing)|rationale|hidden|musings?"
    r"|contemplat(?:e|ion|ing)|brainstorm(?:ing)?|introspection|self_talk)(?:[_-]\w{1,12}){0,3}"
)
# How each template opens and closes what is not to be said.
_OPEN = re.compile(
    rf"(?:<|&lt;){_THOUGHT}(?:\s[^<>/]*)?(?:>|&gt;)|<\|{_THOUGHT}\|>|\[{_THOUGHT}\]|\u25c1{_THOUGHT}\u25b7"
    rf"|<\|(?:START|begin)_(?:of_)?{_THOUGHT}\|>|<\|channel\|>\s*(?:analysis|commentary)[^<]*<\|message\|>"
    rf"|<\|channel>\s*thought\b|<\|inner_prefix\|>",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    rf"(?:<|&lt;)/{_THOUGHT}\s*(?:>|&gt;)|<\|/{_THOUGHT}\|>|\[/{_THOUGHT}\]|\u25c1/{_THOUGHT}\u25b7"
    rf"|<\|(?:END|end)_(?:of_)?{_THOUGHT}\|>|<\|end\|>(?:<\|start\|>assistant)?|<channel\|>|<\|inner_suffix\|>",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    rf"^```{_THOUGHT}[ ]?\n[\s\S]*?(?:^```[ ]?$|\Z)|<{_THOUGHT}\s*/>"
    rf"|<details\s[^<>]{{0,200}}(?:reason|thought|think)[^<>]{{0,200}}>[\s\S]*?(?:</details>|\Z)",
    re.IGNORECASE | re.MULTILINE,
)
_FINAL = re.compile(
    r"<\|channel\|>\s*final[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>|\A(?=analysis|commentary)[\s\S]*assistantfinal"
    r"|<\|begin_of_solution\|>",
    re.IGNORECASE,
)
# Thoughts in words, as they are asked for by a prompt of the old kind, and what ends them.
_IN_WORDS = re.compile(
    r"\A[*#_>(\s]{0,4}(?:here (?:is|are) my )?(?:(?:thoughts?(?: process)?|thinking|thinks|reasoning|chain of thought"
    r"|internal \w{1,20})[* ]{0,3}:|thinking[ ]?(?:\.\.\.|\u2026)\s)|\A> ?[*_]{0,3}(?:thoughts?|thinking|reasoning)\b",
    re.IGNORECASE,
)
_AFTER_THEM = re.compile(
    r"(?<=\n)(?:[*# ]{0,4}(?:here is my )?(?:final )?(?:answer|response)[* ]{0,3}:[* ]{0,3}"
    r"|(?:\.\.\.|\u2026)[ ]?done thinking\.?)",
    re.IGNORECASE,
)
# Nobody is spoken to as "the user", in any language. What they want comes next, or at the end of the sentence.
_OF_THE_USER = re.compile(
    r"\bthe user(?:'s|\u2019s)? (?:wants|is (?:asking|requesting|upset|frustrated|annoyed)|asked|asks|says|said"
    r"|has asked|mentioned|seems|just|message|request)\b"
    r"|\b(?:(?:der|die) (?:be)?nutzer(?:in)?|der user) (?:m\u00f6chte|will|fragt|bittet|braucht|sagt|schreibt"
    r"|hat (?:gefragt|um))\b"
    r"|\bl['\u2019]utilisat(?:eur|rice) (?:veut|demande|souhaite|dit|voudrait|a (?:demand\u00e9|dit))"
    r"|\b(?:el|la) usuari[oa] (?:quiere|pide|pregunta|solicita|dice|desea|necesita|ha (?:pedido|preguntado))\b"
    r"|\bl['\u2019]utente (?:vuole|chiede|dice|desidera|ha (?:chiesto|detto))\b"
    r"|\b[oa] (?:usu\u00e1ri[oa]|utilizadora?) (?:quer|pede|pergunta|diz|deseja|pediu|perguntou)\b"
    r"|\bde gebruiker (?:wil|vraagt|zegt|heeft gevraagd)\b|\bu\u017cytkownik (?:chce|pyta|prosi|m\u00f3wi)\b"
    r"|\b(?:anv\u00e4ndaren|brugeren|brukeren) (?:vill?|fr\u00e5gar|sp\u00f8rg?e?r|\u00f8nsker|s\u00e4ger|siger|sier)\b"
    r"|\b(?:\u043f\u043e\u043b\u044c\u0437\u043e\u0432\u0430\u0442\u0435\u043b\u044c|\u043a\u043e\u0440\u0438\u0441\u0442\u0443\u0432\u0430\u0447)"
    r" (?:\u0445\u043e\u0447\u0435|\u0441\u043f\u0440\u0430\u0448\u0438\u0432|\u043f\u0440\u043e\u0441\u0438\u0442"
    r"|\u043f\u0438\u0442\u0430|\u043f\u0438\u0448\u0435)"
    r"|(?:\u7528\u6237|\u7528\u6236|\u4f7f\u7528\u8005)(?:\u60f3|\u8981|\u5e0c\u671b|\u8be2|\u8a62|\u5728?\u95ee|\u5728?\u554f|\u8bf4|\u8aaa|\u9700\u8981|\u8bf7\u6c42|\u8acb\u6c42)"
    r"|\u30e6\u30fc\u30b6\u30fc?(?:\u306f|\u304c)[^\n\u3002]{0,40}(?:\u671b|\u6c42|\u5c0b\u306d|\u805e|\u8a00|\u6b32\u3057|\u3057\u305f\u3044)"
    r"|\uc0ac\uc6a9\uc790(?:\ub294|\uac00)[^\n.]{0,40}(?:\uc6d0|\uc694\uccad|\ubb3b|\ubb38\uc758|\ub9d0)",
    re.IGNORECASE,
)
_THIRD_PERSON_CHARACTERS = 200
# Whom we talk to may be somebody of the team, who hears of customers; nobody is told so what somebody thinks of doing.
_SELF_TALK = re.compile(
    r"\A\W*(?:(?:we|i) (?:need to|have to|should|must) (?:respond|answer|reply|output|produce|figure)\b"
    r"|(?:okay|ok|alright|hmm|so|first|now|let me|we|i)\b[^\n]{0,80}"
    r"\bthe customer (?:wants|is asking|asked|asks|says|said))",
    re.IGNORECASE,
)


def has_thoughts(text: str) -> bool:
    """Return whether thoughts stand in a text beside what may be said of it, or the end of thoughts."""
    return any(mark.search(text) for mark in (_OPEN, _CLOSE, _FINAL, _WHOLE))


def without_thoughts(text: str) -> str:
    """Return a text without the thoughts that have marks or an end in words, also where they are half open."""
    if finals := list(_FINAL.finditer(text)):
        text = text[finals[-1].end() :]
    text = _WHOLE.sub("", text)
    while opened := _OPEN.search(text):
        closed = _CLOSE.search(text, opened.end())
        text = text[: opened.start()] + (text[closed.end() :] if closed else "")
    if (closings := list(_CLOSE.finditer(text))) and text[closings[-1].end() :].strip():
        text = text[closings[-1].end() :]  # the thought began in the prompt
    elif closings:
        text = text[: closings[0].start()] if re.fullmatch(r"<\|end\|>", closings[0][0]) else ""
    if _IN_WORDS.match(text) and (ends := _AFTER_THEM.search(text)):
        text = text[ends.end() :]
    return text


def is_thought(text: str) -> bool:
    """Return whether a text is a thought in words and no answer."""
    beginning = text[:_THIRD_PERSON_CHARACTERS]
    return any((_IN_WORDS.match(text), _OF_THE_USER.search(beginning), _SELF_TALK.match(beginning)))
