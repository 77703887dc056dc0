"""What a server means by an error: whatever it says in whatever shape, for the customer, the log and the next try."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from bot import clock
from bot.model.model import ModelError, Reason

_MAX_TEXT = 500
_MAX_DEPTH = 6  # no error is nested so deeply
_NO_CAPACITY = 498  # Groq's
_CLOSED = 499  # of a proxy whose server did not answer in time
_TRANSIENT = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, _NO_CAPACITY, _CLOSED)
_SOON_SECONDS = 600.0  # a quota that is there again by then is not used up
_OF_SETTINGS = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    HTTPStatus.GONE,
    HTTPStatus.MISDIRECTED_REQUEST,
    HTTPStatus.NOT_IMPLEMENTED,
)


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


# What stands in numbers is Chinese: too long, over the length; sensitive, against the rules, unsafe; in arrears,
# balance too low, top up; busy, too much, later; no such model, who you are.
_TOO_LONG = _words(
    r"context.{0,12}(length|window|size|limit)|exceed_context|n_ctx|max_model_len|prompt_too_long|too large for",
    r"maximum (prompt|model|input|sequence) length|string_above_max_length|max_prompt_tokens",
    r"(prompt|input|conversation|message|request|text)s?( tokens?)?( is| are| was| length)? ?too (long|large)",
    r"too many (total |input |prompt |text )*(tokens|bytes|characters)|input token count",
    r"token (count|limit)[^.]{0,40}exceed",
    r"max_seq_len|max_new_tokens\W{1,4}must be|range of input length|(prompt|input)[^.]{0,30} exceed",
    r"(exceed|larger|longer|greater)\w*[^.]{0,60}(token|context)|reduce (the length|your (message|prompt|input))",
    r"max\w* (input|number of( input)?) (tokens|characters|length)|(less|fewer) than \d+ (tokens|characters)",
    r"prompt tokens[^.]{0,40}less|\u8d85\u957f|\u8d85.{0,8}\u957f\u5ea6|\u957f\u5ea6.{0,8}\u8d85",
)
_TOO_LARGE_AT_ONCE = _words(r"request too large|too large for", r"reduce (the length|your (message|prompt|input))")
_FILTERED = _words(
    r"content.?(filter|policy|management|moderation|safety)|content.?exists.?risk|responsible.?ai|data_inspection",
    r"\bflagged\b|moderation|prohibited.?content|(inappropriate|unsafe|sensitive) (content|input|prompt|word|info)",
    r"(input|output|content|prompt)[\w ]{0,20}(unsafe|sensitive)|unsuitable|high risk|guardrail",
    r"safety (system|filter|setting|reason|check|classif)|usage (polic|guideline)",
    r"\b(was|been|is) filtered|harmful|jailbreak",
    r"violat\w*[^.]{0,30}(polic|guideline|rules|terms|standards)",
    r"\u654f\u611f|\u8fdd\u89c4|\u4e0d\u5b89\u5168",
    r"blocked\b[^.]{0,30}(safety|policy|filter|content)",
)
_SPENT = _words(
    r"insufficient.{0,10}(quota|credit|balance|fund)|billing_|(out of|no) credits|overdue|past invoices",
    r"(credit|spend(ing)?|usage|key) limit|credit balance|payment.?required|arrearage|not enough (credit|balance)",
    r"budget[^.]{0,20}exceed|exceed\w* ?budget|over budget|free tier[^.]{0,30}exhausted",
    r"(balance|funds|credits?)[^.]{0,20}(low|enough|sufficient|deplet|exhaust|used up|expired)|used up[^.]{0,30}tokens",
    r"\b(daily|weekly|monthly)\b|\b(tpd|rpd)\b",
    r"(per[- ]?|/ ?|\ba )(day|week|month)|\u6b20\u8d39|\u4f59\u989d\u4e0d\u8db3|\u5145\u503c",
)
_QUOTA = _words(r"exceeded[\w ]{0,20}quota|quota.exceeded|billing")
_BUSY = _words(
    r"rate.?limit|too many requests|overloaded|capacity|loading|try again (later|in)",
    r"\u7e41\u5fd9|\u8fc7\u5927|\u7a0d\u540e",
)
# What says so whatever the status is.
_SURELY_BUSY = _words(
    r"rate.?limit\w* (exceeded|reached)|too many requests|(currently|still) (loading|overloaded)|warming up",
    r"server.?(is )?busy|no (free |available )?slots?\b",
)
_TEMPLATE = _words(r"jinja|chat.?template|render\w*[^.]{0,20} (prompt|template)")  # it may take another form
_SETTINGS = _words(
    r"(invalid|incorrect|missing|wrong|expired|no)[\w ]{0,20}(api.?key|credential)|unauthori[sz]ed|authenticat",
    r"(api.?key|credential|access.?token|secret.?\w*)s?[\w ]{0,20}(not valid|invalid|incorrect|missing|expired)",
    r"auth\w*.?fail|login fail|\u8eab\u4efd|location is not supported|be verified",
    r"(not|n['\u2019]?t|no)[\w ]{0,20}support[\w ]{0,20}(tool|function)|not supported for [\w.]*tool",
    r"(call|tool).?parser|http request to an https|version[^.]{0,20}not supported",
    r"(tool|function)[\w `'\"]{0,20}(not |un)(support|enabled)|unexpected endpoint|requires?[^.]{0,20}--\w+",
    r"not a valid model|no models? (is |are )?loaded|unable to access [\w -]{0,20}model|decommission|deprecat",
    r"no endpoints found|model[^.]{0,60}(not (found|exist|available)|does not exist)|\u6a21\u578b\u4e0d\u5b58\u5728",
    r"(no such|unknown|invalid|unsupported) model\b|model (id|identifier)[\w .]{0,60}(invalid|n['\u2019]t supported)",
    r"(supported|enabled|available) only|only (supported|enabled|available)|no longer (supported|available)",
    r"throughput isn|invalid url|(model|deployment)_?not_?found",
)
_PICTURES = _words(r"image|picture|vision|multi-?modal|mmproj|too large|array|sequence|string")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as a server reported it: with its status, all of its words, and the parameter that it names."""

    status: int
    said: str
    param: str
    retry_after: float | None

    def error(self, request_id: str | None, *, max_wait: float) -> ModelError:
        """Return what it means; to wait longer than `max_wait` would be of no use."""
        reason = self.reason
        wait = self.retry_after or 0.0
        passing, text = reason in (Reason.BUSY, Reason.UNREACHABLE), f"status {self.status}: {self.said}"[:_MAX_TEXT]
        if passing and wait > max_wait:
            return ModelError(text, reason, request_id, busy_seconds=wait)
        return ModelError(text, reason, request_id, retry_after=wait if passing else None)

    @property
    def reason(self) -> Reason:
        """Say why there is no answer, by the status and, where that says little, by the words."""
        status, said = self.status, self.said
        too_many, of_server = status == HTTPStatus.TOO_MANY_REQUESTS, status >= HTTPStatus.INTERNAL_SERVER_ERROR
        moved = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST  # the base URL is another one
        passing = of_server or status in _TRANSIENT or status < HTTPStatus.BAD_REQUEST
        too_long = (_TOO_LARGE_AT_ONCE if too_many else _TOO_LONG).search(said)
        reasons = (
            (Reason.SPENT, status == HTTPStatus.PAYMENT_REQUIRED or (not of_server and self._is_spent)),
            (Reason.TOO_LONG, status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or too_long),
            (Reason.BUSY, too_many or _SURELY_BUSY.search(said)),
            (Reason.FILTERED, _FILTERED.search(said)),
            (Reason.SETTINGS, status in _OF_SETTINGS or moved or _SETTINGS.search(said)),
            (Reason.BUSY, passing and _BUSY.search(said)),
            (Reason.REFUSED, of_server and _TEMPLATE.search(said)),
            (Reason.UNREACHABLE, passing),
        )
        return next((reason for reason, holds in reasons if holds), Reason.REFUSED)

    @property
    def is_about_pictures(self) -> bool:
        """Return whether it may be a picture that the server did not take, if there was one: by its words, or none."""
        passing = self.reason in (Reason.BUSY, Reason.SPENT)
        return not passing and (self.reason is Reason.REFUSED or _PICTURES.search(self.said) is not None)

    @property
    def _is_spent(self) -> bool:
        soon = self.retry_after is not None and self.retry_after < _SOON_SECONDS
        late = self.status == HTTPStatus.TOO_MANY_REQUESTS and self.retry_after is not None and not soon
        return late or bool(_SPENT.search(self.said) or (_QUOTA.search(self.said) and not soon))


def read_refusal(status: int, body: Any, headers: Mapping[str, str]) -> Refusal:
    """Read an error, with a body that is JSON of any shape or plain text."""
    parsed = _parsed(body)
    said = " ".join(" ".join(dict.fromkeys(_texts(parsed))).split()) or "nothing"
    if status < HTTPStatus.BAD_REQUEST:
        status = next((code for code in _numbers(parsed) if 400 <= code < 600), status)  # noqa: PLR2004 - of HTTP
    return Refusal(status, said, " ".join(_named(parsed)), _seconds(headers, said))


def _parsed(body: Any) -> Any:
    if not isinstance(body, str | bytes):
        return body
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body if isinstance(body, str) else body.decode("utf-8", "replace")


def _texts(node: Any, depth: int = 0) -> Iterator[str]:
    """Read all words of an error: first its codes and types, then its messages, then whatever else it holds."""
    if depth > _MAX_DEPTH:
        return
    match node:
        case str():
            yield node[: 4 * _MAX_TEXT]
        case bool() | None:
            pass
        case int() | float():
            yield str(node)
        case list():
            for part in node[:20]:
                yield from _texts(part, depth + 1)
        case dict():
            first = [key for key in ("code", "type", "param", "message", "msg", "detail", "error") if key in node]
            for key in [*first, *(key for key in list(node)[:20] if key not in first and key not in ("input", "ctx"))]:
                yield from _texts(node[key], depth + 1)


def _numbers(node: Any) -> Iterator[int]:
    for inner in [node, node.get("error")] if isinstance(node, dict) else []:
        for key in ("code", "status", "status_code"):
            if isinstance(inner, dict) and str(inner.get(key)).isdecimal():
                yield int(str(inner[key])[:6])


def _named(node: Any, depth: int = 0) -> Iterator[str]:
    """Name the parameters that an error is about."""
    if depth > _MAX_DEPTH:
        return
    match node:
        case list():
            for part in node[:20]:
                yield from _named(part, depth + 1)
        case dict():
            for key, value in node.items():
                if key in ("param", "loc", "field", "parameter"):
                    yield " ".join(map(str, value)) if isinstance(value, list) else str(value)
                elif isinstance(value, dict | list):
                    yield from _named(value, depth + 1)


def _seconds(headers: Mapping[str, str], said: str) -> float | None:
    """Read after how many seconds to ask again, from a header or, where there is none, from the words."""
    given = headers.get("retry-after")
    if given is None:
        found = re.search(
            r"(?:try again|retry|wait)\w* (?:(?:in|after|for) )?((?:[\d.]+ ?[a-z]+ ?)+)|retryDelay\D{0,5}([\d.]+)s",
            said,
        )
        return _duration(found[1] or f"{found[2]}s") if found else None
    try:
        return max(0.0, float(given))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(given) - clock.now()).total_seconds())
    except (ValueError, TypeError):
        return None


def _duration(text: str) -> float | None:
    units = {"ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "hour": 3600.0, "d": 86400.0}
    parts = re.findall(r"(\d+(?:\.\d+)?) ?(ms|second|sec|s|minute|min|m|hour|h|d)", text)
    units |= {"second": 1.0, "minute": 60.0}
    return sum(float(number) * units[unit] for number, unit in parts) if parts else None
