"""One message of a thread from the inbox to its end, whatever happens on the way."""

import asyncio
from datetime import timedelta

from bot.agent.errors import RunError
from bot.agent.reading import Reading, may_be_one_of_several
from bot.agent.run_ends import RunEnds
from bot.agent.runs import Runs
from bot.agent.steps import Progress, RunProgress
from bot.agent.tool_loop import Said
from bot.failpoints import reach
from bot.identity import IdentityError
from bot.store.calls import Conversation
from bot.store.records import InboxMessage, ThreadId, new_id

FOUND_LATE = "I was away and found this only now"


class Agent:
    """Answers one message at a time of a thread. All state is rows, so a run that was cut off goes on from them.

    What brings a message to its end returns whether another one waits in the thread.
    """

    def __init__(self, *, runs: Runs, ends: RunEnds, reading: Reading, progress: Progress, max_seconds: float) -> None:
        self._runs = runs
        self._ends = ends
        self._reading = reading
        self._progress = progress
        self._max_seconds = max_seconds

    async def answer(self, message: InboxMessage) -> bool:
        """Answer the message in its thread, whatever happens: with the model's words or with plain ones of ours.

        Return whether another message waits in the thread, as all that ends a run does.
        """
        self._progress.session(message.shown_in, "processing", message.user, message.text)
        if may_be_one_of_several(message):
            self._progress.status(message.shown_in, "is thinking…")
            await self._reading.wait_for_lines(message)
        while True:
            more = await self._answer_as_read(message)
            if more is None:
                reach("message corrected")
                continue
            self._clear_status(message)
            if not more:
                waits = await self._ends.is_undecided(message)
                self._progress.session(message.shown_in, "suspended" if waits else "active", message.user)
            return more

    async def _answer_as_read(self, message: InboxMessage) -> bool | None:
        """Answer the message as it reads now; None when the person has corrected it before it was answered."""
        try:
            async with asyncio.timeout(self._max_seconds):
                reply, posts = await self._run(message)
        except RunError as error:
            return await self._ends.failed(message, error)
        except IdentityError as error:
            words = "Slack did not tell me who you are, so I can't look anything up."
            return await self.apologise(message, words, str(error))
        except TimeoutError:
            return await self.apologise(message, "This took too long, so I stopped.", "the run took too long")
        # Out of the time-out's reach: of an end that is cut off while it is written, nobody knows whether it was.
        return await self._ends.answered(message, reply, posts)

    async def _run(self, message: InboxMessage) -> Said:
        progress = RunProgress(self._progress, message)
        try:
            return await self._runs.run(message, progress)
        finally:
            await progress.end()

    async def apologise(self, message: InboxMessage, words: str, error: str) -> bool:
        """End a run that failed: plain words, a reference for the user, and the same reference in the inbox row."""
        return await self._ends.failed(message, RunError(words, new_id(), error))

    async def decline(self, message: InboxMessage, words: str | None, *, error: str) -> bool:
        """Leave a message unanswered, and unread by the model: the person hears why, or has heard."""
        more = await self._ends.declined(message, words, error)
        self._clear_status(message)
        return more

    def _clear_status(self, message: InboxMessage) -> None:
        """Show nothing more, where no post does: the run may end in silence, or its posts stand in another thread."""
        for thread in {message.thread, message.shown_in}:
            self._progress.status(thread, "")

    def show_waiting(self, thread: ThreadId) -> None:
        """Show that there is more to answer than can be answered at once."""
        self._progress.status(thread, "is answering others first; your turn comes…")

    async def ask_whether_needed(self, message: InboxMessage, age: timedelta) -> bool:
        """Do nothing about a message that was found late, but ask, once; what the person says next goes on from there.

        When that is found late as well, it is answered: a yes is an answer.
        """
        minutes = int(age.total_seconds() // 60)
        late = f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"  # noqa: PLR2004 - two hours
        words = f"{FOUND_LATE}, {late} later, so I have not done anything yet. Is it still needed?"
        conversation = await self._reading.begin(message)
        if _last_words(conversation).startswith(FOUND_LATE):
            return await self.answer(message)
        more = await self._ends.asked(message, words)
        return await self.answer(message) if more is None else more  # who corrects it still needs it


def _last_words(conversation: Conversation) -> str:
    said = (one.get("content") for one in reversed(conversation.messages) if one["role"] == "assistant")
    return next((text for text in said if isinstance(text, str)), "")
