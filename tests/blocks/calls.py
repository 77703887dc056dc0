"""A request that waits, for the tests that show one."""

from datetime import UTC, datetime

from bot.store.calls import CallStatus, ToolCall
from bot.store.records import ThreadId

ID = "0123456789abcdef01234567"
CALL = ToolCall(
    id=ID,
    thread=ThreadId("T1", "C1", "1.000001"),
    message_id=1,
    position=0,
    tool_call_id="a",
    tool="initiate_refund",
    gated=True,
    arguments_sent="{}",
    status=CallStatus.PENDING,
    requester="U0ANA",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
