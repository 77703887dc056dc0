"""Search the shop's help articles."""

from dataclasses import asdict

from pydantic import Field

from bot.help import articles
from bot.tools.arguments import Words
from bot.tools.tool import Context, Tool, ToolError, ToolResult


class SearchHelp(Tool):
    """Search the shop's help articles: delivery, returns, payment, warranty, accounts and so on.

    Use it for every question about the shop that is not about a certain order. Answer only from what it returns, and
    name title and section, such as: (Returns, How long you have). If nothing fits, say that you do not know.
    """

    public = True
    needs = "help_folder"

    question: Words = Field(description="The question in a few words, in the language of the articles.")

    def progress(self) -> str:
        """Say that help is being read."""
        return "is reading the help articles…"

    async def run(self, context: Context) -> ToolResult:
        """Find the sections that fit best."""
        if context.rules.help_folder is None:
            raise ToolError("There are no help articles.")
        found = articles(context.rules.help_folder).search(self.question)
        return ToolResult(content={"sections": [asdict(section) for section in found]})
