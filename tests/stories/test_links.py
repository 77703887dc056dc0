"""Links to orders: everybody reads the status below one, and who opens it sees what they may."""

import json

import pytest

from bot.testing.slack.workspace import Channel, Details, Message, Person, entities_of
from tests.world import ANA, BEN, SAM, SUPPORT, World

LINKS = "https://shop.example.com/orders/{order}"
LINK = "https://shop.example.com/orders/ORD-10234?from=mail"


async def unfurled(world: World, message: Message) -> Message:
    """Wait until something is shown below the links of a message."""

    def found() -> Message | None:
        now = world.workspace.message(message.channel, message.ts)
        return now if entities_of(now) else None

    return await world.workspace.until(found)


async def opened(world: World, person: str, message: Message) -> Details:
    """Open as somebody what is shown below the link, and wait for the details."""
    await world.workspace.links.open(person, message.channel, message.ts, LINK)
    return await world.workspace.until(
        lambda: (shown := world.workspace.links.details.get(person)) and shown.answered and shown
    )


async def test_what_each_person_sees_of_a_link(world: World) -> None:
    """Below a customer's link everybody reads status and dates; the figures open for the customer and staff alone."""
    world.workspace.add(Channel("C0ALONE", "without-the-bot", "channel", frozenset({ANA, BEN})))
    async with world.bot(BOT_ORDER_LINKS=LINKS):
        message = await unfurled(world, await world.says(ANA, f"look: <{LINK}>", "C0ALONE"))
        (entity,) = entities_of(message)
        seen = {person: await opened(world, person, message) for person in (ANA, BEN, SAM)}
    fields = {field["key"]: field["value"] for field in entity["entity_payload"]["custom_fields"]}
    assert fields.keys() == {"status", "placed", "expected"}
    assert (fields["status"], entity["url"]) == ("Shipped", LINK.partition("?")[0])
    for person in (ANA, SAM):
        shown = json.dumps(seen[person].entity, ensure_ascii=False)
        assert "$84.00" in shown
        assert "Stoneware mug" in shown
    told = seen[BEN].error
    assert told
    assert told["custom_message"].startswith("Only its customer and the support team")
    assert "$" not in json.dumps(seen[BEN].entity)
    assert world.model.requests == []


@pytest.mark.parametrize(
    ("person", "text", "pattern"),
    [
        (BEN, LINK, LINKS),
        (ANA, "https://shop.example.com/orders/ORD-99999", LINKS),
        (ANA, "https://shop.example.com/products/ORD-10234", LINKS),
        (ANA, LINK, None),
        ("U0EVE", LINK, LINKS),
    ],
)
async def test_link_that_stays_as_it_is(world: World, person: str, text: str, pattern: str | None) -> None:
    """Below a link to somebody else's order, or to none, nothing is shown to anybody."""
    world.workspace.add(Person("U0EVE", "eve", "Eve", email="ana@example.com", team="T0OTHER", is_stranger=True))
    async with world.bot(BOT_ORDER_LINKS=pattern):
        message = await world.says(person, f"<{text}>", SUPPORT)
        await world.workspace.until(lambda: all(delivery.acked for delivery in world.workspace.deliveries))
    assert entities_of(world.workspace.message(SUPPORT, message.ts)) == []
    assert "chat.unfurl" not in [call.method for call in world.workspace.calls]


async def test_link_where_other_companies_read(world: World) -> None:
    """In a channel that is shared with a company that is not trusted, a link shows nothing."""
    world.workspace.add(Channel("C0PARTNER", "partner", "channel", frozenset({ANA, BEN}), shared_externally=True))
    async with world.bot(BOT_ORDER_LINKS=LINKS):
        message = await world.says(ANA, f"<{LINK}>", "C0PARTNER")
        await world.workspace.until(lambda: any(call.method == "conversations.info" for call in world.workspace.calls))
    assert entities_of(world.workspace.message("C0PARTNER", message.ts)) == []
