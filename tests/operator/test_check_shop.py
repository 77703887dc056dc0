"""`support-bot check` and the shops that it can be set to: each slip in their settings in a line, with what to do."""

import json

import pytest

from tests.operator.command import ask
from tests.shop.stripe.server import API_KEY, StripeServer
from tests.world import World

NOWHERE = "http://127.0.0.1:9"
STRIPE = {"BOT_SHOP": "stripe", "BOT_STRIPE_KEY": "rk_live_1", "BOT_STRIPE_URL": f"{NOWHERE}/v1"}
SHOPIFY = {"BOT_SHOP": "shopify", "BOT_SHOPIFY_STORE": "example.myshopify.com", "BOT_SHOPIFY_URL": NOWHERE}
VENDURE = {"BOT_SHOP": "vendure", "BOT_VENDURE_URL": f"{NOWHERE}/admin-api", "BOT_VENDURE_API_KEY": "key"}

OWN = """
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

class MySettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="BOT_MY_SHOP_")
    file: str
    orders: str = Field("", validation_alias="BOT_ORDERS")

def open_shop(settings: MySettings):
    raise ValueError("not today")
"""


async def strange(world: World, **changes: str) -> dict[str, str]:
    """Check, and return what to do about each variable that means nothing."""
    said = await ask(world, "check", "--json", **changes)
    told = [one for one in json.loads(said.out)["findings"] if one["about"] == "settings" and one["level"] != "ok"]
    return {one["found"].split()[0]: one["advice"] for one in told}


async def found(world: World, *before: str, **changes: str) -> tuple[str, str]:
    """Check, and return how bad it is with the shop, and what was found."""
    said = await ask(world, *before, "check", "--json", **changes)
    [shop] = [one for one in json.loads(said.out)["findings"] if one["about"] == "shop"]
    return shop["level"], f"{shop['found']} {shop['advice']}".strip()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"BOT_SHOP": "stripe"}, "BOT_STRIPE_KEY is not set; the shop of BOT_SHOP needs it."),
        (STRIPE | {"BOT_STRIPE_KEY": ""}, "BOT_STRIPE_KEY is not set; the shop of BOT_SHOP needs it."),
        (STRIPE | {"BOT_STRIPE_KEY": "rk_live_1\nrk_live_2"}, "BOT_STRIPE_KEY is malformed: a key is one line of"),
        ({"BOT_SHOP": "shopify"}, "BOT_SHOPIFY_STORE is not set; the shop of BOT_SHOP needs it."),
        (SHOPIFY, "BOT_SHOP: set BOT_SHOPIFY_CLIENT_ID and BOT_SHOPIFY_CLIENT_SECRET, or BOT_SHOPIFY_TOKEN."),
        (SHOPIFY | {"BOT_SHOPIFY_STORE": "my shop"}, "BOT_SHOPIFY_STORE is malformed: a store is named as example."),
        (VENDURE | {"BOT_VENDURE_URL": "shop.example.com"}, "BOT_VENDURE_URL is malformed: "),
        (VENDURE | {"BOT_VENDURE_API_KEY": ""}, "BOT_VENDURE_API_KEY is not set; the shop of BOT_SHOP needs it."),
        ({"BOT_SHOP": "magento"}, "“magento” is neither one of sqlite, shopify, vendure, stripe nor"),
    ],
)
async def test_slips(world: World, variables: dict[str, str], words: str) -> None:
    """What is missing or malformed is named by its variable, and the bot could not start."""
    level, told = await found(world, **variables)
    assert level == "fatal"
    assert words in told
    assert "pydantic" not in told


@pytest.mark.parametrize("variables", [STRIPE, SHOPIFY | {"BOT_SHOPIFY_TOKEN": "shpat_1"}, VENDURE])
async def test_a_shop_that_is_not_there(world: World, variables: dict[str, str]) -> None:
    """A shop that cannot be reached is a warning: the bot starts, and it may be there again before anybody asks."""
    level, told = await found(world, **variables)
    assert level == "warning"
    assert told.startswith(f"{variables['BOT_SHOP']} cannot be asked now: The shop cannot be reached")
    assert told.endswith("Look at its address and at the network.")


async def test_a_file_of_settings_of_its_own(world: World) -> None:
    """What --env-file names is read for the shop as for all else; a shop that is right says what it can do."""
    async with StripeServer().serving() as server:
        await server.sell(server.buyer("ana@example.com"), 4200, "USD", refunds="succeeded")
        lines = ["BOT_SHOP=stripe", f"BOT_STRIPE_KEY={API_KEY}", f"BOT_STRIPE_URL={server.url}/v1"]
        world.database.with_name("prod.env").write_text("\n".join(lines))
        assert await found(world, "--env-file", "prod.env") == ("ok", "stripe answers. It can do: Refund.")


async def test_the_settings_of_a_shop_are_known(world: World) -> None:
    """What the shop that is set reads is a setting; nearly one is named, and so is one of another shop than is set."""
    world.database.with_name("my_shop.py").write_text(OWN)
    own = {"BOT_SHOP": "my_shop:open_shop", "BOT_MY_SHOP_FILE": "orders.json", "BOT_ORDERS": "orders.json"}
    for variables in (STRIPE, SHOPIFY | {"BOT_SHOPIFY_TOKEN": "shpat_1"}, VENDURE, own):
        assert await strange(world, **variables) == {}
    slips = {"BOT_SHOPIFY_STOER": "example", "BOT_STRIPE_KEY": "rk_live_1"}
    assert await strange(world, **SHOPIFY, **slips) == {
        "BOT_SHOPIFY_STOER": "Is BOT_SHOPIFY_STORE meant?",
        "BOT_STRIPE_KEY": "Set BOT_SHOP=stripe, or remove it.",
    }
