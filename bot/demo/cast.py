"""Who is in the demo beside the people of every test, and what they bought: somebody whose account can be deleted."""

from dataclasses import replace

from bot.shop.sample import CUSTOMERS, ORDERS, USPS, Sample
from bot.testing.slack.workspace import Person, Workspace
from bot.testing.slack.workspace.people import EVERYBODY

DORA = Person("U0DORA", "dora", "Dora Lind", "Customer", "dora@example.com", can_act=True)
ALL_CUSTOMERS = {**CUSTOMERS, "dora@example.com": DORA.real_name}
ALL_ORDERS = (
    *ORDERS,
    Sample(
        "dora@example.com",
        "ORD-10121",
        "delivered",
        52,
        -46,
        "Visa ending 1881",
        (("Field notebook, dotted, 3-pack", 1, 1650),),
        USPS,
        ((50.0, "Boston, MA", "Picked up"), (46.2, "Portland, ME", "Delivered to the mailbox")),
    ),
)


def demo_workspace() -> Workspace:
    """Make the workspace of a demo, in whose channels she is as well."""
    workspace = Workspace()
    workspace.add(DORA)
    workspace.open_im(DORA.id)
    open_to_all = [channel for channel in workspace.channels.values() if channel.members == EVERYBODY]
    workspace.add(*(replace(channel, members=channel.members | {DORA.id}) for channel in open_to_all))
    return workspace
