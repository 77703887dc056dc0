"""What the bot tells its operator on stderr: a line for each event, in UTC, as text or as JSON.

An event is a record with an `event` and fields (`tell`), which metrics count as well. No line carries a token, an
e-mail address or what somebody wrote: events do not have them, and what an error quotes is taken out.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

from bot.metrics import count
from bot.tracing import tracing

_EVENT = "event"
_FIELDS = "fields"
_SECRETS = re.compile(
    r"\bx(?:ox[a-z]|app|oxe\.xox[a-z])-[\w.-]+|\b(?:sk|rk|pk)[-_][\w-]{8,}|\bBearer\s+\S+"
    r"|\bshp(?:at|ca|pa|ss)_\w+|\bwhsec_\w+|\bgh[pousr]_\w+|\bgithub_pat_\w+|\bAIza[\w-]{20,}"
    r"|(?<=://)[^\s:/@]+:[^\s/@]+(?=@)|(?<=hooks\.slack\.com/)[\w/]+|(?<=ticket=)[\w-]+"
    r"|(?i:(?<=token=)|(?<=api_key=)|(?<=password=)|(?<=secret=))[^\s&'\"]+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    re.IGNORECASE,
)


def tell(logger: logging.Logger, event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Log an event with its fields, and count it; a field that is None is left out."""
    told = {name: value for name, value in fields.items() if value is not None}
    count(event, told)
    if trace := tracing.trace_id(tracing.current()):
        told["trace"] = trace
    logger.log(level, "%s", event, extra={_EVENT: event, _FIELDS: told})


def event_of(record: logging.LogRecord) -> tuple[str, dict[str, Any]] | None:
    """Return the event and the fields of a record, if it is one."""
    event = getattr(record, _EVENT, None)
    return (event, getattr(record, _FIELDS, {})) if event else None


def configure(form: str, *, verbose: bool, quiet: bool = False) -> None:
    """Log to stderr: `form` is text, json, or auto for text on a terminal.

    `quiet` leaves out all but warnings. `verbose` tells more of what the bot does, and nothing more of libraries.
    """
    handler = _StderrHandler()
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    handler.setFormatter(_TextFormatter() if as_text else _JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    logging.getLogger("bot").setLevel(level)


def without_secrets(text: str) -> str:
    """Take out what looks like a token, a key or an e-mail address."""
    return _SECRETS.sub("[removed]", text)


class _StderrHandler(logging.Handler):
    """Writes to what is stderr by then."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record as a line."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - as all handlers do: what cannot be logged must not end the bot
            self.handleError(record)


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Write a record as one line, and its traceback below it."""
        event = event_of(record)
        fields = "".join(f" {name}={_word(value)}" for name, value in event[1].items()) if event else ""
        text = f"{_time(record)} {record.levelname} {record.getMessage()}{fields}"
        if record.exc_info:
            text += f"\n{self.formatException(record.exc_info)}"
        return without_secrets(text)


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Write a record as a JSON object in one line."""
        event = event_of(record)
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **(event[1] if event else {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return without_secrets(json.dumps(line, ensure_ascii=False, default=str))


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _word(value: Any) -> str:
    text = str(value)
    return text if re.fullmatch(r"[^\s\"=]+", text) else json.dumps(text, ensure_ascii=False)
