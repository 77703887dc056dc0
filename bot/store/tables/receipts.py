"""What goes on in a thread when something that the shop's people know has happened."""

from bot.store.records import InboxMessage, Post
from bot.store.tables.audit import write_audit
from bot.store.tables.database import Database, Transaction
from bot.store.tables.inbox_rows import insert_message
from bot.store.tables.outbox import Outbox
from bot.store.tables.threads import insert_thread


class Receipts:
    """Has a form filled in for who asked once, by an operator, beside the bot."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def ask(self, message: InboxMessage, told: Post, *, by: str, subject: str) -> None:
        """Keep the message with its form for a run, tell the thread why, and write down who it was."""

        def write(db: Transaction) -> None:
            insert_thread(db, message.thread, message.user)
            insert_message(db, message, "waiting")
            self._outbox.insert(db, [told], message.thread)
            write_audit(db, "received", by=by, subject=subject)
            db.hint()

        await self._database.commit(write, lock=message.thread.key)
