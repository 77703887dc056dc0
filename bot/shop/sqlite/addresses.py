"""Changes of the built-in shop to where parcels go: of one order, or of those to come."""

from sqlite_utils import Database

from bot.shop import quotes
from bot.shop.changes import ChangeAddress, ChangeDefaultAddress, Quote
from bot.shop.shop import ShopRefusedError
from bot.shop.sqlite.reading import order_of, read_address, read_customer, written_address


def quote_address(db: Database, change: ChangeAddress) -> Quote:
    """Say where it went until now. Raises ShopRefusedError when it has left."""
    return quotes.quote_address(order_of(db, change.order_id), change)


def make_address(db: Database, change: ChangeAddress, quote: Quote, key: str) -> None:  # noqa: ARG001 - as all are
    """Send it there."""
    db.execute("UPDATE orders SET address = ? WHERE id = ?", [written_address(change.address), quote.order_id])


def quote_default_address(db: Database, change: ChangeDefaultAddress) -> Quote:
    """Say which address it replaces. Raises ShopRefusedError."""
    customer = read_customer(db, "id", change.customer_id)
    if customer is None:
        raise ShopRefusedError("This account is gone.")
    (text,) = db.execute("SELECT address FROM customers WHERE id = ?", [customer.id]).fetchone()
    if (before := read_address(text)) == change.address:
        raise ShopRefusedError("This is the address of the account already.")
    return Quote(customer, address=before)


def make_default_address(
    db: Database,
    change: ChangeDefaultAddress,
    quote: Quote,
    key: str,  # noqa: ARG001 - as all are
) -> None:
    """Keep it for later orders; those that there are go where they did."""
    db.execute("UPDATE customers SET address = ? WHERE id = ?", [written_address(change.address), quote.customer.id])
