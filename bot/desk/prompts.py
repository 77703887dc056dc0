"""What somebody is suggested to ask, from their own orders."""

from collections.abc import Sequence
from typing import NamedTuple

from bot.blocks.text import bare
from bot.shop.orders import Order, OrderStatus

_MAX_PROMPTS = 4  # that Slack shows
_MAX_NUMBER_CHARACTERS = 30


class Prompt(NamedTuple):
    """What is shown, and what is sent in the person's name when it is pressed."""

    title: str
    message: str


def prompts_for(orders: Sequence[Order]) -> list[Prompt]:
    """Suggest the questions that the latest orders raise, and one that helps those who mean something else."""
    found = [_prompt(order) for order in orders[: _MAX_PROMPTS - 1] if order.status != OrderStatus.CANCELLED]
    if found:
        return [*found, Prompt("Show my orders", "Which orders do I have?")]
    return [Prompt("Where is my order?", "Where is my order?"), Prompt("Talk to a person", "I need a person.")]


def _prompt(order: Order) -> Prompt:
    number = bare(order.id)[:_MAX_NUMBER_CHARACTERS]
    if order.status == OrderStatus.DELIVERED:
        return Prompt(f"Something is wrong with {number}", f"Something is wrong with my order {number}.")
    return Prompt(f"Where is {number}?", f"Where is my order {number}?")
