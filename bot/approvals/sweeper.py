"""What time does to requests: reminders, expiry, pauses that the cards show, and outcomes that are found out later."""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import datetime, timedelta
from functools import partial

from bot import clock
from bot.approvals.cards import Cards
from bot.approvals.conflicts import Conflicts
from bot.approvals.endings import Ending
from bot.approvals.execute import Executor
from bot.approvals.next_group import NextGroup
from bot.store.calls import CallStatus, ToolCall
from bot.store.store import Store
from bot.tasks import finish

logger = logging.getLogger(__name__)

MAX_ASKED_AT_ONCE = 8


class ApprovalSweeper:
    """Looks after open requests, again and again; several processes may do so side by side."""

    def __init__(
        self,
        *,
        store: Store,
        executor: Executor,
        conflicts: Conflicts,
        cards: Cards,
        next_group: NextGroup,
        longest_run: timedelta,
    ) -> None:
        """Take it that after `longest_run` no process is still running a call, or asking for its outcome."""
        self._calls = store.open_requests
        self._log = store.calls
        self._executor = executor
        self._conflicts = conflicts
        self._cards = cards
        self._next_group = next_group
        self._longest_run = longest_run
        self._finding_out: dict[str, asyncio.Task[None]] = {}
        self._reconcile_slots = asyncio.Semaphore(MAX_ASKED_AT_ONCE)
        self._stopping = False

    async def recover(self, *, alone: bool) -> None:
        """Look after everything once at a start; when alone, a call that is running is one that nobody runs."""
        await self._sweep(longest_run=timedelta() if alone else self._longest_run)

    async def sweep(self) -> None:
        """Look after everything once; a shop that takes its time is waited for in the background."""
        await self._sweep(longest_run=self._longest_run)

    async def stop(self, seconds: float) -> None:
        """Wait so long for what the shop was asked; the rest is asked at a later start."""
        self._stopping = True
        await finish(self._finding_out.values(), seconds)

    async def _sweep(self, *, longest_run: timedelta) -> None:
        paused = await self._conflicts.is_paused()
        for call in await self._calls.open():
            if call.status == CallStatus.PENDING:
                await _guarded(call, self._sweep_pending(call, paused=paused))
            elif _is_due(call, longest_run):
                self._find_out(call)

    def _find_out(self, call: ToolCall) -> None:
        if call.id not in self._finding_out and not self._stopping:
            task = asyncio.create_task(_guarded(call, self._reconcile(call)), name=f"outcome of {call.id}")
            self._finding_out[call.id] = task
            task.add_done_callback(lambda _: self._finding_out.pop(call.id))

    async def _reconcile(self, call: ToolCall) -> None:
        async with self._reconcile_slots:
            if await self._log.get(call.id) == call:  # it may have been settled while it waited
                await self._executor.reconcile(call, again=True)

    async def _sweep_pending(self, call: ToolCall, *, paused: bool) -> None:
        expires_at = call.expires_at or call.created_at
        half_time = call.waits_since + (expires_at - call.waits_since) / 2
        now = clock.now()
        if expires_at <= now:
            await self._executor.close(call, Ending.EXPIRED)
            return
        cards = await self._calls.cards(call.id)
        if not any(card.decidable for card in cards):
            await self._executor.close(call, Ending.UNSEEN, why="it has no card")
            return
        if call.shown_paused != paused:
            draw = partial(self._cards.paused, call) if paused else self._cards.resumed
            await self._calls.show_paused(call, draw, paused=paused)
        due = half_time <= now and call.reminded_at is None and not paused
        if due and (reminders := self._cards.reminders(call, cards, expires_at)):
            await self._calls.remind(call, reminders)
        if not paused:
            await self._next_group.ask_if_due(call, cards, expires_at)


async def _guarded(call: ToolCall, work: Awaitable[None]) -> None:
    """Do it; one call that breaks must not keep the others from being looked after, and is tried again later."""
    try:
        await work
    except Exception:
        logger.exception("call %s could not be looked after", call.id)


def _is_due(call: ToolCall, longest_run: timedelta) -> bool:
    """Return whether the shop is to be asked about a call now: at its time, or when nobody works on it any more."""
    if call.look_at is not None:
        return call.look_at <= clock.now()
    return call.status == CallStatus.UNKNOWN or _age(call.decided_at or call.created_at) >= longest_run


def _age(when: datetime) -> timedelta:
    return clock.now() - when
