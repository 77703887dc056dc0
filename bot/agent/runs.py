"""One run: who asks, whether they are served here, what is read, and then the loop, or the one call of a form."""

from bot.agent.audience import Audience
from bot.agent.form_requests import FormRequests
from bot.agent.reading import Reading
from bot.agent.replies import Replies
from bot.agent.steps import RunProgress
from bot.agent.tool_loop import Said, ToolLoop
from bot.store.records import InboxMessage


class Runs:
    """Brings a message to what is said to it, and writes none of that: the end of a run is the agent's."""

    def __init__(
        self, *, audience: Audience, reading: Reading, loop: ToolLoop, forms: FormRequests, replies: Replies
    ) -> None:
        self._audience = audience
        self._reading = reading
        self._loop = loop
        self._forms = forms
        self._replies = replies

    async def run(self, message: InboxMessage, progress: RunProgress) -> Said:
        """Go on until there is an answer; return the run's last reply and what is to be said.

        Raises RunError and IdentityError when there is none.
        """
        progress.status("is thinking…")
        requester = await self._audience.person(message.user)
        if refusal := await self._audience.refusal(message, requester):
            return None, self._replies.plain(message, refusal)
        public = await self._audience.is_public(message.thread.channel)
        conversation = await self._reading.begin(message)
        if message.form is not None:
            return await self._forms.ask(message, message.form, conversation, requester, progress.status)
        return await self._loop.run(message, conversation, requester, progress, public=public)
