"""Who is in a conversation's workspace, by the names that the files use, and what the shop knows of them."""

from collections.abc import Mapping
from dataclasses import replace

from bot.evaluation.conversation import Conversation, ShopOrder
from bot.shop.sample import CUSTOMERS, ORDERS, UPS, Sample
from bot.testing.slack.workspace import Person, Workspace

APPROVER, STAFF = "sam", "kim"
SUPPORT, TEAM = "C0SUPPORT", "C0TEAM"
_MORE = (
    Person("U0KIM", "kim", "Kim Park", "Support", "kim@example.com"),
    Person("U0DANA", "dana", "Dana Weiss", "Works here", "dana@example.com"),
)
CAST = frozenset({"ana", "ben", "chloe", "sam", *(person.name for person in _MORE)})
"""Ana, Ben and Chloe are customers, Sam approves, Kim is of the staff, Dana has no account in the shop."""


def populate(workspace: Workspace, conversation: Conversation) -> dict[str, Person]:
    """Add everybody of a conversation to the workspace and its channels; return them by name."""
    own = [
        Person(f"U0{name.upper()}", name, member.name, member.title, member.email or f"{name}@example.com")
        for name, member in conversation.people.items()
    ]
    workspace.add(*_MORE, *own)
    for channel in list(workspace.channels.values()):
        if channel.kind == "channel" and channel.id != TEAM:
            workspace.add(replace(channel, members=channel.members | {person.id for person in (*_MORE, *own)}))
    for person in (*_MORE, *own):
        workspace.open_im(person.id)
    return {person.name: person for person in workspace.people.values() if not person.is_bot}


def orders_of(conversation: Conversation, people: Mapping[str, Person]) -> tuple[Sample, ...]:
    """Return the orders that the shop has in a conversation: its own, or else the sample ones."""
    return tuple(_order(order, people) for order in conversation.orders) or ORDERS


def customers_of(orders: tuple[Sample, ...], people: Mapping[str, Person]) -> dict[str, str]:
    """Return the shop's customers by e-mail address: those of the sample, and everybody who has an order."""
    names = {person.email: person.real_name for person in people.values() if person.email}
    return CUSTOMERS | {order.email: names[order.email] for order in orders}


def emails_of(people: Mapping[str, Person]) -> dict[str, str]:
    """Return the e-mail addresses of those who are there, by name."""
    return {name: person.email for name, person in people.items() if person.email}


def _order(order: ShopOrder, people: Mapping[str, Person]) -> Sample:
    scans = tuple((scan.days_ago, scan.place, scan.text) for scan in order.tracking)
    if order.status == "delivered" and not scans:
        scans = ((max(order.placed_days_ago / 2, 0.5), "Salt Lake City, UT", "Delivered"),)
    return Sample(
        email=people[order.customer].email or "",
        id=order.id,
        status=order.status,
        days=order.placed_days_ago,
        due=order.expected_in_days,
        paid_with=order.paid_with,
        items=tuple((item.name, item.quantity, round(item.price * 100)) for item in order.items),
        carrier=UPS if scans else None,
        scans=scans,
        refunded=round(order.refunded * 100),
    )
