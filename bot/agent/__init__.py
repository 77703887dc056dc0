"""The agent: the tool loop of one thread, what it asks of the model, and what it lets the model's calls do."""
