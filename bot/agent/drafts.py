"""What of an answer may be read while the model still writes it: whole paragraphs, where nobody is told of a change."""

from collections.abc import Callable, Collection, Sequence
from time import monotonic

from bot.agent import claims
from bot.agent.instructions import without_instructions
from bot.agent.quotes import without_quotes
from bot.model.spoken import UnspeakableError, spoken
from bot.store.records import ChatMessage

SLOW_SECONDS = 2.0  # until then an ordinary post is as soon there, and nothing is drawn twice
MAX_CHARACTERS = 6_000  # of the nine thousand that fit into a message as blocks; the rest comes at the end
_FENCE = "```"


class Draft:
    """Shows the paragraphs of one answer as they are finished, from the moment on at which it has become slow.

    Each is shown only while all that is written so far stands the checks of a whole answer. The last word is the whole
    answer's: it is drawn over the draft.
    """

    def __init__(self, messages: Sequence[ChatMessage], tools: Collection[str], show: Callable[[str], None]) -> None:
        self._messages = messages
        self._tools = tools
        self._show = show
        self._since = monotonic()
        self._shown = 0
        self._is_over = False

    def hear(self, text: str) -> None:
        """Show what is finished of the text, which begins with all that was heard before."""
        if self._is_over or monotonic() - self._since < SLOW_SECONDS:
            return
        end = _end_of_paragraphs(text)
        if end <= self._shown:
            return
        if end > MAX_CHARACTERS or not self._may_be_read(text[:end]):
            self._is_over = True
            return
        self._show(text[self._shown : end])
        self._shown = end

    def _may_be_read(self, text: str) -> bool:
        try:
            said = spoken(text, self._tools)
        except UnspeakableError:
            return False
        is_plain = said == text.strip() and without_instructions(text) == text
        own = without_quotes(text, self._messages)
        is_claim = claims.is_unfounded(own, self._messages) or claims.is_doubtful(own, self._messages, is_whole=False)
        return is_plain and not is_claim


def _end_of_paragraphs(text: str) -> int:
    """Return where the last finished paragraph ends; one that is code ends with its fence."""
    end = text.rfind("\n\n")
    while end > 0 and text.count(_FENCE, 0, end) % 2:
        end = text.rfind("\n\n", 0, end)
    return end + 2 if end > 0 else 0
