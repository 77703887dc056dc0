"""Hand a thread over to people."""

from pydantic import Field

from bot.tools.arguments import Words
from bot.tools.tool import Context, Tool, ToolResult


class EscalateToHuman(Tool):
    """Hand the conversation over to a person of the support team. You stay quiet in the thread after that.

    Use it when the customer asks for a person, is upset, or needs something that no tool of yours does. Tell the
    customer that a person will answer here, and do not promise when.
    """

    needs = "escalation_channel"

    summary: Words = Field(
        description="What the customer wants and what was tried, in one or two sentences, for who takes over."
    )

    def progress(self) -> str:
        """Say that people are being called."""
        return "is calling a person…"

    async def run(self, context: Context) -> ToolResult:  # noqa: ARG002 - every tool is run with one
        """Have the team told, and the thread marked."""
        return ToolResult(
            content={
                "handed_over": True,
                "message": "The support team was told and will answer. I stay quiet here until I am mentioned.",
            },
            escalate=self.summary,
        )
