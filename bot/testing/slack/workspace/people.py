"""Who and what is in the demo's workspace before anything is said."""

from bot.testing.slack.workspace.objects import Channel, Person

PEOPLE = (
    Person("U0ANA", "ana", "Ana Ruiz", "Customer", "ana@example.com", can_act=True),
    Person("U0BEN", "ben", "Ben Okafor", "Customer", "ben@example.com", can_act=True),
    Person("U0CHLOE", "chloe", "Chloe Martin", "Customer", "chloe@example.com"),
    Person("U0SAM", "sam", "Sam Lee", "Support lead", "sam@example.com", is_admin=True, can_act=True),
    Person("U0PAT", "pat", "Pat Novak", "Support", "pat@example.com", can_act=True),
    Person("U0BOT", "support_bot", "Support Bot", "App", is_bot=True),
)
EVERYBODY = frozenset(person.id for person in PEOPLE)
_TEAM = frozenset({"U0SAM", "U0PAT", "U0BOT"})
CHANNELS = (
    Channel("C0SUPPORT", "support", "channel", EVERYBODY, "Orders and refunds: mention @Support Bot"),
    Channel("C0TEAM", "support-team", "channel", _TEAM, "What needs a person of the team"),
    Channel("C0GENERAL", "general", "channel", EVERYBODY, "Everything else"),
)
