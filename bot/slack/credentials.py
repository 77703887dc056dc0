"""Secrets that people paste: what has the form of a token, and what is said to be a password, a PIN or a code."""

import re

REMOVED = "[secret removed]"

# What stands between a word and its secret: marks of Slack's and of programs, and what says "is".
_MARKS = r"[*_~`\"'\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d]{0,3}"
_IS = r"(?:is|was|are|should be|ist|lautet|hei(?:\u00df|ss)t|war|est|es|sono|[e\u00e9\u00e8]|\u00e4r|er|jest)"
_SIGN = r"(?:[:=\uff1a\uff1d\u2192\u21d2\u306f\u662f\ub294\uc740]|->|=>)"
_EQUALS = rf"{_MARKS}(?: {{0,2}}{_IS})?\s{{0,2}}{_SIGN}\s{{0,2}}{_MARKS}"
_STATED = rf"{_MARKS}(?:'s |\u2019s | {{1,2}}{_IS} {{1,2}}(?:[-\u2013\u2014] )?| [-\u2013\u2014] ){_MARKS}"
_BESIDE = rf"{_MARKS} {{1,2}}{_MARKS}"
_ANY = rf"(?:{_EQUALS}|{_STATED}|{_BESIDE})"
_END = r"(?![^\W_])"
# What may stand between the word and what is said of it: what the secret is for.
_FOR = r"(?: (?:for|to|of|on|at|f\u00fcr|zu|de|pour|para|per|di)(?: [^\s:=]{1,60}){1,4}| \([^()\r\n]{1,40}\))"
# Digits in one piece with what is joined to it, or in small groups; the next number beside it is another one.
_DIGITS = r"(?=(?:[ -]?[0-9]){4})(?:[0-9]{1,3}(?:[ -][0-9]{1,3}){1,5}(?![0-9])|[0-9]{4,12}(?:-[0-9]{1,12}){0,6})"
# What is said of a password and is none: that it is wrong, that somebody asks for it.
_STATES = (
    "a|about|accepted|again|always|an|and|any|asked|at|being|blocked|broken|changed|correct|declined|different|done|empty"
    "|entered|expired|fine|for|forgot|forgotten|from|given|going|gone|good|here|how|i|impossible|in|incorrect|invalid|it"
    "|just|known|locked|lost|mandatory|missing|my|needed|never|new|no|none|not|now|of|off|ok|okay|old|on|only|or|out"
    "|outdated|please|policy|protected|refused|rejected|required|reset|right|safe|same|saved|secure|sent|set|shown|so"
    "|still|strong|stuck|that|the|there|this|to|too|unknown|useless|valid|weak|what|when|where|which|with|working|wrong"
    "|your?|abgelaufen|falsch|gesperrt|nicht|ung\u00fcltig|vergessen|weg|pas|incorrecte?|oubli\u00e9|olvidada"
)
_NO_STATE = rf"(?!(?:{_STATES})(?![^\W_]|[-_]\w))"
_VALUE = r"(?!\[secret)(?=[^\s,;]{0,200}[^\W_])[^\s,;]{1,200}"
_WITH_DIGIT = r"(?!\[secret)(?=[^\s,;\d]{0,100}\d)[^\s,;]{4,200}"
_WITH_MARK = r"(?!\[secret)(?=\w{1,60}[_@#$%&+!]\w)[^\s,;]{6,200}"
# After a mark that also ends a sentence, what may be the number of an order is one.
_NO_NUMBER = (
    r"(?!#|(?:[a-z]{1,6}-)?[\d/-]{1,40}(?![^\W_])|[a-z]{1,2}\d{4,20}(?![^\W_])|[a-z]{1,6}(?:-\d{1,12}){1,4}(?![^\W_]))"
)
_QUOTED = r"(?:\"[^\"\r\n]{1,100}\"|\u201c[^\u201d\r\n]{1,100}\u201d|'[^'\r\n]{1,100}')"

_SAID_TO_BE_ONE = (
    r"(?:pass ?words?|passwort|passw\u00f6rter|kennwort|losung|passwd|p(?:ass)?word|psw|pswd"
    r"|passcodes?|passphrase|pwd?|pass(?=\s?[:=])"
    r"|mot de passe|mdp|contrase\u00f1a|clave(?! de )|senha|palavra-?passe|wachtwoord|has\u0142o(?: to)?|l\u00f6senord"
    r"|adgangskode|kodeord|passord|salasana(?:ni)?|heslo|jelsz(?:\u00f3|avam)|parol[ae]m?|m\u1eadt kh\u1ea9u|kata sandi"
    r"|\u015fifre[ms]?|\u043f\u0430\u0440\u043e\u043b\u044c"
    r"|\u0e23\u0e2b\u0e31\u0e2a\u0e1c\u0e48\u0e32\u0e19|\u092a\u093e\u0938\u0935\u0930\u094d\u0921"
    r"|\u5bc6\u7801|\u5bc6\u78bc|\u30d1\u30b9\u30ef\u30fc\u30c9|\u6697\u8a3c\u756a\u53f7|\ube44\ubc00\ubc88\ud638|\u05e1\u05d9\u05e1\u05de\u05d4"
    r"|\u03ba\u03c9\u03b4\u03b9\u03ba\u03cc\u03c2"
    r"|\u0643\u0644\u0645\u0629 (?:\u0627\u0644)?(?:\u0645\u0631\u0648\u0631|\u0633\u0631))"
)
_CARD_CODE = (
    r"(?:cvv2?|cvc2?|(?:cvn2?|cvd|csc|cid)(?!-)|card verification (?:value|code|number)"
    r"|sec(?:urity)?\.? (?:code|number)"
    r"|card (?:back )?code"
    r"|(?:(?:three|four|3|4)[- ]digit )?(?:code|number|digits) on (?:the )?back(?: of (?:the |my )?card)?"
    r"|(?:three|four|3|4)[- ]digit (?:code|number)|(?:three|four|3|4) digits|(?:karten)?pr\u00fcf(?:ziffer|nummer|zahl)"
    r"|sicherheits(?:code|nummer)|cryptogramme|code de s\u00e9curit\u00e9|c\u00f3digo de (?:seguridad|seguran\u00e7a)"
    r"|codice di sicurezza|veiligheidscode|kod bezpiecze\u0144stwa|s\u00e4kerhetskod|g\u00fcvenlik kodu"
    r"|\u043a\u043e\u0434 \u0431\u0435\u0437\u043e\u043f\u0430\u0441\u043d\u043e\u0441\u0442\u0438"
    r"|\u5b89\u5168\u7801|\u30bb\u30ad\u30e5\u30ea\u30c6\u30a3\u30b3\u30fc\u30c9)"
)
_SHORT_CODE = (
    r"(?:pin(?:code)?|\u043f\u0438\u043d|geheimzahl|otp|totp|passcode"
    r"|(?:one[- ]?time|backup|recovery|verification|sms|2fa|mfa|two[- ]factor|log-?in"
    r"|sign[- ]?in|unlock|auth(?:entication|enticator|orization)?|best\u00e4tigungs|verifizierungs|einmal|sicherheits)"
    r"[- ]?(?:code|pass ?word|passcode|pin|kennwort|passwort))"
)
_NAMED_KEY = (
    r"(?:account|storage|client|aws|app|consumer|webhook|shared|signing|api|access|secret|private|auth|bearer|refresh|session|id|bot)"
    r"(?:[ _-]?(?:secret|access|api|auth|private))?[ _-]?(?:keys?|secret|tokens?)"
)
_KEY = rf"(?:{_NAMED_KEY}|secret|token)"
_LOGIN = r"(?:log-?in|credentials?|zugangsdaten|identifiants|user(?:name)?/pass(?:word)?)"
_PHRASE = r"(?:recovery|seed|mnemonic|backup|secret) (?:phrase|words)"
_CREDENTIALS = re.compile(
    rf"(?<![^\W_]){_SAID_TO_BE_ONE}(?:{_EQUALS}|{_STATED}){_NO_STATE}(?:{_QUOTED}|{_VALUE})"
    rf"|(?<![^\W_]){_SAID_TO_BE_ONE}{_FOR}"
    rf"(?:{_EQUALS}{_NO_STATE}(?:{_QUOTED}|{_VALUE})|{_STATED}(?:{_WITH_DIGIT}|{_WITH_MARK}))"
    rf"|(?<![^\W_]){_SAID_TO_BE_ONE} from (?:{_WITH_DIGIT}|{_WITH_MARK})(?: to {_NO_STATE}{_VALUE})?"
    rf"|(?<![^\W_]){_SAID_TO_BE_ONE} to {_NO_NUMBER}(?:{_WITH_DIGIT}|{_WITH_MARK})"
    rf"|(?<![^\W_]){_SAID_TO_BE_ONE}[.,;)|\u2026]{{1,3}} {{1,2}}{_NO_NUMBER}(?:{_WITH_DIGIT}|{_WITH_MARK})"
    rf"|(?<!\S)(?=[^\s,;\d]{{0,100}}\d|\w{{1,60}}[_@#$%&+!]\w)[^\s,;]{{4,200}}+"
    rf" (?:is|as|ist|als) (?:my |the |our |mein |das )?{_SAID_TO_BE_ONE}(?=\s{{0,2}}(?:[.,;:!?)]|$))"
    rf"|(?<![^\W_]){_SAID_TO_BE_ONE}(?:{_BESIDE}(?:{_WITH_DIGIT}|{_WITH_MARK})|\s(?=[\"'\u201c\u2018`])(?:{_QUOTED}|{_VALUE}))"
    rf"|(?<![^\W_]){_LOGIN}{_EQUALS}[^\s,;/:]{{1,100}}(?::| ?/ ?){_WITH_DIGIT}"
    rf"|(?<![^\W_]){_PHRASE}{_ANY}[a-z]{{2,12}}(?: [a-z]{{2,12}}){{5,23}}"
    rf"|(?<![^\W_]){_CARD_CODE}(?:[\s/-](?:cvv|cvc|code|number|no|nr)\.?)?\W{{0,4}}(?:{_IS}\W{{1,3}})?"
    rf"[0-9](?: ?[0-9]){{2,3}}(?:-[0-9]{{1,8}}){{0,4}}{_END}"
    rf"|(?<![\w.#/-])[0-9]{{3,4}}(?= (?:is (?:the |my )?)?(?:cvv2?|cvc2?)(?![^\W_]))"
    rf"|(?<![^\W_]){_SHORT_CODE}(?:[- ](?:code|kode|\u043a\u043e\u0434|number|no|nr)\.?)?{_FOR}?{_ANY}{_DIGITS}{_END}"
    rf"|(?<![^\W_])(?:[mi]|sms|push|photo|chip)?tan(?:[- ](?:code|number|nr)\.?)?{_ANY}[0-9]{{6,8}}{_END}"
    rf"|(?<![^\W_])code (?:[a-z]{{1,12}} ){{1,5}}(?:sms|text|authenticator){_ANY}{_DIGITS}{_END}"
    rf"|(?<![^\W_])pass - {_WITH_DIGIT}|(?<![^\W_])my pass{_STATED}{_NO_STATE}{_WITH_DIGIT}"
    rf"|(?<![^\W_])(?:my|the|your|mein|der|mon|le|mi|il) code{_ANY}[0-9]{{6,8}}{_END}"
    rf"|(?<![^\W])(?:[\w-]{{1,30}}[_-])?{_KEY}(?:{_EQUALS}|{_STATED}|{_BESIDE}){_NO_STATE}(?:{_WITH_DIGIT}|[^\s,;]{{20,200}})"
    rf"|(?<![^\W]){_NAMED_KEY}{_EQUALS}{_NO_STATE}[^\s,;]{{6,200}}"
    rf"|(?<![^\W])(?:[\w-]{{1,30}}[_-])?{_KEY}[\"']?=[\"']?[^\s,;&]{{4,200}}",
    re.IGNORECASE,
)

# What has the form of a token, as those who give them out document it.
_TOKENS = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)"
    r"|(?<![\w-])(?:xox[a-z][-.][\w.-]{8,200}|xapp-[\w-]{8,200}"
    r"|(?:sk|rk|pk)[-_](?:[a-z0-9]{1,8}[-_]){0,3}[A-Za-z0-9]{16,200}[\w-]{0,100}"
    r"|[a-z]{2,8}_(?:live|test|prod)_\w{12,200}|whsec_\w{16,200}"
    r"|gh[pousr]_\w{20,200}|github_pat_\w{20,200}|gl[a-z]{2,6}-[\w-]{16,200}|npm_\w{30,200}|pypi-[\w-]{16,300}"
    r"|(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}|AIza[\w-]{30,60}|ya29\.[\w-]{16,300}|GOCSPX-[\w-]{20,60}"
    r"|shp[a-z]{2}_[a-f0-9]{16,64}|sq0[a-z]{3}-[\w-]{16,100}|SG\.[\w-]{10,60}\.[\w-]{10,80}|hf_[A-Za-z]{20,60}"
    r"|do[opr]_v1_[a-f0-9]{20,80}|gsk_\w{20,100}|xai-[\w-]{20,120}|r8_\w{20,80}|pplx-\w{20,80}|tvly-[\w-]{16,80}"
    r"|AT(?:ATT|CTT)[\w=-]{16,300}|(?:AC|SK)[a-f0-9]{32}|key-[a-f0-9]{32}|[a-f0-9]{32}-us\d{1,2}|dckr_pat_[\w-]{16,60}"
    r"|lin_(?:api|oauth)_\w{20,80}|figd_[\w-]{20,80}|ntn_\w{20,80}|sbp_[a-f0-9]{20,60}|dapi[a-f0-9]{32}"
    r"|(?:PMAK|NRAK|AGE-SECRET-KEY)-[\w-]{16,100}|sntrys_[\w=+/]{20,300}|EAAA[\w-]{30,200}"
    r"|gls[ar]_\w{20,100}|dp\.(?:st|pt|ct|sa|scim|audit)\.[\w.-]{20,100}"
    r"|eyJ[\w-]{10,4000}+\.[\w-]{1,4000}+(?:\.[\w-]{0,4000})?)"
    r"|(?i:(?<=cookie: )|(?<=cookie:))[^\s=;]{1,100}=[^\r\n]{4,2000}"
    r"|(?i:(?<=sessionid=)|(?<=phpsessid=)|(?<=sid=))[\w%.-]{10,400}"
    r"|(?i:(?<=bearer )|(?<=bearer: ))[\w.~+/=-]{12,2000}"
    r"|(?i:(?<=authorization: )(?:basic|token|digest|apikey) |(?<=authorization: ))(?!\[secret)[\w.~+/=:-]{8,2000}"
    r"|(?<![\w-])(?:G-)?[0-9]{4,8}(?= is your (?:\w{1,20} ){0,3}"
    r"(?i:(?:verification|security|login|sign-in) code|one-time|passcode|otp|pin)\b)"
    r"|(?<![\w-])[0-9]{4,8}(?= to (?:log|sign) ?in\b)|(?:(?<= -u )|(?<= --user ))[^\s:]{1,60}:[^\s]{1,200}"
    r"|(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[\w/]{10,200}"
    r"|(?<=://)[^\s/:@<>]{0,100}:[^\s/@<>]{1,200}(?=@)",
)


def without_credentials(text: str) -> str:
    """Return the text with secrets replaced."""
    return _CREDENTIALS.sub(REMOVED, _TOKENS.sub(REMOVED, text))
