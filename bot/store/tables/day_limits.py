"""How much money has come back to one person within a day, by the rows of the log, and who has to agree to more."""

import json
from collections.abc import Iterator
from datetime import timedelta

from bot.store.calls import DayLimit, DayLimits, Gate, Needs, ToolCall
from bot.store.errors import AboveDayLimitError
from bot.store.tables.database import Transaction

_DAY = timedelta(days=1)
_WAITS = " OR status = 'pending'"
_CONFIRMED_ALONE = " AND gate = 'requester'"


def check_day(db: Transaction, call: ToolCall, limits: DayLimits, *, decided_only: bool = False) -> None:
    """Raise AboveDayLimitError when the call needs more than it does, for what the person has had back today.

    Until the transaction ends nobody else counts for the same people. What waits counts too, so that of several
    requests at once no more are shown to be for one than one may agree to; unless `decided_only`.
    """
    lock_people(db, call)
    count = "" if decided_only else _WAITS
    gives_back = _back(call.quote) is not None
    alone = call.gate == Gate.REQUESTER
    if alone and gives_back and _is_above(db, call, limits.own_clicks, count, _CONFIRMED_ALONE):
        raise AboveDayLimitError(Needs(requester=True, approvers=1))
    limit = limits.one_approver
    if limit and call.approvals_needed < 2 and (gives_back or not alone) and _is_above(db, call, limit, count, ""):  # noqa: PLR2004 - two approvers
        raise AboveDayLimitError(Needs(approvers=2))


def lock_people(db: Transaction, call: ToolCall) -> None:
    """Lock who asks and whose money it is until the transaction ends: nobody else counts for them meanwhile."""
    for person in sorted({call.requester, call.customer or call.requester}):
        db.lock(f"person {person}")


def _is_above(db: Transaction, call: ToolCall, limit: DayLimit, count: str, which: str) -> bool:
    """Return whether the limit is exceeded with this call, for who asks or for whose money it is."""
    this = _back(call.quote)
    for column, person in (("requester", call.requester), ("customer", call.customer)):
        back = [*_had_back(db, call, column, person, count + ")" + which), *([this] if this else [])]
        if any(currency != limit.currency for _, currency in back) or sum(minor for minor, _ in back) > limit.minor:
            return True
    return False


def _had_back(db: Transaction, call: ToolCall, column: str, person: str | None, rest: str) -> Iterator[tuple[int, str]]:
    """Yield what each of the person's other requests gives back."""
    rows = db.execute(
        f"""SELECT quote FROM tool_calls WHERE gated AND id != ? AND {column} = ? AND quote IS NOT NULL
            AND ((status IN ('running', 'unknown', 'succeeded') AND decided_at > ?){rest}""",  # noqa: S608 - ours
        [call.id, person, (db.now() - _DAY).isoformat()],
    ).fetchall()
    for (quote,) in rows:
        if back := _back(quote):
            yield back


def _back(written: str | None) -> tuple[int, str] | None:
    """Return what comes back with the change of a quote: none of what is paid, or follows when goods have arrived."""
    quote = json.loads(written or "{}").get("quote") or {}
    balance = quote.get("balance") or {}
    if balance.get("minor", 0) <= 0 or quote.get("when") == "on_receipt":
        return None
    return balance["minor"], balance["currency"]
