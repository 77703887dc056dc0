"""The store over the tables of one database, put together."""

from bot.store.store import Store
from bot.store.tables.approval_requests import ApprovalRequests
from bot.store.tables.calls import Calls
from bot.store.tables.conversations import Conversations
from bot.store.tables.database import Database
from bot.store.tables.erasure import Erasure
from bot.store.tables.inbox import Inbox
from bot.store.tables.leases import Leases
from bot.store.tables.open_requests import OpenRequests
from bot.store.tables.outbox import Outbox
from bot.store.tables.overview import Overview
from bot.store.tables.refund_checks import RefundChecks
from bot.store.tables.switches import Switches
from bot.store.tables.usage import Usage
from bot.store.tables.yeses import Yeses


class TablesAdmin(Switches, Erasure):
    """What the operator does, beside a bot that runs or without one."""


def open_store(database: Database, leases: Leases) -> Store:
    """Return the store of a process that has joined an open database."""
    outbox = Outbox(database, leases)
    return Store(
        inbox=Inbox(database, leases, outbox),
        outbox=outbox,
        calls=Calls(database, outbox, leases),
        approval_requests=ApprovalRequests(database, outbox, leases),
        open_requests=OpenRequests(database, outbox),
        refund_checks=RefundChecks(database, outbox),
        yeses=Yeses(database, outbox),
        conversations=Conversations(database, outbox, leases),
        usage=Usage(database),
        overview=Overview(database),
        admin=TablesAdmin(database),
    )
