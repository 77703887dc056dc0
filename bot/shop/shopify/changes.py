"""What a change would do to a Shopify order, what is sent for it, and how it is found again.

Our key stands in the refund's note and in the staff's note of a cancellation, which come back whatever happens.
"""

from collections.abc import Mapping, Sequence

from bot.shop.changes import (
    Applied,
    AppliedStatus,
    CancelOrder,
    Change,
    ChangeAddress,
    Quote,
    Refund,
    RefundReason,
    ReturnItems,
)
from bot.shop.money import Money
from bot.shop.notes import check_note, is_under, lines_in, note
from bot.shop.orders import Address
from bot.shop.quotes import quote_address, quote_cancellation, quote_refund, quote_return, take
from bot.shop.remote import Json
from bot.shop.shop import ShopRefusedError
from bot.shop.shopify import reading
from bot.shop.shopify.documents import MAX_PARTS, MAX_PAYMENTS, MAX_REFUNDS, MAX_RETURNS

_DISCREPANCY = {RefundReason.DEFECTIVE: "DAMAGE", RefundReason.WRONG_ITEM: "DAMAGE"}
_REASONS = {
    RefundReason.CHANGED_MIND: "gid://shopify/ReturnReasonDefinition/2",
    RefundReason.WRONG_ITEM: "gid://shopify/ReturnReasonDefinition/4",
    RefundReason.DEFECTIVE: "gid://shopify/ReturnReasonDefinition/6",
}
"""The reasons of a return in Shopify's library of them, which is the same in every store."""
_MAX_CODE_CHARACTERS = 3


def quote(node: Json, change: Change) -> Quote:
    """Say what the change would do to the order now. Raises ShopRefusedError."""
    order = reading.order(node)
    if len(node["transactions"]) >= MAX_PAYMENTS or len(node["refunds"]) >= MAX_REFUNDS:
        raise ShopRefusedError(f"{order.id} has too many payments and refunds to be changed here.")
    if len(node["returns"]) >= MAX_RETURNS:
        raise ShopRefusedError(f"{order.id} has too many returns to be changed here.")
    if any(reading.money(one["amountSet"]).currency != order.total.currency for one in node["transactions"]):
        raise ShopRefusedError(f"{order.id} was paid in several currencies, so it can't be changed here.")
    if isinstance(change, Refund):
        check_note(change.reason, change.lines)
        return quote_refund(order, change, left_by_line(node))
    if isinstance(change, CancelOrder):
        return quote_cancellation(order)
    if isinstance(change, ReturnItems):
        if change.refund_to.strip().casefold() not in ("original", order.payment_method.casefold()):
            raise ShopRefusedError(f"Money of {order.id} goes back to {order.payment_method} only.")
        return quote_return(order, change, left_by_line(node), order.payment_method)
    if isinstance(change, ChangeAddress):
        return quote_address(order, change)
    raise ShopRefusedError("This shop can't do that.")


def applied(node: Json, change: Change, key: str) -> Applied | None:
    """Return the outcome of the change under the key, by what stands in the order; None when it is not there."""
    if isinstance(change, Refund):
        ours = [one for one in node["refunds"] if is_under(one["note"], key)]
        return of_refund(ours[0]) if ours else None
    if isinstance(change, CancelOrder):
        is_ours = is_under((node["cancellation"] or {}).get("staffNote"), key)
        return _of_cancellation(node) if node["cancelledAt"] and is_ours else None
    if isinstance(change, ReturnItems):
        lines = ((one, line) for one in node["returns"] for line in one["returnLineItems"]["nodes"])
        return next((of_return(one) for one, line in lines if is_under(line["customerNote"], key)), None)
    if isinstance(change, ChangeAddress):
        now = reading.order(node).address
        return Applied(node["id"]) if str(now).casefold() == str(change.address).casefold() else None
    return None


def of_refund(refund: Json) -> Applied:
    """Return how far a refund is; of one to several payments, a part may have gone back and the rest not."""
    status = reading.refund_status(refund)
    if status != AppliedStatus.FAILED:
        return Applied(refund["id"], status)
    back = [reading.money(one["amountSet"]) for one in refund["transactions"]["nodes"] if not reading.is_failed(one)]
    part = Money(sum(one.minor for one in back), back[0].currency) if back else None
    why = f"Only {part} of it went back; the payment provider refused the rest." if part else ""
    return Applied(refund["id"], status, why or "The payment provider refused it.")


def of_return(found: Json) -> Applied:
    """Return how far a return is: the merchant has to agree to it."""
    if found["status"] in reading.RETURNS_THAT_ENDED:
        return Applied(found["id"], AppliedStatus.FAILED, "The shop did not agree to it.")
    status = AppliedStatus.PENDING if found["status"] == "REQUESTED" else AppliedStatus.SUCCEEDED
    return Applied(found["id"], status)


def left_by_line(node: Json) -> dict[int, int]:
    """Return what of each line's price did not go back for this very line.

    A refund of ours names its lines in the note; of those of the shop's own people Shopify tells how many are left.
    """
    kept = [line["refundableQuantity"] for line in node["lineItems"]["nodes"]]
    items = enumerate(reading.order(node).items, 1)
    left = {number: item.unit_price.minor * min(kept[number - 1], item.quantity) for number, item in items}
    for refund in node["refunds"]:
        back = [one for one in refund["transactions"]["nodes"] if not reading.is_failed(one)]
        take(left, lines_in(refund["note"]), sum(reading.money(one["amountSet"]).minor for one in back))
    return left


def refund_input(node: Json, change: Refund, amount: Money, key: str) -> Json:
    """Write what goes back to which payments, the first ones first, as far as each has something left."""
    gone = reading.gone(node)
    rest, transactions = amount.minor, []
    for payment in reading.payments(node):
        part = min(rest, reading.money(payment["amountSet"]).minor - gone.get(payment["id"], 0))
        if part > 0:
            major = Money(part, amount.currency).major
            back = {"orderId": node["id"], "parentId": payment["id"], "gateway": payment["gateway"], "kind": "REFUND"}
            transactions.append(back | {"amount": f"{major:f}"})
            rest -= part
    if rest or len(transactions) > MAX_PARTS:
        raise ShopRefusedError(f"The payments of {node['name']} have not that much left, or in too many parts.")
    return {
        "orderId": node["id"],
        "note": note(change.reason, key, change.lines),
        "notify": True,
        "currency": amount.currency,
        "transactions": transactions,
        "discrepancyReason": _DISCREPANCY.get(change.reason, "CUSTOMER"),
    }


def return_input(node: Json, change: ReturnItems, returnable: Sequence[Json], key: str) -> Json:
    """Write which goods go back: of each line all that can. Raises ShopRefusedError for one of which nothing can."""
    lines = [one for fulfillment in returnable for one in fulfillment["returnableFulfillmentLineItems"]["nodes"]]
    order, sent = reading.order(node), []
    for number in change.lines:
        line_id, wanted = node["lineItems"]["nodes"][number - 1]["id"], order.items[number - 1].quantity
        parts = [
            one for one in lines if one["fulfillmentLineItem"]["lineItem"]["id"] == line_id and one["quantity"] > 0
        ]
        if sum(one["quantity"] for one in parts) < wanted:
            raise ShopRefusedError(f"{number}. {order.items[number - 1].label} can't be sent back any more.")
        sent += [_return_line(one, change.reason, key) for one in parts]
    return {"orderId": node["id"], "returnLineItems": sent}


def _return_line(found: Mapping[str, Json], reason: RefundReason, key: str) -> Json:
    return {
        "fulfillmentLineItemId": found["fulfillmentLineItem"]["id"],
        "quantity": found["quantity"],
        "returnReasonDefinitionId": _REASONS[reason],
        "customerNote": note(reason, key),
    }


def staff_note(key: str) -> str:
    """Write the note by which a cancellation is found."""
    return note("By the customer.", key)


def address_input(node: Json, address: Address) -> Json:
    """Write the order's new address."""
    first, _, last = address.name.rpartition(" ")
    is_code = len(address.region) <= _MAX_CODE_CHARACTERS
    sent = {
        "firstName": first,
        "lastName": last,
        "address1": address.street,
        "address2": "",
        "city": address.city,
        "provinceCode" if is_code else "province": address.region or None,
        "zip": address.postcode,
        "countryCode": address.country,
    }
    return {"id": node["id"], "shippingAddress": sent}


def _of_cancellation(node: Json) -> Applied:
    """Return how far the money of a cancelled order is: what failed to go back is left in it."""
    if any(one["kind"] == "REFUND" and reading.is_pending(one) for one in node["transactions"]):
        return Applied(node["id"], AppliedStatus.PENDING)
    if left := reading.order(node).refundable.minor:
        rest = Money(left, node["presentmentCurrencyCode"])
        return Applied(node["id"], AppliedStatus.FAILED, f"It is cancelled, but {rest} of its money has not gone back.")
    return Applied(node["id"])
