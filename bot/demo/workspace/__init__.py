"""A Slack workspace in memory, that knows nothing of HTTP: people talk and click in it, and one app is told."""

from bot.demo.workspace.deliveries import Deliver, Delivery
from bot.demo.workspace.faults import Faults, Hang
from bot.demo.workspace.objects import Channel, Json, Message, Person, Status
from bot.demo.workspace.workspace import ApiCall, Order, Workspace

__all__ = [
    "ApiCall",
    "Channel",
    "Deliver",
    "Delivery",
    "Faults",
    "Hang",
    "Json",
    "Message",
    "Order",
    "Person",
    "Status",
    "Workspace",
]
