"""The model's next turn in a run: asked for while the run may go on, and asked again when a line came meanwhile."""

from functools import partial

from bot.agent.asking import without_menus
from bot.agent.conversation import seen_by
from bot.agent.errors import RunError
from bot.agent.model_calls import ModelCalls
from bot.agent.reading import Reading
from bot.agent.stopping import StoppedError, Stops
from bot.agent.truth import true_turn
from bot.failpoints import reach
from bot.model.model import Hear, Turn
from bot.settings import Settings
from bot.store.calls import Conversation, Spent
from bot.store.records import ChatMessage, InboxMessage, new_id

MAX_SAME_FAILURES = 3
LAST_TURN: ChatMessage = {  # no note from the shop, in which a claim of the model would find its grounds
    "role": "system",
    "content": "You can look up and ask for nothing more now. Tell the customer what was found and what was asked for, "
    "and what is still open, so that they can write on.",
}


class Turns:
    """Asks the model within the bounds of a run; at the last step it is asked without tools."""

    def __init__(self, model_calls: ModelCalls, reading: Reading, stops: Stops, settings: Settings) -> None:
        self._model_calls = model_calls
        self._reading = reading
        self._stops = stops
        self._settings = settings

    async def next(
        self, message: InboxMessage, conversation: Conversation, hear: Hear | None = None
    ) -> tuple[Turn, Conversation]:
        """Return the model's turn, and the conversation that it answers; what is asked first can be heard.

        Raises StoppedError when a person has stopped the run, and RunError when it cannot go on.
        """
        while True:
            if conversation.stopped:
                raise StoppedError
            self._enforce_bounds(conversation.spent)
            await self._reading.look(conversation)
            messages = seen_by(message.user, conversation.messages)
            last = conversation.spent.steps >= self._settings.max_steps
            ask = partial(self._model_calls.ask, message.thread, message.user, last=last)
            cards = without_menus(conversation.cards)
            asking = true_turn(ask, [*messages, LAST_TURN] if last else messages, cards, hear)
            turn = await self._stops.unless_stopped(message.thread, asking)
            hear = None
            reach("model answered")
            if (more := await self._reading.lines_since(message, conversation)) is not None:
                conversation = more
                continue
            if last and turn.calls:
                raise _too_many_steps(conversation.spent)
            if not turn.calls:
                await self._stops.check(message.thread)
            return turn, conversation

    def _enforce_bounds(self, spent: Spent) -> None:
        """Stop a run that costs too much, by what the log says. Raises RunError with words for the user."""
        settings = self._settings
        if spent.same_failure >= MAX_SAME_FAILURES:
            words = "I tried the same thing three times and it did not work, so I have stopped."
            raise RunError(words, new_id(), "the same call failed three times", escalate=True)
        if spent.steps > settings.max_steps:
            raise _too_many_steps(spent)
        if spent.tokens >= settings.tokens_per_run:
            raise RunError("This got too long for me to finish.", new_id(), f"{spent.tokens} tokens without an answer")
        if spent.calls_within_hour >= settings.calls_per_thread_hour:
            words = "I have looked up too much in this thread within the last hour, so I have to pause here."
            raise RunError(words, new_id(), f"{spent.calls_within_hour} calls within an hour")


def _too_many_steps(spent: Spent) -> RunError:
    words = "I could not finish this within the number of steps that I may take."
    return RunError(words, new_id(), f"no answer after {spent.steps} steps")
