"""Whether the bot can do its work: one finding for each thing that it needs."""
