"""A stage for the tests that are about Shopify alone."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.shop.shopify.test_shopify import ShopifyStage, open_stage


@pytest_asyncio.fixture
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[ShopifyStage]:
    """Open a stage in the default version."""
    async with open_stage(request.config) as opened:
        yield opened
