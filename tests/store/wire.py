"""The wire to a PostgreSQL server, which can be slow, cut, dead, or deaf to what was not asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from psycopg import conninfo

_SOCKET = ".s.PGSQL.5432"
_NOTIFICATION = b"A"
COMMIT, COMMITTED = b"Q\0\0\0\x0bCOMMIT\0", b"C\0\0\0\x0bCOMMIT\0"


class Wire:
    """Passes on what is said between a client and a server, with a `delay` before whatever the client says.

    While it is `dead`, nobody gets through; while it is `mute`, nothing that the server says, on connections that stay;
    while it is `deaf`, no notification, as behind a pooler. The next but so many of the commits, or of the answers to
    them, that `lose` names gets lost, together with its connection.
    """

    def __init__(self, url: str, folder: Path) -> None:
        parts = conninfo.conninfo_to_dict(url)
        self.url = f"postgresql://{parts['user']}@/{parts['dbname']}?host={folder}"
        self.delay = 0.0
        self.dead = False
        self.mute = False
        self.deaf = False
        self.lose: tuple[bytes, int] | None = None
        self._there = Path(str(parts["host"])) / _SOCKET
        self._here = folder / _SOCKET
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def has_lost(self) -> bool:
        """Return whether what was to get lost is lost."""
        return self.lose is None or self.lose[1] <= 0

    def cut(self) -> None:
        """Lose every connection that there is."""
        for writer in tuple(self._open):
            writer.transport.abort()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Pass on while the context is open."""
        server = await asyncio.start_unix_server(self._accept, self._here)
        try:
            yield
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._pass_on(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            if not self.dead:
                answers, there = await asyncio.open_unix_connection(self._there)
                ends.append(there)
                self._open.update(ends)
                await asyncio.gather(self._say(reader, there), self._hear(answers, writer), return_exceptions=True)
        finally:
            self._open.difference_update(ends)
            for end in ends:
                end.transport.abort()

    async def _say(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while said := await reader.read(65536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if self._is_lost(COMMIT, said):
                    raise ConnectionResetError
                writer.write(said)
            writer.close()
        except ConnectionError:
            writer.transport.abort()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                kind = await reader.readexactly(1)
                length = await reader.readexactly(4)
                body = await reader.readexactly(int.from_bytes(length) - 4)
                if self._is_lost(COMMITTED, kind + length + body):
                    raise ConnectionResetError
                if not (self.mute or (self.deaf and kind == _NOTIFICATION)):
                    writer.write(kind + length + body)
        except asyncio.IncompleteReadError:
            writer.close()
        except ConnectionError:  # a server that goes with words of ours unread resets the connection
            writer.transport.abort()

    def _is_lost(self, part: bytes, said: bytes) -> bool:
        """Return whether this is what gets lost."""
        if self.lose is None or self.lose[0] != part or part not in said:
            return False
        self.lose = (part, self.lose[1] - 1)
        return self.lose[1] == 0
