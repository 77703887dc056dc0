"""The demo on a real Vendure: a server with a few orders in it, and the page on which their money is asked for."""

import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bot.demo.serve import serving
from bot.operator.console import run, stop_signal
from tests.shop.vendure.server import VendureServer, vendure, why_not

PORT = 8700


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the page is, the orders by who bought them, and the server behind."""

    url: str
    orders: Mapping[str, str]
    server: VendureServer


@asynccontextmanager
async def demo_on_vendure(port: int) -> AsyncIterator[Demo]:
    """Start a Vendure, sell something to the people of the demo, and serve the demo on it."""
    async with vendure() as server:
        orders = {
            "Ana, delivered": await server.sell("ana@example.com", [4200], name="Cast-iron teapot", ship="delivered"),
            "Ana, not sent yet": await server.sell("ana@example.com", [1450, 2900], name="Beeswax candles"),
            "Ben, on its way": await server.sell("ben@example.com", [12950], name="Desk lamp", ship="shipped"),
        }
        os.environ |= {"BOT_VENDURE_URL": f"{server.url}/admin-api", "BOT_VENDURE_API_KEY": server.api_key}
        with TemporaryDirectory(prefix="demo-") as folder:
            async with serving(port=port, database=Path(folder) / "demo.db", shop="vendure") as (url, _):
                yield Demo(url, orders, server)


async def main() -> None:
    """Serve it until Ctrl-C."""
    async with demo_on_vendure(PORT) as demo:
        for whose, code in demo.orders.items():
            click.echo(f"{code}  {whose}")
        click.echo(f"The demo is at {demo.url}, and Vendure's own API at {demo.server.url}. Ctrl-C stops both.")
        await stop_signal().wait()
    click.echo("Stopped.")


if __name__ == "__main__":
    if reason := why_not():
        sys.exit(f"This {reason}.")
    run(main())
