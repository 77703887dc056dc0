"""The store as one thing: the database file with the bot's tables, by what they are for."""

from bot.store.calls import Calls
from bot.store.database import DatabaseThread
from bot.store.gated_calls import GatedCalls
from bot.store.history import History
from bot.store.inbox import Inbox
from bot.store.leases import Leases
from bot.store.outbox import Outbox
from bot.store.switches import Switches


class Store:
    """All that the bot remembers, over one database."""

    def __init__(self, database: DatabaseThread, leases: Leases) -> None:
        self.inbox = Inbox(database, leases)
        self.outbox = Outbox(database, leases)
        self.calls = Calls(database, self.outbox, leases)
        self.gated_calls = GatedCalls(database, self.outbox, leases)
        self.switches = Switches(database)
        self.history = History(database, self.outbox, leases)
