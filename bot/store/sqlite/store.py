"""The store over one SQLite file, put together."""

from bot.store.sqlite.approval_requests import ApprovalRequests
from bot.store.sqlite.calls import Calls
from bot.store.sqlite.conversations import Conversations
from bot.store.sqlite.database import DatabaseThread
from bot.store.sqlite.erasure import Erasure
from bot.store.sqlite.inbox import Inbox
from bot.store.sqlite.leases import Leases
from bot.store.sqlite.outbox import Outbox
from bot.store.sqlite.overview import Overview
from bot.store.sqlite.switches import Switches
from bot.store.sqlite.usage import Usage
from bot.store.store import Store


class SqliteAdmin(Switches, Erasure):
    """What the operator does, beside a bot that runs or without one."""


def open_store(database: DatabaseThread, leases: Leases) -> Store:
    """Return the store of a process that has joined an open database."""
    outbox = Outbox(database, leases)
    return Store(
        inbox=Inbox(database, leases, outbox),
        outbox=outbox,
        calls=Calls(database, outbox, leases),
        approval_requests=ApprovalRequests(database, outbox, leases),
        conversations=Conversations(database, outbox, leases),
        usage=Usage(database),
        admin=SqliteAdmin(database),
        overview=Overview(database),
    )
