"""Shopify's Admin API over HTTP: tokens that last a day, a budget of points, and errors that come with status 200."""

import asyncio
import time
from typing import Any

from bot.shop.remote import Json, KeyRefusedError, OutcomeUnknownError, Remote
from bot.shop.shop import ShopUnavailableError

RENEW_SECONDS = 300.0  # before it ends, so that no request is begun with a token that ends on its way

_NOT_BEGUN = frozenset({"ACCESS_DENIED", "BAD_REQUEST", "GRAPHQL_VALIDATION_FAILED", "undefinedField"}) | frozenset(
    {"MAX_COST_EXCEEDED", "argumentLiteralsIncompatible", "missingRequiredArguments", "INVALID_VARIABLE"}
)


class Tokens:
    """The access token: one that was given, or one that is fetched with the app's own id and secret for a day."""

    def __init__(self, remote: Remote, *, token: str | None, client_id: str, client_secret: str) -> None:
        self._remote = remote
        self._token, self._ends_at = token, float("inf")
        self._given = token is not None
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._lock = asyncio.Lock()

    async def get(self) -> str:
        """Return the token, a new one when it is about to end. Raises ShopUnavailableError."""
        async with self._lock:
            if self._token is None or time.monotonic() > self._ends_at - RENEW_SECONDS:
                form = {"grant_type": "client_credentials", **self._credentials}
                answer = (await self._remote.read("POST", "admin/oauth/access_token", data=form)).body
                if not answer.get("access_token"):
                    raise ShopUnavailableError(f"Shopify gave no token: {str(answer.get('error'))[:100]}.")
                self._token = str(answer["access_token"])
                self._ends_at = time.monotonic() + float(answer.get("expires_in") or 86_399)
            return self._token

    def drop(self, token: str) -> bool:
        """Forget a token that was refused, and return whether another can be had."""
        if self._token == token and not self._given:
            self._token = None
        return not self._given


class AdminApi:
    """Sends documents, and says what an error means for what was asked."""

    def __init__(self, remote: Remote, tokens: Tokens, version: str) -> None:
        self._remote = remote
        self._tokens = tokens
        self.version = version
        self._path = f"admin/api/{version}/graphql.json"

    async def read(self, document: str, **variables: Any) -> Json:
        """Return the data of a query. Raises ShopUnavailableError whatever fails."""
        try:
            return await self.change(document, **variables)
        except OutcomeUnknownError as error:
            raise ShopUnavailableError(str(error)) from error

    async def change(self, document: str, **variables: Any) -> Json:
        """Return the data of a mutation. Raises ShopUnavailableError and OutcomeUnknownError; renews a token once."""
        token = await self._tokens.get()
        try:
            return await self._send(token, document, variables)
        except KeyRefusedError:
            if not self._tokens.drop(token):
                raise
            return await self._send(await self._tokens.get(), document, variables)

    async def _send(self, token: str, document: str, variables: Json) -> Json:
        headers = {"X-Shopify-Access-Token": token}
        body = {"query": document, "variables": variables}
        answer = (await self._remote.change("POST", self._path, json=body, headers=headers)).body
        errors = answer.get("errors")
        if errors:
            raise _meaning(errors, answer.get("extensions") or {})
        data: Json | None = answer.get("data")
        if data is None:
            raise OutcomeUnknownError("Shopify answered without data.")
        return data


def _meaning(errors: Any, extensions: Json) -> Exception:
    """Tell what was not begun (too many points, no right, a request that is wrong) from what nobody knows."""
    found = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    codes = {(error.get("extensions") or {}).get("code") for error in found}
    words = str(found[0].get("message") if found else errors)[:200]
    if codes == {"THROTTLED"}:
        return ShopUnavailableError("Shopify asks for patience.", _patience(extensions.get("cost") or {}))
    if codes and codes <= _NOT_BEGUN:
        return ShopUnavailableError(f"Shopify refuses the request: {words}")
    return OutcomeUnknownError(f"Shopify answered with an error: {words}")


def _patience(cost: Json) -> float:
    """Return the seconds until there are enough points again."""
    try:
        status = cost.get("throttleStatus") or {}
        missing = float(cost.get("requestedQueryCost") or 0) - float(status.get("currentlyAvailable") or 0)
        return max(1.0, missing / float(status.get("restoreRate") or 50))
    except (TypeError, ValueError, AttributeError):
        return 1.0
