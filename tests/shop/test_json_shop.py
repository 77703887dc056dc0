"""The smallest shop of one's own holds what every shop's adapter must."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.testing.shop import *  # noqa: F403 - the tests
from bot.testing.shop import NotHereError, Sale, StageWithoutHttp
from tests.own.json_shop import JsonShop


@dataclass(frozen=True)
class JsonStage(StageWithoutHttp):
    """The shop and its file."""

    file: Path

    async def sell(self, sale: Sale) -> str:
        """Write an order into the file."""
        if sale.refunds != "succeeded" or sale.payments > 1:
            raise NotHereError("this shop has no payment provider")
        rows = json.loads(self.file.read_text())
        number = f"{1001 + len(rows)}"
        items = [(sale.name if place == 0 else f"Thing {place}", price) for place, price in enumerate(sale.prices)]
        row = {"email": sale.email, "status": sale.state, "currency": sale.currency, "items": items, "refunds": {}}
        rows[number] = row | {"placed_at": f"2026-11-01T10:00:{len(rows):02}+00:00"}
        self.file.write_text(json.dumps(rows))
        return number

    async def given_back(self, number: str) -> int:
        """Add up what the file says."""
        return sum(refund["minor"] for refund in json.loads(self.file.read_text())[number]["refunds"].values())


@pytest.fixture
def stage(tmp_path: Path) -> JsonStage:
    """Give an empty shop of this test's own."""
    file = tmp_path / "orders.json"
    file.write_text("{}")
    return JsonStage(JsonShop(file), file)
