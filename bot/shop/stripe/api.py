"""Stripe's API over HTTP: lists in pages, and what an error means for what was asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any, TypeVar

from bot.shop.remote import Answer, Json, OutcomeUnknownError, Remote, WrongRequestError
from bot.shop.shop import ShopRefusedError, ShopUnavailableError

T = TypeVar("T")
PAGE = 100
_MAX_PAGES = 50
_AT_ONCE = 10


class StripeApi:
    """Reads and writes; lists show at once what was made, searches do not."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    async def read(self, path: str, **params: Any) -> Json:
        """Return an object, or a page of a list. Raises ShopUnavailableError."""
        answer = await self._remote.read("GET", path, params={name: str(value) for name, value in params.items()})
        if answer.is_error:
            raise WrongRequestError(f"Stripe does not tell: {_message(answer)}")
        return answer.body

    async def all(self, path: str, **params: str) -> list[Json]:
        """Read every page of a list."""
        return [one async for one in self._pages(path, params)]

    async def latest(self, path: str, wanted: Callable[[Json], bool], most: int, **params: str) -> list[Json]:
        """Read what is wanted of a list, which has the latest first, until there is enough."""
        found: list[Json] = []
        async for one in self._pages(path, params):
            if wanted(one):
                found.append(one)
            if len(found) >= most:
                break
        return found

    async def create(self, path: str, form: Json, key: str) -> Json:
        """Make something under a key.

        Raises ShopRefusedError when it was not, ShopUnavailableError when it was not begun, and OutcomeUnknownError.
        """
        answer = await self._remote.change("POST", path, data=form, headers={"Idempotency-Key": key})
        if answer.is_error:
            raise _refusal(answer)
        return answer.body

    async def _pages(self, path: str, params: Json) -> AsyncIterator[Json]:
        after: dict[str, str] = {}
        for _ in range(_MAX_PAGES):
            page = await self.read(path, limit=PAGE, **params, **after)
            for one in page["data"]:
                yield one
            if not page.get("has_more") or not page["data"]:
                return
            after = {"starting_after": page["data"][-1]["id"]}
        raise ShopUnavailableError(f"There are too many {path} to read.")


async def together(doing: Iterable[Awaitable[T]]) -> list[T]:
    """Wait for several answers, no more of them at once than anybody minds."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(asking: Awaitable[T]) -> T:
        async with gate:
            return await asking

    return await asyncio.gather(*map(one, doing))


def _message(answer: Answer) -> str:
    error = answer.body.get("error")
    return str(error.get("message") if isinstance(error, dict) else error)[:200]


def _refusal(answer: Answer) -> Exception:
    """Tell a refusal, after which nothing has moved, from a key that is at work at this moment."""
    error = answer.body.get("error")
    kind = error.get("type") if isinstance(error, dict) else None
    if answer.status == HTTPStatus.CONFLICT:
        return OutcomeUnknownError(f"Stripe is at work on this key: {_message(answer)}")
    if kind in ("invalid_request_error", "card_error"):
        return ShopRefusedError(f"Stripe does not allow it: {_message(answer)}")
    if kind == "idempotency_error":
        return ShopRefusedError("This key has been used for something else.")
    return OutcomeUnknownError(f"Stripe answered {answer.status}: {_message(answer)}")
