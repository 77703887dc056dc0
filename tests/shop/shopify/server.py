"""A stand-in for the Admin API over HTTP: Shopify's schema, executed on the books of a store.

A wrong field, input, type or directive fails as it does at Shopify.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from aiohttp import web
from graphql import DocumentNode, GraphQLError, GraphQLSchema, execute, get_directive_values, parse, validate

from bot.testing.serving import serving
from tests.shop.shopify.store import Book, Json, Store, bag

CLIENT_ID, SECRET = "app-id", "app-secret"
FULL_BUCKET, RESTORED = 2000.0, 100.0


class AdminServer:
    """Tokens, points, and documents that are executed."""

    def __init__(self, schema: GraphQLSchema, store: Store) -> None:
        self.store = store
        self.url = ""
        self.points = FULL_BUCKET
        self.asked: list[str] = []
        self.tokens_given = 0
        self.errors_after: Sequence[str] = ()
        """Codes of the errors that are told of each change, which is made all the same."""
        self._schema = schema
        self._tokens: set[str] = set()

    def end_tokens(self) -> None:
        """End every token."""
        self._tokens.clear()

    def allow(self, token: str) -> None:
        """Accept a token of an older app."""
        self._tokens.add(token)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["AdminServer"]:
        """Serve on a port of localhost while the context is open."""
        app = web.Application()
        app.router.add_post("/admin/oauth/access_token", self._give_token)
        app.router.add_post("/admin/api/{version}/graphql.json", self._answer)
        async with serving(app) as self.url:
            yield self

    async def _give_token(self, request: web.Request) -> web.Response:
        form = await request.post()
        expected = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": SECRET}
        if dict(form) != expected:
            return web.json_response({"error": "invalid_client"}, status=400)
        self.tokens_given += 1
        token = f"shpat_{self.tokens_given}"
        self._tokens.add(token)
        return web.json_response({"access_token": token, "scope": ",".join(self.store.scopes), "expires_in": 86399})

    async def _answer(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Shopify-Access-Token") not in self._tokens:
            return web.json_response({"errors": "[API] Invalid API key or access token"}, status=401)
        sent = await request.json()
        self.asked.append(sent["query"])
        if self.points <= 0:
            status = {"maximumAvailable": FULL_BUCKET, "currentlyAvailable": self.points, "restoreRate": RESTORED}
            cost = {"requestedQueryCost": 100, "actualQueryCost": None, "throttleStatus": status}
            error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
            return web.json_response({"errors": [error], "extensions": {"cost": cost}})
        document, wrong = checked(self._schema, sent["query"])
        if wrong:
            return web.json_response({"errors": [{"message": e.message, "extensions": {"code": "X"}} for e in wrong]})
        running: Any = execute(self._schema, document, Root(self.store), variable_values=sent["variables"])
        result = running if hasattr(running, "formatted") else await running
        if self.errors_after and sent["query"].startswith("mutation"):
            errors = [{"message": "Went wrong.", "extensions": {"code": code}} for code in self.errors_after]
            return web.json_response({"errors": errors})
        return web.json_response(result.formatted)


@cache
def checked(schema: GraphQLSchema, text: str) -> tuple[DocumentNode, list[GraphQLError]]:
    """Return a document, and what of it does not fit the schema."""
    document = parse(text)
    return document, validate(schema, document)


class Root:
    """What Shopify's queries and mutations answer, in the names of its schema."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def orders(self, _info: Any, *, first: int, query: str | None = None, **_how: Any) -> Json:
        """Search orders, in part too: what is found is what might be meant."""
        name = (query or "").removeprefix('name:"').removesuffix('"').removeprefix("#").casefold()
        found = [book for book in self._store.books.values() if name in book.name.casefold()]
        return page([self._order(book) for book in latest(found)], first)

    def order(self, _info: Any, *, id: str) -> Json | None:  # noqa: A002 - Shopify's name
        """Return one order."""
        book = self._store.books.get(id)
        return self._order(book) if book else None

    def customer(self, _info: Any, *, id: str) -> Json | None:  # noqa: A002 - Shopify's name
        """Return one customer."""
        return next((self._customer(one) for one in self._store.customers.values() if one["id"] == id), None)

    def customerByIdentifier(self, _info: Any, *, identifier: Json) -> Json | None:  # noqa: N802
        """Find a customer by a part of the address: an adapter is to compare what it gets."""
        alike = (one for one in self._store.customers.values() if identifier["emailAddress"] in one["email"])
        found = next(alike, None)
        return self._customer(found) if found else None

    def customers(self, _info: Any, *, first: int, **_how: Any) -> Json:
        """List customers."""
        return page([self._customer(one) for one in self._store.customers.values()], first)

    def products(self, _info: Any, *, first: int, query: str, **_how: Any) -> Json:
        """Search products by the beginnings of words of their titles."""
        self._require("read_products")
        words = [one.removeprefix("title:").removesuffix("*").casefold() for one in query.split(" AND ")]
        assert words.pop() == "status:active"
        found = [one for one in self._store.products if all(word in one["title"].casefold() for word in words)]
        return page([one | {"variants": {"nodes": one["variants"]}} for one in found], first)

    def shop(self, _info: Any) -> Json:
        """Describe the store."""
        return {
            "name": "Shop",
            "currencyCode": "USD",
            "orderNumberFormatPrefix": self._store.prefix,
            "orderNumberFormatSuffix": "",
        }

    def publicApiVersions(self, _info: Any) -> list[Json]:  # noqa: N802 - Shopify's name
        """List the versions."""
        return [{"handle": one, "supported": True} for one in self._store.versions]

    def currentAppInstallation(self, _info: Any) -> Json:  # noqa: N802 - Shopify's name
        """Tell what the app may do."""
        return {"accessScopes": [{"handle": one} for one in self._store.scopes]}

    async def refundCreate(self, info: Any, *, input: Json) -> Json:  # noqa: A002, N802
        """Give money back, under a key on this very field."""
        directive = info.schema.get_directive("idempotent")
        assert directive is not None
        values = get_directive_values(directive, info.field_nodes[0], info.variable_values)
        if not values or not values["key"].strip():
            words = "The @idempotent directive is required for this mutation but was not provided."
            raise GraphQLError(words, extensions={"code": "BAD_REQUEST"})
        return await self._store.refund(input, values["key"])

    def orderCancel(self, _info: Any, **sent: Any) -> Json:  # noqa: N802 - Shopify's name
        """Begin to cancel an order, with its money to where it came from."""
        assert sent["refundMethod"] == {"originalPaymentMethodsRefund": True}
        assert len(sent["staffNote"]) <= 255
        return self._store.cancel(sent["orderId"], sent["staffNote"])

    def returnableFulfillments(self, _info: Any, *, orderId: str, **_how: Any) -> Json:  # noqa: N802, N803
        """List what can be sent back of each parcel that has arrived."""
        book = self._store.books[orderId]
        arrived = [one for one in book.fulfillments if one["displayStatus"] == "DELIVERED"]

        def lines(parcel: Json, first: int) -> Json:
            found = parcel["fulfillmentLineItems"]["nodes"]
            left = [{"quantity": book.returnable(one["id"]), "fulfillmentLineItem": one} for one in found]
            return page([one for one in left if one["quantity"]], first)

        return {
            "nodes": [
                {"returnableFulfillmentLineItems": lambda _info, *, first, parcel=parcel, **_how: lines(parcel, first)}
                for parcel in arrived
            ]
        }

    def returnRequest(self, _info: Any, *, input: Json) -> Json:  # noqa: A002, N802
        """Ask for a return."""
        self._require("write_returns")
        return self._store.send_back(input)

    def _require(self, scope: str) -> None:
        if scope not in self._store.scopes:
            raise GraphQLError("Access denied.", extensions={"code": "ACCESS_DENIED"})

    def orderUpdate(self, _info: Any, *, input: Json) -> Json:  # noqa: A002, N802
        """Write another address on an order."""
        book, new = self._store.books[input["id"]], input["shippingAddress"]
        name = " ".join(filter(None, (new["firstName"], new["lastName"])))
        book.address = new | {"name": name, "countryCodeV2": new["countryCode"]}
        book.address["provinceCode"] = new.get("provinceCode") or new.get("province")
        return {"order": {"id": book.id}, "userErrors": []}

    def _customer(self, one: Json) -> Json:
        email = None if self._store.hides_emails else {"emailAddress": one["email"]}

        def orders(_info: Any, *, first: int, after: str | None = None, **_how: Any) -> Json:
            own = [book for book in self._store.books.values() if book.customer is one]
            return page([self._order(book) for book in latest(own)], first, after)

        return one | {
            "defaultEmailAddress": email,
            "orders": orders,
            "defaultAddress": self._store.addresses.get(one["id"]),
        }

    def _order(self, book: Book) -> Json:
        def returns(_info: Any, *, first: int, **_how: Any) -> Json:
            self._require("read_returns")
            return page(book.returns[::-1], first)

        return order(book, self._customer(book.customer) if book.customer else None) | {"returns": returns}


def order(book: Book, customer: Json | None) -> Json:
    """Write an order in the names of the schema."""

    def lines(_info: Any, *, first: int, after: str | None = None, **_how: Any) -> Json:
        return page(book.lines, first, after)

    paid = sum(one["value"] for one in book.payments)
    return {
        "id": book.id,
        "name": book.name,
        "createdAt": book.created,
        "cancelledAt": book.cancelled,
        "cancellation": {"staffNote": book.staff_note} if book.cancelled else None,
        "displayFulfillmentStatus": "FULFILLED" if book.fulfillments else "UNFULFILLED",
        "presentmentCurrencyCode": book.currency,
        "customer": customer,
        "shippingAddress": book.address or None,
        "transactions": lambda _info, *, first, **_how: book.transactions[:first],
        "refunds": lambda _info, *, first, **_how: book.refunds[:first],
        "fulfillments": lambda _info, *, first, **_how: book.fulfillments[:first],
        "lineItems": lines,
        "paymentGatewayNames": ["shopify_payments"],
        "totalReceivedSet": bag(paid, book.currency),
        "totalRefundedSet": bag(book.gone(), book.currency),
    }


def latest(books: Sequence[Book]) -> list[Book]:
    """Sort orders, the latest first."""
    return sorted(books, key=lambda book: book.created, reverse=True)


def page(nodes: Sequence[Json], first: int, after: str | None = None) -> Json:
    """Cut a page out of nodes."""
    start = int(after or 0)
    end = start + first
    return {"nodes": nodes[start:end], "pageInfo": {"hasNextPage": end < len(nodes), "endCursor": str(end)}}
