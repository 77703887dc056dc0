"""The clock that processes have in common, as one of them goes by it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from bot import clock

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def machine() -> Iterator[None]:
    """Go by the machine's clock before and after."""
    clock.forget()
    yield
    clock.forget()


def off() -> float:
    """Return by how many whole seconds the clock is ahead of the machine's."""
    return round((clock.now() - datetime.now(UTC)).total_seconds())


def test_another_time(caplog: pytest.LogCaptureFixture) -> None:
    """The time of others is gone by from when it is told, and the operator reads by how much this machine is off."""
    assert off() == 0
    clock.learn(datetime.now(UTC) + HOUR, asked_at=monotonic())
    assert off() == 3600
    assert caplog.messages == ["this machine's clock is 3600 s behind the database's, which is gone by; set it right"]
    clock.forget()
    assert off() == 0


def test_the_way_there_and_back(caplog: pytest.LogCaptureFixture) -> None:
    """What may be the time that the answer took changes nothing; what is more than that does."""
    clock.learn(datetime.now(UTC), asked_at=monotonic())
    clock.learn(datetime.now(UTC) + timedelta(seconds=0.9), asked_at=monotonic())
    clock.learn(datetime.now(UTC) - timedelta(seconds=40), asked_at=monotonic() - 40)
    assert off() == 0
    assert caplog.messages == []
    clock.learn(datetime.now(UTC) + timedelta(seconds=3), asked_at=monotonic())
    assert off() == 3
