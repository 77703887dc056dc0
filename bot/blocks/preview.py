"""What a card shows of a change that waits for somebody's yes, before it is drawn."""

from dataclasses import dataclass

from bot.shop.changes import Quoted

Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change will do, in figures from the shop: the card is drawn from this and nothing else.

    `quoted` is what runs if approved. No other open request may have its `subject`. `keep` is the button that says no;
    `background` is shown for the approver to judge by. `change` is the button with which they ask for something else
    instead, where there is such a thing.
    """

    quoted: Quoted
    title: str
    summary: str
    button: str
    confirm: str
    facts: Facts
    keep: str
    background: Facts
    change: str

    @property
    def subject(self) -> str:
        """What no other open request may touch."""
        return self.quoted.quote.subject
