"""A tool that breaks the rules of Python when its class is made."""

from bot.tools.tool import Tool


class GetMoon(Tool):
    """Tell how the moon stands."""

    phase: "Unheard"  # type: ignore[name-defined]  # noqa: F821
