"""The tool loop of one thread: the model says what it wants done, our code decides what is."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.agent.attachments import unread
from bot.agent.conversation import seen_by
from bot.agent.errors import RunError
from bot.agent.escalation import Escalation
from bot.agent.instructions import without_instructions
from bot.agent.intents import Intents
from bot.agent.model_calls import ModelCalls
from bot.agent.stopping import StoppedError, words_of_stop
from bot.agent.tool_calls import ToolCalls, ToolRunContext
from bot.agent.turns import next_turn
from bot.blocks.messages import answer_messages, context
from bot.blocks.orders import ONLY_YOU
from bot.blocks.people import HANDED_OVER, feedback
from bot.blocks.text import email_addresses
from bot.callbacks import DescribeFiles, FetchFile, ReadAbove, ShowSession, ShowStatus
from bot.failpoints import reach
from bot.help import articles
from bot.identity import Identity, IdentityError, Person
from bot.intent import CustomerIntent
from bot.logs import tell
from bot.model.model import RequestedCall
from bot.model.pictures import MAX_BYTES, Pictures
from bot.settings import Settings
from bot.store.errors import MessageChangedError
from bot.store.records import (
    Block,
    ChatMessage,
    Conversation,
    Form,
    InboxMessage,
    Post,
    Spent,
    ThreadId,
    new_id,
    reference,
)
from bot.store.store import Store

logger = logging.getLogger(__name__)

TRY_AGAIN = "Write “try again” in a minute."
MAX_SAME_FAILURES = 3
MAX_TIMES_FOR_LINES = 3
FOUND_LATE = "I was away and found this only now"
LAST_TURN: ChatMessage = {  # no note from the shop, in which a claim of the model would find its grounds
    "role": "system",
    "content": "You can look up and ask for nothing more now. Tell the customer what was found and what was asked for, "
    "and what is still open, so that they can write on.",
}


class Agent:
    """Answers one message at a time of a thread. All state is rows, so a run that was cut off goes on from them."""

    def __init__(
        self,
        *,
        model_calls: ModelCalls,
        tool_calls: ToolCalls,
        intents: Intents,
        escalation: Escalation,
        store: Store,
        identity: Identity,
        settings: Settings,
        show_status: ShowStatus,
        show_session: ShowSession,
        read_above: ReadAbove,
        describe_files: DescribeFiles,
        fetch_file: FetchFile,
        pictures: Pictures,
    ) -> None:
        self._model_calls = model_calls
        self._tool_calls = tool_calls
        self._intents = intents
        self._escalation = escalation
        self._store = store
        self._identity = identity
        self._settings = settings
        self._show_status = show_status
        self._show_session = show_session
        self._read_above = read_above
        self._describe_files = describe_files
        self._fetch_file = fetch_file
        self._pictures = pictures

    async def answer(self, message: InboxMessage) -> bool:
        """Answer the message in its thread, whatever happens: with the model's words or with plain ones of ours.

        Return whether another message waits in the thread, as all that ends a run does.
        """
        self._show_session(message.shown_in, "processing", message.user, message.text)
        await self._wait_for_lines(message)
        while True:
            more = await self._answer_as_read(message)
            if more is None:
                reach("message corrected")
                continue
            if message.shown_in != message.thread:
                self._show_status(message.thread, "")  # nothing is posted there that would clear it
            if not more:
                waits = await self._store.conversations.is_undecided(message.thread)
                self._show_session(message.shown_in, "suspended" if waits else "active", message.user)
            return more

    async def _answer_as_read(self, message: InboxMessage) -> bool | None:
        """Answer the message as it reads now; None when the person has corrected it before it was answered."""
        try:
            async with asyncio.timeout(self._settings.run_seconds):
                reply, posts = await self._run(message)
        except RunError as error:
            return await self._end(message, error)
        except StoppedError:
            return await self._end_stopped(message)
        except IdentityError as error:
            words = "Slack did not tell me who you are, so I can't look anything up."
            return await self.apologise(message, words, str(error))
        except TimeoutError:
            return await self.apologise(message, "This took too long, so I stopped.", "the run took too long")
        # Out of the time-out's reach: of an end that is cut off while it is written, nobody knows whether it was.
        try:
            more = await self._store.conversations.finish(message, reply, posts)
        except MessageChangedError:
            return None
        reach("answer written")
        return more

    async def apologise(self, message: InboxMessage, words: str, error: str) -> bool:
        """End a run that failed: plain words, a reference for the user, and the same reference in the inbox row."""
        return await self._end(message, RunError(words, new_id(), error))

    async def _end(self, message: InboxMessage, error: RunError) -> bool:
        mark = reference(error.row_id)
        where = f"{message.thread.channel}/{message.thread.ts}"
        tell(
            logger, "message not answered", level=logging.WARNING, error=str(error)[:200], reference=mark, thread=where
        )
        post = None
        if error.escalate:
            intent = await self._intents.stored(message.thread)
            summary, key = f"{error.words} ({mark})", message.key
            post = await self._escalation.post(message.thread, message.user, summary, intent, key=key)
        next_step = "I have asked a person to look at it." if post else TRY_AGAIN if error.again else ""
        text = " ".join(filter(None, [error.words, next_step, f"If it goes on, tell the team this reference: {mark}"]))
        reply = {"role": "assistant", "content": error.words}
        posts = self._posts(message, text)
        await self._store.conversations.begin(message)  # the run may have failed before the model could hear of it
        return await self._store.conversations.finish(
            message, reply, posts, error=f"{mark}: {error}", escalation=post, left_out=error.filtered
        )

    async def _end_stopped(self, message: InboxMessage) -> bool:
        tell(logger, "run stopped", thread=f"{message.thread.channel}/{message.thread.ts}")
        calls = await self._store.conversations.calls_of_run(message.thread)
        public = await self._is_public(message.thread.channel)
        words = words_of_stop(calls, self._tool_calls.doing, public=public)
        reply = {"role": "assistant", "content": words}
        return await self._store.conversations.finish(message, reply, self._posts(message, words))

    async def _check_stopped(self, thread: ThreadId) -> None:
        if await self._store.conversations.is_stopped(thread):
            raise StoppedError

    async def decline(self, message: InboxMessage, words: str | None, *, error: str) -> bool:
        """Leave a message unanswered, and unread by the model: the person hears why, or has heard."""
        posts = self._posts(message, words) if words else []
        return await self._store.conversations.finish(message, None, posts, error=error)

    def show_waiting(self, thread: ThreadId) -> None:
        """Show that there is more to answer than can be answered at once."""
        self._show_status(thread, "is answering others first; your turn comes…")

    async def ask_whether_needed(self, message: InboxMessage, age: timedelta) -> bool:
        """Do nothing about a message that was found late, but ask, once; what the person says next goes on from there.

        When that is found late as well, it is answered: a yes is an answer.
        """
        minutes = int(age.total_seconds() // 60)
        late = f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"  # noqa: PLR2004 - two hours
        words = f"{FOUND_LATE}, {late} later, so I have not done anything yet. Is it still needed?"
        conversation = await self._begin(message)
        if _last_words(conversation).startswith(FOUND_LATE):
            return await self.answer(message)
        reply = {"role": "assistant", "content": words}
        try:
            return await self._store.conversations.finish(message, reply, self._posts(message, words))
        except MessageChangedError:  # who corrects it still needs it
            return await self.answer(message)

    async def _run(self, message: InboxMessage) -> tuple[ChatMessage | None, list[Post]]:
        """Go on until there is an answer; return the run's last reply and what is to be said."""
        self._show_status(message.shown_in, "is thinking…")
        requester = await self._identity.person(message.user)
        if refusal := await self._refusal(message, requester):
            return None, self._posts(message, refusal)
        public = await self._is_public(message.thread.channel)
        conversation = await self._begin(message)
        if message.form is not None:
            return await self._ask_by_form(message, message.form, requester, conversation)
        intent = self._intents.start(message, conversation.intent)
        while True:
            calls = conversation.unanswered
            await self._check_stopped(message.thread)
            if not calls:
                self._enforce_bounds(conversation.spent)
                await self._look(conversation)
                messages = seen_by(message.user, conversation.messages)
                last = conversation.spent.steps >= self._settings.max_steps
                ask = partial(self._model_calls.ask, message.thread, message.user, last=last)
                turn = await next_turn(ask, [*messages, LAST_TURN] if last else messages, conversation.cards)
                reach("model answered")
                if (more := await self._lines_since(message, conversation)) is not None:
                    conversation = more
                    continue
                if last and turn.calls:
                    raise _too_many_steps(conversation.spent)
                if not turn.calls:
                    await self._check_stopped(message.thread)
                    text = "\n\n".join(
                        filter(None, (without_instructions(turn.text), unread(conversation.new_files, self._pictures)))
                    )
                    known = self._known(requester, conversation)
                    posts = self._posts(message, text, conversation.cards, known)
                    posts = await self._closed(message, posts)
                    return turn.message, [*posts, *_seen_alone(message, conversation.private_cards)]
                rows = self._tool_calls.rows(message, turn.calls)
                calls = await self._store.conversations.add_turn(message.thread, turn.message, rows)
                reach("turn written")
            show = partial(self._show_status, message.shown_in)
            pictures = tuple(file for user, file in conversation.files if user == message.user and file.is_picture)
            run_context = ToolRunContext(
                requester,
                intent,
                conversation.said_by(message.user),
                pictures,
                conversation.messages,
                public=public,
                note=conversation.asked_by(message.user),
            )
            await self._tool_calls.run(calls, run_context, show)
            conversation = await self._store.conversations.add_results(message.thread)
            reach("call written")

    async def _ask_by_form(
        self, message: InboxMessage, form: Form, requester: Person, conversation: Conversation
    ) -> tuple[ChatMessage, list[Post]]:
        """Make the one call that a form was filled in for, as if the model had made it, and say what came of it."""
        calls = conversation.unanswered
        if not calls and not _is_answered(conversation):
            requested = RequestedCall(f"form_{new_id()}", form.tool, form.arguments)
            function = {"name": requested.name, "arguments": requested.arguments}
            turn = {"id": requested.id, "type": "function", "function": function}
            calls = await self._store.conversations.add_turn(
                message.thread,
                {"role": "assistant", "content": None, "tool_calls": [turn]},
                self._tool_calls.rows(message, [requested]),
            )
            reach("turn written")
        if calls:

            async def intent() -> CustomerIntent | None:
                return await self._intents.stored(message.thread)

            said = conversation.said_by(message.user)
            run_context = ToolRunContext(requester, intent, said, note=form.note)
            await self._tool_calls.run(calls, run_context, partial(self._show_status, message.shown_in))
            conversation = await self._store.conversations.add_results(message.thread)
            reach("call written")
            if conversation.intent is None:
                await self._store.conversations.set_intent(message.thread, _intent_of(message, form), [])
        words = _outcome(conversation)
        return {"role": "assistant", "content": words}, self._posts(message, words)

    async def _begin(self, message: InboxMessage) -> Conversation:
        """Read the conversation with the message, and what others said above one that calls us into a thread."""
        if any(file.unfinished for file in message.files):
            sent, message = message, await self._describe_files(message)
            if message != sent:
                await self._store.inbox.describe(message, instead_of=sent.text)
        above = ""
        if message.called_in:
            since, known = await self._store.inbox.read_by_model(message.thread)
            above = await self._read_above(message.shown_in, message.ts, since, known)
        return await self._store.conversations.begin(message, above)

    async def _wait_for_lines(self, message: InboxMessage) -> None:
        """Give a person who writes line by line the time for the next one; what came by then is one question."""
        if _is_line_by_line(message):
            self._show_status(message.shown_in, "is thinking…")
            since = (datetime.now(UTC) - message.received_at).total_seconds()
            await asyncio.sleep(max(0.0, self._settings.lines_seconds - since))

    async def _lines_since(self, message: InboxMessage, asked: Conversation) -> Conversation | None:
        """Return the conversation with what the person wrote while the model was asked, for which it is asked again.

        None when nothing came, or when the lines do not end.
        """
        if not _is_line_by_line(message) or asked.spent.steps >= MAX_TIMES_FOR_LINES:
            return None
        conversation = await self._store.conversations.begin(message)
        return conversation if conversation.messages != asked.messages else None

    async def _look(self, conversation: Conversation) -> None:
        """Fetch the latest pictures of the thread for a model that sees."""
        if self._settings.model_sees_pictures:
            for file in self._pictures.missing([file for _, file in conversation.files]):
                if (content := await self._fetch_file(file, MAX_BYTES)) is not None:
                    self._pictures.keep(file, content)

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

    async def _refusal(self, message: InboxMessage, requester: Person) -> str | None:
        trusted = self._settings.trusted_teams
        if requester.team != message.thread.team and requester.team not in trusted:
            return "I can only help people of this workspace."
        channel = message.thread.channel
        if not message.shared or channel.startswith("D"):  # in a direct message nobody else reads
            return None
        if not (trusted and await self._identity.shares_only_with_trusted(channel)):
            return (
                "This channel is shared with another company, so I don't talk about orders here. "
                "Write me a direct message."
            )
        return None

    async def _is_public(self, channel: str) -> bool:
        """Return whether no more may be said than everybody may know; when Slack does not tell, it is so."""
        if not self._settings.private_answers:
            return False
        try:
            return await self._identity.is_public(channel)
        except IdentityError as error:
            logger.warning("answering as where everybody reads: %s", error)
            return True

    def _known(self, requester: Person, conversation: Conversation) -> list[str]:
        """Return the e-mail addresses that a model may name: the person's, those that they wrote, and the shop's."""
        folder = self._settings.help_folder
        known = email_addresses(conversation.said_by(requester.id)) + sorted(
            articles(folder).addresses if folder else ()
        )
        return [*known, requester.email] if requester.email else known

    async def _closed(self, message: InboxMessage, posts: Sequence[Post]) -> list[Post]:
        """Say below an answer that people have the thread from now on, or else ask what the answer was worth."""
        *before, last = posts
        if await self._store.conversations.is_with_people(message.thread, message.user):
            text = f"{last.text}\n{HANDED_OVER}".strip()
            return [*before, replace(last, text=text, blocks=(*last.blocks, context(HANDED_OVER)))]
        return [*before, replace(last, blocks=(*last.blocks, feedback(last.id)))]

    def _posts(
        self,
        message: InboxMessage,
        text: str,
        cards: Sequence[Sequence[Block]] = (),
        known: Sequence[str] | None = None,
    ) -> list[Post]:
        thread = message.thread
        return [
            Post(new_id(), thread.team, thread.channel, thread.ts, fallback, blocks)
            for fallback, blocks in answer_messages(text, cards, self._settings.link_hosts, known)
        ]


def _results(conversation: Conversation) -> list[str]:
    """List the results of the calls since somebody wrote last."""
    results: list[str] = []
    for one in reversed(conversation.messages):
        if one["role"] == "user":
            break
        if one["role"] == "tool":
            results.append(one["content"])
    return results


def _is_answered(conversation: Conversation) -> bool:
    return bool(_results(conversation))


def _intent_of(message: InboxMessage, form: Form) -> str:
    """Return what a thread is about that began with a form: nobody has to guess it."""
    summary, order_id = form.note or message.text, json.loads(form.arguments).get("order_id")
    return CustomerIntent(category="refund", urgency="low", order_id=order_id, summary=summary).model_dump_json()


def _outcome(conversation: Conversation) -> str:
    """Say what came of a request that was made by a form."""
    content = json.loads(_results(conversation)[0])
    if "error" in content:
        return f"I have not asked for it. {content['error']}"
    return f"I have asked for it. {content.get('message', '')}".strip()


def _seen_alone(message: InboxMessage, cards: Sequence[Sequence[Block]]) -> list[Post]:
    """Make what the one who asked sees below the answer, and nobody else."""
    thread = message.thread
    return [
        Post(new_id(), thread.team, thread.channel, thread.ts, ONLY_YOU, tuple(card), ephemeral_for=message.user)
        for card in cards
    ]


def _is_line_by_line(message: InboxMessage) -> bool:
    return message.thread.channel.startswith("D") and message.form is None


def _last_words(conversation: Conversation) -> str:
    said = (one.get("content") for one in reversed(conversation.messages) if one["role"] == "assistant")
    return next((text for text in said if isinstance(text, str)), "")


def _too_many_steps(spent: Spent) -> RunError:
    words = "I could not finish this within the number of steps that I may take."
    return RunError(words, new_id(), f"no answer after {spent.steps} steps")
