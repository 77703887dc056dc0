"""What somebody asks for at the desk, said in a thread: from there on it goes as if they had written it there."""

from datetime import UTC, datetime

from bot.blocks.messages import section
from bot.blocks.text import Mrkdwn
from bot.callbacks import PostNow, WakeThread
from bot.desk.orders import Asker, DeskError
from bot.identity import Identity, IdentityError
from bot.store.records import Form, InboxMessage, SharedFile, ThreadId
from bot.store.store import Inbox

NOT_REACHED = "I could not write you a direct message, so nothing was asked for. Please try again."


class Threads:
    """Begins threads, and queues messages in them."""

    def __init__(self, *, inbox: Inbox, identity: Identity, post_now: PostNow, wake: WakeThread) -> None:
        self._inbox = inbox
        self._identity = identity
        self._post_now = post_now
        self._wake = wake

    async def submit(
        self, asker: Asker, thread: ThreadId, text: str, form: Form | None, files: tuple[SharedFile, ...] = ()
    ) -> None:
        """Queue a message of the person's; it is kept when this returns."""
        ts = f"{datetime.now(UTC).timestamp():.6f}"
        await self._inbox.submit(InboxMessage(thread, ts, asker.user, text, asker.team, form=form, files=files))
        self._wake(thread, asker.user)

    async def begin(self, asker: Asker, text: str) -> ThreadId:
        """Begin a thread in the person's direct message, in which it is asked. Raises DeskError."""
        shown = Mrkdwn(text)
        try:
            channel = await self._identity.direct_channel(asker.user)
        except IdentityError as error:
            raise DeskError(NOT_REACHED) from error
        ts = await self._post_now(channel, shown, (section(shown),))
        if ts is None:
            raise DeskError(NOT_REACHED)
        return ThreadId(asker.team, channel, ts)
