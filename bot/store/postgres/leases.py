"""Which processes are alive, by the clock of the database."""

from bot.store.tables import leases
from bot.store.tables.database import Transaction

_FORGOTTEN_AFTER = 100  # leases of a process that died


class Leases(leases.Leases):
    """Leases by the one clock that all processes have in common; what a machine takes for the time does not matter."""

    async def join(self) -> None:
        """Come to life. Those that have given no sign of life in time are dead."""
        await self._sign(self._enter)

    def write_seen(self, db: Transaction) -> None:
        """Write the sign of life, within a transaction."""
        db.now()  # asked again and again, it keeps this process's clock right
        db.execute(
            """INSERT INTO processes (id, seen_at) VALUES (?, clock_timestamp())
               ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at""",
            [self.process],
        )

    def lives(self, db: Transaction, process: str) -> bool:
        """Return whether another process has given a sign of life in time."""
        alive = "SELECT 1 FROM processes WHERE id = ? AND seen_at > clock_timestamp() - ? * interval '1 second'"
        return db.execute(alive, [process, float(self.seconds)]).fetchone() is not None

    def _enter(self, db: Transaction) -> None:
        old = "DELETE FROM processes WHERE seen_at < clock_timestamp() - ? * interval '1 second'"
        db.execute(old, [float(self.seconds) * _FORGOTTEN_AFTER])
        others = "SELECT 1 FROM processes WHERE seen_at > clock_timestamp() - ? * interval '1 second'"
        self.alone = db.execute(others, [float(self.seconds)]).fetchone() is None
        self.write_seen(db)
