"""A Slack workspace in memory, that knows nothing of HTTP: people talk and click in it, and one app is told."""

from bot.testing.slack.workspace.deliveries import Deliver, Delivery
from bot.testing.slack.workspace.faults import Faults, Hang
from bot.testing.slack.workspace.links import Details, entities_of
from bot.testing.slack.workspace.objects import ApiCall, Channel, Json, Message, Person, Session, Status
from bot.testing.slack.workspace.surfaces import Surfaces
from bot.testing.slack.workspace.views import View
from bot.testing.slack.workspace.workspace import Order, Workspace

__all__ = [
    "ApiCall",
    "Channel",
    "Deliver",
    "Delivery",
    "Details",
    "Faults",
    "Hang",
    "Json",
    "Message",
    "Order",
    "Person",
    "Session",
    "Status",
    "Surfaces",
    "View",
    "Workspace",
    "entities_of",
]
