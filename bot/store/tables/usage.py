"""What each person has used within the last hour, and which bound they were told of."""

from datetime import datetime, timedelta

from bot import clock
from bot.store.bounds import Bound, BoundReached, Resource
from bot.store.tables.database import Database, Transaction

HOUR = timedelta(hours=1)


class Usage:
    """Rows of `usage` and `bounds_told`: counted here and not in the log, so that erasing the log gives nobody more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, user: str, key: str, *bounds: Bound) -> BoundReached | None:
        """Count a use by the person, once a key, and return None; or the bound that they have reached, uncounted.

        Ahead: after a crash it is asked for again, under the same key.
        """
        now = clock.now()

        def write(db: Transaction) -> BoundReached | None:
            for bound in bounds:
                if not _is_counted(db, bound.resource, key) and (until := _reached(db, user, bound, now)) is not None:
                    return BoundReached(bound, until, is_news=_tell(db, user, bound, now, until))
            for bound in bounds:
                count_use(db, user, bound.resource, key, bound.amount)
            return None

        return await self._database.run_ahead(write, on_rollback=lambda: None, lock=f"person {user}")

    async def drop_old(self) -> None:
        """Forget what was used more than an hour ago."""
        now = clock.now()

        def write(db: Transaction) -> None:
            db.execute("DELETE FROM usage WHERE at <= ?", [(now - HOUR).isoformat()])
            db.execute("DELETE FROM bounds_told WHERE until <= ?", [now.isoformat()])

        await self._database.commit(write)


def erase_usage(db: Transaction, user: str) -> None:
    """Erase what is known of the person: they start from zero."""
    db.execute("DELETE FROM usage WHERE user = ?", [user])
    db.execute("DELETE FROM bounds_told WHERE user = ?", [user])


def _is_counted(db: Transaction, resource: Resource, key: str) -> bool:
    return db.execute("SELECT 1 FROM usage WHERE resource = ? AND key = ?", [resource, key]).fetchone() is not None


def count_use(db: Transaction, user: str, resource: Resource, key: str, amount: int) -> None:
    """Count what the person has used, once a key, within the caller's transaction."""
    now = clock.now()
    db.execute(
        "INSERT INTO usage (resource, key, user, amount, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [resource, key, user, amount, now.isoformat()],
    )


def _reached(db: Transaction, user: str, bound: Bound, now: datetime) -> datetime | None:
    """Return when there is room again, if the person has none."""
    rows = db.execute(
        "SELECT amount, at FROM usage WHERE user = ? AND resource = ? AND at > ? ORDER BY at",
        [user, bound.resource, (now - HOUR).isoformat()],
    ).fetchall()
    used = sum(amount for amount, _ in rows)
    until = None
    for amount, at in rows:
        if used < bound.most:
            break
        used, until = used - amount, datetime.fromisoformat(at) + HOUR
    return until


def _tell(db: Transaction, user: str, bound: Bound, now: datetime, until: datetime) -> bool:
    """Return whether the person does not know yet that they have reached the bound, and note that they do now."""
    told = db.execute(
        "SELECT 1 FROM bounds_told WHERE user = ? AND resource = ? AND until > ?",
        [user, bound.resource, now.isoformat()],
    ).fetchone()
    if told is None:
        db.execute(
            """INSERT INTO bounds_told (user, resource, until) VALUES (?, ?, ?)
               ON CONFLICT (user, resource) DO UPDATE SET until = excluded.until""",
            [user, bound.resource, until.isoformat()],
        )
    return told is None
