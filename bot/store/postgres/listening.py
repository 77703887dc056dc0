"""How a process hears that something waits: LISTEN, and whether anything comes that way."""

import asyncio
import logging
from typing import Any, Never

import psycopg

from bot.store.errors import DatabaseError
from bot.store.hints import Hints
from bot.store.postgres.database import CHANNEL, PostgresDatabase

logger = logging.getLogger(__name__)

OPENING_SECONDS = 10.0
PROBE_SECONDS = 20.0  # between two calls to ourselves
ANSWER_SECONDS = 2.0
RECONNECT_SECONDS = 1.0
POOLED_SECONDS = 300.0  # until it is looked whether the pooler is still there
POOLED_TRIES = 5  # others may take the connection in between


async def listen(database: PostgresDatabase, hints: Hints, name: str) -> None:
    """Give the hints of all processes until cancelled, over connections that are lost.

    Behind a pooler that gives each transaction another connection nothing is listened to: the LISTEN would stay on one
    that is others' then, and let nothing through. It calls itself by `name` now and then, too, to know whether it would
    hear anything. Where it does not, `hints.heard` is False.
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
                if not await self._is_pooled():
                    await self._listen()
                self._hear(heard=False)
                await asyncio.sleep(POOLED_SECONDS)
            except (psycopg.Error, DatabaseError, OSError) as error:
                logger.info("listening is interrupted: %s", error)
            self._hear(heard=False)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _is_pooled(self) -> bool:
        """Return whether two connections share one of the server's, or one has another each time."""
        async with asyncio.timeout(OPENING_SECONDS), await self._database.connect() as first:
            if await _server_process(first) == first.info.backend_pid:
                return False  # what a pooler calls itself to a client is no process of the server
            async with await self._database.connect() as second:
                for _ in range(POOLED_TRIES):
                    known = {await _server_process(first)}
                    if known != {await _server_process(first)} or await _server_process(second) in known:
                        return True
        return False

    async def _listen(self) -> Never:
        async with await self._database.connect() as connection:
            async with asyncio.timeout(OPENING_SECONDS):
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


async def _server_process(connection: psycopg.AsyncConnection[Any]) -> int:
    """Return the id of the server's process that runs a transaction of this connection."""
    row: tuple[int] | None = await (await connection.execute("SELECT pg_backend_pid()")).fetchone()
    return row[0] if row else 0
