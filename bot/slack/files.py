"""Files that people send, fetched from Slack."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import SLACK_ERRORS, failure
from bot.slack.content import described, mapping
from bot.store.records import InboxMessage, SharedFile

logger = logging.getLogger(__name__)

FETCH_TIMEOUT_SECONDS = 8.0
PAUSES_SECONDS = (0.5, 1.0, 2.0, 3.0)  # between asking what is said in a voice message


class FileReader:
    """Reads files with the bot's token, which is sent to Slack alone."""

    def __init__(self, client: AsyncWebClient, session: ClientSession) -> None:
        self._client = client
        self._session = session

    async def fetch(self, file: SharedFile, most: int) -> bytes | None:
        """Return what is in a picture, or None when Slack does not give it, or more than `most` bytes of it."""
        if file.size > most or not self._is_slacks(file.url):
            return None
        headers = {"Authorization": f"Bearer {self._client.token}"}
        try:
            async with (
                asyncio.timeout(FETCH_TIMEOUT_SECONDS),
                self._session.get(file.url, headers=headers, allow_redirects=False) as response,
            ):
                if response.status != HTTPStatus.OK or not response.content_type.startswith("image/"):
                    logger.warning(
                        "file %s could not be fetched: %s %s", file.id, response.status, response.content_type
                    )
                    return None
                content = await response.content.read(most + 1)
                while len(content) <= most and (more := await response.content.read(most + 1)):
                    content += more
        except (ClientError, OSError, TimeoutError, ValueError) as error:
            logger.warning("file %s could not be fetched: %s", file.id, type(error).__name__)
            return None
        return content if len(content) <= most else None

    async def describe(self, message: InboxMessage) -> InboxMessage:
        """Return the message with what Slack says by now of files that it had not described, as in a shared channel.

        What is said in a voice message is known some seconds after it was sent.
        """
        words, files = message.text, list[SharedFile]()
        for file in message.files:
            found = await self._info(file) if file.unfinished and file.id else None
            if found is not None:
                words, file = described(words, file, found, message.user)  # noqa: PLW2901 - as it is now
            files.append(file)
        return replace(message, text=words, files=tuple(files))

    async def _info(self, file: SharedFile) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = None
        for pause in PAUSES_SECONDS:
            try:
                found = mapping((await self._client.files_info(file=file.id)).get("file"))
            except SLACK_ERRORS as error:
                logger.warning("file %s is not described: %s", file.id, failure(error))
                return found
            if not described("", file, found, "")[1].unfinished:
                break
            await asyncio.sleep(pause)
        return found

    def _is_slacks(self, url: str) -> bool:
        try:
            parts, ours = urlsplit(url), urlsplit(self._client.base_url)
        except ValueError:
            return False
        if (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc):
            return True
        host = parts.hostname or ""
        return parts.scheme == "https" and parts.port is None and (host == "slack.com" or host.endswith(".slack.com"))
