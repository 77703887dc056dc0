"""Other people's schemas: what can be held against them, what is refused, and what a model is told."""

from typing import Any

import pytest

from bot.mcp.schema import UnusableSchemaError, check_schema, for_model, misfits


def an_object(**properties: Any) -> dict[str, Any]:
    """Make a schema of an object with these properties."""
    return {"type": "object", "properties": properties}


def doubling(times: int) -> dict[str, Any]:
    """Define schemas of which each asks for the next one twice, and says that it is of another draft."""
    draft = "https://json-schema.org/draft/2020-12/schema"
    next_twice = {str(n): {"$schema": draft, "allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(times)}
    return {**next_twice, str(times): {}}


@pytest.mark.parametrize(
    ("schema", "arguments", "told"),
    [
        (an_object(a={"type": "integer"}), {"a": 1}, []),
        (an_object(a={"type": "integer"}), {"a": True}, ["a: True is not of type 'integer'"]),
        (an_object(a={"enum": ["x", "y"]}), {"a": "z"}, ["a: 'z' is not one of ['x', 'y']"]),
        (
            an_object(a={"$ref": "#/$defs/b"}) | {"$defs": {"b": {"minimum": 5}}},
            {"a": 1},
            ["a: 1 is less than the minimum of 5"],
        ),
        (an_object() | {"required": ["a"]}, {}, ["$: 'a' is a required property"]),
        (an_object(pattern={"type": "integer"}), {"pattern": "x"}, ["pattern: 'x' is not of type 'integer'"]),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}, {"a": 1}, []),
        (
            an_object(a={"minimum": 0, "exclusiveMinimum": True})
            | {"$schema": "http://json-schema.org/draft-04/schema#"},
            {"a": 0},
            ["a: 0 is less than or equal to the minimum of 0"],
        ),
        (an_object(a={"multipleOf": 0.01}), {"a": 19.99}, []),
        (an_object(a={"multipleOf": 0.01}), {"a": 19.999}, ["a: 19.999 is not a multiple of 0.01"]),
        (
            an_object(patternProperties={"type": "integer"}) | {"additionalProperties": False},
            {"patternProperties": "x"},
            ["patternProperties: 'x' is not of type 'integer'"],
        ),
    ],
)
def test_arguments(schema: dict[str, Any], arguments: dict[str, Any], told: list[str]) -> None:
    """Arguments are held against a schema, and what does not fit is said with its place."""
    check_schema(schema)
    assert misfits(schema, arguments) == told


@pytest.mark.parametrize(
    "schema",
    [
        an_object(a={"type": "string", "pattern": "^b$"}),
        {"type": "object", "patternProperties": {"^b$": True}, "additionalProperties": False},
    ],
)
def test_no_regular_expressions(schema: dict[str, Any]) -> None:
    """The regular expressions of a schema, which can keep a process busy for ever, are not run."""
    check_schema(schema)
    assert misfits(schema, {"a": "a"}) == []


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "array"}, "does not describe an object"),
        (an_object(a={"type": "a lot"}), "is no JSON Schema"),
        (an_object(a={"$ref": "http://localhost/x.json"}), "refers to http://localhost/x.json"),
        (an_object(a={"$ref": "file:///etc/passwd"}), "refers to file:///etc/passwd"),
        (an_object() | {"$ref": "#/$defs/nowhere"}, "nowhere"),
        (an_object() | {"$ref": "#"}, "recursion"),
        ({"$schema": 5, "type": "object"}, "is no JSON Schema"),
        (an_object() | {"$ref": "#/$defs/0", "$defs": doubling(40)}, "more than 20000 steps"),
    ],
)
def test_unusable(schema: dict[str, Any], why: str) -> None:
    """A schema that is none, or that leads elsewhere, nowhere or round in a circle, is refused before it is used."""
    with pytest.raises(UnusableSchemaError, match=why):
        check_schema(schema)


@pytest.mark.parametrize("frames", range(0, 200, 20))
def test_at_any_depth_of_the_stack(frames: int) -> None:
    """However deep in the program it is looked at, a circle or a deep schema is refused, and a tree is not."""

    def look(schema: dict[str, Any], frames: int) -> None:
        if frames:
            return look(schema, frames - 1)
        return check_schema(schema)

    deep: dict[str, Any] = {}
    for _ in range(500):
        deep = {"not": deep}
    for schema in (an_object() | {"$ref": "#"}, an_object(a=deep), an_object() | {"allOf": [{"$ref": "#"}]}):
        with pytest.raises(UnusableSchemaError):
            look(schema, frames)
    look(an_object(child={"$ref": "#"}), frames)


def test_trees_of_arguments() -> None:
    """A schema that describes a tree takes one of any sensible depth."""
    tree = an_object(child={"$ref": "#"})
    arguments: dict[str, Any] = {}
    for _ in range(20):
        arguments = {"child": arguments}
    assert misfits(tree, arguments) == []


def test_circle_that_is_found_late() -> None:
    """A circle that only some arguments lead into is an error of the schema, and no crash."""
    schema = an_object(a={"$ref": "#/$defs/b"}) | {"$defs": {"b": {"$ref": "#/$defs/b"}}}
    with pytest.raises(UnusableSchemaError):
        misfits(schema, {"a": 1})


def test_work_without_end() -> None:
    """A schema by which some arguments would keep the bot busy for years is given up in a moment."""
    schema = an_object(a={"$ref": "#/$defs/0"}) | {"$defs": doubling(100)}
    check_schema(schema)
    assert misfits(schema, {}) == []
    with pytest.raises(UnusableSchemaError, match="more than 20000 steps"):
        misfits(schema, {"a": 1})


def test_what_a_model_is_told() -> None:
    """A model is told a schema as model servers take it: an object with properties, and no choice at the top."""
    assert for_model({"type": "object", "$schema": "x", "anyOf": [{}], "required": ["a"]}) == {
        "type": "object",
        "properties": {},
        "required": ["a"],
    }
