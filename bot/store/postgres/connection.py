"""A connection to the server: how it is opened, and for how long an answer is waited for."""

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

T = TypeVar("T")
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 20.0  # longer than the server lets a statement run
CONNECTION: dict[str, Any] = {
    "autocommit": True,
    "prepare_threshold": None,  # a pooler in transaction mode gives each transaction another connection
    "connect_timeout": int(CONNECT_SECONDS),
    "application_name": "support-bot",
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when the server owes an answer for too long.

    The kernel of a server that hangs goes on to acknowledge what it gets, so that neither keepalives nor the timeouts
    that the server would enforce end the waiting.
    """

    answer_seconds = ANSWER_SECONDS

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for what the server says. Raises psycopg.OperationalError when it says nothing in time."""
        try:
            return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise
