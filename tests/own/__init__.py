"""What an operator brings of their own: a shop, tools, and slips in both, named by BOT_SHOP and BOT_TOOLS."""
