"""Threads of which a post is not taken by Slack, for whatever reason: what is said elsewhere does not wait for them."""

from collections import defaultdict
from time import monotonic

from bot.store.records import Post


class PassedOver:
    """Keeps of each channel which threads are passed over, and for how long; a post in no thread is one by itself."""

    def __init__(self) -> None:
        self._until: defaultdict[str, dict[str, float]] = defaultdict(dict)

    def add(self, post: Post, seconds: float) -> None:
        """Pass over the post's thread for so long, so that what is said there stays in order."""
        self._until[post.channel][post.thread_ts or post.id] = monotonic() + seconds

    def of(self, channel: str) -> frozenset[str]:
        """Return the threads that are passed over now."""
        now = monotonic()
        left = {thread: until for thread, until in self._until.pop(channel, {}).items() if until > now}
        if left:
            self._until[channel] = left
        return frozenset(left)
