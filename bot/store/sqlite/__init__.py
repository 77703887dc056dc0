"""The store in one SQLite file: one connection in one thread, with group commit."""
