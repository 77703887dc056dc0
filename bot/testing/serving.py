"""How the servers for tests are served: on a port of localhost, for as long as a context is open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

_SHUTDOWN_SECONDS = 0.1


@asynccontextmanager
async def serving(app: web.Application, port: int = 0, *, cancels: bool = False) -> AsyncIterator[str]:
    """Serve the application, and give its address, without a slash at the end.

    Port 0 is any that is free. With `cancels` a client that gives up ends its request here too.
    """
    runner = web.AppRunner(app, access_log=None, handler_cancellation=cancels, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
