"""What the operator switches while the bot runs: whether anything may be approved at all."""

from datetime import UTC, datetime

from bot.store.sqlite.database import DatabaseThread


class Switches:
    """Rows of `switches`: one that is there is on, for every process on the database."""

    def __init__(self, database: DatabaseThread) -> None:
        self._database = database

    async def is_paused(self) -> bool:
        """Return whether nothing may be approved for now."""
        found = "SELECT 1 FROM switches WHERE name = 'paused'"
        return await self._database.read(lambda db: db.execute(found).fetchone() is not None)

    async def pause(self) -> None:
        """Let nothing be claimed from now on."""
        now = datetime.now(UTC).isoformat()
        await self._database.commit(lambda db: db.execute("INSERT OR IGNORE INTO switches VALUES ('paused', ?)", [now]))

    async def resume(self) -> None:
        """Let calls be claimed again."""
        await self._database.commit(lambda db: db.execute("DELETE FROM switches WHERE name = 'paused'"))
