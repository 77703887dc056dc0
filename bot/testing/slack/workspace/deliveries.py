"""Bringing events and clicks to the app, whatever the transport, and remembering which were acked."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.testing.slack.workspace.objects import Json

Ack = Json | bool
"""How the app acked, with what it said in it if anything; False when it did not."""
Deliver = Callable[[str, Json], Awaitable[Ack]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One payload on its way to the app."""

    kind: str
    payload: Json
    outcome: asyncio.Task[Ack]

    @property
    def acked(self) -> bool | None:
        """Return whether the app acked it; None while Slack still tries."""
        if not self.outcome.done():
            return None
        return not self.outcome.cancelled() and bool(self.outcome.result())


async def reach_nobody(_kind: str, _payload: Json) -> bool:
    """Deliver nothing: the workspace has no app yet."""
    return False


class Deliveries(list[Delivery]):
    """Everything that was ever sent to the app, in order; `deliver` is the transport, and may be replaced."""

    def __init__(self, on_outcome: Callable[[Delivery], None]) -> None:
        super().__init__()
        self.deliver: Deliver = reach_nobody
        self._on_outcome = on_outcome

    def send(self, kind: str, payload: Json) -> Delivery:
        """Start to deliver a payload, of a kind as in Socket Mode's envelopes; it goes out at the next `await`."""
        delivery = Delivery(kind, payload, asyncio.ensure_future(self._outcome(kind, payload)))
        self.append(delivery)
        delivery.outcome.add_done_callback(lambda _: self._on_outcome(delivery))
        return delivery

    async def _outcome(self, kind: str, payload: Json) -> Ack:
        return await self.deliver(kind, payload)

    async def stop(self) -> None:
        """Give up whatever was not acked yet."""
        waiting = [delivery.outcome for delivery in self if not delivery.outcome.done()]
        for outcome in waiting:
            outcome.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
