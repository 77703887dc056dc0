"""What the operator switches while the bot runs: whether anything may be approved at all."""

from bot import clock
from bot.store.tables.audit import write_audit
from bot.store.tables.database import Database, Transaction


class Switches:
    """Rows of `switches`: one that is there is on, for every process on the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_paused(self) -> bool:
        """Return whether nothing may be approved for now."""
        found = "SELECT 1 FROM switches WHERE name = 'paused'"
        return await self._database.read(lambda db: db.execute(found).fetchone() is not None)

    async def pause(self, *, by: str | None = None) -> None:
        """Stop claims from now on; `by` is who says so, for the audit."""

        def write(db: Transaction) -> None:
            set_paused(db)
            if by:
                write_audit(db, "pause", by=by)

        await self._database.commit(write)

    async def resume(self, *, by: str | None = None) -> None:
        """Allow claims again."""

        def write(db: Transaction) -> None:
            db.execute("DELETE FROM switches WHERE name = 'paused'")
            if by:
                write_audit(db, "resume", by=by)

        await self._database.commit(write)


PAUSE = "pause"  # locked by who pauses, and shared by all who take a yes unless there is a pause


def set_paused(db: Transaction) -> None:
    """Stop claims from now on, within the caller's transaction; those that are being taken are waited for."""
    db.lock(PAUSE)
    now = clock.now().isoformat()
    db.execute("INSERT INTO switches VALUES ('paused', ?) ON CONFLICT DO NOTHING", [now])
