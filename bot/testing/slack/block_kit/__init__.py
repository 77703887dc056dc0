"""Whether Slack would accept blocks, and if not, why and where."""

from bot.testing.slack.block_kit.blocks import Surface, problems, too_long
from bot.testing.slack.block_kit.views import view_problems

__all__ = ["Surface", "problems", "too_long", "view_problems"]
