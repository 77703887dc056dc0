"""A tool that no model could be offered stops the start with a line, and not every answer."""

from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from bot import tools
from bot.settings import SettingsError
from bot.tools.tool import Context, Tool, ToolResult


class Runs(Tool):
    """Do nothing."""

    async def run(self, context: Context) -> ToolResult:
        """Do nothing."""
        return ToolResult(content={"thread": context.thread.ts})


class GetWeather(Runs):
    """Tell the weather."""

    city: str


class Node(BaseModel):
    """A part of itself."""

    children: list["Node"]


class GetTree(Runs):
    """Tell a tree."""

    root: Node


class GetAnything(Runs):
    """Tell anything."""

    what: Any


class GetMapping(Runs):
    """Tell what is in a mapping."""

    counts: dict[str, int]


class GetWithoutWords(Runs):  # noqa: D101 - that is what is wrong with it
    city: str


class GetWithANameThatIsLongerThanAnyServerTakesForTheNameOfAFunctionOfAModel(Runs):
    """Tell nothing."""


class Abroad:
    """Where another tool has the same name."""

    class GetWeather(Runs):
        """Tell the weather abroad."""

        name: ClassVar[str]


@pytest.mark.parametrize(
    ("tool", "why"),
    [
        (GetTree, "its arguments cannot be described"),
        (GetAnything, "schema must have a 'type' key"),
        (GetMapping, "'additionalProperties' is required to be supplied and to be false"),
        (GetWithANameThatIsLongerThanAnyServerTakesForTheNameOfAFunctionOfAModel, "a name has 64 letters"),
        (GetWithoutWords, "it has no docstring"),
    ],
)
def test_refused(tool: type[Tool], why: str) -> None:
    """A tool whose description a server would refuse is named, with what is wrong, in one line."""
    with pytest.raises(SettingsError) as raised:
        tools.by_name([GetWeather, tool])
    assert str(raised.value).startswith(f"The tool {tool.name} of {__name__} cannot be offered to a model: ")
    assert why in str(raised.value)
    assert "\n" not in str(raised.value)


def test_name_that_is_taken() -> None:
    """Of two tools with one name none silently takes the other's place."""
    with pytest.raises(SettingsError, match=r"^The tool get_weather of .+ has a name that is taken: .+ the same name"):
        tools.by_name([GetWeather, Abroad.GetWeather])


def test_good() -> None:
    """A tool that can be offered is there by its name."""
    assert tools.by_name([GetWeather]) == {"get_weather": GetWeather}
