"""A stand-in for Stripe: payments and customers, and refunds of its own or by a server of somebody else's.

Under a key it keeps the first answer, its own errors too, and says when a key is at work or was used for other words.
"""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web

from bot.testing.serving import serving

Json = dict[str, Any]
API_KEY = "sk_test_support_bot"
PROVIDER_SECONDS = 0.02


class StripeServer:
    """The books of an account, served over HTTP; `refunds_at` names a server that keeps charges and refunds."""

    def __init__(self, refunds_at: str | None = None) -> None:
        self.url = ""
        self.payments: dict[str, Json] = {}
        self.customers: dict[str, Json] = {}
        self.refunds: list[Json] = []
        self.asked: list[str] = []
        self.may_refund = True
        self.error_after: str | None = None
        """The kind of an error that is told of every refund, which is made all the same."""
        self.refusal = "invalid_request_error"
        self._refunds_at = refunds_at
        self._charges: dict[str, str] = {}
        self._keys: dict[str, tuple[Json, tuple[int, Json] | None]] = {}
        self._numbers = itertools.count(1001)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["StripeServer"]:
        """Serve on a port of localhost while the context is open."""
        app = web.Application()
        app.on_response_prepare.append(self._note)
        app.router.add_get("/v1/payment_intents", self._list_payments)
        app.router.add_get("/v1/payment_intents/search", self._search)
        app.router.add_get("/v1/customers", self._list_customers)
        app.router.add_get("/v1/customers/{id}", self._customer)
        app.router.add_get("/v1/refunds", self._list_refunds)
        app.router.add_post("/v1/refunds", self._refund)
        headers = {"Authorization": f"Bearer {API_KEY}"}
        async with serving(app) as self.url, ClientSession(headers=headers) as self._session:
            if self._refunds_at:  # books of its own
                _, account = await self._ask("POST", "accounts", data={"type": "custom"})
                self._session.headers["Stripe-Account"] = account["id"]
            yield self

    async def _note(self, request: web.Request, _response: web.StreamResponse) -> None:
        self.asked.append(request.path)

    def buyer(self, email: str) -> Json:
        """Make a customer; there may be several with one address."""
        number = len(self.customers) + 1
        new: Json = {"id": f"cus_{number}", "email": email, "name": email.partition("@")[0].title()}
        return self.customers.setdefault(new["id"], new)

    async def sell(self, customer: Json | None, amount: int, currency: str, *, refunds: str, order: str = "") -> str:
        """Take a payment for an order and return the order's number."""
        number = next(self._numbers)
        name = order or str(number)
        payment: Json = {
            "id": f"pi_{number}",
            "status": "succeeded",
            "amount_received": amount,
            "currency": currency.lower(),
            "created": 1_790_000_000 + number,
            "customer": customer["id"] if customer else None,
            "receipt_email": None,
            "metadata": {"order_id": name},
            "payment_method_types": ["card"],
            "refunds": refunds,
        }
        self.payments[payment["id"]] = payment
        if self._refunds_at:
            form = {"amount": str(amount), "currency": currency.lower(), "source": "tok_visa"}
            charge = await self._ask("POST", "charges", data=form)
            self._charges[payment["id"]] = charge[1]["id"]
        return name

    async def given_back(self, number: str) -> int:
        """Add up what went back or is about to, by the books of the one who keeps them."""
        [payment] = [one for one in self.payments.values() if one["metadata"]["order_id"] == number]
        if not self._refunds_at:
            return self._gone(payment["id"])
        _, found = await self._ask("GET", "refunds", params={"charge": self._charges[payment["id"]], "limit": "100"})
        return sum(one["amount"] for one in found["data"])

    def forget_keys(self) -> None:
        """Move the clock on by a day."""
        self._keys.clear()

    def give_back(self, payment: str, amount: int, status: str | None, metadata: Json) -> Json:
        """Book a refund."""
        made = {
            "id": f"re_{len(self.refunds) + 1}",
            "amount": amount,
            "status": status,
            "payment_intent": payment,
            "metadata": metadata,
            "failure_reason": "lost_or_stolen_card" if status == "failed" else None,
        }
        self.refunds.insert(0, made)
        return made

    def _gone(self, payment: str) -> int:
        ours = [one for one in self.refunds if one["payment_intent"] == payment]
        return sum(one["amount"] for one in ours if one["status"] not in ("failed", "canceled"))

    async def _list_payments(self, request: web.Request) -> web.Response:
        latest = sorted(self.payments.values(), key=lambda one: one["created"], reverse=True)
        return answer(request, [one for one in latest if request.query.get("customer") in (None, one["customer"])])

    async def _search(self, request: web.Request) -> web.Response:
        """Find payments in part and in any case: what is found is what might be meant."""
        found = re.fullmatch(r"metadata\['order_id'\]:'([^']*)'", request.query["query"])
        if not found:
            return web.json_response(
                error("invalid_request_error", "We were unable to parse your search query"), status=400
            )
        word = found[1].casefold()
        return answer(
            request, [one for one in self.payments.values() if word in one["metadata"]["order_id"].casefold()]
        )

    async def _list_customers(self, request: web.Request) -> web.Response:
        """Find customers in part of their address, the latest first: an adapter is to compare what it gets."""
        email = request.query.get("email", "")
        return answer(request, [one for one in reversed(self.customers.values()) if email in one["email"]])

    async def _customer(self, request: web.Request) -> web.Response:
        return reply(request, 200, self.customers[request.match_info["id"]])

    async def _list_refunds(self, request: web.Request) -> web.Response:
        payment = request.query.get("payment_intent")
        if self._refunds_at and payment:
            params = {**request.query, "charge": self._charges[payment]}
            del params["payment_intent"]
            return reply(request, *await self._ask("GET", "refunds", params=params))
        return answer(request, [one for one in self.refunds if payment in (None, one["payment_intent"])])

    async def _refund(self, request: web.Request) -> web.Response:
        form: Json = dict(await request.post())
        if not self.may_refund:
            words = "The provided key does not have the required permissions for this endpoint."
            return reply(request, 403, error("invalid_request_error", words))
        if form["payment_intent"] not in self.payments:
            return reply(request, 404, error("invalid_request_error", "No such payment_intent"))
        return await self._refund_once(request, form, request.headers["Idempotency-Key"])

    async def _refund_once(self, request: web.Request, form: Json, key: str) -> web.Response:
        if self._refunds_at:
            form["charge"] = self._charges[form.pop("payment_intent")]
            return reply(request, *await self._ask("POST", "refunds", data=form, headers={"Idempotency-Key": key}))
        before, kept = self._keys.get(key, (form, None))
        if before != form:
            return reply(request, 400, error("idempotency_error", "Keys can only be used with the same parameters"))
        if kept:
            return reply(request, *kept)
        if key in self._keys:
            return reply(request, 409, error("idempotency_error", "There is another request with this key"))
        self._keys[key] = (form, None)
        await asyncio.sleep(PROVIDER_SECONDS)  # as long as a payment provider thinks
        done = self._give_back(form)
        self._keys[key] = (form, done)
        return reply(request, *done)

    def _give_back(self, form: Json) -> tuple[int, Json]:
        payment, amount = self.payments[form["payment_intent"]], int(form["amount"])
        if payment["refunds"] == "refused":
            return 400, error(self.refusal, "This charge has been charged back")
        assert form["reason"] in ("duplicate", "fraudulent", "requested_by_customer")
        if not 0 < amount <= payment["amount_received"] - self._gone(payment["id"]):
            return 400, error("invalid_request_error", "Refund amount is greater than unrefunded amount on charge")
        metadata = {name[9:-1]: value for name, value in form.items() if name.startswith("metadata[")}
        made = self.give_back(payment["id"], amount, payment["refunds"], metadata)
        return (400, error(self.error_after, "Something went wrong")) if self.error_after else (200, made)

    async def _ask(self, method: str, path: str, **request: Any) -> tuple[int, Json]:
        async with self._session.request(method, f"{self._refunds_at}/v1/{path}", **request) as response:
            return response.status, json.loads(await response.text())


def error(kind: str, words: str) -> Json:
    """Write an error as Stripe does."""
    return {"error": {"type": kind, "message": words}}


def reply(request: web.Request, status: int, body: Json) -> web.Response:
    """Answer who has the key."""
    if request.headers.get("Authorization") != f"Bearer {API_KEY}":
        return web.json_response(error("invalid_request_error", "Invalid API Key provided"), status=401)
    return web.json_response(body, status=status)


def answer(request: web.Request, found: Sequence[Json]) -> web.Response:
    """Answer with a page of a list."""
    after = request.query.get("starting_after")
    start = next((place for place, one in enumerate(found, 1) if one["id"] == after), 0)
    end = start + int(request.query.get("limit", "10"))
    return reply(request, 200, {"data": found[start:end], "has_more": end < len(found)})
