"""What a check finds out: that something is right, or what is wrong and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is; what is fatal keeps the bot from starting."""

    OK = "ok"
    UNKNOWN = "unknown"
    WARNING = "warning"
    FATAL = "fatal"


_MARKS = {Level.OK: "\u2713", Level.UNKNOWN: "?", Level.WARNING: "!", Level.FATAL: "\u2717"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a check: about what, what was found, and what to do unless all is well."""

    level: Level
    about: str
    found: str
    advice: str = ""

    @property
    def text(self) -> str:
        """Return what was found and what to do."""
        return f"{self.found} {self.advice}".strip()

    def line(self, width: int) -> str:
        """Write the finding for a terminal, its subject in a column of this width."""
        return f"{_MARKS[self.level]} {self.about:{width}}  {self.text}"


def ok(about: str, found: str) -> Finding:
    """Find that all is well."""
    return Finding(Level.OK, about, found)


def unknown(about: str, found: str) -> Finding:
    """Find that it cannot be told from here."""
    return Finding(Level.UNKNOWN, about, found)


def warning(about: str, found: str, advice: str = "") -> Finding:
    """Find something that the bot can live with."""
    return Finding(Level.WARNING, about, found, advice)


def fatal(about: str, found: str, advice: str = "") -> Finding:
    """Find something without which the bot must not start."""
    return Finding(Level.FATAL, about, found, advice)
