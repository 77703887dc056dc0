"""How shops behind HTTP are asked: what was not begun is told apart from what nobody knows the outcome of."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Annotated, Any, cast

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, InvalidURL, StreamReader
from pydantic import AfterValidator, SecretStr

from bot import clock
from bot.shop.shop import ShopUnavailableError

MAX_ANSWER_BYTES = 4_000_000
MAX_QUOTED_CHARACTERS = 200
Json = dict[str, Any]


def _as_header(key: SecretStr) -> SecretStr:
    """Return a key without what was copied around it. Raises ValueError when no header can hold it."""
    value = key.get_secret_value().strip()
    if not value or not value.isascii() or not value.isprintable():
        raise ValueError("a key is one line of letters, digits and signs")
    return SecretStr(value)


HeaderKey = Annotated[SecretStr, AfterValidator(_as_header)]
"""A key as the settings of a shop have it."""


class OutcomeUnknownError(Exception):
    """Something was sent to the shop and its answer is none: nobody knows whether it was done."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status


class WrongRequestError(ShopUnavailableError):
    """The shop refuses what was asked of it and will again, so nothing was begun: time does not mend it."""


class KeyRefusedError(WrongRequestError):
    """The shop does not accept our key, so nothing was begun."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a shop answered: a status and a JSON object, whatever the content type says."""

    status: int
    body: Json

    @property
    def is_error(self) -> bool:
        """Whether the shop says that the request was wrong."""
        return self.status >= HTTPStatus.BAD_REQUEST


class Remote:
    """A shop's HTTP API at one address."""

    def __init__(self, session: ClientSession, url: str, *, seconds: float) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._timeout = ClientTimeout(total=seconds)

    async def read(self, method: str = "POST", path: str = "", **request: Any) -> Answer:
        """Send what only reads, with aiohttp's `json`, `data`, `params` and `headers`, and return the answer.

        Raises ShopUnavailableError whatever fails, and when the shop answers with an error of its own.
        """
        try:
            return await self.change(method, path, **request)
        except OutcomeUnknownError as error:
            kind = WrongRequestError if error.status == HTTPStatus.NOT_FOUND else ShopUnavailableError
            raise kind(str(error)) from error

    async def change(self, method: str = "POST", path: str = "", **request: Any) -> Answer:
        """Send what changes something, and return the answer; one of 400 to 499 says in its body what was wrong.

        Raises ShopUnavailableError when it was not begun for certain, and OutcomeUnknownError for all else.
        """
        try:
            async with self._session.request(
                method,
                f"{self._url}/{path}" if path else self._url,
                timeout=self._timeout,
                allow_redirects=False,
                **request,
            ) as response:
                if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                    raise ShopUnavailableError("The shop asks for patience.", _seconds(response.headers))
                if response.status in (401, 403):
                    raise KeyRefusedError(f"The shop does not accept our key ({response.status}).")
                status, text = response.status, await _all_of(response.content)
        except ClientConnectorError as error:
            raise ShopUnavailableError(f"The shop cannot be reached: {error.os_error}.") from error
        except InvalidURL as error:
            raise WrongRequestError(f"{self._url} is no address of a shop.") from error
        except (ClientError, OSError, TimeoutError) as error:
            raise OutcomeUnknownError(f"The shop's answer was lost: {type(error).__name__}.") from error
        return Answer(status, _read(status, text))


async def _all_of(content: StreamReader) -> bytes:
    """Read an answer to its end, in however many pieces it comes. Raises OutcomeUnknownError for one without an end."""
    text = bytearray()
    async for piece in content.iter_any():
        text += piece
        if len(text) > MAX_ANSWER_BYTES:
            raise OutcomeUnknownError("The shop's answer is too long to be one.")
    return bytes(text)


def _read(status: int, text: bytes) -> Json:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        answer = None
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or not isinstance(answer, dict):
        quoted = " ".join(text.decode(errors="replace").split())[:MAX_QUOTED_CHARACTERS]
        raise OutcomeUnknownError(f"The shop answered {status}: {quoted}", status)
    return cast("Json", answer)


def _seconds(headers: Mapping[str, str]) -> float:
    """Return how long to wait by `Retry-After`, which is seconds or a date; 0 when it says nothing."""
    value = headers.get("Retry-After", "")
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(value) - clock.now()).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
