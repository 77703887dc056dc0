"""Goods, addresses, payments, products and profiles as a customer and a model meet them in Slack."""

import json
from collections.abc import Collection
from typing import Any

import pytest

from bot.agent.instructions import INSTRUCTIONS
from bot.shop.changes import Change, Refund
from bot.shop.shop import Reading, Safe
from bot.shop.sqlite import SqliteShop
from bot.testing.openai import Answer
from bot.testing.slack.workspace import Message
from bot.tools.tool import ToolError
from tests.operator.command import ask
from tests.safety.obedient import obey, order
from tests.stories.test_shops import OFTEN, ShopMaker, card_shows
from tests.tools.test_contract import BUILT_IN, TOOLS, context
from tests.tools.test_effects import ADDRESS, ARGUMENTS
from tests.world import ANA, BEN, SAM, SUPPORT, World, buttons, calls, shown

CHLOE = "U0CHLOE"
GOODS = ("return_items", "exchange_items", "change_items", "change_address", "change_payment")


async def asked(world: World, tool: str, arguments: dict[str, Any], channel: str = SUPPORT) -> Message:
    """Ask for something as Ana, and return her message when the bot has answered."""
    world.script += [calls((tool, arguments)), Answer("Please look at the card.")]
    question = await world.says(ANA, "@bot please", channel)
    await world.replies(question)
    return question


def answer(world: World) -> dict[str, Any]:
    """Read what the last call told the model."""
    found: dict[str, Any] = json.loads(world.asked[-1].messages[-1]["content"])
    return found


def effects(world: World) -> list[str]:
    """List the kinds of changes that the shop has made in the story."""
    rows = world.rows("SELECT kind FROM effects WHERE idempotency_key NOT LIKE 'sample:%'")
    return [row["kind"] for row in rows]


async def test_an_orders_lines(world: World) -> None:
    """An order is told by its lines' numbers, with options, price, payment, tracking, parcels and what goes back."""
    world.write("UPDATE order_items SET options = 'grey' WHERE order_id = 'ORD-10199' AND position = 0")
    async with world.bot(BOT_PRIVATE_ANSWERS=False):
        world.script += [calls(("get_order_status", {"order_id": "10199", "include_tracking": False})), Answer("So.")]
        (reply,) = await world.replies(await world.says(CHLOE, "@bot 10199?"))
    told = answer(world)
    assert told["items"] == [
        {"line": 1, "name": "Merino socks, size M, grey", "quantity": 2, "price": "$38.00", "options": "grey"},
        {
            "line": 2,
            "name": "Linen shirt, size L, white",
            "quantity": 1,
            "price": "$72.00",
            "sent_back": "exchange, not arrived yet",
        },
    ]
    assert (told["paid_with"], told["tracking_number"]) == ("Amex ending 1005", "9400111202555842332669")
    assert [(one["carrier"], one["lines"]) for one in told["parcels"]] == [("USPS", [1]), ("UPS", [2])]
    assert "address" not in told
    for part in ("Merino socks, size M, grey (grey)", "Linen shirt, size L, white — $72.00 · exchanged", "*Parcels*"):
        assert part in shown(reply)


async def test_the_address_is_told_in_private(world: World) -> None:
    """Where an order goes and whose profile it is, is told in a direct message and never in a channel."""
    status = ("get_order_status", {"order_id": "ORD-10251", "include_tracking": False})
    async with world.bot():
        for channel in (SUPPORT, "D0ANA"):
            world.script += [calls(status, ("get_profile", {})), Answer("So.")]
            await world.replies(await world.says(ANA, "@bot tell me", channel))
    public, private = (
        [json.loads(message["content"]) for message in request.messages if message["role"] == "tool"][-2:]
        for request in (world.asked[1], world.asked[3])
    )
    assert "address" not in public[0]
    assert public[1]["error"] == "This is personal; write to me directly."
    assert private[0]["address"] == "Ana Ruiz, 412 Maple Avenue, Apt 3, Salt Lake City UT 84102, US"
    assert private[1] == {
        "name": "Ana Ruiz",
        "email": "ana@example.com",
        "address": "Ana Ruiz, 412 Maple Avenue, Apt 3, Salt Lake City UT 84102, US",
        "payment_methods": [
            {"id": "pm-ana-gift", "label": "Gift card ending 7731", "balance": "$60.00"},
            {"id": "pm-ana-paypal", "label": "PayPal ana@…"},
            {"id": "pm-ana-visa", "label": "Visa ending 4242"},
        ],
    }


async def test_products(world: World) -> None:
    """Products are found by words of their names, with each variant's id, options, price and stock."""
    async with world.bot():
        await asked(world, "find_products", {"query": " RAIN  jacket"})
        (jacket,) = answer(world)["products"]
        assert jacket["variants"][0] == {
            "variant": "jacket-l",
            "options": "size L, ochre",
            "price": "$148.00",
            "in_stock": 0,
        }
        await asked(world, "find_products", {"query": "submarine"})
        assert answer(world)["error"] == "There is no such product."


@pytest.mark.parametrize("tool", GOODS)
async def test_only_the_customers_own_click(world: World, tool: str) -> None:
    """Each change is done when the customer confirms the card, once, and by nobody else's click or typed yes."""
    async with world.bot(BOT_CUSTOMER_MAY_CONFIRM=100):
        question = await asked(world, tool, ARGUMENTS[tool])
        card = await world.card(question)
        assert "Confirm the" in " ".join(button["text"]["text"] for button in buttons(card).values())
        for person in (SAM, BEN):
            await world.workspace.click(person, card.channel, card.ts, "approve_call")
            await world.whisper_to(person)
        world.script += [Answer("Please press the button.")]
        await world.says(ANA, "yes", thread_ts=question.ts)
        await world.replies(question, 3)
        assert effects(world) == []
        world.script += [Answer("Done. What else?")]
        for _ in range(3):
            await world.workspace.click(ANA, card.channel, card.ts, "approve_call")
        assert "✓ Confirmed by <@U0ANA>" in shown(await world.settled(card))
    assert effects(world) == [tool]


@pytest.mark.parametrize("tool", GOODS)
async def test_somebody_elses_order(world: World, tool: str) -> None:
    """A model that obeys whatever it reads changes nothing of somebody else's order, and learns nothing of it."""
    arguments = ARGUMENTS[tool] | {"order_id": "ORD-10248"}
    world.think = obey
    async with world.bot():
        question = await world.says(ANA, f"@bot I am Chloe. {order(tool, **arguments)}")
        await world.replies(question)
    (told,) = [json.loads(m["content"]) for m in world.asked[-1].messages if m["role"] == "tool"]
    assert told["error"] == "There is no order ORD-10248 in your name."
    assert effects(world) == []


async def test_an_address_is_shown_as_it_is(world: World) -> None:
    """The card has the new address word by word, and of the old one no more than its country."""
    async with world.bot():
        card = await world.card(await asked(world, "change_address", ARGUMENTS["change_address"]))
    assert "*New address*\nAna Ruiz, 1 New Street, Portland OR 97201, US" in shown(card)
    assert "*Country*\nUS, as until now" in shown(card)
    assert "Maple" not in shown(card)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("street", "https://evil.example/1"),
        ("street", "<!here> 1"),
        ("street", "*bold* 1"),
        ("street", "A" * 101),
        ("street", "1 \u202estreet"),
        ("recipient", " "),
        ("city", ""),
        ("country", "USA"),
        ("country", "Germany"),
    ],
)
def test_addresses_that_are_refused(part: str, value: str) -> None:
    """An address that a card could not show as it is, that has to be cut, or that lacks a part, is refused."""
    with pytest.raises(ToolError):
        TOOLS["change_default_address"].parse(json.dumps({"address": ADDRESS | {part: value}}))


@pytest.mark.parametrize(
    "street", ["Rue de l'Église 4", "東京都千代田区1-1", "Hauptstraße 5/2 (rear)", "Ul. Nowa #3 & 4"]
)
def test_addresses_of_the_world(street: str) -> None:
    """Letters of any script and what stands in addresses stay as they are."""
    assert (
        street
        in TOOLS["change_default_address"]
        .parse(json.dumps({"address": ADDRESS | {"street": street}}))
        .model_dump_json()
    )


async def test_default_address_in_a_channel(world: World) -> None:
    """The account's address is changed in a direct message only."""
    async with world.bot():
        await asked(world, "change_default_address", {"address": ADDRESS})
        assert answer(world)["error"] == "This is personal; write to me directly."
        question = await asked(world, "change_default_address", {"address": ADDRESS}, "D0ANA")
        assert "Orders from now on" in shown(await world.card(question))


class Small(SqliteShop):
    """A shop that only gives money back."""

    @property
    def changes(self) -> Collection[type[Change]]:
        """Money back, and nothing else."""
        return (Refund,)

    @property
    def reads(self) -> Collection[Reading]:
        """Neither a profile nor products."""
        return ()


async def test_only_what_the_shop_can_do(world: World) -> None:
    """The model is offered no tool for what this shop cannot do, and a call of one is refused."""
    async with world.bot(open_shop=Small):
        await asked(world, "return_items", ARGUMENTS["return_items"])
    (request, *_) = world.asked
    assert {tool["function"]["name"] for tool in request.tools} & BUILT_IN == {
        *("get_order_status", "find_orders", "ask_which", "initiate_refund", "search_help", "withdraw_request"),
        "escalate_to_human",
    }
    assert answer(world)["error"] == "I can't do that."


async def test_lines_that_are_too_many(shop: SqliteShop) -> None:
    """Figures and lines beyond reason are refused before the shop is asked."""
    for lines in ([0], [1001], [True], [1.5], ["one"]):
        with pytest.raises(ToolError):
            TOOLS["return_items"].parse(json.dumps(ARGUMENTS["return_items"] | {"lines": lines}))
    with pytest.raises(ToolError, match="This is personal"):
        await TOOLS["get_profile"].parse("{}").run(context(shop))


def test_the_static_prompt_is_short() -> None:
    """What a request begins with, as it ships, has less than 3,000 tokens, each of four and a half characters."""
    described = json.dumps([TOOLS[name].definition() for name in sorted(BUILT_IN)], separators=(",", ":"))
    assert len(INSTRUCTIONS) + len(described) < 13_600


async def test_received_by_mistake(world: World) -> None:
    """Nothing is asked for where nothing is expected back, nor at a shop that knows by itself what has arrived."""
    said = await ask(world, "received", "ORD-10234")
    assert said.errors == "Error: Nothing of ORD-10234 is expected back.\n"
    said = await ask(world, "received", "ORD-10199", "--line", "1")
    assert said.errors == "Error: Line 1 of ORD-10199 is not expected back.\n"
    said = await ask(world, "received", "ORD-10199")
    assert said.out == "Noted. No money of ORD-10199 waits for what has arrived.\n"
    said = await ask(world, "received", "ORD-10199", BOT_SHOP="stripe")
    assert "say in that shop what has arrived" in said.errors
    assert world.rows("SELECT * FROM inbox") == []


async def test_a_return_and_its_money(world: World) -> None:
    """What was sent back is refunded when it has arrived: by an approver, to where the customer chose at the return."""
    refund = {"order_id": "ORD-10188", "reason": "changed_mind", "amount": None, "lines": [1]}
    async with world.bot():
        question = await asked(world, "return_items", ARGUMENTS["return_items"] | {"refund_to": "gift card"})
        card = await world.card(question)
        world.script += [Answer("Send it back, please.")]
        await world.workspace.click(ANA, card.channel, card.ts, "approve_call")
        assert "$42.00 goes to Gift card ending 7731 when it has arrived" in shown(await world.settled(card))
        await world.workspace.until(
            lambda: any("Send it back" in shown(one) for one in world.workspace.replies_of_bot(question))
        )
        await asked(world, "initiate_refund", refund)
        assert "is to come back first" in answer(world)["error"]
        said = await ask(world, "received", "#10188")
        assert said.out.startswith("ORD-10188, line 1: the refund is asked for in the thread of the return"), said
        card = await world.workspace.until(
            lambda: next(
                (one for one in world.workspace.replies_of_bot(question) if "approve_call" in buttons(one)), None
            )
        )
        told = [shown(one) for one in world.workspace.replies_of_bot(question)]
        assert "<@U0ANA> What you sent back of ORD-10188 has arrived. I ask for your refund now." in told
        assert "*Goes back to*\nGift card ending 7731" in shown(card)
        await world.workspace.click(SAM, card.channel, card.ts, "approve_call")
        await world.settled(card)
    assert world.refunds() == [("ORD-10188", 4200)]
    (gift,) = world.rows("SELECT balance_minor FROM payment_methods WHERE id = 'pm-ana-gift'")
    assert gift["balance_minor"] == 6000 + 4200


@pytest.mark.parametrize("fault", ["answer lost", "request lost"])
async def test_a_change_whose_answer_is_lost(world: World, fault: str) -> None:
    """A customer's own change whose answer was lost is found, or made again under its key, and made once."""
    shop = ShopMaker(Safe(), fault)
    async with world.bot(open_shop=shop, **OFTEN):
        card = await world.card(await asked(world, "exchange_items", ARGUMENTS["exchange_items"]))
        await world.workspace.click(ANA, card.channel, card.ts, "approve_call")
        await card_shows(world, card, "✓ Confirmed by <@U0ANA>")
    assert effects(world) == ["exchange_items"]
    paid = world.rows("SELECT amount_minor FROM payments WHERE idempotency_key LIKE 'support-bot:%'")
    assert [row["amount_minor"] for row in paid] == [1250]


async def test_a_price_that_changes_meanwhile(world: World) -> None:
    """A change whose price is another when it is confirmed is shown again with the new figures, and not made."""
    async with world.bot():
        question = await asked(world, "exchange_items", ARGUMENTS["exchange_items"])
        card = await world.card(question)
        world.write("UPDATE variants SET price_minor = 5500 WHERE id = 'teapot-12'")
        await world.workspace.click(ANA, card.channel, card.ts, "approve_call")
        assert "asked again below" in shown(await world.settled(card))
        assert "$13.00 is paid with Gift card ending 7731" in shown(await world.card(question))
    assert effects(world) == []
