"""What any shop says of a refund and of a cancellation, from what an order is; every adapter shares it."""

from collections.abc import Iterable, Mapping, Sequence

from bot.shop.changes import ChangeAddress, Quote, QuotedItem, Refund, RefundReason, ReturnItems, When
from bot.shop.money import Money
from bot.shop.orders import Order, OrderStatus
from bot.shop.shop import ShopRefusedError

OUTDATED_QUOTE = "Something about it is not as it was shown any more."


def quoted_items(order: Order, lines: Sequence[int] = ()) -> tuple[QuotedItem, ...]:
    """Name the lines with these numbers, or all of them. Raises ShopRefusedError when there is no such line."""
    numbers = lines or tuple(range(1, len(order.items) + 1))
    if len(set(numbers)) != len(numbers) or not all(1 <= number <= len(order.items) for number in numbers):
        raise ShopRefusedError(
            f"{order.id} has the lines 1 to {len(order.items)}."
            if order.items
            else f"{order.id} has no lines to name.",
            "Send each line once, by its number in get_order_status.",
        )
    items = ((number, order.items[number - 1]) for number in numbers)
    return tuple(QuotedItem(number, item.quantity, item.label) for number, item in items)


def refund_reasons(order: Order) -> tuple[RefundReason, ...]:
    """Return for what a refund of the order can be asked for now: nothing when it is too early or nothing is left.

    What only has to come back first is not looked at where anything of the order has not.
    """
    on_their_way = [item.returning is not None and not item.received for item in order.items]
    if order.refundable.minor <= 0 or (on_their_way and all(on_their_way)):
        return ()
    return tuple(reason for reason in RefundReason if _is_time(order, reason))


def quote_refund(order: Order, change: Refund, left_by_line: Mapping[int, int]) -> Quote:
    """Say what goes back for which lines. Raises ShopRefusedError when that is nothing, too much, or too early.

    `left_by_line` is what of each line's price has not gone back for this very line, in minor units. A shop that does
    not know whether an order has arrived refuses nothing for being early.
    """
    _refuse_early(order, change.reason)
    _refuse_on_its_way_back(order, change, left_by_line)
    left = order.refundable
    if left.minor <= 0:
        how = "was refunded in full"
        if order.status == OrderStatus.CANCELLED:
            how = "was cancelled, and all of its money has gone back"
        raise ShopRefusedError(f"{order.id} {how} already; nothing is left to refund.")
    items = quoted_items(order, change.lines)
    return Quote(
        customer=order.customer,
        order_id=order.id,
        items=items,
        balance=_amount(order, change, left_by_line),
        method=order.payment_method,
        total=order.total,
        refunded=order.refunded,
        status=order.status,
        delivered_on=order.delivered_at.date() if order.delivered_at else None,
    )


def quote_return(order: Order, change: ReturnItems, left_by_line: Mapping[int, int], method: str) -> Quote:
    """Say what comes back for the lines, to where, when they have arrived. Raises ShopRefusedError."""
    if not change.lines:
        raise ShopRefusedError("No line of the order was named.", "Ask which; send their numbers.")
    if change.reason == RefundReason.NOT_DELIVERED:
        raise ShopRefusedError(
            "What has not arrived can't be sent back.",
            "Offer a refund; for something that arrived, ask for the reason.",
        )
    items = quoted_items(order, change.lines)
    require_returnable(order, change.lines)
    refuse_lines(order, [line for line in change.lines if not left_by_line[line]], "was refunded already")
    return Quote(
        order.customer,
        order.id,
        items,
        balance=returned(order, change.lines, left_by_line),
        method=method,
        when=When.ON_RECEIPT,
        total=order.total,
        refunded=order.refunded,
        status=order.status,
        delivered_on=order.delivered_at.date() if order.delivered_at else None,
    )


def returned(order: Order, lines: Sequence[int], left_by_line: Mapping[int, int]) -> Money:
    """Return what comes back for lines: what is left of each, and no more than of the order."""
    return min(Money(sum(left_by_line[line] for line in lines), order.total.currency), order.refundable)


def require_returnable(order: Order, lines: Sequence[int]) -> None:
    """Refuse what has not arrived, and lines that go back or have gone."""
    if order.status != OrderStatus.DELIVERED:
        raise ShopRefusedError(
            f"{order.id} is {order.status}, so nothing of it can be sent back.",
            "An order that has not left can be cancelled or changed; one on its way once it has arrived.",
        )
    for line in lines:
        if (what := order.items[line - 1].returning) is not None:
            refuse_lines(order, [line], "was exchanged already" if what == "exchange" else "was returned already")


def refuse_lines(order: Order, lines: Sequence[int], why: str) -> None:
    """Refuse these lines, if there are any, and say why."""
    if lines:
        raise ShopRefusedError(f"{', '.join(f'{line}. {order.items[line - 1].label}' for line in lines)} {why}.")


def quote_cancellation(order: Order) -> Quote:
    """Say what goes back. Raises ShopRefusedError when the order has left."""
    if not order.cancellable:
        raise ShopRefusedError(f"{order.id} is {order.status} and can't be cancelled any more.")
    return Quote(
        customer=order.customer,
        order_id=order.id,
        items=quoted_items(order),
        balance=order.refundable,
        method=order.payment_method,
        total=order.total,
        refunded=order.refunded,
    )


def take(left_by_line: dict[int, int], lines: Iterable[int], minor: int) -> None:
    """Take what went back for some lines off what is left of each: of the first ones first, and of none twice."""
    for line in sorted(lines):
        part = min(left_by_line.get(line, 0), minor)
        if part > 0:
            left_by_line[line] -= part
            minor -= part


def quote_address(order: Order, change: ChangeAddress) -> Quote:
    """Say where it went until now. Raises ShopRefusedError when it has left, or goes there already."""
    if not order.cancellable:
        raise ShopRefusedError(f"{order.id} is {order.status}, so its address can't be changed any more.")
    if order.address == change.address:
        raise ShopRefusedError(f"{order.id} goes to this address already.")
    abroad = order.address is None or order.address.country != change.address.country
    return Quote(order.customer, order.id, total=order.total, address=order.address, goes_abroad=abroad)


def _amount(order: Order, change: Refund, left_by_line: Mapping[int, int]) -> Money:
    left = order.refundable
    of_lines = _left_of_lines(order, change.lines, left_by_line) if change.lines else left
    amount = change.amount or min(of_lines, left)
    if amount.currency != left.currency:
        raise ShopRefusedError(
            f"{order.id} was paid in {left.currency}, and an amount can only be given in US dollars.",
            "Send null for the amount, with the lines that it is about or for all that is left.",
        )
    if change.lines and amount.minor > of_lines.minor:
        raise ShopRefusedError(
            f"{amount} is more than is left to refund for these items of {order.id}: {of_lines}.",
            "Send null for the amount, and the shop takes what they cost.",
        )
    if not 0 < amount.minor <= left.minor:
        raise ShopRefusedError(
            f"{amount} is more than is left to refund for {order.id}: {left} of {order.total}.",
            f"Send at most {left.major}, or null for all of it, after the customer agreed.",
        )
    return amount


def _left_of_lines(order: Order, lines: Sequence[int], left_by_line: Mapping[int, int]) -> Money:
    quoted_items(order, lines)
    if gone := [f"{line}. {order.items[line - 1].label}" for line in lines if not left_by_line[line]]:
        raise ShopRefusedError(f"This was refunded already: {', '.join(gone)}.")
    return Money(sum(left_by_line[line] for line in lines), order.total.currency)


def _is_time(order: Order, reason: RefundReason) -> bool:
    if not order.tells_delivery:
        return True
    return not order.under_way or (reason == RefundReason.NOT_DELIVERED and order.overdue)


def _refuse_early(order: Order, reason: RefundReason) -> None:
    if _is_time(order, reason):
        return
    if order.cancellable:
        raise ShopRefusedError(f"{order.id} has not left yet, so it can be cancelled instead.", "Offer to cancel it.")
    raise ShopRefusedError(
        f"{order.id} is still on its way, so it can't be refunded yet.",
        "It can be once it has arrived, or when it has not by the day after it was expected.",
    )


def _refuse_on_its_way_back(order: Order, change: Refund, left_by_line: Mapping[int, int]) -> None:
    """Refuse money for what has not come back yet: for such lines, and for more than the others leave."""
    away = [line for line, item in enumerate(order.items, 1) if item.returning and not item.received]
    if change.amount and not change.lines:
        theirs = Money(sum(left_by_line[line] for line in away), order.total.currency)
        is_of_others = change.amount.currency != theirs.currency or change.amount <= order.refundable - theirs
        wanted = () if is_of_others else away
    else:
        wanted = [line for line in away if not change.lines or line in change.lines]
    for line in wanted:
        item = order.items[line - 1]
        if item.returning == "exchange":
            raise ShopRefusedError(f"Line {line}, {item.label}, is being exchanged, so it can't be refunded.")
        raise ShopRefusedError(
            f"Line {line}, {item.label}, is to come back first; its money follows when it has arrived.",
            "Other lines can be refunded by their numbers.",
        )
