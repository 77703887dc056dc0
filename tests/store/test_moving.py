"""The bot's tables move between databases, either way, and all of it arrives."""

from pathlib import Path

import pytest

from bot.settings import PostgresUrl
from bot.store.calls import CallStatus
from bot.store.errors import DatabaseError
from bot.store.moving import Place, export, move
from bot.store.opening import joined, open_database
from bot.store.reading import open_reader
from bot.store.store import Store
from bot.store.tables.seals import verify
from bot.store.tables.store import open_store
from tests.postgres import PostgresServer
from tests.store.rows import ANSWER, SAM, message, post, propose, refund, take


async def fill(store: Store) -> None:
    """Write a thread with a finished call, and one with a request that waits, a post and words of any kind."""
    (call,) = await propose(store, refund(gated=False))
    store.calls.finish(call, CallStatus.SUCCEEDED, '{"said": "\u00e4\u2603\\u0000"}')
    taken = await store.inbox.next(message().thread)
    assert taken
    await store.conversations.finish(taken, ANSWER, [post("tab\t, line\n, \\backslash and 'quotes'")])
    await take(store, "2.0")
    (asked,) = await store.conversations.add_turn(message().thread, {"role": "assistant", "content": None}, [refund()])
    await store.approval_requests.park(asked, [post("card", asked.id)])


@pytest.fixture
def places(tmp_path: Path, postgres: PostgresServer) -> dict[str, Place]:
    """Name databases of both kinds that nobody has used."""
    return {"sqlite": tmp_path / "support.db", "postgres": PostgresUrl(postgres.new_database())}


@pytest.mark.parametrize(("first", "second"), [("sqlite", "postgres"), ("postgres", "sqlite")])
async def test_there(places: dict[str, Place], first: str, second: str) -> None:
    """A bot goes on where it was: what waits, waits; what was finished is sealed; and new rows follow the old ones."""
    source, target = places[first], places[second]
    async with open_database(source) as database, joined(database, 60) as member:
        await fill(open_store(database.tables, member.leases))
    sums, copied = await move(source, target)
    assert copied
    assert (sums["inbox"].rows, sums["tool_calls"].rows, sums["outbox"].rows) == (2, 2, 2)
    async with open_database(target) as database, joined(database, 60) as member:
        store = open_store(database.tables, member.leases)
        assert (await database.tables.read(verify)).broken == ()
        (call,) = await store.open_requests.open()
        assert (await store.approval_requests.claim(call, SAM)) is not None
        assert await store.inbox.receive(message("3.0"), addressed=True, mentioned=True)
        taken = await store.inbox.next(message().thread)
        assert taken
        assert (await store.conversations.begin(taken)).messages


async def test_again(places: dict[str, Place]) -> None:
    """What was moved already is compared, and a database that holds other rows stays as it is."""
    async with open_database(places["sqlite"]) as database, joined(database, 60) as member:
        await fill(open_store(database.tables, member.leases))
    moved, _ = await move(places["sqlite"], places["postgres"])
    assert await move(places["sqlite"], places["postgres"]) == (moved, False)
    async with open_database(places["postgres"]) as database:
        await database.tables.commit(lambda db: db.execute("UPDATE outbox SET text = 'changed'"))
    with pytest.raises(DatabaseError, match="holds other rows already"):
        await move(places["sqlite"], places["postgres"])


@pytest.mark.parametrize("running", ["sqlite", "postgres"])
async def test_while_a_bot_runs(places: dict[str, Place], running: str) -> None:
    """Nothing is moved from or to a database on which a bot runs."""
    async with open_database(places["sqlite"]):
        pass
    async with open_database(places[running]) as database, joined(database, 60):
        with pytest.raises(DatabaseError, match="A bot runs on"):
            await move(places["sqlite"], places["postgres"])


async def test_nothing_to_move(tmp_path: Path, places: dict[str, Place]) -> None:
    """A file that is not there is an error, and is not made."""
    with pytest.raises(DatabaseError, match="There is no database"):
        await move(tmp_path / "typo.db", places["postgres"])
    assert not (tmp_path / "typo.db").exists()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_export(places: dict[str, Place], tmp_path: Path, kind: str) -> None:
    """The log of a bot that runs is copied into a new file whose views say the same; one that is there stays."""
    target = tmp_path / "export.db"
    async with open_database(places[kind]) as database, joined(database, 60) as member:
        await fill(open_store(database.tables, member.leases))
        await export(places[kind], target)
    with open_reader(places[kind]) as here, open_reader(target) as there:
        for view in ("approval_requests", "refund_requests", "runs", "tool_call_summary", "daily_usage", "slow_calls"):
            rows = here.rows(f"SELECT * FROM {view}")  # noqa: S608 - names of ours
            assert rows
            assert there.rows(f"SELECT * FROM {view}") == rows  # noqa: S608
    with pytest.raises(DatabaseError, match="is there already"):
        await export(places[kind], target)


@pytest.mark.parametrize("place", ["sqlite", "postgres", "link", "other address"])
async def test_onto_itself(places: dict[str, Place], tmp_path: Path, place: str) -> None:
    """A database is not moved onto itself, by whatever name."""
    source = places[{"link": "sqlite", "other address": "postgres"}.get(place, place)]
    async with open_database(source):
        pass
    target = source
    if place == "link":
        assert isinstance(source, Path)
        target = tmp_path / "link.db"
        target.symlink_to(source)
    elif place == "other address":
        assert isinstance(source, PostgresUrl)
        target = PostgresUrl(f"{source.get_secret_value()}&application_name=other")
    with pytest.raises(DatabaseError, match="is the database that is to be moved"):
        await move(source, target)
