"""The store as one thing: the database file with the bot's tables, by what they are for."""

from bot.store.sqlite.calls import Calls
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.gated_calls import GatedCalls
from bot.store.sqlite.history import History
from bot.store.sqlite.inbox import Inbox
from bot.store.sqlite.leases import Leases
from bot.store.sqlite.outbox import Outbox
from bot.store.sqlite.switches import Switches


class Store:
    """All that the bot remembers, over one database."""

    def __init__(self, database: DatabaseThread, leases: Leases) -> None:
        self.inbox = Inbox(database, leases)
        self.outbox = Outbox(database, leases)
        self.calls = Calls(database, self.outbox, leases)
        self.gated_calls = GatedCalls(database, self.outbox, leases)
        self.switches = Switches(database)
        self.history = History(database, self.outbox, leases)
