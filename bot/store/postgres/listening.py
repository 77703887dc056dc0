"""How a process hears that something waits: LISTEN, and whether anything comes that way."""

import asyncio
import logging

import psycopg

from bot.store.errors import DatabaseError
from bot.store.hints import Hints
from bot.store.postgres.database import CHANNEL, PostgresDatabase

logger = logging.getLogger(__name__)

PROBE_SECONDS = 20.0  # between two calls to ourselves
ANSWER_SECONDS = 2.0
RECONNECT_SECONDS = 1.0


async def listen(database: PostgresDatabase, hints: Hints, name: str) -> None:
    """Give the hints of all processes until cancelled, over connections that are lost.

    It calls itself by `name` now and then, to know whether it would hear anything: a pooler in transaction mode takes
    the LISTEN and lets nothing through. Then `hints.heard` is False.
    """
    await _Listener(database, hints, name).run()


class _Listener:
    def __init__(self, database: PostgresDatabase, hints: Hints, own_name: str) -> None:
        self._database = database
        self._hints = hints
        self._own_channel = f"{CHANNEL}_{own_name}"

    async def run(self) -> None:
        while True:
            try:
                await self._listen()
            except (psycopg.Error, DatabaseError, OSError) as error:
                logger.info("listening is interrupted: %s", error)
            self._hear(heard=False)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        async with await self._database.connect() as connection:
            for channel in (CHANNEL, self._own_channel):
                await connection.execute(f"LISTEN {channel}".encode())
            self._hints.give()  # what was said while nobody listened
            while True:
                await self._database.notify(self._own_channel)
                answered = False
                async for notice in connection.notifies(timeout=ANSWER_SECONDS, stop_after=1):
                    answered = self._take(notice) or answered
                self._hear(heard=answered)
                async for notice in connection.notifies(timeout=PROBE_SECONDS):
                    self._take(notice)

    def _take(self, notice: psycopg.Notify) -> bool:
        """Pass a hint on, and return whether it is our own call."""
        if notice.channel == CHANNEL:
            self._hints.give()
        return notice.channel == self._own_channel

    def _hear(self, *, heard: bool) -> None:
        if self._hints.heard != heard and not (heard and self._hints.heard is None):
            logger.warning(
                "Hints of other processes %s.", "are heard again" if heard else "are not heard, so work is looked for"
            )
        self._hints.heard = heard
        self._hints.known.set()
