"""The bodies of a model's server: whatever it sends, no more than so much of it is read."""

from collections.abc import Callable
from typing import Any

import httpx2

MAX_BODY_BYTES = 4_000_000  # far more than any turn
_OF_THE_WHOLE_BODY = ("content-encoding", "content-length", "transfer-encoding")


async def cut(response: httpx2.Response) -> httpx2.Response:
    """Return a response that is not read yet with the beginning of its body in place of that, and close it."""
    try:
        body = await beginning(response)
    finally:
        await response.aclose()
    headers = [(name, value) for name, value in response.headers.items() if name not in _OF_THE_WHOLE_BODY]
    return httpx2.Response(response.status_code, headers=headers, content=body, request=response.request)


async def beginning(response: Any, take: Callable[[bytes], None] | None = None) -> bytes:
    """Return the body, of no more than the bytes that are read; what is cut off is no JSON and so no answer.

    Who is to `take` its bytes gets them as they come in.
    """
    body = bytearray()
    read = response.aiter_bytes() if isinstance(response, httpx2.Response) else response.iter_bytes()
    async for piece in read:
        body += piece
        if take is not None:
            take(piece)
        if len(body) > MAX_BODY_BYTES:
            break
    return bytes(body[:MAX_BODY_BYTES])
