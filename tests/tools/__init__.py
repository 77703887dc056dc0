"""Each tool: what it is offered as, and what it does."""
