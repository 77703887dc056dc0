"""Tools of one's own: two, and what they have in common."""

from abc import abstractmethod

from pydantic import Field

from bot.tools.tool import Context, Tool, ToolResult

DAYS = {"US": 3, "CA": 6}


class CountryTool(Tool):
    """Something about a country."""

    public = True
    country: str = Field(description="The country's two-letter code, such as US.")

    @abstractmethod
    async def run(self, context: Context) -> ToolResult:
        """Look the country up."""


class GetDeliveryTime(CountryTool):
    """Tell how many days a delivery takes to a country."""

    async def run(self, context: Context) -> ToolResult:  # noqa: ARG002 - it is the same for everybody
        """Look the country up."""
        return ToolResult({"days": DAYS.get(self.country)})


class GetDuties(CountryTool):
    """Tell what duties there are for a country."""

    async def run(self, context: Context) -> ToolResult:  # noqa: ARG002 - it is the same for everybody
        """Look the country up."""
        return ToolResult({"duties": None})
