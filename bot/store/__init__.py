"""Everything the bot must remember: threads, messages, calls, and what is still to be said."""
