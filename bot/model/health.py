"""Whether a model answers: what its last requests came to, for those who watch the bot."""

import time

_FAILURES = 3  # in a row; one that passes is nobody's concern


class ModelHealth:
    """What is known of one model at one address."""

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self._failures = 0
        self._lasting = False
        self._error: str | None = None
        self._answered_at: float | None = None

    def answered(self) -> None:
        """Note that it answered."""
        self._failures, self._lasting, self._error = 0, False, None
        self._answered_at = time.monotonic()

    def failed(self, error: str, *, lasting: bool) -> None:
        """Note that it did not, and why in a few words; a lasting failure is one that only the operator can end."""
        self._failures += 1
        self._lasting, self._error = lasting, error

    @property
    def fault(self) -> str | None:
        """What is wrong with it; None when it answers, failed in passing, or was not asked yet."""
        if self._error is None or not (self._lasting or self._failures >= _FAILURES):
            return None
        return f"the model {self.name} at {self.address} does not answer: {self._error}"

    def report(self) -> dict[str, object]:
        """Tell how it is, as JSON."""
        silent = None if self._answered_at is None else round(time.monotonic() - self._answered_at, 1)
        return {
            "name": self.name,
            "address": self.address,
            "seconds_since_it_answered": silent,
            "failures_in_a_row": self._failures,
            "last_error": self._error,
        }
