"""Language models: the port, and the adapter for whatever speaks Chat Completions."""
