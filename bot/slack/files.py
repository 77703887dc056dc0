"""Files that people send, fetched from Slack."""

import asyncio
import logging
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.store.records import SharedFile

logger = logging.getLogger(__name__)

FETCH_TIMEOUT_SECONDS = 8.0


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

    def _is_slacks(self, url: str) -> bool:
        try:
            parts, ours = urlsplit(url), urlsplit(self._client.base_url)
        except ValueError:
            return False
        if (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc):
            return True
        host = parts.hostname or ""
        return parts.scheme == "https" and parts.port is None and (host == "slack.com" or host.endswith(".slack.com"))
