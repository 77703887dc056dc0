"""What is asked of Shopify is valid in each of its versions, and cheap enough to be answered."""

import pytest
from graphql import FieldNode, GraphQLSchema, IntValueNode, SelectionSetNode, parse, validate
from graphql.validation import NoDeprecatedCustomRule, specified_rules

from bot.shop.shopify import documents
from tests.shop.shopify.schema import VERSIONS, archive, schema

MAX_POINTS = 1000


@pytest.fixture(params=VERSIONS)
def published(request: pytest.FixtureRequest) -> GraphQLSchema:
    """Return Shopify's schema of a version."""
    return schema(archive(request.config), request.param)


def test_documents_are_valid(published: GraphQLSchema) -> None:
    """Every document fits the schema of every version that is named, without a deprecated field."""
    rules = (*specified_rules, NoDeprecatedCustomRule)
    wrong = [error.message for text in documents.ALL for error in validate(published, parse(text), rules)]
    assert wrong == []


@pytest.mark.parametrize("text", documents.ALL, ids=lambda text: text.split("(")[0].split("{")[0])
def test_documents_cost_less_than_the_most(text: str) -> None:
    """No document asks for more points than Shopify takes at once, counted for full pages."""
    [operation] = parse(text).definitions
    assert points(operation.selection_set) <= MAX_POINTS  # type: ignore[attr-defined]  # they are operations


def points(selected: SelectionSetNode | None) -> int:
    """Count a point for each object that might come back; a list's children count for each of its places."""
    total = 0
    for field in selected.selections if selected else ():
        if isinstance(field, FieldNode) and field.selection_set:
            places = [int(a.value.value) for a in field.arguments or () if isinstance(a.value, IntValueNode)]
            own = 0 if field.name.value in ("nodes", "pageInfo") else 1
            total += max(places, default=1) * (own + points(field.selection_set))
    return total
