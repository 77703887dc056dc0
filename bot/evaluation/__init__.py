"""Conversations in YAML, played through the bot that ships, to tell which language model does the job."""
