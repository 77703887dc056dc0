"""The adapter's keys on `stripe-stateful-mock`, which others wrote to be like Stripe in this."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientError, ClientSession

from bot.shop.stripe import open_stripe
from bot.testing.shop import *  # noqa: F403 - the tests
from bot.testing.shop import FaultProxy
from tests.shop.stripe.server import StripeServer
from tests.shop.stripe.test_stripe import StripeStage, settings

MODULES = os.environ.get("SUPPORT_BOT_STRIPE", "")  # the folder in which `npm install stripe-stateful-mock` was run
PACKAGE = Path(MODULES) / "node_modules/stripe-stateful-mock"
START_SECONDS = 30
# It listens on this machine alone: its own start listens on all addresses.
START = "require(process.argv[1]).createExpressApp().listen(+process.argv[2], '127.0.0.1')"

pytestmark = [
    pytest.mark.skipif(not shutil.which("node"), reason="needs Node"),
    pytest.mark.skipif(
        not MODULES or not PACKAGE.is_dir(),
        reason="needs SUPPORT_BOT_STRIPE: a folder in which `npm install stripe-stateful-mock@0.0.16` was run",
    ),
    pytest.mark.asyncio(loop_scope="module"),
]


@asynccontextmanager
async def mock() -> AsyncIterator[str]:
    """Start the server as a process of its own, and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ("node", "-e", START, str(PACKAGE), str(port))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(START_SECONDS), ClientSession() as session:
            while not await answers(session, f"http://127.0.0.1:{port}"):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def answers(session: ClientSession, url: str) -> bool:
    """Return whether the server answers."""
    try:
        async with session.get(url):
            return True
    except ClientError:
        return False


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def refunds_at() -> AsyncIterator[str]:
    """Start one server for all tests of this file."""
    async with mock() as url:
        yield url


@pytest_asyncio.fixture(loop_scope="module")
async def stage(refunds_at: str) -> AsyncIterator[StripeStage]:
    """Open the adapter over a proxy before an account whose refunds that server keeps."""
    async with (
        StripeServer(refunds_at).serving() as server,
        FaultProxy(server.url).serving() as faults,
        open_stripe(settings(faults.url)) as shop,
    ):
        yield StripeStage(shop, faults, server, only_succeeds=True)
