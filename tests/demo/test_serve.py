"""The demo answers its own page only, and touches no file but its own."""

from pathlib import Path

import aiohttp
import pytest

from bot.demo.serve import serving
from bot.settings import SettingsError
from bot.slack.client import StartError
from tests.world import free_port


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}])
async def test_other_pages(tmp_path: Path, headers: dict[str, str]) -> None:
    """A page of another origin, or under another name that points here, is refused whatever it asks for."""
    port = free_port()
    async with serving(port=port, database=tmp_path / "demo.db") as (url, _), aiohttp.ClientSession() as client:
        async with client.get(url) as page:
            assert page.status == 200
        for method, path in (("GET", "/"), ("POST", "/api/chat.postMessage"), ("POST", "/v1/chat/completions")):
            async with client.request(method, url + path, headers=headers) as refused:
                assert refused.status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_embedded_by_another_page(tmp_path: Path, site: str) -> None:
    """What another page embeds, frames or has opened without naming itself is refused; a link to the page works."""
    post = "/api/chat.postMessage?token=xoxb-demo&channel=C0SUPPORT&text=hello"
    cases = [("/", "document", 200), ("/", "iframe", 403), (post, "image", 403), (post, "document", 403)]
    async with serving(port=free_port(), database=tmp_path / "demo.db") as (url, _), aiohttp.ClientSession() as client:
        for path, destination, status in cases:
            headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": destination}
            async with client.get(url + path, headers=headers) as answer:
                assert answer.status == status


async def test_the_operators_own_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the settings of a live bot a demo is before its sample shop, unless another is named."""
    live = tmp_path / "live.db"
    monkeypatch.setenv("BOT_SHOP", "stripe")
    monkeypatch.setenv("BOT_SHOP_DATABASE", str(live))
    async with serving(port=free_port(), database=tmp_path / "demo.db"):
        assert not live.exists()
    with pytest.raises(SettingsError, match="BOT_STRIPE_KEY is not set"):
        async with serving(port=free_port(), database=tmp_path / "demo.db", shop="stripe"):
            pass


async def test_starting_again(tmp_path: Path) -> None:
    """A demo's file starts again empty, but not while a demo runs on it."""
    database = tmp_path / "demo.db"
    for _ in range(2):
        async with serving(port=free_port(), database=database):
            with pytest.raises(StartError, match=r"A demo runs on .* already"):
                async with serving(port=free_port(), database=database):
                    pass
