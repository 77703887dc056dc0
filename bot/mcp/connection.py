"""One MCP server, over as many sessions as it takes: each call over one that works, and never sent twice."""

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.mcp.config import ServerConfig
from bot.mcp.definitions import Definition
from bot.mcp.session import Answer, Session

GOODBYE_SECONDS = 2.0


class ServerUnavailableError(Exception):
    """The server cannot be asked, and nothing was begun there."""


class ChangedDefinitionError(Exception):
    """The server does not describe the tool as it was pinned, so it was not called."""


class Connection:
    """One server. What comes before a call itself has its share of `seconds`, so that it ends in time."""

    def __init__(self, config: ServerConfig, *, seconds: float) -> None:
        self.name = config.name
        self._config = config
        self._seconds = seconds
        self._session: Session | None = None
        self._retired: set[Session] = set()

    async def definitions(self) -> Mapping[str, Definition]:
        """Return all tools of the server by name, as it describes them now. Raises ServerUnavailableError."""
        return (await self._listed(self._seconds))[1]

    async def call(self, pinned: Definition, arguments: Mapping[str, Any]) -> Answer:
        """Call the tool once, if it still is as pinned.

        Raises ServerUnavailableError, ChangedDefinitionError and RefusedCallError when nothing was begun; after any
        other error nobody knows what the server did.
        """
        session, found = await self._listed(self._seconds * 0.4)
        now = found.get(pinned.name)
        if now is None or now.digest != pinned.digest:
            raise ChangedDefinitionError(f"{self.name} does not describe {pinned.name} as it was pinned")
        try:
            return await session.call(pinned.name, arguments)
        finally:
            if session in self._retired:
                self._retire(session)

    async def close(self) -> None:
        """End the server's sessions, and with them the server where it is a command of ours."""
        sessions = [*self._retired, *filter(None, [self._session])]
        self._session = None
        await asyncio.gather(*(session.end(GOODBYE_SECONDS) for session in sessions))

    async def _listed(self, open_seconds: float) -> tuple[Session, Mapping[str, Definition]]:
        """List the tools, which shows that the session works; one that was open before may be gone by now."""
        attempts = 1 if self._session is None else 2
        while True:
            session = await self._opened(open_seconds)
            try:
                async with asyncio.timeout(self._seconds * 0.2):
                    return session, await session.definitions()
            except Exception as error:
                self._retire(session)
                attempts -= 1
                if not attempts:
                    raise ServerUnavailableError(f"{self.name} does not list its tools: {_said(error)}") from error

    async def _opened(self, seconds: float) -> Session:
        """Return a session that is open, waiting so long for one; one that is being opened still is left to it."""
        if self._session is None or self._session.is_over:
            self._session = Session(self._config, open_seconds=self._seconds)
        session = self._session
        try:
            async with asyncio.timeout(seconds):
                await session.opened()
        except TimeoutError as error:
            raise ServerUnavailableError(f"{self.name} has not started yet") from error
        except Exception as error:
            self._retire(session)
            raise ServerUnavailableError(f"{self.name} cannot be reached: {_said(error)}") from error
        return session

    def _retire(self, session: Session) -> None:
        """Use a session no more; it ends when the last call over it has."""
        if self._session is session:
            self._session = None
        self._retired = {one for one in (*self._retired, session) if not one.is_over}
        if not session.under_way:
            session.cut_off()


def _said(error: BaseException) -> str:
    """Say in one line what went wrong, innermost where errors are grouped."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
