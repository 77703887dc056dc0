"""The life of one gated call, in any order of what people, time, crashes and two processes can do to it."""

import asyncio
import tempfile
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.strategies import sampled_from

from bot.approvals.cards import Cards
from bot.approvals.conflicts import Conflicts
from bot.approvals.effects import Effects, quoted_of
from bot.approvals.endings import Ending
from bot.approvals.execute import Executor
from bot.settings import Settings
from bot.shop import sample as sample_shop
from bot.shop.changes import Quote, Quoted, QuotedItem, Refund, RefundReason
from bot.shop.money import Money
from bot.shop.orders import Customer, OrderStatus
from bot.shop.sqlite import SqliteShop
from bot.slack.client import web_client, web_session
from bot.slack.users import SlackIdentity
from bot.store.calls import CallStatus, ToolCall
from bot.store.records import Post, new_id
from bot.testing.slack.api import SlackServer
from bot.testing.slack.workspace import Workspace
from bot.tools.initiate_refund import InitiateRefund
from tests.stories.test_processes import Process, message
from tests.world import ANA, SAM

T = TypeVar("T")
FINAL = (CallStatus.SUCCEEDED, CallStatus.FAILED, CallStatus.CANCELLED, CallStatus.DECLINED, CallStatus.EXPIRED)
AFTER = {
    CallStatus.PENDING: {CallStatus.RUNNING, CallStatus.CANCELLED, CallStatus.DECLINED, CallStatus.EXPIRED},
    CallStatus.RUNNING: {CallStatus.SUCCEEDED, CallStatus.FAILED, CallStatus.UNKNOWN},
    CallStatus.UNKNOWN: {CallStatus.SUCCEEDED, CallStatus.FAILED},
}
either = sampled_from((0, 1))
REFUND = Quote(
    Customer("cus_ana", "Ana Ruiz", "ana@example.com"),
    "ORD-10188",
    (QuotedItem(1, 1, "Cast-iron teapot, 0.8 l"),),
    Money(4200),
    "Visa ending 4242",
    total=Money(4200),
    refunded=Money(0),
    status=OrderStatus.DELIVERED,
)


class GatedCallMachine(RuleBasedStateMachine):
    """Two processes over one database, and one request for a refund of 42 dollars, which is all of its order."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory()
        self._seen = [CallStatus.PENDING]
        self._elsewhere = 0

    def _do(self, doing: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(doing)

    @initialize()
    def park(self) -> None:
        """Start both processes, and ask for the refund in one of them."""
        self._do(self._open())

    async def _open(self) -> None:
        path = Path(self._folder.name) / "support.db"
        self._processes = [Process(path, 60), Process(path, 60)]
        for process in self._processes:
            await process.__aenter__()
        await sample_shop.fill(self._processes[0].database)
        self._slack = await SlackServer(Workspace()).__aenter__()
        self._session = web_session()
        options = Settings(_env_file=None, slack_bot_token="xoxb-demo", BOT_APPROVERS=SAM)
        client = web_client("xoxb-demo", self._slack.url, self._session)
        identity = SlackIdentity(client, options, team="T0ACME")
        self._executors = [
            Executor(
                store=process.store,
                cards=Cards(identity, options),
                effects=Effects(
                    tools={"initiate_refund": InitiateRefund},
                    shop=SqliteShop(process.database),
                    identity=identity,
                    seconds=options.tool_timeout_seconds,
                ),
                conflicts=Conflicts(process.store, options),
                wake=lambda _thread, _user: None,
                refund_watch_days=30,
            )
            for process in self._processes
        ]
        self._id = await self._park()

    async def _park(self) -> str:
        store = self._processes[0].store
        await store.inbox.receive(message(), addressed=True, mentioned=True)
        taken = await store.inbox.next(message().thread)
        assert taken
        await store.conversations.begin(taken)
        call = proposed_refund()
        await store.conversations.add_turn(
            taken.thread, {"role": "assistant", "content": None, "tool_calls": []}, [call]
        )
        await store.approval_requests.park(call, [Post(new_id(), "T", "C", "1.0", "card", (), call.id)])
        return call.id

    def _call(self) -> ToolCall:
        call = self._do(self._processes[0].store.calls.get(self._id))
        assert call
        return call

    @rule(by=either)
    def approve(self, by: int) -> None:
        """Somebody approves, and all goes well."""
        if claimed := self._do(self._processes[by].store.approval_requests.claim(self._call(), SAM)):
            self._do(self._executors[by].execute(claimed))

    @rule(by=either)
    def approve_and_die(self, by: int) -> None:
        """Somebody approves, and the process dies before it has asked the shop."""
        self._do(self._processes[by].store.approval_requests.claim(self._call(), SAM))

    @rule(by=either)
    def approve_and_die_later(self, by: int) -> None:
        """Somebody approves, and the process dies when the shop has answered."""
        if claimed := self._do(self._processes[by].store.approval_requests.claim(self._call(), SAM)):
            shown = quoted_of(claimed)
            if not self._elsewhere:
                shop = SqliteShop(self._processes[by].database)
                self._do(shop.apply(shown.change, shown.quote, key=f"support-bot:{claimed.id}"))

    @rule(by=either)
    def approve_twice_at_once(self, by: int) -> None:
        """Somebody approves in both processes at the same instant."""
        call = self._call()

        async def both() -> list[ToolCall | None]:
            claims = (process.store.approval_requests.claim(call, SAM) for process in self._processes)
            return await asyncio.gather(*claims)

        claimed = [call for call in self._do(both()) if call]
        assert len(claimed) <= 1
        for call in claimed:
            self._do(self._executors[by].execute(call))

    @rule(by=either)
    def cancel(self, by: int) -> None:
        """Somebody cancels, on a card that may be behind."""
        call = self._call()
        if call.status == CallStatus.PENDING:
            assert self._do(self._executors[by].close(call, Ending.DECLINED, by=ANA))
            assert not self._do(self._executors[1 - by].close(call, Ending.DECLINED, by=ANA))

    @rule(by=either)
    def expire(self, by: int) -> None:
        """Its time is over."""
        call = self._call()
        if call.status == CallStatus.PENDING:
            self._do(self._executors[by].close(call, Ending.EXPIRED))

    @rule(by=either, again=sampled_from((True, False)))
    def look_after(self, by: int, *, again: bool) -> None:
        """Sweep in one process what has no outcome, in whichever it was begun."""
        call = self._call()
        if call.status in (CallStatus.RUNNING, CallStatus.UNKNOWN):
            self._do(self._executors[by].reconcile(call, again=again))

    @rule()
    def look_after_at_once(self) -> None:
        """Both processes look after it at the same instant."""
        call = self._call()
        if call.status in (CallStatus.RUNNING, CallStatus.UNKNOWN):

            async def both() -> None:
                await asyncio.gather(*(outcomes.reconcile(call, again=True) for outcomes in self._executors))

            self._do(both())

    @rule(paused=sampled_from((True, False)), by=either)
    def switch(self, by: int, *, paused: bool) -> None:
        """Pause or resume, as the operator does."""
        switches = self._processes[by].store.admin
        self._do(switches.pause() if paused else switches.resume())

    @precondition(lambda self: not self._elsewhere)
    @rule()
    def refund_elsewhere(self) -> None:
        """Give one dollar back as the shop's own people do, so that the whole is not there any more."""
        sql = "INSERT INTO refunds VALUES ('re_1', 'ORD-10188', 100, 'USD', 'defective', 'elsewhere', '2026')"
        if not self._refunds():
            self._do(self._processes[0].database.commit(lambda db: db.execute(sql)))
            self._elsewhere = 100

    def _refunds(self) -> list[int]:
        sql = "SELECT amount_minor FROM refunds WHERE idempotency_key = ?"
        rows = self._processes[0].database.commit(lambda db: db.execute(sql, [f"support-bot:{self._id}"]).fetchall())
        return [amount for (amount,) in self._do(rows)]

    @invariant()
    def goes_forward_only(self) -> None:
        """Hold that the status only ever moves along the one way, and that a final one stays."""
        if hasattr(self, "_id") and (status := self._call().status) != self._seen[-1]:
            passed = AFTER[self._seen[-1]]
            assert status in passed | {later for step in passed for later in AFTER.get(step, ())}
            self._seen.append(status)

    @invariant()
    def money_is_right(self) -> None:
        """Hold that money goes back once at most, only after an approval, and exactly when the row says so."""
        if hasattr(self, "_id"):
            refunds, call = self._refunds(), self._call()
            assert refunds in ([], [4200])
            assert sum(refunds) + self._elsewhere <= 4200
            if refunds:
                assert call.status in (CallStatus.RUNNING, CallStatus.UNKNOWN, CallStatus.SUCCEEDED)
                assert call.decided_by == SAM
            if call.status == CallStatus.SUCCEEDED:
                assert refunds == [4200]

    @invariant()
    def said_once(self) -> None:
        """Hold that each step is told once, and the card drawn over once with it."""
        if hasattr(self, "_id"):
            sql = "SELECT replaces IS NOT NULL, count(*) FROM outbox WHERE text != 'card' GROUP BY 1"
            rows = self._do(self._processes[0].database.commit(lambda db: dict(db.execute(sql).fetchall())))
            steps = sum(status in (*FINAL, CallStatus.UNKNOWN) for status in self._seen)
            assert rows.get(0, 0) == rows.get(1, 0) >= steps

    def teardown(self) -> None:
        """Stop both processes."""
        if hasattr(self, "_id"):
            self._do(self._close())
        self._runner.close()
        self._folder.cleanup()

    async def _close(self) -> None:
        for process in self._processes:
            await process.__aexit__()
        await self._session.close()
        await self._slack.__aexit__(None, None, None)


def proposed_refund() -> ToolCall:
    """Make the call as the model has asked for it, previewed."""
    now = datetime.now(UTC)
    return ToolCall(
        id=new_id(),
        thread=message().thread,
        message_id=0,
        position=0,
        tool_call_id="call_1",
        tool="initiate_refund",
        gated=True,
        arguments_sent="{}",
        status=CallStatus.PROPOSED,
        requester=ANA,
        created_at=now,
        arguments="{}",
        quote=Quoted(Refund("ORD-10188", RefundReason.DEFECTIVE), REFUND).written,
        customer=REFUND.customer.id,
        subject="order:ORD-10188",
        summary="Refund of $42.00 for ORD-10188",
        expires_at=now + timedelta(hours=1),
    )


TestGatedCall = GatedCallMachine.TestCase
TestGatedCall.settings = settings(
    max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
