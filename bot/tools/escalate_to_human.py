"""Hand a thread over to people."""

from pydantic import Field

from bot.tools.arguments import Words
from bot.tools.tool import Context, Tool, ToolResult


class EscalateToHuman(Tool):
    """Hand the conversation over to a person of the support team. You stay quiet in the thread after that.

    Use it when the customer asks for a person, is upset, or needs what no tool of yours does. In a direct message,
    which the team cannot read, first ask whether you may pass it on. Afterwards tell the customer what the result says
    of how the team answers, and promise no time.
    """

    public = True
    needs = "escalation_channel"

    summary: Words = Field(description="What the customer wants and what was tried, in one or two sentences.")

    share_conversation: bool | None = Field(
        description="In a direct message: true when the customer agreed to pass it on. Null elsewhere."
    )

    def progress(self) -> str:
        """Say that people are being called."""
        return "is calling a person…"

    async def run(self, context: Context) -> ToolResult:
        """Return what tells the team, and marks the thread."""
        direct = context.thread.channel.startswith("D")
        shared = direct and self.share_conversation is True
        told = "The support team was told in their own channel, and what they answer there comes here through me."
        unseen = "" if shared else " They cannot read this direct message, only the summary."
        return ToolResult(
            content={
                "handed_over": True,
                "message": f"{told}{unseen if direct else ''} I stay quiet here until I am mentioned.",
            },
            escalate=self.summary,
            share_conversation=shared,
        )
