"""What Slack shows of an agent beside its messages: what it is doing, how a session stands, what could be asked."""

import asyncio

from bot.testing.slack.workspace.changes import Changes
from bot.testing.slack.workspace.objects import Session, Status

STATUS_SECONDS = 120  # how long Slack shows a status that nobody repeats or clears


class Assistant(Changes):
    """Statuses and sessions by channel and thread, and prompts by channel."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: dict[tuple[str, str], Status] = {}
        self.status_history: list[Status] = []
        self.sessions: dict[tuple[str, str], Session] = {}
        self.session_history: list[Session] = []
        self.prompts: dict[str, list[tuple[str, str]]] = {}

    def set_status(self, channel: str, thread_ts: str, text: str) -> None:
        """Show what the bot is doing in a thread, until it posts there, clears it, or two minutes pass."""
        status = Status(channel, thread_ts, text)
        self.status_history.append(status)
        if not text:
            self.clear_status(channel, thread_ts)
            return
        self.statuses[channel, thread_ts] = status
        self.notify("status", status)
        asyncio.get_running_loop().call_later(STATUS_SECONDS, self._expire, status)

    def set_session(self, channel: str, thread_ts: str, state: str, title: str) -> None:
        """Keep how a session stands, and the title that it began with."""
        known = self.sessions.get((channel, thread_ts))
        session = Session(channel, thread_ts, state, known.title if known else title)
        self.sessions[channel, thread_ts] = session
        self.session_history.append(session)
        self.notify("session", session)

    def suggest(self, channel: str, prompts: list[tuple[str, str]]) -> None:
        """Show at the top of a conversation what could be written, each with its title."""
        self.prompts[channel] = prompts
        self.notify("prompts", channel)

    def clear_status(self, channel: str, thread_ts: str) -> None:
        """Show no more that the bot is doing anything there."""
        if self.statuses.pop((channel, thread_ts), None):
            self.notify("status", Status(channel, thread_ts, ""))

    def _expire(self, status: Status) -> None:
        if self.statuses.get((status.channel, status.thread_ts)) is status:
            self.clear_status(status.channel, status.thread_ts)
